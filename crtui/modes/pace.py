"""The interpreter's pace in a process that serves."""

from __future__ import annotations

import gc
import sys
from typing import Final

THRESHOLDS: Final = (20_000, 10, 20)
"""Net allocations before a look at the youngest, and of those looks before one at the older ones.

Python's own 700 means a look every dozen requests, in which what waits for the journal is looked
at again and again: some 7 % of the processor's time.
"""
BESIDE_A_SCREEN: Final = (1_000, 5, 3)
"""A screen's garbage is all cycles: with the thresholds above 4 MiB of it would pile up, and with five times
these still 2 MiB, for 1 % less of the processor's time."""
SWITCH_S: Final = 0.0005
"""How long another thread (the journal's, the screen's) may hold up a request; Python's own is 5 ms."""


def settle(thresholds: tuple[int, int, int] = THRESHOLDS) -> None:
    """Everything is built: what there is now stays, and what comes is looked at less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*thresholds)
    sys.setswitchinterval(SWITCH_S)
