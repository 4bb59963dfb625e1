"""What the cases need to know of one coding agent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.upstream import Script


@dataclass(frozen=True)
class Agent:
    """One CLI: how it is asked (the prompt goes to its standard input), and what a provider says to it.

    ``begun`` are the bytes of a stream that has not ended. It asks without streaming after ``whole_after``
    broken streams, if ``whole_words`` are on its command line; ``tool`` is a stream that has it read a
    file. None means that it never does that. ``large_words`` are what it takes to send a megabyte.
    """

    name: str
    install: Callable[[Path], Path]
    words: tuple[str, ...]
    wire: str
    good: Script
    begun: tuple[bytes, ...]
    whole_after: int | None = None
    whole_words: tuple[str, ...] = ()
    tool: Callable[[Path], Script] | None = None
    large_words: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict[str, str])
    settle: Callable[[Path], None] = lambda home: None
    """Puts what it would fetch from the network into a new home directory."""


class NotInstallableError(Exception):
    """The agent cannot be had here; the message is one line that says why."""
