"""Time travel: what the screen needs of a history, and the bar that says the picture is of the past."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from crtui.actions import key_of
from crtui.clock import Clock
from crtui.core.now import MINUTE, SECOND, Now
from crtui.engine.link import Link
from crtui.tui import fmt
from crtui.tui.frame import Frame
from crtui.tui.glyphs import SEPARATOR
from crtui.tui.line import Line, Span, fit, width_of

STEPS: Final = {
    "earlier": -10 * SECOND,
    "later": 10 * SECOND,
    "far_earlier": -10 * MINUTE,
    "far_later": 10 * MINUTE,
}


class Past(Link, Protocol):
    """A link whose pictures are of an earlier time. Times are wall milliseconds."""

    @property
    def begin(self) -> int:
        """The first instant that can be shown."""
        ...

    @property
    def position(self) -> int:
        """The instant that is wanted; pictures of it may take a moment."""
        ...

    def go(self, wall: int) -> None:
        """Show another instant, as far as there is one."""
        ...

    def listen(self, arrived: Callable[[], None]) -> None:
        """Call ``arrived`` with every new picture from now on, on whatever thread makes it."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


History = Callable[[int], Past]
"""Opens the past at a wall time. Blocks; raises ``CrtuiError`` in one line where there is none."""


class PastClock:
    """The screen's clock in the past: its wall is the picture's, its monotonic time is real."""

    def __init__(self, clock: Clock, past: Past) -> None:
        self._clock = clock
        self._past = past

    def now(self) -> Now:
        """The instant that is shown."""
        latest = self._past.latest
        return Now(self._clock.now().mono, self._past.position if latest is None else latest.at)

    def real_seconds(self, ms: int) -> float:
        """Of monotonic time, which is real."""
        return self._clock.real_seconds(ms)


def past_bar(frame: Frame, width: int) -> Line:
    """``PAST 13:02:10 · 12m ago`` and the keys of time as far as they fit, over the whole width."""
    ago = fmt.age(max(0, frame.behind or 0))
    head = f" PAST {fmt.clock_time(frame.now, frame.zone)} {SEPARATOR} {ago} ago"
    keys = {name: key_of(name, frame.actions) for name in (*STEPS, "live")}
    hints = (
        f"   {keys['live']} live",
        f"   {keys['earlier']} {keys['later']} 10 s",
        f"   {keys['far_earlier']} {keys['far_later']} 10 min",
    )
    text = head
    for hint in hints:
        if width_of((Span(text + hint),)) <= width:
            text += hint
    return fit((Span(text + " " * (width - width_of((Span(text),))), "past"),), width)


def refusal(frame: Frame) -> Line:
    """What is said to a command in the past."""
    end = key_of("live", frame.actions)
    return (
        Span("this is the past: ", "warn"),
        Span("nothing was sent; ", "dim"),
        Span(end, "key"),
        Span(" leads back to the present", "dim"),
    )
