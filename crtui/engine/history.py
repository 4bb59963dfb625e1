"""The journal read back: from which points on, and what was fed since."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import orjson

from crtui.core.core import Core, UnknownProviderError
from crtui.core.encode import event_from_json
from crtui.core.events import Event
from crtui.core.health import without_refusal
from crtui.core.inputs import Tick
from crtui.core.now import Now
from crtui.core.plan import UnknownProfileError
from crtui.core.saved import BadDumpError
from crtui.core.settings import CoreSettings
from crtui.engine.fold import Fold, core_at
from crtui.wire.fields import BadInputError
from crtui.wire.trace_in import decode
from crtui.wire.trace_plain import plain_attempt, read_plain

_PAGE: Final = 2_000
_POINTS: Final = (
    "SELECT c.segment, s.wall, s.mono, s.seed, s.config, c.t, c.after, c.saved "
    "FROM checkpoints c JOIN segments s ON s.id = c.segment "
)


@dataclass(frozen=True, slots=True)
class Point:
    """An instant of which everything is known, and since which every input is there."""

    segment: int
    start: Now
    """The segment's first instant, which its inputs count from."""
    seed: int
    config: str
    t: int
    after: int
    saved: bytes

    @property
    def now(self) -> Now:
        """The instant itself."""
        return Now(self.start.mono + self.t, self.start.wall + self.t)

    def data(self) -> dict[str, Any]:
        """The dump (``core``, None for nothing), the last ``events`` and the run's ``requests``.

        Raises ``BadDumpError``.
        """
        try:
            return orjson.loads(zlib.decompress(self.saved))
        except (zlib.error, orjson.JSONDecodeError) as fault:
            raise BadDumpError(f"not a checkpoint: {fault}") from fault


def newest_point(db: sqlite3.Connection) -> Point | None:
    """The last checkpoint of all; None in a journal that has none."""
    return _point(db.execute(_POINTS + "ORDER BY c.id DESC LIMIT 1").fetchone())


def point_before(db: sqlite3.Connection, segment: int, wall: int | None) -> Point | None:
    """A segment's last point that is not after a wall time; where there is none, or no time, its first.

    Points from which on inputs have been deleted are passed over.
    """
    [oldest] = db.execute("SELECT min(id) FROM inputs").fetchone()
    whole = _POINTS + "WHERE c.segment = ? AND c.after >= ? "
    these = (segment, 0 if oldest is None else oldest - 1)
    if wall is not None:
        last = whole + "AND s.wall + c.t <= ? ORDER BY c.id DESC LIMIT 1"
        if found := _point(db.execute(last, (*these, wall)).fetchone()):
            return found
    return _point(db.execute(whole + "ORDER BY c.id LIMIT 1", these).fetchone())


def inputs_since(db: sqlite3.Connection, point: Point) -> Iterator[tuple[int, str]]:
    """What was fed after a point and is in the journal now: milliseconds since the segment's start, line.

    Read a page at a time, so that a slow reader keeps no transaction open.
    """
    [end] = db.execute("SELECT max(id) FROM inputs WHERE segment = ?", (point.segment,)).fetchone()
    last = point.after
    while end is not None and last < end:
        page = db.execute(
            "SELECT id, t, line FROM inputs WHERE id > ? AND id <= ? AND segment = ? ORDER BY id LIMIT ?",
            (last, end, point.segment, _PAGE),
        ).fetchall()
        for number, t, line in page:
            yield t, line
            last = number
        if not page:
            return


def restore(
    db: sqlite3.Connection, settings: CoreSettings, now: Now, renewed: Collection[str] = ()
) -> tuple[Core, tuple[Event, ...]] | None:
    """The core as the last run left it, on today's settings and clocks, and its last events.

    None from a journal without a run. What concerns providers and profiles that are configured no
    longer is passed over, as is that the providers in ``renewed`` were refused the credential they had
    then. Raises ``BadDumpError`` where the journal's dumps are of another version.
    """
    point = newest_point(db)
    if point is None:
        return None
    data = point.data()
    core, then = core_at(point.now, settings, point.seed, data["core"]), point.now
    fold = Fold(core, map(event_from_json, data["events"]))
    for t, line in inputs_since(db, point):
        then = Now(point.start.mono + t, point.start.wall + t)
        _feed(fold, line, then)
    fold.feed(Tick(), then)
    left = _renewed(fold.core.dump(then), renewed)
    return Core.restore(settings, left, now, tickets=False), tuple(fold.events)


def _renewed(dump: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    rows: dict[str, dict[str, Any]] = dump["providers"]
    fresh = {
        name: {**row, "health": without_refusal(row["health"])} for name, row in rows.items() if name in names
    }
    return {**dump, "providers": {**rows, **fresh}}


def _feed(fold: Fold, line: str, now: Now) -> None:
    with suppress(UnknownProviderError, UnknownProfileError, BadInputError, orjson.JSONDecodeError):
        plain = read_plain(line)
        item = decode(orjson.loads(line), now.wall) if plain is None else plain_attempt(plain, now.wall)
        fold.feed(item, now)


def _point(row: tuple[Any, ...] | None) -> Point | None:
    if row is None:
        return None
    segment, wall, mono, seed, config, t, after, saved = row
    return Point(segment, Now(mono, wall), seed, config, t, after, saved)
