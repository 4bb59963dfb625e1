"""From what a config says of the screen to what the screen goes by."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from crtui.config.load import load_config
from crtui.config.model import Config
from crtui.errors import ConfigError
from crtui.modes.options import Options
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


def own_settings(options: Options) -> tuple[ScreenSettings, tuple[str, ...]]:
    """What the person's config says of the screen, for a mode that needs no config; and what to tell of it.

    Commands are taken only from a config named with ``--config``: nobody is to be called because a
    simulated provider went out. Such a config must be right too: raises ``ConfigError``. A fault in
    the usual one is told, and does not hurt.
    """
    try:
        settings = screen_settings(load_config(options.config, os.environ).config)
    except ConfigError as fault:
        if options.config is not None:
            raise
        first = str(fault).partition("\n")[0]
        return ScreenSettings(), (f"[screen] is not used, see `crtui check`: {first}",)
    return settings if options.config is not None else replace(settings, on_event={}), ()
