"""A stretch of the journal as a trace: a header that may carry a state, then the inputs since."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence

import orjson

from crtui.core.now import Now, stamp
from crtui.engine.history import Point, inputs_since
from crtui.wire.trace_out import timed


def trace_lines(db: sqlite3.Connection, point: Point, upto: int | None = None) -> Iterator[bytes]:
    """The trace from a point on, to the newest input and, where later, to the wall time ``upto``.

    Raises ``BadDumpError`` or ``sqlite3.Error``.
    """
    data = point.data()
    config = orjson.loads(point.config)
    header = trace_header(
        point.now, point.seed, config, data["core"], data["events"], data.get("requests", 0)
    )
    yield orjson.dumps(header, option=orjson.OPT_APPEND_NEWLINE)
    last = point.t
    for last, line in inputs_since(db, point):
        yield timed(last - point.t, line.encode())
    if upto is not None and upto > point.start.wall + last:
        yield timed(upto - point.now.wall, b'{"input":"tick"}')


def trace_header(
    now: Now,
    seed: int,
    config: Mapping[str, object],
    state: Mapping[str, object] | None,
    events: Sequence[Mapping[str, object]],
    requests: int = 0,
) -> dict[str, object]:
    """A trace's first line. ``state`` is the core's dump at ``now``; None: it had seen nothing.

    ``events`` are the last ones until then, and ``requests`` those of the run.
    """
    known = {"state": state, "events": events, "requests": requests}
    return {
        "crtui": "trace",
        "version": 1,
        "start": stamp(now.wall),
        "mono": now.mono,
        "seed": seed,
        "config": config,
        **{name: value for name, value in known.items() if value},
    }
