"""Whose turn it is to ask an endpoint: one process at a time, seldom, and seldomer after a refusal."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Generator
from pathlib import Path
from typing import Final

import orjson

from crtui.core.now import DAY, MINUTE, SECOND
from crtui.wire.jsonview import as_count, as_object, loads

EVERY_MS: Final = 180 * SECOND
BACK_OFF_MS: Final = 5 * MINUTE
"""A refusal is believed to last at least this long, also where it says it lasts less."""
MAX_BACK_OFF_MS: Final = DAY


class Turn:
    """The times of one endpoint, kept in a file of the state directory that is also the lock."""

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / f"usage-{name}.json"

    @contextlib.contextmanager
    def take(self, now: int) -> Generator[bool]:
        """Whether it may be asked now; another process gets no turn until this is left.

        Raises ``OSError`` where the file cannot be had.
        """
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            yield _locked(fd) and self._is_due(fd, now)
        finally:
            os.close(fd)

    def refused(self, now: int, retry_after_ms: int | None) -> None:
        """The endpoint does not want to be asked. Raises ``OSError``."""
        wait = min(max(retry_after_ms or 0, BACK_OFF_MS), MAX_BACK_OFF_MS)
        fd = os.open(self._path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            self._put_off(fd, now + wait)
        finally:
            os.close(fd)

    def _is_due(self, fd: int, now: int) -> bool:
        try:
            due = as_count(as_object(loads(os.pread(fd, 1024, 0))).get("next_at")) or 0
        except ValueError:
            due = 0
        # A time further off than any back-off comes from a clock that was wrong.
        if now < due <= now + MAX_BACK_OFF_MS:
            return False
        # Written before the request: a process that dies in it has had its turn all the same.
        self._put_off(fd, now + EVERY_MS)
        return True

    def _put_off(self, fd: int, until: int) -> None:
        data = orjson.dumps({"next_at": until})
        os.ftruncate(fd, 0)
        os.pwrite(fd, data, 0)


def _locked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
