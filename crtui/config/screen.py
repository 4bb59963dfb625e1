"""``[screen]``: how the dashboard looks, which keys it has, and whom it tells."""

from __future__ import annotations

import shlex
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator

from crtui import keymap
from crtui.config import references
from crtui.config.fields import Items
from crtui.config.section import Section


def _command(text: str) -> str:
    try:
        words = shlex.split(text)
    except ValueError as fault:
        raise ValueError(f"is not a command line ({str(fault).lower()}); correct the quotes") from fault
    if not words or not words[0]:
        raise ValueError("names no command; give one, or leave the key out")
    return text


def _as_list(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Command = Annotated[str, Field(max_length=2000), AfterValidator(_command)]
Key = Annotated[str, Field(min_length=1, max_length=40)]
KeyChoice = Annotated[Items[Key], BeforeValidator(_as_list)]


class OnEvent(Section):
    """Commands run without a shell when a provider goes out, runs empty, is back."""

    out: Command | None = None
    empty: Command | None = None
    back: Command | None = None


class Screen(Section):
    """The dashboard's own settings. ``hz``: pictures a second at most."""

    theme: Literal["dark", "light", "blue-orange", "ansi"] = "dark"
    hz: Annotated[float, Field(ge=0.5, le=10)] = 4
    keys: dict[str, KeyChoice] = Field(default_factory=dict[str, KeyChoice])
    notify: Literal["bell", "osc9", "off"] = "bell"
    on_event: OnEvent = OnEvent()
    reduced_motion: bool = False

    @field_validator("keys")
    @classmethod
    def _no_collision(cls, keys: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        if found := [references.Problem((name,), message) for name, message in keymap.faults(keys)]:
            raise references.as_error(found)
        return keys
