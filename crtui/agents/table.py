"""The cache of what the logs have told: one row an answer, and how far each log has been read.

SQLite, because two processes may read the same logs, a log's rows and its offset must change together,
and nothing of it has to stay in memory. It can be made again from the logs: a damaged one, or one of
another version, is thrown away.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Final

from crtui.core.now import DAY

CACHE_FILE: Final = "agents.db"
VERSION: Final = 1
BUSY_S: Final = 5.0
KEPT_READINGS_MS: Final = 9 * DAY

_TABLES: Final = """
CREATE TABLE files (
    id INTEGER PRIMARY KEY,
    agent TEXT NOT NULL, name TEXT NOT NULL,
    device INTEGER NOT NULL, inode INTEGER NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    offset INTEGER NOT NULL, skipped INTEGER NOT NULL,
    state TEXT NOT NULL,          -- JSON, its reader's own
    UNIQUE (agent, name)
);
CREATE TABLE models (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE answers (
    key INTEGER PRIMARY KEY,      -- 63 bits of a hash of what copies of the answer have in common
    agent TEXT NOT NULL,
    file INTEGER NOT NULL,
    at INTEGER NOT NULL,          -- wall milliseconds
    model INTEGER NOT NULL,
    input INTEGER NOT NULL, output INTEGER NOT NULL,
    cache_read INTEGER NOT NULL, cache_write INTEGER NOT NULL,
    rank INTEGER NOT NULL,        -- of two copies the higher counts
    shared INTEGER NOT NULL,      -- whether it outlives its file's being read anew
    message INTEGER,              -- hash of the message that side chains may repeat
    side INTEGER NOT NULL
);
-- With the counts in it, so that a block is added up in one stroke.
CREATE INDEX answers_by_time ON answers (agent, at, input, output, cache_read, cache_write);
CREATE INDEX answers_by_message ON answers (message) WHERE message IS NOT NULL;
CREATE TABLE limits (
    agent TEXT NOT NULL, name TEXT NOT NULL,
    at INTEGER NOT NULL, used REAL, resets_at INTEGER, source TEXT NOT NULL,
    PRIMARY KEY (agent, name)
);
CREATE TABLE readings (           -- what a window was told to be at, each time that changed
    agent TEXT NOT NULL, name TEXT NOT NULL, at INTEGER NOT NULL, used REAL NOT NULL,
    PRIMARY KEY (agent, name, at)
) WITHOUT ROWID;
"""
_FORGET: Final = "DELETE FROM readings WHERE at < (SELECT max(at) FROM readings) - ?"


def open_cache(folder: Path | None) -> sqlite3.Connection:
    """The cache in a directory; where there is none or it cannot be written, one for this run only.

    Raises ``sqlite3.Error`` only where not even that can be had.
    """
    path = None if folder is None else folder / CACHE_FILE
    if path is not None:
        for _ in range(2):
            try:
                return _open(path)
            except sqlite3.OperationalError as fault:
                if not _unusable(fault):
                    break
                _throw_away(path)
            except sqlite3.DatabaseError:
                _throw_away(path)
            except OSError:
                break
    # An empty name is a temporary file, removed when it is closed.
    return _prepared(sqlite3.connect("", isolation_level=None, check_same_thread=False))


def _open(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        return _prepared(db)
    except BaseException:
        db.close()
        raise


def _prepared(db: sqlite3.Connection) -> sqlite3.Connection:
    """A connection with the tables in it. Raises ``sqlite3.DatabaseError`` for one of another version."""
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute("PRAGMA cache_size = -8192")
    db.execute("PRAGMA journal_size_limit = 8388608")
    db.execute("BEGIN IMMEDIATE")
    try:
        found = int(db.execute("PRAGMA user_version").fetchone()[0])
        if found == 0:
            for statement in _TABLES.split(";\n"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {VERSION}")
        elif found != VERSION:
            raise sqlite3.DatabaseError(f"version {found}")
        db.execute("SELECT count(*) FROM files").fetchone()
        db.execute(_FORGET, (KEPT_READINGS_MS,))
    finally:
        db.execute("COMMIT")
    return db


def _unusable(fault: sqlite3.Error) -> bool:
    """Whether an operational error is of the file's content, and not of the disk or another process."""
    return (getattr(fault, "sqlite_errorcode", 0) & 0xFF) == sqlite3.SQLITE_ERROR


def _throw_away(path: Path) -> None:
    for end in ("", "-wal", "-shm"):
        with contextlib.suppress(OSError):
            path.with_name(path.name + end).unlink()
