"""What every agent's reader has: its files, and a way to read one on from where it was left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from crtui.agents.entry import Agent, Entry, Limit
from crtui.agents.files import LogFile, Stamp
from crtui.agents.lines import Pause


@dataclass(slots=True)
class Progress:
    """How far one log has been read. ``state`` is what its reader has to remember, as JSON values."""

    offset: int = 0
    skipped: int = 0
    """Lines that looked like usage and could not be understood."""
    state: dict[str, object] = field(default_factory=dict[str, object])


class Source(Protocol):
    """The logs of one agent."""

    agent: ClassVar[Agent]

    def files(self) -> Iterable[LogFile]:
        """Every log there is now, each under a name of its own."""
        ...

    def goes_on(self, file: LogFile, before: Stamp, offset: int) -> bool:
        """Whether a file that was read up to ``offset`` is the same one, longer; else it is read anew.

        Raises ``OSError``.
        """
        ...

    def read(self, file: LogFile, progress: Progress, pause: Pause) -> Iterator[Entry | Limit]:
        """What a log holds beyond ``progress``, which is moved on. Raises ``OSError``."""
        ...
