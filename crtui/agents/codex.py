"""Codex CLI's rollouts: what each answer took, and what the vendor told of the subscription's windows.

Format: openai/codex ``codex-rs/protocol/src/protocol.rs``. A rollout may be compressed or moved to
``archived_sessions``; its file name stays, and an active or plain one goes before the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import ClassVar, Final

from crtui.agents.codex_fork import ForkFilter, Parents, parent_of
from crtui.agents.codex_limits import limits_of
from crtui.agents.codex_usage import COUNTS, NOTHING, Counts, HighWater, as_usage, read_counts, read_info
from crtui.agents.entry import Agent, Entry, Limit, instant
from crtui.agents.files import LogFile, Stamp, walk
from crtui.agents.lines import LineReader, Pause, goes_on
from crtui.agents.source import Progress
from crtui.text import scrub
from crtui.wire.jsonview import as_list, as_object, as_text, loads

FALLBACK_MODEL: Final = "gpt-5"
"""What the earliest rollouts, which name no model, ran on."""
MARKERS: Final = (b'"token_count"', b'"turn_context"', b'"session_meta"', b'"usage":{')

_FOLDERS: Final = ("sessions", "archived_sessions")


class CodexLogs:
    """``Source`` of Codex, below its home directories."""

    agent: ClassVar[Agent] = "codex"

    def __init__(self, homes: list[Path]) -> None:
        self._homes = homes
        self._parents = Parents()

    def files(self) -> list[LogFile]:
        """Every rollout once, by its file name."""
        found: dict[str, LogFile] = {}
        for home in self._homes:
            for folder in _FOLDERS:
                for file in walk(home / folder, _is_rollout):
                    name = PurePath(file.name).name.removesuffix(".zst")
                    known = found.get(name)
                    if known is None or (
                        known.path.suffix == ".zst" and file.path.parent == known.path.parent
                    ):
                        found[name] = file._replace(name=name)
        self._parents.know(found.values())
        return list(found.values())

    def goes_on(self, file: LogFile, before: Stamp, offset: int) -> bool:
        """Whether a log has only grown. Raises ``OSError``."""
        return goes_on(file, before, offset)

    def read(self, file: LogFile, progress: Progress, pause: Pause) -> Iterator[Entry | Limit]:
        """The answers by their number within the rollout, and the windows that were told."""
        lines = LineReader(MARKERS, pause)
        reading = _Reading(file, progress.state, self._parents)
        for line in lines.read(file.path, progress.offset):
            try:
                record = as_object(loads(line))
            except ValueError:
                progress.skipped += 1
                continue
            yield from reading.take(record)
        progress.offset = lines.offset
        progress.skipped += lines.overlong
        progress.state = reading.state()


class _Reading:
    """One rollout, record by record."""

    def __init__(self, file: LogFile, state: dict[str, object], parents: Parents) -> None:
        self._written_at = file.stamp.mtime_ns // 1_000_000
        self._model = as_text(state.get("model"))
        self._row = row if isinstance(row := state.get("row"), int) else 0
        self._sum = HighWater(_counts(state.get("mark")))
        self._fork = ForkFilter(as_object(state.get("fork")), parents)

    def state(self) -> dict[str, object]:
        """What a later reading goes on from."""
        return {
            "model": self._model,
            "row": self._row,
            "mark": list(self._sum.mark),
            "fork": self._fork.state(),
        }

    def take(self, record: dict[str, object]) -> Iterator[Entry | Limit]:
        """What one record tells."""
        payload = as_object(record.get("payload"))
        match record.get("type"):
            case "session_meta" if not self._row:
                self._fork.begin(parent_of(payload), instant(record.get("timestamp")))
            case "turn_context":
                self._model = as_text(payload.get("model")) or self._model
            case "event_msg" if payload.get("type") == "token_count":
                at = instant(record.get("timestamp"))
                if at is not None:
                    yield from limits_of(payload, at)
                    yield from self._count(payload, at)
            case _:
                yield from self._headless(record)

    def _count(self, payload: dict[str, object], at: int) -> Iterator[Entry]:
        last, total = read_info(payload)
        took = self._sum.rise(last, total)
        if not any(took):
            return
        copied, taken_back = self._fork.copied(at, last, total)
        if taken_back:
            yield self._entry(at, NOTHING, self._row)
        if not copied:
            self._row += 1
            yield self._entry(at, took, self._row)

    def _headless(self, record: dict[str, object]) -> Iterator[Entry]:
        """A line of ``codex exec --json``: a plain usage object, often without a time."""
        counts = read_counts(record.get("usage"))
        if counts is not None and any(counts):
            self._row += 1
            at = instant(record.get("timestamp"))
            self._model = as_text(record.get("model")) or self._model
            yield self._entry(self._written_at if at is None else at, counts, self._row)

    def _entry(self, at: int, counts: Counts, row: int) -> Entry:
        return Entry(at, scrub(self._model or FALLBACK_MODEL, 80), as_usage(counts), f"answer {row}")


def _counts(value: object) -> Counts:
    kept = tuple(item for item in as_list(value) if isinstance(item, int))
    return kept if len(kept) == COUNTS else NOTHING


def _is_rollout(name: str) -> bool:
    return name.endswith((".jsonl", ".jsonl.zst"))
