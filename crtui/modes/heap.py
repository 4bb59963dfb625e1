"""One heap for all threads of a process, where glibc would give nearly each a heap of its own."""

from __future__ import annotations

import contextlib
import sys
from typing import Final

_ARENA_MAX: Final = -8
"""``M_ARENA_MAX`` of glibc's ``malloc.h``."""


def share_one_heap() -> None:
    """Threads that start from now on share the main heap, as far as the system's allocator can do that.

    They take turns at the interpreter anyway. What each heap keeps free is of no use to the others:
    in an hour that adds up to some MiB.
    """
    if sys.platform != "linux":
        return
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)
