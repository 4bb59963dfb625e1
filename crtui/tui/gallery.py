"""Where pictures come from: the gateway whose tab is open, or the past; masked where that is wished."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import TYPE_CHECKING

from crtui.actions import ACTIONS, Actions, available
from crtui.clock import Clock
from crtui.tui.privacy import Mask
from crtui.tui.station import Station

if TYPE_CHECKING:
    from crtui.actions import Place
    from crtui.engine.link import Link
    from crtui.tui.frame import Frame, Tab


class Gallery:
    """Makes the frame of this instant. ``past`` is shown while it is there."""

    def __init__(self, links: Sequence[Link], clock: Clock, *, zone: tzinfo | None, read_only: bool) -> None:
        self.stations = [Station(link, clock, zone=zone, read_only=read_only) for link in links]
        self.past: Station | None = None
        self.mask = Mask()
        self.actions: Actions = ACTIONS
        self._notices: tuple[str, ...] = ()
        self._clock = clock
        self._at = 0

    @property
    def present(self) -> Station:
        """The gateway whose tab is open."""
        return self.stations[self._at]

    @property
    def here(self) -> Station:
        """What is shown."""
        return self.past or self.present

    def switch(self, by: int) -> None:
        """Open another tab."""
        self._at = (self._at + by) % len(self.stations)

    def tell(self, notice: str) -> None:
        """Put up a notice of the screen's own; it stays."""
        self._notices = (*self._notices, notice)

    def frame(self) -> Frame:
        """The picture of this instant, as it may be shown."""
        frame = self.here.frames.take()
        behind = None if self.past is None else max(0, self._clock.now().wall - frame.now)
        tabs = self._tabs() if len(self.stations) > 1 else ()
        whole = replace(frame, behind=behind, fleet=tabs, notices=self._notices, actions=self.actions)
        return self.mask.frame(whole)

    def available(self, place: Place) -> Actions:
        """What can be done in a place now."""
        frame = self.frame()
        return available(place, read_only=frame.read_only, actions=self.actions, extra=frame.extra)

    def _tabs(self) -> tuple[Tab, ...]:
        from crtui.tui.fleet import tab_of

        now = self._clock.now().wall
        names = [f"gateway-{n + 1}" if self.mask.on else "" for n in range(len(self.stations))]
        return tuple(
            tab_of(one.link, now, here=one is self.present, name=name)
            for one, name in zip(self.stations, names, strict=True)
        )
