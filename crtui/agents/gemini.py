"""Gemini CLI's chats: JSON Lines, or one JSON document in older versions.

Format: google-gemini/gemini-cli ``packages/core/src/services/chatRecordingTypes.ts``. A message that
is written again replaces what was told of it before; one that was rewound was spent all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar, Final

from crtui.agents.claude import UNKNOWN
from crtui.agents.entry import Agent, Entry, Limit, instant
from crtui.agents.files import LogFile, Stamp, walk
from crtui.agents.lines import LineReader, Pause, goes_on
from crtui.agents.source import Progress
from crtui.core.inputs import Usage
from crtui.text import scrub
from crtui.wire.jsonview import as_count, as_list, as_object, as_text, loads

MAX_DOCUMENT: Final = 64 * 1024 * 1024


class GeminiChats:
    """``Source`` of the chats that are JSON Lines."""

    agent: ClassVar[Agent] = "gemini"

    def __init__(self, roots: list[Path]) -> None:
        self._roots = roots

    def files(self) -> Iterator[LogFile]:
        """Every ``.jsonl`` of a ``chats`` directory, those of sub-agents too."""
        for root in self._roots:
            yield from (
                f for f in walk(root, lambda name: name.endswith(".jsonl")) if "chats" in f.path.parts
            )

    def goes_on(self, file: LogFile, before: Stamp, offset: int) -> bool:
        """Whether a log has only grown. Raises ``OSError``."""
        return goes_on(file, before, offset)

    def read(self, file: LogFile, progress: Progress, pause: Pause) -> Iterator[Entry | Limit]:
        """The messages by their ids."""
        lines = LineReader((b'"tokens"',), pause)
        for line in lines.read(file.path, progress.offset):
            try:
                entry = message_entry(as_object(loads(line)))
            except ValueError:
                entry = None
            if entry is None:
                progress.skipped += 1
            else:
                yield entry
        progress.offset = lines.offset
        progress.skipped += lines.overlong


class GeminiDocuments:
    """``Source`` of the chats of older versions: a document that is written anew each time."""

    agent: ClassVar[Agent] = "gemini"

    def __init__(self, roots: list[Path]) -> None:
        self._roots = roots

    def files(self) -> Iterator[LogFile]:
        """Every ``session-*.json`` of a ``chats`` directory."""
        for root in self._roots:
            for file in walk(root, lambda name: name.startswith("session-") and name.endswith(".json")):
                if "chats" in file.path.parts:
                    yield file

    def goes_on(self, file: LogFile, before: Stamp, offset: int) -> bool:
        """Never: it is written whole."""
        return False

    def read(self, file: LogFile, progress: Progress, pause: Pause) -> Iterator[Entry | Limit]:
        """The messages of the whole document."""
        try:
            document = as_object(loads(read_document(file)))
        except ValueError:
            progress.skipped += 1
            return
        for message in map(as_object, as_list(document.get("messages"))):
            if "tokens" in message:
                entry = message_entry(message)
                if entry is None:
                    progress.skipped += 1
                else:
                    yield entry
        pause()


def message_entry(message: Mapping[str, object]) -> Entry | None:
    """The answer a message tells of; ``input`` includes what was cached, and thoughts are output too."""
    told, key = as_object(message.get("tokens")), as_text(message.get("id"))
    at = instant(message.get("timestamp"))
    if message.get("type") != "gemini" or not told or at is None or not key:
        return None
    entered, cached = _count(told, "input"), _count(told, "cached")
    usage = Usage(
        max(0, entered - cached) + _count(told, "tool"),
        _count(told, "output") + _count(told, "thoughts"),
        cached,
    )
    return Entry(at, scrub(as_text(message.get("model")), 80) or UNKNOWN, usage, key)


def read_document(file: LogFile) -> bytes:
    """A whole file. Raises ``OSError``, and ``ValueError`` for one that is too large to be a chat."""
    if file.stamp.size > MAX_DOCUMENT:
        raise ValueError("too large")
    return file.path.read_bytes()


def _count(told: Mapping[str, object], name: str) -> int:
    return as_count(told.get(name)) or 0
