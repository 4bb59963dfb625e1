"""What a person has chosen for the screen. It may come after the first frame: a config takes time to read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Notify = Literal["off", "bell", "osc9"]
Change = Literal["out", "empty", "back"]
CALM_HZ: Final = 1.0


@dataclass(frozen=True, slots=True)
class ScreenSettings:
    """``theme``: None stays with the present one. ``hz``: pictures a second, None as many as now.

    ``keys``: of actions, as a person writes them. ``notify``: ``bell`` rings when nobody serves any
    more; ``osc9`` tells of every provider that goes out, runs empty or is back, as a notification
    of the desktop; ``off`` does neither. ``on_event``: command lines for the same three changes.
    ``reduced_motion``: one picture a second, and rows change places only when a key asks for it.
    """

    theme: str | None = None
    hz: float | None = None
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    notify: Notify = "bell"
    on_event: Mapping[Change, str] = field(default_factory=dict["Change", str])
    reduced_motion: bool = False
    secrets: frozenset[str] = frozenset()
    """Names of variables that hold a key; no command gets those."""
