"""Makes frames from what the link holds, and can hold one still."""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING

from crtui.clock import Clock
from crtui.tui.feed import EventLog
from crtui.tui.frame import Frame
from crtui.tui.recent import Counts, RecentErrors

if TYPE_CHECKING:
    from crtui.core.views import Snapshot
    from crtui.engine.link import Link


class FrameSource:
    """The newest frame at any time; while frozen, the one that was newest then.

    The link keeps collecting while frozen: only what is shown stands still.
    """

    def __init__(self, link: Link, clock: Clock, *, zone: tzinfo | None, read_only: bool) -> None:
        self._link = link
        self._clock = clock
        self._zone = zone
        self._read_only = read_only
        self._log = EventLog(zone)
        self._errors = RecentErrors()
        self._recent: tuple[Snapshot | None, Counts] = (None, {})
        self._frozen: tuple[Snapshot, int, int] | None = None

    @property
    def frozen(self) -> bool:
        """Whether the picture stands still."""
        return self._frozen is not None

    def toggle(self) -> None:
        """Hold the present picture, or go on. There is nothing to hold before the first snapshot."""
        latest = self._link.latest
        if self._frozen is not None:
            self._frozen = None
        elif latest is not None:
            now = self._clock.now()
            self._log.take(latest.events)
            self._frozen = (latest, self._shown_at(latest, now.wall), now.mono)

    def listen(self) -> None:
        """Take in the newest events, also between two frames; not while frozen."""
        latest = self._link.latest
        if latest is not None and self._frozen is None:
            self._log.take(latest.events)

    def take(self) -> Frame:
        """The frame for this instant."""
        now = self._clock.now()
        if self._frozen is not None:
            snapshot, wall, mono = self._frozen
            return self._frame(snapshot, wall, now.wall, now.mono - mono)
        latest = self._link.latest
        self.listen()
        return self._frame(latest, self._shown_at(latest, now.wall), now.wall, None)

    def _shown_at(self, latest: Snapshot | None, wall: int) -> int:
        """The instant that countdowns go by: a picture that is not renewed stands still."""
        return wall if latest is None or self._link.status.state == "live" else latest.at

    def _frame(self, snapshot: Snapshot | None, wall: int, clock: int, paused_ms: int | None) -> Frame:
        paused = None if paused_ms is None else round(self._clock.real_seconds(paused_ms) * 1000)
        missed = self._missed() if paused is not None else 0
        return Frame(
            snapshot,
            self._link.status,
            wall,
            clock,
            self._log,
            self._zone,
            paused,
            missed,
            self._read_only or self._link.read_only,
            self._recent_of(snapshot),
        )

    def _recent_of(self, snapshot: Snapshot | None) -> Counts:
        if snapshot is not None and snapshot is not self._recent[0]:
            self._recent = (snapshot, self._errors.take(snapshot))
        return self._recent[1]

    def _missed(self) -> int:
        latest = self._link.latest
        if latest is None or not latest.events:
            return 0
        return max(0, latest.events[-1].seq - self._log.last_seq)
