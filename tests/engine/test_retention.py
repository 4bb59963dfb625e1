"""What is kept: by age and by size, and what is kept can be read from a whole beginning."""

from __future__ import annotations

import sqlite3

import pytest

from crtui.core.now import DAY, MINUTE
from crtui.engine.retention import KEPT_EVERY_MS, Retention, used_bytes
from tests.engine.conftest import Live, core_part


def ids(live: Live) -> tuple[int, int]:
    with sqlite3.connect(live.path) as db:
        found = db.execute("SELECT min(id), max(id) FROM inputs").fetchone()
    db.close()
    return found


@pytest.mark.fault("D17")
def test_what_is_older_than_the_age_goes(live):
    live.start(retention=Retention(age_ms=DAY))
    live.serve(10)
    live.clock.advance(KEPT_EVERY_MS)
    live.serve(10)
    live.clock.advance(DAY - KEPT_EVERY_MS // 2)
    live.serve(10)
    live.turn()
    live.clock.advance(MINUTE)
    live.turn()

    assert ids(live) == (31, 90)
    assert live.replayed()["providers"] == live.shown()["providers"]


@pytest.mark.fault("D17")
def test_a_journal_larger_than_its_size_gives_its_oldest_back_to_the_disk(live):
    limit = 400_000
    live.start(retention=Retention(size=limit))
    for _ in range(30):
        live.serve(100)
        live.turn()
        live.clock.advance(2 * MINUTE)
    for _ in range(30):
        live.turn()
        live.clock.advance(2 * MINUTE)
    db = live.writer._store.db
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    assert used_bytes(db) <= limit
    assert live.path.stat().st_size <= limit * 1.5
    assert ids(live)[1] == 9_000
    shown = live.shown()
    assert live.replayed()["providers"] == shown["providers"]
    live.kill()
    live.start()
    assert core_part(live.shown())["providers"] == shown["providers"]


def test_of_many_checkpoints_one_in_half_an_hour_stays(live):
    live.start()
    for _ in range(120):
        live.clock.advance(MINUTE)
        live.serve(1)
        live.turn()
    with sqlite3.connect(live.path) as db:
        [(kept, all_)] = db.execute("SELECT sum(kept), count(*) FROM checkpoints").fetchall()
    db.close()

    assert kept in (5, 6)
    assert all_ <= kept + 1


def test_ids_are_not_used_twice_when_everything_was_deleted(live):
    live.start(retention=Retention(age_ms=DAY))
    live.serve(5)
    live.stop()
    live.clock.advance(3 * DAY)
    live.start(retention=Retention(age_ms=DAY))
    live.turn()
    live.clock.advance(MINUTE)
    live.turn()
    live.serve(1)
    live.turn()

    assert ids(live)[0] > 15
    assert live.replayed()["providers"] == live.shown()["providers"]
