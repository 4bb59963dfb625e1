"""When to ring the terminal, or to tell it by OSC 9: a provider goes out, runs empty, is back. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from crtui.text import scrub
from crtui.tui import fmt
from crtui.tui.order import default_profile, entries, next_server
from crtui.tui.status import CAP, QUOTA, Group
from crtui.tui.upcoming import upcoming

if TYPE_CHECKING:
    from crtui.core.views import Snapshot
    from crtui.tui.order import Entry

Notify = Literal["off", "bell", "osc9"]
_BELL: Final = "\a"
_MANY: Final = 3


class Announcer:
    """Compares each picture with the one before. The first one announces nothing.

    ``bell`` rings for one thing only: that nobody serves any more. ``osc9`` tells every change in
    words, which terminals show as a notification of the desktop.
    """

    def __init__(self, mode: Notify) -> None:
        self._mode = mode
        self._last: Snapshot | None = None
        self._groups: dict[str, Group] | None = None
        self._served: bool | None = None

    def take(self, snapshot: Snapshot) -> str:
        """What to write to the terminal for this picture; mostly nothing."""
        if self._mode == "off" or snapshot is self._last:
            return ""
        self._last = snapshot
        stopped = self._stopped(snapshot)
        if self._mode == "bell":
            return _BELL if stopped else ""
        told = self._changes(snapshot)
        if stopped:
            told.insert(0, "nobody serves any more")
        return _osc9("; ".join(told[:_MANY]) + (f"; {len(told) - _MANY} more" if len(told) > _MANY else ""))

    def _stopped(self, snapshot: Snapshot) -> bool:
        if default_profile(snapshot) is None:
            return False
        before, self._served = self._served, next_server(snapshot) is not None
        return before is True and not self._served

    def _changes(self, snapshot: Snapshot) -> list[str]:
        found = entries(snapshot)
        groups: dict[str, Group] = {e.provider.name: e.status.group for e in found}
        before, self._groups = self._groups, groups
        if before is None:
            return []
        return [
            text for entry in found if (text := _told(entry, before.get(entry.provider.name), snapshot.at))
        ]


def _told(entry: Entry, before: Group | None, now: int) -> str:
    group, name = entry.status.group, entry.provider.name
    if before is None or before == group:
        return ""
    if group == "out":
        coming = upcoming(entry.provider, now)
        until = f", {coming.verb} in {fmt.countdown(coming.at - now)}" if coming and coming.at > now else ""
        return f"{name} is {'empty' if entry.status in (QUOTA, CAP) else 'out'}{until}"
    return f"{name} is back" if before == "out" and group in ("ok", "limited") else ""


def _osc9(text: str) -> str:
    """A notification as iTerm2 and others read it; the text can hold no control character."""
    return f"\x1b]9;crtui: {scrub(text, 200)}\x1b\\" if text else ""
