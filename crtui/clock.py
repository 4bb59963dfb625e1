"""The real clocks, and the one stand-in that tests and the demo use. Nothing else reads time."""

from __future__ import annotations

import time
from typing import Protocol

from crtui.core.now import Now


class Clock(Protocol):
    """Where ``Now`` comes from at the edges of the program."""

    def now(self) -> Now:
        """This instant on both clocks, in milliseconds."""
        ...

    def real_seconds(self, ms: int) -> float:
        """How many real seconds it takes this clock to advance by ``ms``."""
        ...


class SystemClock:
    """The machine's clocks, optionally running ``speed`` times faster (the demo's ``--speed``)."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._mono0 = time.monotonic_ns()
        self._wall0 = time.time_ns()

    def now(self) -> Now:
        """This instant. At speed 1 the wall clock is read anew, so a corrected clock is noticed."""
        mono = time.monotonic_ns()
        if self._speed == 1.0:
            return Now(mono // 1_000_000, time.time_ns() // 1_000_000)
        passed = int((mono - self._mono0) * self._speed)
        return Now((self._mono0 + passed) // 1_000_000, (self._wall0 + passed) // 1_000_000)

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
