"""``crtui export``: the journal of the last run as a trace, also while the gateway writes to it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
from collections.abc import Iterable
from pathlib import Path

from crtui.clock import SystemClock
from crtui.core.now import stamp
from crtui.core.saved import BadDumpError
from crtui.engine import database
from crtui.engine.export import trace_lines
from crtui.engine.history import Point, newest_point, point_before
from crtui.engine.lock import holder_of
from crtui.engine.store import JOURNAL_FILE, LOCK_FILE, reason
from crtui.errors import CrtuiError
from crtui.modes.options import Options


def export(options: Options, since_ms: int | None, out: Path | None) -> int:
    """Write the trace to a new file or to standard output. Raises ``CrtuiError``."""
    path = options.state_path / JOURNAL_FILE
    now = SystemClock().now()
    try:
        with contextlib.closing(_open(path)) as db:
            point = _point(db, path, None if since_ms is None else now.wall - since_ms)
            running = holder_of(path.with_name(LOCK_FILE)) is not None
            lines = trace_lines(db, point, now.wall if running else None)
            if out is None:
                _print(lines)
            else:
                _write(out, lines)
    except BadDumpError as fault:
        raise CrtuiError(f"{path}: a checkpoint cannot be read ({fault}); leave out --since") from fault
    except sqlite3.Error as fault:
        raise CrtuiError(f"{path} cannot be read: {reason(fault)}; try again") from fault
    return 0


def _open(path: Path) -> sqlite3.Connection:
    try:
        return database.open_reader(path)
    except FileNotFoundError:
        raise CrtuiError(
            f"no journal at {path}: run `crtui` first, or name the directory with --state-dir"
        ) from None
    except OSError as fault:
        raise CrtuiError(f"{path} cannot be read: {fault.strerror or fault}") from fault
    except database.NewerError:
        raise CrtuiError(f"{path} is of a newer crtui; export with that one") from None
    except database.DamagedError as fault:
        raise CrtuiError(
            f"{path} is damaged ({fault}); the next start of the gateway puts it aside and begins a new one"
        ) from fault


def _point(db: sqlite3.Connection, path: Path, wall: int | None) -> Point:
    """Where the trace begins: the last run's start, or its nearest checkpoint before a time."""
    newest = newest_point(db)
    if newest is None:
        raise CrtuiError(f"{path} holds no run yet; try again in a second")
    point = point_before(db, newest.segment, wall) or newest
    if wall is not None and point.now.wall > wall:
        print(
            f"crtui: what is known of the last run begins at {stamp(point.now.wall)}; exported from there",
            file=sys.stderr,
        )
    return point


def _print(lines: Iterable[bytes]) -> None:
    sys.stdout.buffer.writelines(lines)
    sys.stdout.buffer.flush()


def _write(out: Path, lines: Iterable[bytes]) -> None:
    try:
        fd = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        raise CrtuiError(f"--out: {out} exists; name another file, or remove it first") from None
    except OSError as fault:
        raise CrtuiError(f"--out: {out}: {fault.strerror or fault}; name another file") from fault
    try:
        with os.fdopen(fd, "wb") as file:
            file.writelines(lines)
    except OSError as fault:
        out.unlink(missing_ok=True)
        raise CrtuiError(f"--out: {out}: {fault.strerror or fault}; name a file on another disk") from fault
    except BaseException:
        out.unlink(missing_ok=True)
        raise
