"""opencode's messages: rows of a SQLite database, or one JSON file each in older versions.

Format: anomalyco/opencode; where it is kept and which rows count as in ccusage (``adapter/opencode``).
A message has one id wherever it is found. ``input`` excludes the cache, ``output`` the reasoning.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar, Final

from crtui.agents.entry import Agent, Entry, Limit
from crtui.agents.files import LogFile, Stamp, look, walk
from crtui.agents.gemini import read_document
from crtui.agents.lines import Pause
from crtui.agents.source import Progress
from crtui.core.inputs import Usage
from crtui.core.now import DAY
from crtui.text import scrub
from crtui.wire.jsonview import as_count, as_object, as_text, loads

_DATABASE: Final = re.compile(r"opencode(-[A-Za-z0-9_-]+)?\.db")
_LAST: Final = "SELECT max(rowid) FROM message"
_ROWS: Final = "SELECT rowid, id, data FROM message WHERE rowid > ? ORDER BY rowid"
_PAUSE_ROWS: Final = 500

GIVEN_UP_MS: Final = DAY
"""A message that is not complete so long after its beginning never will be."""


class OpencodeDatabases:
    """``Source`` of the databases. ``offset`` is the row up to which every message is complete."""

    agent: ClassVar[Agent] = "opencode"

    def __init__(self, roots: list[Path]) -> None:
        self._roots = roots

    def files(self) -> Iterator[LogFile]:
        """Every database; one whose write-ahead log has grown has changed too."""
        for root in self._roots:
            for file in walk(root, lambda name: _DATABASE.fullmatch(name) is not None, depth=0):
                log = look(file.path.with_name(file.path.name + "-wal"))
                yield file if log is None else file._replace(stamp=_together(file.stamp, log))

    def goes_on(self, file: LogFile, before: Stamp, offset: int) -> bool:
        """Whether it is the same database."""
        return (file.stamp.device, file.stamp.inode) == (before.device, before.inode)

    def read(self, file: LogFile, progress: Progress, pause: Pause) -> Iterator[Entry | Limit]:
        """The messages beyond the last complete row; a running one is looked at again."""
        complete, given_up = True, file.stamp.mtime_ns // 1_000_000 - GIVEN_UP_MS
        uri = f"{file.path.absolute().as_uri()}?mode=ro"
        try:
            with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=0.5)) as db:
                if (db.execute(_LAST).fetchone()[0] or 0) < progress.offset:  # rows were numbered anew
                    progress.offset = 0
                for row, key, data in db.execute(_ROWS, (progress.offset,)):
                    entry, done = _message(key, data, given_up)
                    complete = complete and done
                    if complete:
                        progress.offset = row
                    if entry is not None:
                        yield entry
                    if row % _PAUSE_ROWS == 0:
                        pause()
        except sqlite3.Error as fault:
            raise OSError(f"{file.path}: {fault}") from fault


class OpencodeMessages:
    """``Source`` of the older versions' files."""

    agent: ClassVar[Agent] = "opencode"

    def __init__(self, roots: list[Path]) -> None:
        self._roots = roots

    def files(self) -> Iterator[LogFile]:
        """Every message's file."""
        for root in self._roots:
            yield from walk(root / "storage" / "message", lambda name: name.endswith(".json"))

    def goes_on(self, file: LogFile, before: Stamp, offset: int) -> bool:
        """Never: it is written whole."""
        return False

    def read(self, file: LogFile, progress: Progress, pause: Pause) -> Iterator[Entry | Limit]:
        """The one message."""
        try:
            message = as_object(loads(read_document(file)))
        except ValueError:
            progress.skipped += 1
            return
        entry = message_entry(as_text(message.get("id")) or file.path.stem, message)
        if entry is not None:
            yield entry
        pause()


def message_entry(key: str, message: Mapping[str, object]) -> Entry | None:
    """The answer a message tells of, None for one that took no tokens (a user's, or not yet any)."""
    tokens = as_object(message.get("tokens"))
    at = as_count(as_object(message.get("time")).get("created"))
    model = scrub(as_text(message.get("modelID")), 80)
    cache = as_object(tokens.get("cache"))
    counts = [as_count(told) or 0 for told in (tokens.get("input"), tokens.get("output"))]
    reasoning, read, written = (
        as_count(told) or 0 for told in (tokens.get("reasoning"), cache.get("read"), cache.get("write"))
    )
    usage = Usage(counts[0], counts[1] + reasoning, read, written)
    if not usage.total or at is None or not model:
        return None
    return Entry(at, model, usage, key, shared=True)


def _message(key: object, data: object, given_up: int) -> tuple[Entry | None, bool]:
    """A row's answer, and whether nothing more will be told of it."""
    try:
        message = as_object(loads(data.encode())) if isinstance(data, str) else {}
    except ValueError:
        return None, True
    time = as_object(message.get("time"))
    over = "completed" in time or "error" in message or (as_count(time.get("created")) or 0) < given_up
    return message_entry(str(key), message), over or message.get("role") != "assistant"


def _together(file: Stamp, log: Stamp) -> Stamp:
    """The state of a database and its write-ahead log in one."""
    return file._replace(size=file.size + log.size, mtime_ns=max(file.mtime_ns, log.mtime_ns))
