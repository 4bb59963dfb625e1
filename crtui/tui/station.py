"""One gateway as the screen has it: where its pictures come from, where orders to it go."""

from __future__ import annotations

from datetime import tzinfo
from functools import cached_property
from typing import TYPE_CHECKING

from crtui.clock import Clock
from crtui.tui.frames import FrameSource

if TYPE_CHECKING:
    from crtui.engine.link import Link
    from crtui.tui.desk import OrderDesk
    from crtui.tui.notify import Told, Watch


class Station:
    """A link with what the screen remembers of it. What needs a picture or a key is imported then."""

    def __init__(self, link: Link, clock: Clock, *, zone: tzinfo | None, read_only: bool) -> None:
        self.link = link
        self.frames = FrameSource(link, clock, zone=zone, read_only=read_only)
        self._clock = clock

    @cached_property
    def desk(self) -> OrderDesk:
        """Where keys become orders to this gateway."""
        from crtui.tui.desk import OrderDesk

        return OrderDesk(self.link, self._clock)

    @cached_property
    def _watch(self) -> Watch:
        from crtui.tui.notify import Watch

        return Watch()

    def refusal(self) -> str | None:
        """Why an order that was sent from here was not obeyed; there is nothing to take back then."""
        told = self.link.take_refusal()
        if told is not None:
            self.desk.forget()
        return told

    def news(self) -> Told | None:
        """What is new in the newest picture, also while the one that is shown is held still."""
        latest = self.link.latest
        return None if latest is None else self._watch.take(latest)
