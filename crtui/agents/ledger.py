"""Reads logs into the cache: each one on from where it was left, whole or not at all."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Final, NamedTuple

from crtui.agents.entry import Agent, Entry, Limit
from crtui.agents.files import LogFile, Stamp
from crtui.agents.lines import Pause, no_pause
from crtui.agents.source import Progress, Source
from crtui.wire.jsonview import as_object, loads

BATCH: Final = 1_000
TICK_NS: Final = 100_000_000
"""Well above the grain of any file system's times."""

_NO_SIDE: Final = 1 << 62
_FILE: Final = (
    "SELECT id, device, inode, size, mtime_ns, offset, skipped, state FROM files WHERE agent = ? AND name = ?"
)
_KEEP_FILE: Final = """
INSERT INTO files (agent, name, device, inode, size, mtime_ns, offset, skipped, state)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (agent, name) DO UPDATE SET device = excluded.device, inode = excluded.inode,
size = excluded.size, mtime_ns = excluded.mtime_ns, offset = excluded.offset,
skipped = excluded.skipped, state = excluded.state
"""
# Copies rank equal: the earlier one counts, so that the order of reading makes no difference.
_KEEP: Final = """
INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET file = excluded.file, at = excluded.at, model = excluded.model,
input = excluded.input, output = excluded.output, cache_read = excluded.cache_read,
cache_write = excluded.cache_write, rank = excluded.rank, side = excluded.side
WHERE NOT excluded.shared OR excluded.rank > rank OR (excluded.rank = rank AND excluded.at < at)
"""
_DROP_SIDES: Final = """
DELETE FROM answers WHERE message = ? AND side AND EXISTS (
    SELECT 1 FROM answers AS other WHERE other.message = answers.message AND other.key <> answers.key
    AND (NOT other.side OR other.rank > answers.rank
         OR (other.rank = answers.rank AND other.key < answers.key)))
"""
_TAKE_BACK: Final = "DELETE FROM answers WHERE key = ? AND input + output + cache_read + cache_write = 0"
_KEEP_LIMIT: Final = """
INSERT INTO limits VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (agent, name) DO UPDATE SET at = excluded.at,
used = excluded.used, resets_at = coalesce(excluded.resets_at, resets_at), source = excluded.source
WHERE excluded.at >= at
"""
_KEEP_READING: Final = """
INSERT OR IGNORE INTO readings SELECT :agent, :name, :at, :used WHERE :used IS NOT NULL AND :used IS NOT
(SELECT used FROM readings WHERE agent = :agent AND name = :name AND at <= :at ORDER BY at DESC LIMIT 1)
"""

Row = tuple[int | str | None, ...]


class _Kept(NamedTuple):
    """A log as the cache knows it."""

    id: int
    stamp: Stamp
    progress: Progress


class Ledger:
    """The cache, and the way into it. Belongs to one thread."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        self.oldest_change: int | None = None
        """The earliest time of an answer that was added since somebody last set this to None."""
        self._models: dict[str, int] = dict(db.execute("SELECT name, id FROM models"))
        known = db.execute("SELECT agent, name, device, inode, size, mtime_ns FROM files")
        self._known: dict[tuple[str, str], Stamp] = {(row[0], row[1]): Stamp(*row[2:]) for row in known}

    def changed(self, agent: Agent, file: LogFile) -> bool:
        """Whether a log is not as it was when it was last read."""
        return self._known.get((agent, file.name)) != file.stamp

    def read(self, source: Source, file: LogFile, pause: Pause = no_pause) -> bool:
        """Take in what is new in a log; False where it is gone, or another process holds the cache.

        Raises ``sqlite3.Error`` for any other fault of the cache.
        """
        if not self._begin():
            return False
        try:
            stamp = self._take_in(source, file, pause)
        except OSError:
            self._undo()
            return False
        except BaseException:
            self._undo()
            raise
        self.db.execute("COMMIT")
        self._known[source.agent, file.name] = stamp
        return True

    def note_limits(self, agent: Agent, source: str, limits: Iterable[Limit]) -> bool:
        """These, and no others, are the windows that a source other than the logs tells of.

        False where another process holds the cache, and nothing is noted. Raises ``sqlite3.Error``.
        """
        if not self._begin():
            return False
        self.db.execute("DELETE FROM limits WHERE agent = ? AND source = ?", (agent, source))
        for limit in limits:
            self._keep_limit(agent, limit)
        self.db.execute("COMMIT")
        return True

    def _begin(self) -> bool:
        """Become the one process that writes, or say that another is."""
        try:
            self.db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as fault:
            if fault.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                return False
            raise
        return True

    def _undo(self) -> None:
        self.db.execute("ROLLBACK")
        self._models = dict(self.db.execute("SELECT name, id FROM models"))

    def _keep_limit(self, agent: Agent, limit: Limit) -> None:
        report = limit.report
        row = (agent, report.name, limit.at, report.used_percent, report.resets_at, report.source)
        self.db.execute(_KEEP_LIMIT, row)
        reading = {"agent": agent, "name": report.name, "at": limit.at, "used": report.used_percent}
        self.db.execute(_KEEP_READING, reading)

    def _take_in(self, source: Source, file: LogFile, pause: Pause) -> Stamp:
        """Read, and return the state of the file that has been read for certain."""
        kept = self._kept(source, file)
        progress = kept.progress
        if not source.goes_on(file, kept.stamp, progress.offset):
            # What is known by an id of its own was spent all the same, and is found again if it is there.
            self.db.execute("DELETE FROM answers WHERE file = ? AND NOT shared", (kept.id,))
            progress.offset, progress.skipped, progress.state = 0, 0, {}
        self._add(source.agent, kept.id, file, source.read(file, progress, pause))
        state = json.dumps(progress.state, separators=(",", ":"))
        stamp = _settled(file.stamp)
        row = (source.agent, file.name, *stamp, progress.offset, progress.skipped, state)
        self.db.execute(_KEEP_FILE, row)
        return stamp

    def _kept(self, source: Source, file: LogFile) -> _Kept:
        row = self.db.execute(_FILE, (source.agent, file.name)).fetchone()
        if row is not None:
            return _Kept(row[0], Stamp(*row[1:5]), Progress(row[5], row[6], _state(row[7])))
        blank = (source.agent, file.name, *file.stamp, 0, 0, "{}")
        number = self.db.execute(_KEEP_FILE, blank).lastrowid
        assert number is not None
        return _Kept(number, file.stamp, Progress())

    def _add(self, agent: Agent, number: int, file: LogFile, found: Iterable[Entry | Limit]) -> None:
        rows: list[Row] = []
        for item in found:
            if isinstance(item, Limit):
                self._keep_limit(agent, item)
                continue
            rows.append(self._row(agent, number, file, item))
            if len(rows) == BATCH:
                self._put(rows)
                rows = []
        self._put(rows)

    def _row(self, agent: Agent, number: int, file: LogFile, entry: Entry) -> Row:
        if self.oldest_change is None or entry.at < self.oldest_change:
            self.oldest_change = entry.at
        scope = "" if entry.shared else file.name
        usage = entry.usage
        rank = usage.total * 2 + entry.speed + (0 if entry.side else _NO_SIDE)
        return (
            _hash(f"{agent}\0{scope}\0{entry.identity}"),
            agent,
            number,
            entry.at,
            self._model(entry.model),
            *usage[:4],
            rank,
            entry.shared,
            _hash(entry.message) if entry.message else None,
            entry.side,
        )

    def _put(self, rows: list[Row]) -> None:
        self.db.executemany(_KEEP, rows)
        self.db.executemany(_DROP_SIDES, [(message,) for message in dict.fromkeys(_messages(rows))])
        self.db.executemany(_TAKE_BACK, [(row[0],) for row in rows if not any(row[5:9])])

    def _model(self, name: str) -> int:
        number = self._models.get(name)
        if number is None:
            self.db.execute("INSERT OR IGNORE INTO models (name) VALUES (?)", (name,))
            row = self.db.execute("SELECT id FROM models WHERE name = ?", (name,)).fetchone()
            number = self._models[name] = int(row[0])
        return number


def _messages(rows: list[Row]) -> Iterator[int | str]:
    return (row[11] for row in rows if row[11] is not None)


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()) >> 1


def _settled(stamp: Stamp) -> Stamp:
    """The state of a file as it is remembered: one written to just now may be once more in the same tick."""
    lately = time.time_ns() - stamp.mtime_ns < TICK_NS
    return stamp._replace(mtime_ns=0) if lately else stamp


def _state(text: str) -> dict[str, object]:
    try:
        return dict(as_object(loads(text.encode())))
    except ValueError:
        return {}
