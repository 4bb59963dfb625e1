"""Where on a trace's time line we are: played, paused, jumped about on, at any speed."""

from __future__ import annotations

import threading
from typing import Final

from crtui.clock import Clock
from crtui.core.now import Now

SLOWEST: Final = 0.1
FASTEST: Final = 1_000.0


class Transport:
    """A position in milliseconds that moves with real time. Any thread may call anything."""

    def __init__(self, clock: Clock, end: int, speed: float = 1.0) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.end = end
        self._speed = speed
        self._playing = True
        self._from = 0
        self._since = clock.now().mono

    @property
    def speed(self) -> float:
        """Trace time to real time."""
        return self._speed

    @property
    def playing(self) -> bool:
        """Whether time moves; it stops by itself at the end."""
        return self._playing and self.position() < self.end

    def position(self) -> int:
        """Where we are now."""
        with self._lock:
            return self._position()

    def toggle(self) -> None:
        """Pause, or go on; at the end, play it again from the start."""
        with self._lock:
            at = self._position()
            if at >= self.end:
                at, self._playing = 0, False
            self._move(at)
            self._playing = not self._playing

    def seek(self, ms: int) -> None:
        """Jump to a time, as far as there is one."""
        with self._lock:
            self._move(ms)

    def jump(self, ms: int) -> None:
        """Jump by so much, backwards where negative."""
        with self._lock:
            self._move(self._position() + ms)

    def hold(self, ms: int) -> None:
        """Jump to a time and stay there."""
        with self._lock:
            self._playing = False
            self._move(ms)

    def faster(self, factor: float) -> None:
        """Multiply the speed, within 0.1 to 1000."""
        with self._lock:
            self._move(self._position())
            self._speed = min(FASTEST, max(SLOWEST, self._speed * factor))

    def _move(self, ms: int) -> None:
        self._from = min(self.end, max(0, ms))
        self._since = self._clock.now().mono

    def _position(self) -> int:
        passed = (self._clock.now().mono - self._since) * self._speed if self._playing else 0
        return min(self.end, self._from + round(passed))


class ReplayClock:
    """The screen's clock: its wall is the trace's, its monotonic time is real, as flashes and holds want."""

    def __init__(self, clock: Clock, transport: Transport, start: int) -> None:
        self._clock = clock
        self._transport = transport
        self._start = start

    def now(self) -> Now:
        """This instant of the trace."""
        return Now(self._clock.now().mono, self._start + self._transport.position())

    def real_seconds(self, ms: int) -> float:
        """Of monotonic time, which is real."""
        return self._clock.real_seconds(ms)
