"""The journal's file: made whole or not at all, checked before use, and put aside where it is damaged.

It is SQLite in WAL mode, in which a process may be killed at any instruction. An empty file is not
a new journal: one is made under another name, with its marker, and then renamed into place.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
import stat
from pathlib import Path
from typing import Final

APPLICATION_ID: Final = 0x63727475
SCHEMA: Final = 1
MARKER: Final = "crtui journal"
KEPT_BAD: Final = 3
BUSY_S: Final = 0.25
_NO_SHARED_MEMORY: Final = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL)

_TABLES: Final = """
CREATE TABLE marker (words TEXT NOT NULL);
CREATE TABLE segments (
    id INTEGER PRIMARY KEY,
    wall INTEGER NOT NULL,     -- milliseconds, of its first instant
    mono INTEGER NOT NULL,     -- the same instant on the monotonic clock
    seed INTEGER NOT NULL,
    config TEXT NOT NULL
);
CREATE TABLE inputs (
    id INTEGER PRIMARY KEY,
    segment INTEGER NOT NULL,
    t INTEGER NOT NULL,        -- milliseconds since the segment's first instant
    line TEXT NOT NULL         -- as in a trace
);
CREATE TABLE checkpoints (
    id INTEGER PRIMARY KEY,
    segment INTEGER NOT NULL,
    t INTEGER NOT NULL,
    after INTEGER NOT NULL,    -- the last input that it contains
    kept INTEGER NOT NULL,     -- whether it outlives the next one
    exact INTEGER NOT NULL,    -- 1; before dumps held what was in flight, 0 where a replay could differ
    saved BLOB NOT NULL        -- deflated JSON: the core's dump, the last events, the run's requests
);
"""


class DamagedError(Exception):
    """The file is not a journal, or no longer one."""


class NewerError(Exception):
    """The file was made by a later version of this program."""


def create(path: Path) -> None:
    """Make an empty journal, 0600 from its first byte, in one step.

    Raises ``OSError`` or ``sqlite3.Error``.
    """
    new = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    try:
        os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with contextlib.closing(sqlite3.connect(new, isolation_level=None)) as db:
            # Only before the first table can a file be told to give pages back.
            db.execute("PRAGMA auto_vacuum = INCREMENTAL")
            db.executescript(f"BEGIN; {_TABLES} COMMIT;")
            db.execute("INSERT INTO marker VALUES (?)", (MARKER,))
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {SCHEMA}")
        new.rename(path)
    finally:
        new.unlink(missing_ok=True)


def open_writer(path: Path, *, thorough: bool) -> sqlite3.Connection:
    """Open a journal to write to it; ``thorough`` looks at every page.

    Raises ``DamagedError``, ``NewerError``, ``OSError`` or ``sqlite3.OperationalError``.
    """
    if not stat.S_ISREG(os.stat(path, follow_symlinks=False).st_mode):
        raise DamagedError("not a file")
    db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        _check(db, thorough=thorough)
        if not _write_ahead(db):
            db.execute("PRAGMA locking_mode = EXCLUSIVE")
            db.execute("PRAGMA journal_mode = TRUNCATE")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA journal_size_limit = 16777216")
        # It only ever appends: what it wrote it need not keep at hand.
        db.execute("PRAGMA cache_size = -512")
    except BaseException:
        db.close()
        raise
    return db


def is_shared(db: sqlite3.Connection) -> bool:
    """Whether others can read an open journal: it is in WAL mode, and not held by its writer alone."""
    return db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def open_reader(path: Path) -> sqlite3.Connection:
    """Open a journal to read from, also while a gateway writes to it.

    Raises ``DamagedError``, ``NewerError``, ``OSError`` or ``sqlite3.OperationalError``.
    """
    path.open("rb").close()
    # Where not even the index of the write-ahead log can be made, nobody can be writing either.
    writable = os.access(path.parent, os.W_OK)
    where = f"{path.absolute().as_uri()}?mode=ro{'' if writable else '&immutable=1'}"
    db = sqlite3.connect(where, uri=True, timeout=5.0, isolation_level=None)
    try:
        _check(db, thorough=False)
    except BaseException:
        db.close()
        raise
    return db


def is_damage(fault: sqlite3.Error) -> bool:
    """Whether an error means a broken file, and not that the disk or another process is in the way."""
    code = getattr(fault, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def put_aside(path: Path, stamp: str) -> Path:
    """Rename a damaged journal, and forget all but the newest few such. Raises ``OSError``."""
    bad = path.with_name(f"{path.name}.bad-{stamp}")
    while bad.exists():
        bad = bad.with_name(bad.name + "x")
    path.rename(bad)
    for end in ("-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + end).rename(bad.with_name(bad.name + end))
    found = sorted(p for p in path.parent.glob(f"{path.name}.bad-*") if not p.name.endswith(("-wal", "-shm")))
    for old in found[:-KEPT_BAD]:
        for end in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                old.with_name(old.name + end).unlink()
    return bad


def sweep(path: Path) -> None:
    """Remove what a process that was killed while it made a journal has left."""
    for left in path.parent.glob(f"{path.name}.*.new*"):
        with contextlib.suppress(OSError):
            left.unlink()


def _check(db: sqlite3.Connection, *, thorough: bool) -> None:
    try:
        if _pragma(db, "application_id") != APPLICATION_ID:
            raise DamagedError("no journal of crtui")
        if _pragma(db, "user_version") > SCHEMA:
            raise NewerError
        if db.execute("SELECT words FROM marker").fetchone() != (MARKER,):
            raise DamagedError("its marker is gone")
        if thorough and (found := db.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise DamagedError(str(found))
    except sqlite3.DatabaseError as fault:
        if is_damage(fault) or "no such table" in str(fault):
            raise DamagedError(str(fault)) from fault
        raise


def _write_ahead(db: sqlite3.Connection) -> bool:
    """Switch to WAL mode, if the file system can: it takes shared memory, which many networks' lack."""
    try:
        if db.execute("PRAGMA journal_mode = WAL").fetchone()[0] == "wal":
            db.executescript("BEGIN IMMEDIATE; COMMIT;")
            return True
    except sqlite3.OperationalError as fault:
        if getattr(fault, "sqlite_errorcode", 0) & 0xFF not in _NO_SHARED_MEMORY:
            raise
    return False


def _pragma(db: sqlite3.Connection, name: str) -> int:
    return int(db.execute(f"PRAGMA {name}").fetchone()[0])
