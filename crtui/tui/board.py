"""What the provider table shows of a frame: filtered, in an order of its own, written as rows.

The order is never changed under a moving cursor, and otherwise at most once a second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from crtui.clock import Clock
from crtui.tui.empty import no_match_line
from crtui.tui.order import SORTS, Entry, Sort, arrange, entries, matches
from crtui.tui.rows import Table, TableLines

if TYPE_CHECKING:
    from crtui.tui.frame import Frame

_HOLD_S: Final = 3.0
_RESORT_S: Final = 1.0


class Board:
    """Filter, sort order and rows from frame to frame. ``clock`` measures how long an order is held."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.filter = ""
        self.calm = False
        """Whether rows change places only when a key asks for it."""
        self.shown: Sequence[Entry] = ()
        """The rows as last made: filtered and in their order."""
        self.total = 0
        """The providers there were before the filter."""
        self._sort: Sort = "attention"
        self._reverse = False
        self._rows = TableLines()
        self._order: tuple[str, ...] = ()
        self._sorted_at: int | None = None
        self._moved_at: int | None = None

    def table(self, frame: Frame, width: int, seen: range) -> Table | None:
        """The rows of a frame, ``width`` cells wide; those outside ``seen`` may be as they were before."""
        if frame.snapshot is None:
            return None
        found = entries(frame.snapshot, frame.recent)
        self.total = len(found)
        wanted = [entry for entry in found if matches(entry, self.filter)] if self.filter else found
        self.shown = self._settle(wanted)
        made = self._rows.table(self.shown, width, frame.now, self._sort, reverse=self._reverse, seen=seen)
        if found and not wanted:
            return replace(made, lines=(no_match_line(frame, self.filter, width),))
        return made

    def moved(self) -> None:
        """The cursor is being moved: keep the order for a while."""
        self._moved_at = self._clock.now().mono

    def next_sort(self) -> str:
        """Go to the next order; returns its name."""
        return self._resort(SORTS[(SORTS.index(self._sort) + 1) % len(SORTS)], reverse=self._reverse)

    def turn(self) -> str:
        """The same order the other way round; returns its name."""
        return self._resort(self._sort, reverse=not self._reverse)

    def sort_by(self, sort: Sort) -> str:
        """Take an order, or turn it round where it is the present one; returns its name."""
        return self._resort(sort, reverse=sort == self._sort and not self._reverse)

    def rename(self, name: Callable[[str], str]) -> None:
        """The providers have other names from now on; their order stays."""
        self._order = tuple(map(name, self._order))

    def _resort(self, sort: Sort, *, reverse: bool) -> str:
        self._sort, self._reverse, self._order = sort, reverse, ()
        return f"{sort}{', reversed' if reverse else ''}"

    def _settle(self, found: list[Entry]) -> list[Entry]:
        names = {entry.provider.name for entry in found}
        if set(self._order) != names or not self._held():
            self._order = tuple(e.provider.name for e in arrange(found, self._sort, reverse=self._reverse))
            self._sorted_at = self._clock.now().mono
        by_name = {entry.provider.name: entry for entry in found}
        return [by_name[name] for name in self._order]

    def _held(self) -> bool:
        if self.calm:
            return True
        return self._within(self._sorted_at, _RESORT_S) or self._within(self._moved_at, _HOLD_S)

    def _within(self, since: int | None, seconds: float) -> bool:
        if since is None:
            return False
        return self._clock.real_seconds(self._clock.now().mono - since) < seconds
