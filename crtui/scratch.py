"""Directories for what a process writes out for itself alone, gone with it even where it was killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

PREFIX: Final = "crtui.scratch-"


class Scratch:
    """A directory below the machine's temporary one, open to its owner only.

    It is locked while its process lives. Making one removes those whose process was killed.
    """

    def __init__(self) -> None:
        """Raises ``OSError``."""
        for left in _left_behind():
            _remove_if_free(left)
        self.path, self._fd = _locked_directory()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    def remove(self) -> None:
        """Remove it with all that is in it, as far as that can be. A second time does nothing."""
        fd, self._fd = self._fd, None
        shutil.rmtree(self.path, ignore_errors=True)
        if fd is not None:
            os.close(fd)


def _locked_directory() -> tuple[Path, int | None]:
    while True:
        path = Path(tempfile.mkdtemp(prefix=PREFIX))
        try:
            fd = _lock(path)
        except FileNotFoundError:
            continue  # before it was locked, another process took it for one that was left behind
        except OSError:
            return path, None  # where nothing can be locked, nobody can take it away either
        if fd is not None and path.exists():
            return path, fd
        if fd is not None:
            os.close(fd)


def _left_behind() -> Iterator[Path]:
    with contextlib.suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX) and entry.is_dir(follow_symlinks=False):
                yield Path(entry.path)


def _remove_if_free(path: Path) -> None:
    """Remove one that nobody holds; another user's cannot be opened, and stays."""
    with contextlib.suppress(OSError):
        fd = _lock(path)
        if fd is not None:
            shutil.rmtree(path, ignore_errors=True)
            os.close(fd)


def _lock(path: Path) -> int | None:
    """The descriptor that holds the lock, None where another process does. Raises ``OSError``."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    except OSError:
        os.close(fd)
        raise
    return fd
