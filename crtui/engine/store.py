"""The journal of one state directory, held by one process: lock and database together."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Final

from crtui.core.now import stamp
from crtui.engine import database
from crtui.engine.lock import FileLock, holder_of

JOURNAL_FILE: Final = "journal.db"
LOCK_FILE: Final = "lock"
_ELSEWHERE: Final = "choose another directory with --state-dir"
_UNSHARED: Final = f"`crtui export` cannot read the journal while this runs; {_ELSEWHERE} to let it"


class NotSavingError(Exception):
    """The journal cannot be written. The message is one line; ``final``: nor later in this run."""

    def __init__(self, words: str, *, final: bool = False) -> None:
        super().__init__(words)
        self.final = final


class Store:
    """Opens, checks and closes; what is written is the caller's business."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / JOURNAL_FILE
        self._lock_path = folder / LOCK_FILE
        self._lock = FileLock(self._lock_path)
        self._db: sqlite3.Connection | None = None
        self._file = (0, 0)

    @property
    def db(self) -> sqlite3.Connection:
        """The open database."""
        assert self._db is not None
        return self._db

    def open(self, wall: int, *, thorough: bool) -> str | None:
        """Take the lock and open the journal; a line that people should read of it, if there is one.

        Raises ``NotSavingError``.
        """
        try:
            self._take_lock()
            told = self._open(wall, thorough=thorough)
            if told is None and not database.is_shared(self.db):
                told = f"{self.path.parent} is on a file system without shared memory: {_UNSHARED}"
        except database.NewerError:
            self.close()
            raise NotSavingError(
                f"not saving: {self.path} is of a newer crtui; update this one, or {_ELSEWHERE}", final=True
            ) from None
        except (OSError, sqlite3.Error) as fault:
            self.close()
            raise NotSavingError(f"{reason(fault)} ({self.path.parent})") from fault
        there = self.path.stat()
        self._file = (there.st_dev, there.st_ino)
        return told

    def in_place(self) -> bool:
        """Whether lock and journal are still the files at their paths."""
        try:
            there = self.path.stat()
        except OSError:
            return False
        return self._db is not None and self._lock.held() and (there.st_dev, there.st_ino) == self._file

    def close(self) -> None:
        """Close the journal and let the lock go."""
        if self._db is not None:
            with contextlib.suppress(sqlite3.Error):
                self._db.close()
            self._db = None
        self._lock.release()

    def put_aside(self, wall: int) -> None:
        """Close and rename a journal that turned out to be damaged. Raises ``OSError``."""
        if self._db is not None:
            with contextlib.suppress(sqlite3.Error):
                self._db.close()
            self._db = None
        database.put_aside(self.path, _file_stamp(wall))

    def _take_lock(self) -> None:
        if self._lock.held():
            return
        self._lock.release()
        self._lock_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._lock.take():
            pid = holder_of(self._lock_path)
            who = "another crtui" if pid is None else f"another crtui (pid {pid})"
            raise NotSavingError(f"not saving: {who} keeps {self.path.parent}; {_ELSEWHERE}", final=True)

    def _open(self, wall: int, *, thorough: bool) -> str | None:
        database.sweep(self.path)
        if not os.path.lexists(self.path):
            database.create(self.path)
        try:
            self._db = database.open_writer(self.path, thorough=thorough)
        except database.DamagedError:
            bad = database.put_aside(self.path, _file_stamp(wall))
            database.create(self.path)
            self._db = database.open_writer(self.path, thorough=False)
            return f"the journal was damaged; it is kept as {bad.name}, and a new one has begun"
        return None


def reason(fault: Exception) -> str:
    """Why something was not written, in a few words."""
    if isinstance(fault, OSError):
        return fault.strerror or str(fault)
    code = getattr(fault, "sqlite_errorcode", 0) & 0xFF
    return _WORDS.get(code, str(fault))


_WORDS: Final = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk is full or failing",
    sqlite3.SQLITE_READONLY: "the directory is read-only",
    sqlite3.SQLITE_CANTOPEN: "the directory is read-only or full",
    sqlite3.SQLITE_BUSY: "another program holds the journal",
}


def _file_stamp(wall: int) -> str:
    return stamp(wall).replace("-", "").replace(":", "")[:15]
