"""A stretch of a journal, from one checkpoint to the next, of which any moment can be shown."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import orjson

from crtui.core.now import stamp
from crtui.engine.export import trace_lines
from crtui.engine.history import Point, point_before
from crtui.errors import CrtuiError
from crtui.replay.player import Player

if TYPE_CHECKING:
    from crtui.core.views import Snapshot

_BUDGET: Final = 1_000_000_000
_SETTLED_MS: Final = 2_000
"""What is younger may not have reached the disk yet."""
_USABLE: Final = (
    "FROM checkpoints c JOIN segments s ON s.id = c.segment "
    "WHERE c.after >= (SELECT coalesce(min(id), 1) - 1 FROM inputs)"
)


class Stretch:
    """The history from one checkpoint to the next: ``begin`` to ``end``, wall milliseconds."""

    def __init__(self, db: sqlite3.Connection, folder: Path, wall: int, now: int) -> None:
        """Write out the stretch that holds ``wall``.

        Raises ``CrtuiError``, ``sqlite3.Error`` or ``BadDumpError``.
        """
        point = _point_at(db, wall)
        self.begin = point.now.wall
        self.end = _next_checkpoint(db, point, wall) or max(wall + 1, now - _SETTLED_MS)
        # The picture names what it is of by this file's name.
        path = folder / "journal"
        with path.open("wb") as file:
            file.writelines(_until(trace_lines(db, point), self.end - self.begin))
        self._player = Player(path)

    def holds(self, wall: int) -> bool:
        """Whether the instant lies in it."""
        return self.begin <= wall < self.end

    def picture(self, wall: int) -> Snapshot:
        """The state at an instant that it holds. Raises ``CrtuiError``."""
        self._player.seek(wall - self.begin, _BUDGET)
        return self._player.snapshot()

    def close(self) -> None:
        """Close the file."""
        self._player.close()


def first_instant(db: sqlite3.Connection, path: Path) -> int:
    """The first instant that a journal knows everything of. Raises ``CrtuiError`` where there is none."""
    [first] = db.execute(f"SELECT min(s.wall + c.t) {_USABLE}").fetchone()
    if first is None:
        raise CrtuiError(f"{path} holds nothing yet; try again in a second")
    return first


def _point_at(db: sqlite3.Connection, wall: int) -> Point:
    """The last checkpoint that is not after an instant, of whichever run that was in."""
    [segment] = db.execute(
        f"SELECT c.segment {_USABLE} AND s.wall + c.t <= ? ORDER BY s.wall + c.t DESC LIMIT 1", (wall,)
    ).fetchone() or [None]
    point = None if segment is None else point_before(db, segment, wall)
    if point is None:
        raise CrtuiError(f"nothing is known of {stamp(wall)} any more")
    return point


def _next_checkpoint(db: sqlite3.Connection, point: Point, wall: int) -> int | None:
    """Where the stretch from a point ends, that holds ``wall``."""
    [found] = db.execute(
        f"SELECT min(s.wall + c.t) {_USABLE} AND s.wall + c.t > ? AND c.after >= ?",
        (max(wall, point.now.wall), point.after),
    ).fetchone()
    return found


def _until(lines: Iterator[bytes], ms: int) -> Iterator[bytes]:
    """The header, and the inputs up to so many milliseconds after it."""
    yield next(lines)
    for line in lines:
        if orjson.loads(line)["t"] * 1000 > ms + 0.5:
            return
        yield line
