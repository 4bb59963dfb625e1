"""Power is lost: of what was written and not yet synced, any sector may be there or not.

In WAL mode SQLite syncs only round a checkpoint: the log before its pages are copied into the
database, the database before the log is begun anew, and then the log's new header. So there are two
moments to look at: a log of which only the header is sure, and a database in the middle of a checkpoint.
https://www.sqlite.org/wal.html
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crtui.clock import ManualClock
from tests.engine.conftest import Live
from tests.faults.restart import after_a_restart, counts

SECTOR = 512
HEADER = 32
TURNS = 6
LOSSES = 24


def left_of(before: bytes, after: bytes, dice: random.Random) -> bytes:
    """What a disk may hold of a file that was ``before``, and ``after`` once it is synced.

    Up to some place all has been written, behind it here and there a sector.
    """
    length = dice.choice((len(before), len(after), dice.randint(len(before), len(after))))
    written = dice.randint(0, len(after))

    def sector(at: int) -> bytes:
        source = after if at < written or dice.random() < 0.5 else before
        return source[at : at + SECTOR].ljust(SECTOR, b"\0")

    return b"".join(map(sector, range(0, length, SECTOR)))[:length]


class Disk:
    """A run, what it knew after each turn, and its two files as they were when they were synced last."""

    def __init__(self, folder: Path) -> None:
        self.live = Live(folder, ManualClock(mono=123_456_789))
        self.live.start()
        self.known = [[0, 0]]
        self.live.turn()
        self.checkpoint()

    def checkpoint(self) -> None:
        """Let SQLite copy the log into the database, and begin it anew with the next write."""
        assert self.live.writer is not None
        self.known = self.known[-1:]
        self.live.writer._store.db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        self.synced = self.files()

    def turns(self) -> None:
        """Some requests and orders, each written in a transaction of its own."""
        for number in range(TURNS):
            self.live.serve(3, ok=number % 2 == 0)
            self.live.order("demote" if number % 2 else "reset", "a")
            self.known.append(counts(self.live))
            self.live.turn()

    def files(self) -> tuple[bytes, bytes]:
        """The database and its log, as another process reads them now."""
        log = self.live.path.with_name("journal.db-wal")
        return self.live.path.read_bytes(), log.read_bytes()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    disk = Disk(tmp_path / "state")
    disk.turns()
    disk.checkpoint()
    disk.turns()
    yield disk
    disk.live.kill()


def after_losses(folder: Path, files: Callable[[random.Random], tuple[bytes, bytes]]) -> list[list[int]]:
    """What new runs know after many losses of power, each with other sectors gone."""
    found: list[list[int]] = []
    for number in range(LOSSES):
        place = folder / f"loss-{number}"
        place.mkdir()
        database, log = files(random.Random(number))
        (place / "journal.db").write_bytes(database)
        (place / "journal.db-wal").write_bytes(log)
        found.append(after_a_restart(place))
    return found


@pytest.mark.fault("D08")
def test_of_a_log_that_was_not_synced_any_beginning_may_be_left_and_nothing_else(
    disk: Disk, tmp_path: Path
) -> None:
    database, log = disk.files()
    synced, old_log = disk.synced
    header = log[:HEADER]
    assert database == synced, "nothing but the log was written to since the checkpoint"
    assert header != old_log[:HEADER]

    found = after_losses(tmp_path, lambda dice: (database, header + left_of(old_log, log, dice)[HEADER:]))

    assert [known for known in found if known not in disk.known] == []
    assert disk.known[0] in found
    assert len({tuple(known) for known in found}) > 2, "some of them kept a part"


@pytest.mark.fault("D08")
def test_in_the_middle_of_a_checkpoint_nothing_is_lost(disk: Disk, tmp_path: Path) -> None:
    before, log = disk.files()
    disk.checkpoint()
    after, _ = disk.files()
    assert before != after

    found = after_losses(tmp_path, lambda dice: (left_of(before, after, dice), log))

    assert [known for known in found if known != disk.known[-1]] == []


@pytest.mark.fault("D08")
def test_a_journal_that_is_written_to_in_place_is_caught(disk: Disk, tmp_path: Path) -> None:
    """A checkpoint of a log that was never synced: what a run without syncs would do."""
    before, _ = disk.files()
    disk.checkpoint()
    after, _ = disk.files()
    with pytest.raises((AssertionError, sqlite3.DatabaseError)):
        after_losses(tmp_path, lambda dice: (left_of(before, after, dice), b""))
