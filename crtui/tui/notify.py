"""When to ring the terminal, tell it by OSC 9, or run a command: a provider goes out, runs empty, is back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from crtui.text import scrub
from crtui.tui import fmt
from crtui.tui.order import default_profile, entries, next_server
from crtui.tui.settings import Change, Notify
from crtui.tui.status import CAP, QUOTA, Group
from crtui.tui.upcoming import upcoming

if TYPE_CHECKING:
    from crtui.core.views import Snapshot
    from crtui.tui.order import Entry

_BELL: Final = "\a"
_MANY: Final = 3


@dataclass(frozen=True, slots=True)
class Turn:
    """What has become of a provider. ``until``: wall milliseconds; None is unknown, or nothing is awaited."""

    change: Change
    provider: str
    until: int | None = None
    verb: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What one picture has news of. ``stopped``: nobody serves any more."""

    at: int
    stopped: bool = False
    turns: Sequence[Turn] = ()


class Watch:
    """Compares each picture with the one before. The first one has no news."""

    def __init__(self) -> None:
        self._last: Snapshot | None = None
        self._groups: dict[str, Group] | None = None
        self._served: bool | None = None

    def take(self, snapshot: Snapshot) -> Told:
        """What is new in this picture; mostly nothing."""
        if snapshot is self._last:
            return Told(snapshot.at)
        self._last = snapshot
        return Told(snapshot.at, self._stopped(snapshot), self._turns(snapshot))

    def _stopped(self, snapshot: Snapshot) -> bool:
        if default_profile(snapshot) is None:
            return False
        before, self._served = self._served, next_server(snapshot) is not None
        return before is True and not self._served

    def _turns(self, snapshot: Snapshot) -> Sequence[Turn]:
        found = entries(snapshot)
        groups: dict[str, Group] = {e.provider.name: e.status.group for e in found}
        before, self._groups = self._groups, groups
        if before is None or before == groups:
            return ()
        turns = (_turn(entry, before.get(entry.provider.name), snapshot.at) for entry in found)
        return [turn for turn in turns if turn is not None]


def sequence(told: Told, mode: Notify) -> str:
    """What to write to the terminal: a bell for one thing only, that nobody serves any more; or OSC 9."""
    if mode == "bell":
        return _BELL if told.stopped else ""
    if mode == "off":
        return ""
    words = [*(["nobody serves any more"] if told.stopped else []), *(_words(t, told.at) for t in told.turns)]
    return _osc9("; ".join(words[:_MANY]) + (f"; {len(words) - _MANY} more" if len(words) > _MANY else ""))


def _turn(entry: Entry, before: Group | None, now: int) -> Turn | None:
    group, name = entry.status.group, entry.provider.name
    if before is None or before == group:
        return None
    if group == "out":
        coming = upcoming(entry.provider, now)
        change: Change = "empty" if entry.status in (QUOTA, CAP) else "out"
        later = coming is not None and coming.at > now
        return Turn(change, name, coming.at, coming.verb) if coming and later else Turn(change, name)
    return Turn("back", name) if before == "out" and group in ("ok", "limited") else None


def _words(turn: Turn, now: int) -> str:
    until = "" if turn.until is None else f", {turn.verb} in {fmt.countdown(turn.until - now)}"
    return f"{turn.provider} is {turn.change}{until}"


def _osc9(text: str) -> str:
    """A notification as iTerm2 and others read it; the text can hold no control character."""
    return f"\x1b]9;crtui: {scrub(text, 200)}\x1b\\" if text else ""
