"""The real clocks, and the one stand-in that tests and the demo use. Nothing else reads time."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from crtui.core.now import Now


class Clock(Protocol):
    """Where ``Now`` comes from at the edges of the program."""

    def now(self) -> Now:
        """This instant on both clocks, in milliseconds."""
        ...

    def real_seconds(self, ms: int) -> float:
        """How many real seconds it takes this clock to advance by ``ms``."""
        ...


_BOOTTIME: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", None)
"""Linux's monotonic clock stands still while the machine sleeps; this one goes on."""
uptime_ns: Final[Callable[[], int]] = (
    time.monotonic_ns if _BOOTTIME is None else partial(time.clock_gettime_ns, _BOOTTIME)
)
"""A monotonic clock that counts a sleep of the machine too, where the system has one."""
STEP_MS: Final = 200
"""The wall clock was set when it is this far from where the monotonic one puts it."""


class SystemClock:
    """The machine's clocks, optionally running ``speed`` times faster (the demo's ``--speed``).

    Between two corrections of the wall clock the two advance in step to the millisecond, so that
    one distance between them says what both were at any moment: a recorded run needs no more.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._mono0 = uptime_ns()
        self._ahead = (time.time_ns() - self._mono0) // 1_000_000

    def now(self) -> Now:
        """This instant. At speed 1 a corrected wall clock is noticed."""
        ns = uptime_ns()
        if self._speed != 1.0:
            mono = (self._mono0 + int((ns - self._mono0) * self._speed)) // 1_000_000
            return Now(mono, mono + self._ahead)
        ahead = (time.time_ns() - ns) // 1_000_000
        if abs(ahead - self._ahead) > STEP_MS:
            self._ahead = ahead
        mono = ns // 1_000_000
        return Now(mono, mono + self._ahead)

    def real_seconds(self, ms: int) -> float:
        """How many real seconds it takes this clock to advance by ``ms``."""
        return ms / 1000 / self._speed


class ManualClock:
    """A clock that moves only when told to."""

    def __init__(self, wall: int = 1_795_165_200_000, mono: int = 1_000_000) -> None:
        self._now = Now(mono, wall)

    def now(self) -> Now:
        """The instant last set."""
        return self._now

    def advance(self, ms: int) -> Now:
        """Move both clocks on by ``ms`` and return the new instant."""
        self._now = Now(self._now.mono + ms, self._now.wall + ms)
        return self._now

    def jump_wall(self, ms: int) -> Now:
        """Move only the wall clock, as a time correction would."""
        self._now = Now(self._now.mono, self._now.wall + ms)
        return self._now

    def real_seconds(self, ms: int) -> float:
        """As a system clock at speed 1."""
        return ms / 1000
