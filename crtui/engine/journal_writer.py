"""The journal's side of the disk: takes what waits in the queue, a transaction a turn.

Whatever goes wrong here costs history, never a request: what cannot be written is kept for the
next try, up to the queue's bound, and a notice says since when nothing is saved.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import orjson

from crtui.clock import Clock
from crtui.core.now import SECOND, Now
from crtui.engine.database import is_damage
from crtui.engine.journal import Entry, Journal, Save
from crtui.engine.notices import Notices
from crtui.engine.retention import KEPT_EVERY_MS, Retention
from crtui.engine.store import NotSavingError, Store, reason
from crtui.wire.trace_out import encode

RETRY_MS: Final = 30 * SECOND
LOOK_MS: Final = 30 * SECOND
"""How often the files at the paths are compared with those that are open."""
_ABOUT: Final = "journal"
_DEFLATE: Final = 1
_AT_ONCE: Final = 4 * 200
"""Values a statement; older builds of SQLite take 999."""


class JournalWriter:
    """Writes one journal. ``turn`` is called every half second, on one thread."""

    def __init__(
        self,
        journal: Journal,
        store: Store,
        retention: Retention,
        clock: Clock,
        notices: Notices,
        *,
        config: Mapping[str, object],
        seed: int,
    ) -> None:
        self._journal = journal
        self._store = store
        self._retention = retention
        self._clock = clock
        self._notices = notices
        self._config = orjson.dumps(config).decode()
        self._seed = seed
        self._place = _Place()
        self._over = False
        self._failing_since: int | None = None
        self._retry_at = 0
        self._look_at = clock.now().mono + LOOK_MS
        self._told_dropped = 0

    def turn(self) -> None:
        """Write what waits, and see to the files now and then."""
        now = self._clock.now()
        self._tell_dropped()
        if self._over:
            self._journal.queue.clear()
            return
        if now.mono < self._retry_at:
            return
        try:
            self._look(now)
            if taken := self._journal.take():
                self._write(taken)
            self._retention.turn(self._store.db, now)
        except NotSavingError as fault:
            self.stop_saving(fault, now)
        except (sqlite3.Error, OSError) as fault:
            self._failed(fault, now)
        else:
            self._failing_since = None
            self._journal.stalled = False
            self._notices.put(_ABOUT, None)

    def close(self) -> None:
        """Write what is left, and let the journal go."""
        self._retry_at = 0
        self.turn()
        self._store.close()

    def _look(self, now: Now) -> None:
        """Whether the files are still ours; those that are gone are made again, with a new segment."""
        if self._failing_since is None and now.mono < self._look_at:
            return
        self._look_at = now.mono + LOOK_MS
        if self._store.in_place():
            return
        self._store.close()
        if self._place.segment:
            # What waits goes on from what is no longer there.
            self._journal.take()
            self._journal.broken = True
            self._place = _Place()
        if damaged := self._store.open(now.wall, thorough=False):
            self._notices.add(damaged)

    def _write(self, taken: list[Entry | Save]) -> None:
        db, place = self._store.db, self._place.copy()
        try:
            db.execute("BEGIN IMMEDIATE")
            values: list[int | str] = []
            for entry in taken:
                if isinstance(entry, Save):
                    _insert(db, values)
                    values = []
                    self._write_save(db, place, entry)
                elif place.segment:
                    item, now = entry
                    place.last += 1
                    values += (place.last, place.segment, now.mono - place.mono, encode(item).decode())
            _insert(db, values)
            db.execute("COMMIT")
        except BaseException:
            self._journal.put_back(taken)
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        self._place = place

    def _write_save(self, db: sqlite3.Connection, place: _Place, save: Save) -> None:
        if save.new_segment:
            self._write_segment(db, place, save.now)
        elif not place.segment:
            self._journal.broken = True
            return
        data = {
            "core": save.core,
            "events": [event.to_json() for event in save.events],
            "requests": save.requests,
        }
        kept = save.now.wall // KEPT_EVERY_MS
        blob = zlib.compress(orjson.dumps(data), _DEFLATE)
        row = (place.segment, save.now.mono - place.mono, place.last, kept != place.kept, blob)
        db.execute("DELETE FROM checkpoints WHERE id = ? AND NOT kept", (place.checkpoint,))
        made = db.execute("INSERT INTO checkpoints VALUES (NULL, ?, ?, ?, ?, 1, ?)", row)
        place.checkpoint, place.kept = made.lastrowid or 0, kept

    def _write_segment(self, db: sqlite3.Connection, place: _Place, now: Now) -> None:
        [place.last] = db.execute(
            "SELECT max(coalesce((SELECT max(id) FROM inputs), 0), "
            "coalesce((SELECT max(after) FROM checkpoints), 0))"
        ).fetchone()
        row = (now.wall, now.mono, self._seed, self._config)
        place.segment = db.execute("INSERT INTO segments VALUES (NULL, ?, ?, ?, ?)", row).lastrowid or 0
        place.mono, place.kept = now.mono, -1

    def _failed(self, fault: Exception, now: Now) -> None:
        if isinstance(fault, sqlite3.Error) and is_damage(fault):
            # The next look finds no file and makes one.
            self._store.put_aside(now.wall)
            self._failing_since, self._retry_at = now.mono, now.mono
            self._notices.add("the journal was damaged; it was put aside, and a new one has begun")
            return
        busy = isinstance(fault, sqlite3.Error) and fault.sqlite_errorcode == sqlite3.SQLITE_BUSY
        if busy and (self._failing_since is None or now.mono - self._failing_since < RETRY_MS):
            # A backup that copies the file: it is only a moment.
            self._failing_since = self._failing_since or now.mono
            return
        self.stop_saving(NotSavingError(f"{reason(fault)} ({self._store.path.parent})"), now)

    def stop_saving(self, fault: NotSavingError, now: Now) -> None:
        """Say why nothing is saved, and try again later unless there is no use."""
        self._over, self._journal.stalled = fault.final, True
        if fault.final:
            self._store.close()
            self._notices.put(_ABOUT, str(fault))
            return
        if self._failing_since is None:
            self._failing_since = now.mono
        since = now.wall - (now.mono - self._failing_since)
        at = datetime.fromtimestamp(since / SECOND, UTC).astimezone()
        self._notices.put(
            _ABOUT, f"not saving since {at:%H:%M}: {fault}; tried again every {RETRY_MS // SECOND} s"
        )
        self._retry_at = now.mono + RETRY_MS

    def _tell_dropped(self) -> None:
        count = self._journal.dropped
        if count != self._told_dropped:
            self._told_dropped = count
            why = "the disk was too slow or full"
            self._notices.put("dropped", f"{count} inputs are missing in the journal: {why}")


def _insert(db: sqlite3.Connection, values: list[int | str]) -> None:
    """Write inputs, four values each. Many a statement: for each one this thread asks for the interpreter,
    and a request waits meanwhile.
    """
    for start in range(0, len(values), _AT_ONCE):
        some = values[start : start + _AT_ONCE]
        db.execute("INSERT INTO inputs VALUES " + ",".join(["(?, ?, ?, ?)"] * (len(some) // 4)), some)


class _Place:
    """Where in the journal the next row goes. Copied for a transaction, kept when that is done."""

    def __init__(self) -> None:
        self.segment = 0
        self.mono = 0
        self.last = 0
        self.checkpoint = 0
        self.kept = -1

    def copy(self) -> _Place:
        twin = _Place()
        twin.__dict__.update(self.__dict__)
        return twin
