"""How often a picture is drawn: as often as asked, but never for more than a small share of a core."""

from __future__ import annotations

import time
from typing import Final

SHARE: Final = 0.04
LONGEST_S: Final = 0.5
CALM_SHARE: Final = 0.004
CALM_LONGEST_S: Final = 4.0


class Pace:
    """Leaves out pictures while those before have cost too much. Belongs to the thread that draws."""

    def __init__(self) -> None:
        self._at = time.perf_counter()
        self._spent = time.thread_time()

    def due(self, *, calm: bool = False) -> bool:
        """Whether the next picture may be drawn; at least twice a second it may.

        ``calm``: nobody looks at it, so a tenth of that is enough, and every four seconds.
        """
        at, spent = time.perf_counter(), time.thread_time()
        passed = at - self._at
        share, longest = (CALM_SHARE, CALM_LONGEST_S) if calm else (SHARE, LONGEST_S)
        if spent - self._spent > share * passed and passed < longest:
            return False
        self._at, self._spent = at, spent
        return True
