"""One answer of a model as an agent's log tells it, in one form for all agents."""

from __future__ import annotations

from typing import Literal, NamedTuple

from crtui.core.inputs import Usage, WindowReport
from crtui.core.now import unstamp

Agent = Literal["claude", "codex", "gemini", "opencode"]


class Entry(NamedTuple):
    """Tokens that one answer took. Without any tokens it takes an earlier entry of that identity back.

    ``identity`` is what copies of the same answer have in common; it counts within the file, or with
    ``shared`` everywhere. Of two with one identity the newer counts, or with ``shared`` the better:
    no side chain, then more tokens, then one that tells its ``speed``.
    """

    at: int
    """Wall milliseconds."""
    model: str
    usage: Usage
    identity: str
    shared: bool = False
    message: str = ""
    """The message a side chain may repeat under another identity; empty where that cannot be."""
    side: bool = False
    speed: bool = False


class Limit(NamedTuple):
    """A subscription's window, and when (wall milliseconds) the agent was told of it."""

    at: int
    report: WindowReport


def instant(value: object) -> int | None:
    """The wall milliseconds of an RFC 3339 time, else None."""
    if not isinstance(value, str):
        return None
    try:
        return unstamp(value)
    except ValueError:
        return None
