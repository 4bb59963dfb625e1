"""One gateway as the screen has it: where its pictures come from, where orders to it go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from typing import TYPE_CHECKING

from crtui.clock import Clock
from crtui.tui.desk import OrderDesk
from crtui.tui.frames import FrameSource
from crtui.tui.notify import Told, Watch

if TYPE_CHECKING:
    from crtui.engine.link import Link


@dataclass(slots=True)
class Station:
    """A link with what the screen remembers of it."""

    link: Link
    frames: FrameSource
    desk: OrderDesk
    watch: Watch

    def news(self) -> Told | None:
        """What is new in the newest picture, also while the one that is shown is held still."""
        latest = self.link.latest
        return None if latest is None else self.watch.take(latest)


def station(link: Link, clock: Clock, *, zone: tzinfo | None, read_only: bool) -> Station:
    """A station that has seen nothing yet."""
    frames = FrameSource(link, clock, zone=zone, read_only=read_only)
    return Station(link, frames, OrderDesk(link, clock), Watch())
