"""File descriptors: as many as the system allows, and never so many connections that they run out."""

from __future__ import annotations

from typing import Final

ENOUGH: Final = 65_536
"""Each open descriptor costs something; no gateway on one machine needs more."""
UNKNOWN: Final = 1_024


def raise_limit() -> int:
    """Raise this process's soft limit to its hard one (at most ``ENOUGH``); what it is then."""
    try:
        import resource
    except ImportError:
        return UNKNOWN
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return ENOUGH if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        # macOS allows less than the hard limit it names.
        return soft
    return wanted


def connection_cap(descriptors: int) -> int:
    """How many clients may be connected: below half, since each may need a connection upstream too."""
    return max(1, descriptors // 2 - 1)
