"""The files of a log tree, and which of them are new or have grown."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

_MOST: Final = 2**63 - 1
"""The largest number that the cache can hold. FUSE and CIFS number files beyond it."""


class Stamp(NamedTuple):
    """What tells one state of a file from another, in numbers that the cache can hold."""

    device: int
    inode: int
    size: int
    mtime_ns: int


class LogFile(NamedTuple):
    """A log as it was listed. ``name`` stays the same when the agent moves or compresses it."""

    name: str
    path: Path
    stamp: Stamp


def walk(root: Path, wanted: Callable[[str], bool], depth: int = 12) -> Iterator[LogFile]:
    """The files below a directory whose name is wanted; links are not followed, absence is no fault."""
    try:
        found = list(os.scandir(root))
    except OSError:
        return
    for item in found:
        try:
            if item.is_dir(follow_symlinks=False):
                if depth:
                    yield from walk(Path(item.path), wanted, depth - 1)
            elif wanted(item.name) and item.is_file(follow_symlinks=False):
                # A name need not be text; the cache keeps nothing else.
                name = item.path.encode("utf-8", "backslashreplace").decode()
                yield LogFile(name, Path(item.path), stamp_of(item.stat(follow_symlinks=False)))
        except OSError:  # it has gone since
            continue


def look(path: Path) -> Stamp | None:
    """The state of a file now; None where it is gone."""
    try:
        return stamp_of(path.stat())
    except OSError:
        return None


def stamp_of(stat: os.stat_result) -> Stamp:
    """What of a stat result tells states apart."""
    written_at = max(0, min(stat.st_mtime_ns, _MOST))
    return Stamp(stat.st_dev & _MOST, stat.st_ino & _MOST, stat.st_size, written_at)
