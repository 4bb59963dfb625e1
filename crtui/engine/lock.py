"""A lock between processes, which the kernel lifts when its holder dies.

The file is never removed: whoever unlinks a held lock lets a second holder in. Its content, the
holder's process id, is a hint for people only.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path


class FileLock:
    """An advisory ``flock`` on a file of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    def take(self) -> bool:
        """Take the lock if it is free, or say that another has it. Raises ``OSError``."""
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return False
        except OSError:
            os.close(fd)
            raise
        self._fd = fd
        if not self.held():
            self.release()
            return False
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        return True

    def held(self) -> bool:
        """Whether the file at the path is still the one that is locked."""
        if self._fd is None:
            return False
        try:
            there, ours = os.stat(self._path, follow_symlinks=False), os.fstat(self._fd)
        except OSError:
            return False
        return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)

    def release(self) -> None:
        """Let go; no effect where it is not held."""
        if self._fd is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = None


def holder_of(path: Path) -> int | None:
    """The process that has the lock at a path, as far as the file says; None where it is gone."""
    try:
        pid = int(path.read_bytes()[:20])
    except (OSError, ValueError):
        return None
    try:
        os.kill(pid, 0)
    except PermissionError:  # it is another user's, so it is there
        return pid
    except (OSError, OverflowError):
        return None
    return pid
