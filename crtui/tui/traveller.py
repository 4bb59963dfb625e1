"""Steps through history and back: opens the past on the first one, off the screen's thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import tzinfo
from typing import TYPE_CHECKING

from crtui.actions import Actions, key_of
from crtui.clock import Clock
from crtui.errors import CrtuiError
from crtui.tui.gallery import Gallery
from crtui.tui.line import Line, Span
from crtui.tui.station import Station
from crtui.tui.travel import STEPS, History, Past, PastClock

if TYPE_CHECKING:
    from collections.abc import Coroutine

_NONE = (
    Span("no history here: ", "warn"),
    Span("it is in the gateway's own journal; use `crtui` there, or `crtui export`", "dim"),
)

_BEGINS = (Span("history begins here", "dim"),)


class Traveller:
    """Hangs the past into the gallery, and takes it down again."""

    def __init__(
        self,
        gallery: Gallery,
        history: History | None,
        clock: Clock,
        zone: tzinfo | None,
        *,
        say: Callable[[Line | None], None],
        run: Callable[[Coroutine[None, None, None]], object],
        soon: Callable[[Callable[[], object]], None],
        show: Callable[[], object],
    ) -> None:
        """``run`` begins a coroutine, ``soon`` calls on the screen's thread, ``show`` takes a picture."""
        self._gallery = gallery
        self._link: Past | None = None
        self._history = history
        self._clock = clock
        self._zone = zone
        self._say, self._run, self._soon, self._show = say, run, soon, show
        self._opening = False

    def step(self, name: str, actions: Actions) -> None:
        """One of ``STEPS``, from where we are."""
        if self._link is not None:
            self._go(self._link, self._link.position + STEPS[name])
        elif STEPS[name] > 0:
            key = key_of("earlier", actions)
            self._say((Span("this is the present; ", "dim"), Span(key, "key"), Span(" goes back", "dim")))
        elif self._history is None:
            self._say(_NONE)
        elif not self._opening:
            self._opening = True
            self._say((Span("reading the history", "dim"),))
            self._run(self._open(self._history, self._clock.now().wall + STEPS[name]))

    def live(self) -> None:
        """Back to the present."""
        link, self._link, self._gallery.past = self._link, None, None
        if link is not None:
            # It may have to wait for a thread that is reading.
            self._run(asyncio.to_thread(link.close))
            self._say((Span("back in the present", "bright"),))
            self._show()

    def close(self) -> None:
        """Give back what the past holds."""
        if self._link is not None:
            self._link.close()

    async def _open(self, history: History, wall: int) -> None:
        try:
            link = await asyncio.to_thread(history, wall)
        except CrtuiError as fault:
            self._say((Span("no history: ", "warn"), Span(str(fault), "dim")))
            return
        finally:
            self._opening = False
        self._link = link
        clock = PastClock(self._clock, link)
        self._gallery.past = Station(link, clock, zone=self._zone, read_only=True)
        link.listen(lambda: self._soon(self._show))
        self._say(_BEGINS if wall < link.begin else None)
        self._show()

    def _go(self, link: Past, wall: int) -> None:
        if wall >= self._clock.now().wall:
            self.live()
            return
        link.go(wall)
        self._say(_BEGINS if wall < link.begin else None)
        self._show()
