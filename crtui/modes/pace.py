"""The interpreter's pace in a process that serves."""

from __future__ import annotations

import gc
import sys
from typing import Final

THRESHOLDS: Final = (5_000, 5, 5)
"""Net allocations before a look at the youngest, and of those looks before one at the older ones.

Python's own 700 means a look every dozen requests, in which what waits for the journal is looked
at again and again: some 7 % of the processor's time. With 20,000 the screen's garbage, which is
all cycles, piles up to 4 MiB.
"""
SWITCH_S: Final = 0.0005
"""How long another thread (the journal's, the screen's) may hold up a request; Python's own is 5 ms."""


def settle() -> None:
    """Everything is built: what there is now stays, and what comes is looked at less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    sys.setswitchinterval(SWITCH_S)
