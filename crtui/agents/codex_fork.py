"""Forked rollouts: they begin with a copy of their parent's answers, which were spent once only.

What is copied is the longest beginning of (last, total) pairs that is the parent's. Where the parent
is gone or the copy was changed, it is known by its haste: Codex rewrites the times of copied rows to
that of the fork and writes them in one go (CodexBar ``docs/issue-2037``; ccusage ``adapter/codex``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal, get_args

from crtui.agents.codex_usage import Counts, HighWater, read_info
from crtui.agents.entry import instant
from crtui.agents.files import LogFile
from crtui.agents.lines import LineReader
from crtui.core.now import SECOND
from crtui.wire.jsonview import as_object, as_text, loads

BURST_MS: Final = SECOND
"""Copied rows follow one another faster; two answers of a model do not."""
KEPT_PARENTS: Final = 4

Pair = tuple[Counts | None, Counts | None]
Mode = Literal["own", "prefix", "first", "second", "burst"]
"""No copy (any more); matching the parent; no parent: before the first row, before the second, in a burst."""


class Parents:
    """Finds the rollout of a session by its id, and reads what a fork may have copied of it."""

    def __init__(self) -> None:
        self._files: dict[str, LogFile] = {}

    def know(self, files: Iterable[LogFile]) -> None:
        """These are the rollouts there are; a file's name ends in its session's id."""
        self._files = {file.name.removesuffix(".jsonl")[-36:]: file for file in files}

    def pairs(self, session: str, until: int | None) -> tuple[Pair, ...]:
        """The parent's rows up to the fork; none where it is gone."""
        file = self._files.get(session)
        if file is None:
            return ()
        try:
            rows = _pairs_of(file.path, file.stamp.size)
        except OSError:
            return ()
        return tuple(pair for at, pair in rows if until is None or at <= until)


class ForkFilter:
    """Tells copied rows from a rollout's own, in the order they come."""

    def __init__(self, state: Mapping[str, object], parents: Parents) -> None:
        self._parents = parents
        self._parent = as_text(state.get("parent"))
        self._forked_at = forked if isinstance(forked := state.get("forked_at"), int) else None
        mode = as_text(state.get("mode"))
        self._mode: Mode = next((known for known in get_args(Mode) if known == mode), "own")
        self._index = index if isinstance(index := state.get("index"), int) else 0
        self._before = before if isinstance(before := state.get("before"), int) else 0
        self._prefix: tuple[Pair, ...] | None = None

    def state(self) -> dict[str, object]:
        """What a later reading goes on from; empty for a rollout, or the rest of one, that is no copy."""
        if self._mode == "own":
            return {}
        return {
            "parent": self._parent,
            "forked_at": self._forked_at,
            "mode": self._mode,
            "index": self._index,
            "before": self._before,
        }

    def begin(self, parent: str, forked_at: int | None) -> None:
        """The rollout's first record: whom it was forked from, if from anyone."""
        if parent and self._mode == "own":
            self._parent, self._forked_at, self._mode = parent, forked_at, "prefix"

    def copied(self, at: int, last: Counts | None, total: Counts | None) -> tuple[bool, bool]:
        """Whether a row is a copy, and whether it shows that the one before it was one too."""
        if self._mode == "prefix" and not self._matches((last, total)):
            self._mode = "own" if self._index else "first"
        before, self._before = self._before, at
        match self._mode:
            case "prefix":
                return True, False
            case "first":
                self._mode = "second"
            case "second" | "burst" if 0 <= at - before < BURST_MS:
                taken_back, self._mode = self._mode == "second", "burst"
                return True, taken_back
            case _:
                self._mode = "own"
        return False, False

    def _matches(self, pair: Pair) -> bool:
        if self._prefix is None:
            self._prefix = self._parents.pairs(self._parent, self._forked_at)
        same = self._index < len(self._prefix) and self._prefix[self._index] == pair
        self._index += same
        return same


def parent_of(meta: Mapping[str, object]) -> str:
    """The session a rollout was forked or spawned from, by its ``session_meta``; empty if from none."""
    spawned = as_object(as_object(as_object(meta.get("source")).get("subagent")).get("thread_spawn"))
    return as_text(meta.get("forked_from_id")) or as_text(spawned.get("parent_thread_id"))


@lru_cache(KEPT_PARENTS)
def _pairs_of(path: Path, size: int) -> tuple[tuple[int, Pair], ...]:
    """The rows of a rollout of that size with their times. Raises ``OSError``."""
    rows: list[tuple[int, Pair]] = []
    high = HighWater()
    for line in LineReader((b'"token_count"',)).read(path, 0):
        try:
            record = as_object(loads(line))
        except ValueError:
            continue
        pair, at = read_info(as_object(record.get("payload"))), instant(record.get("timestamp"))
        if at is not None and any(high.rise(*pair)):
            rows.append((at, pair))
    return tuple(rows)
