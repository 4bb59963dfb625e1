"""A disk that fails at the Nth call, once or from then on, and says what a kill there would have left."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

BY_PATH = ("open", "mkdir", "rename", "replace", "unlink", "chmod")
BY_FILE = ("fsync", "ftruncate", "pwrite")
FORGIVEN = ("ROLLBACK", "PRAGMA shrink_memory")
"""What writes nothing, and so cannot fail for the disk's sake."""


class Disk:
    """Counts the calls that reach a directory, and fails the one numbered ``fail_at`` (0: none).

    ``sticky``: also every later one, until ``repair``. ``before`` is called with each call's number.
    """

    def __init__(
        self,
        folder: Path,
        fail_at: int = 0,
        *,
        sticky: bool = False,
        before: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.calls = 0
        self.failed: list[str] = []
        self._folder = str(folder)
        self._fail_at = fail_at
        self._sticky = sticky
        self._before = before
        self._files: set[int] = set()

    def repair(self) -> None:
        """Fail no more."""
        self._fail_at = 0

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Stand between the program and the system, for this directory only."""
        for name in BY_PATH:
            patch.setattr(os, name, self._by_path(name, getattr(os, name)))
        for name in BY_FILE:
            patch.setattr(os, name, self._by_file(name, getattr(os, name)))
        patch.setattr(fcntl, "flock", self._by_file("flock", fcntl.flock))
        patch.setattr(sqlite3, "connect", self._connect(sqlite3.connect))

    def _by_path(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any, *args: Any, **options: Any) -> Any:
            ours = str(path).startswith(self._folder)
            if ours:
                self._count(f"{name} {path}", OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)))
            result = real(path, *args, **options)
            if ours and name == "open":
                self._files.add(result)
            return result

        return call

    def _by_file(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(file: Any, *args: Any) -> Any:
            if file in self._files:
                self._count(name, OSError(errno.EIO, os.strerror(errno.EIO)))
            return real(file, *args)

        return call

    def _connect(self, real: Callable[..., sqlite3.Connection]) -> Callable[..., sqlite3.Connection]:
        disk = self

        class Connection(sqlite3.Connection):
            def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
                disk._count_sql(sql)
                return super().execute(sql, *args)

            def executescript(self, sql: str) -> sqlite3.Cursor:
                disk._count_sql(sql)
                return super().executescript(sql)

        def connect(path: Any, **options: Any) -> sqlite3.Connection:
            ours = {"factory": Connection} if disk._folder in str(path) else {}
            return real(path, **ours, **options)

        return connect

    def _count_sql(self, sql: str) -> None:
        if not sql.startswith(FORGIVEN):
            fault = sqlite3.OperationalError("disk I/O error")
            fault.sqlite_errorcode = sqlite3.SQLITE_IOERR
            self._count(sql.split("\n")[0][:40], fault)

    def _count(self, what: str, fault: Exception) -> None:
        self.calls += 1
        self._before(self.calls)
        if self._fail_at and (self.calls == self._fail_at or (self._sticky and self.calls > self._fail_at)):
            self.failed.append(what)
            raise fault
