"""How much history is kept: by age and by size, given back in small steps."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import Final

from crtui.core.now import DAY, MINUTE, Now

KEPT_EVERY_MS: Final = 30 * MINUTE
"""Of the checkpoints that are not the newest, one in this time stays."""
_EVERY_MS: Final = MINUTE
_STEP: Final = 2_000
"""Inputs deleted in one turn: few enough to be done in milliseconds."""
_PAGES: Final = 1_000


@dataclass(slots=True)
class Retention:
    """Deletes the oldest inputs beyond an age (14 days) or a size of the file (64 MiB)."""

    age_ms: int = 14 * DAY
    size: int = 64 * 1024 * 1024
    _next: int = field(default=0, init=False)

    def turn(self, db: sqlite3.Connection, now: Now) -> None:
        """Once a minute, and at once again while there is too much. Raises ``sqlite3.Error``."""
        if now.mono < self._next:
            return
        upto = self._too_old(db, now.wall) or (self._oldest(db) if used_bytes(db) > self.size else None)
        if upto is None:
            self._next = now.mono + _EVERY_MS
            return
        db.execute("DELETE FROM inputs WHERE id <= ?", (upto,))
        # A checkpoint is of use while everything that was fed since is there; the newest always is.
        db.execute(
            "DELETE FROM checkpoints WHERE after < ? AND id < (SELECT max(id) FROM checkpoints)", (upto,)
        )
        db.execute("DELETE FROM segments WHERE id NOT IN (SELECT segment FROM checkpoints)")
        db.execute(f"PRAGMA incremental_vacuum({_PAGES})").fetchall()

    def _too_old(self, db: sqlite3.Connection, wall: int) -> int | None:
        """The last of the oldest inputs that are beyond the age, at most one step of them."""
        [upto] = db.execute(
            "SELECT max(id) FROM (SELECT inputs.id AS id, segments.wall + inputs.t AS at FROM inputs "
            "JOIN segments ON segments.id = inputs.segment ORDER BY inputs.id LIMIT ?) WHERE at < ?",
            (_STEP, wall - self.age_ms),
        ).fetchone()
        return upto

    def _oldest(self, db: sqlite3.Connection) -> int | None:
        [upto] = db.execute(
            "SELECT max(id) FROM (SELECT id FROM inputs ORDER BY id LIMIT ?)", (_STEP,)
        ).fetchone()
        return upto


def used_bytes(db: sqlite3.Connection) -> int:
    """The size of what is in the file, without pages that are free again."""
    pages, free, size = (
        int(db.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size
