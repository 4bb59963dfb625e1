"""Claude Code's logs: one JSON object a line, of which those of the assistant tell usage.

Rules of which lines count are those of ccusage (``adapter/claude``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar, Final

from crtui.agents.claude_limits import API_ERROR, limit_hit
from crtui.agents.entry import Agent, Entry, Limit, instant
from crtui.agents.files import LogFile, Stamp, walk
from crtui.agents.lines import LineReader, Pause, goes_on
from crtui.agents.source import Progress
from crtui.core.inputs import Usage
from crtui.text import scrub
from crtui.wire.jsonview import as_count, as_object, as_text, loads

MARKER: Final = b'"usage":{'
UNKNOWN: Final = "unknown"

_VERSION: Final = re.compile(r"\d+\.\d+\.\d")
# A row with null in one of these is of no known version.
_ROW_TEXTS: Final = ("cwd", "version", "sessionId", "requestId")
_ROW_OTHERS: Final = ("costUSD", "isApiErrorMessage")
_MESSAGE_TEXTS: Final = ("id", "model")
_CACHE_COUNTS: Final = ("cache_creation_input_tokens", "cache_read_input_tokens")
_ABSENT: Final = object()


class ClaudeLogs:
    """``Source`` of Claude Code, below its ``projects`` directories."""

    agent: ClassVar[Agent] = "claude"

    def __init__(self, roots: list[Path]) -> None:
        self._roots = roots

    def files(self) -> Iterator[LogFile]:
        """Every ``.jsonl``, however deep."""
        for root in self._roots:
            yield from walk(root, lambda name: name.endswith(".jsonl"))

    def goes_on(self, file: LogFile, before: Stamp, offset: int) -> bool:
        """Whether a log has only grown. Raises ``OSError``."""
        return goes_on(file, before, offset)

    def read(self, file: LogFile, progress: Progress, pause: Pause) -> Iterator[Entry | Limit]:
        """The answers; a row without an id of its message is known by its place in the file."""
        lines = LineReader((MARKER,), pause)
        count = progress.state.get("rows", 0)
        row = count if isinstance(count, int) else 0
        for line in lines.read(file.path, progress.offset):
            row += 1
            entry = read_line(line, row)
            if entry is None:
                progress.skipped += 1
                continue
            # Only an error is believed; in what people and models write the quotes would be escaped.
            if API_ERROR in line and (limit := limit_hit(line, entry.at)) is not None:
                yield limit
            if entry.usage.total:
                yield entry
        progress.offset = lines.offset
        progress.skipped += lines.overlong
        progress.state["rows"] = row


def read_line(line: bytes, row: int) -> Entry | None:
    """The answer a line tells of, or None where it is not one that can be understood."""
    try:
        record = as_object(loads(line))
    except ValueError:
        return None
    message = as_object(record.get("message"))
    told = as_object(message.get("usage"))
    at = instant(record.get("timestamp"))
    if at is None or not told or not _well_formed(record, message, told):
        return None
    fast = told.get("speed") == "fast"
    request, key = as_text(record.get("requestId")), as_text(message.get("id"))
    return Entry(
        at,
        _model(as_text(message.get("model")), fast=fast),
        _usage(told),
        f"{key}\0{request}" if key else f"row {row}",
        shared=bool(key),
        message=key,
        side=record.get("isSidechain") is True,
        speed="speed" in told,
    )


def _well_formed(
    record: Mapping[str, object], message: Mapping[str, object], told: Mapping[str, object]
) -> bool:
    texts = [record.get(name, _ABSENT) for name in _ROW_TEXTS]
    texts += [message.get(name, _ABSENT) for name in _MESSAGE_TEXTS]
    others = [record.get(name, _ABSENT) for name in _ROW_OTHERS]
    others += [told.get(name, _ABSENT) for name in (*_CACHE_COUNTS, "speed")]
    if not all(text is _ABSENT or (isinstance(text, str) and text) for text in texts) or None in others:
        return False
    version = record.get("version")
    return not isinstance(version, str) or _VERSION.match(version) is not None


def _usage(told: Mapping[str, object]) -> Usage:
    """``input_tokens`` excludes the cache already; what is written is told in one sum or by lifetime."""
    by_lifetime = as_object(told.get("cache_creation"))
    written = as_count(told.get("cache_creation_input_tokens")) or 0
    if by_lifetime:
        written = sum(
            as_count(by_lifetime.get(f"ephemeral_{lifetime}_input_tokens")) or 0 for lifetime in ("5m", "1h")
        )
    return Usage(
        as_count(told.get("input_tokens")) or 0,
        as_count(told.get("output_tokens")) or 0,
        as_count(told.get("cache_read_input_tokens")) or 0,
        written,
    )


def _model(name: str, *, fast: bool) -> str:
    if not name or name == "<synthetic>":
        return UNKNOWN
    return scrub(f"{name}-fast" if fast else name, 80)
