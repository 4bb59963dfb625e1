"""From what a config says of the screen to what the screen goes by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crtui.config.model import Config
from crtui.tui.settings import ScreenSettings

if TYPE_CHECKING:
    from crtui.tui.settings import Change


def screen_settings(config: Config) -> ScreenSettings:
    """What the config says of the screen, in the screen's own words."""
    screen = config.screen
    named = {provider.api_key_env for provider in config.providers}
    hooks = screen.on_event
    lines: dict[Change, str | None] = {"out": hooks.out, "empty": hooks.empty, "back": hooks.back}
    return ScreenSettings(
        theme=screen.theme,
        hz=screen.hz,
        keys=screen.keys,
        notify=screen.notify,
        on_event={change: line for change, line in lines.items() if line is not None},
        reduced_motion=screen.reduced_motion,
        secrets=frozenset(name for name in (*named, config.gateway.token_env) if name is not None),
    )
