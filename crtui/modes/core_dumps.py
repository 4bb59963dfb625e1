"""What a crash of a process that holds keys may leave on the disk: nothing of its memory."""

from __future__ import annotations

from typing import Final

_NO_DUMP: Final = 1
"""Bytes: too few for any file, and for Linux also the word that no handler gets a dump through a pipe.

With 0 such a handler would get it (``fs/coredump.c``).
"""


def forbid_core_dumps() -> None:
    """Lower this process's soft limit for core dumps, where the system has such limits."""
    try:
        import resource
    except ImportError:
        return
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    # A hard limit of 0 leaves nothing to lower.
    if hard:
        resource.setrlimit(resource.RLIMIT_CORE, (_NO_DUMP, hard))
