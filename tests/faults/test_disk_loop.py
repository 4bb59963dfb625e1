"""The Nth call to the disk fails, for every N until none is left; and what a kill at each would leave."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crtui.clock import ManualClock
from crtui.core.now import MINUTE
from crtui.engine import database
from crtui.engine.journal import CHECKPOINT_MS
from crtui.engine.journal_writer import RETRY_MS
from crtui.engine.signals import SignalFiles, SignalWriter
from tests.engine.conftest import Live
from tests.faults.disk import Disk
from tests.faults.restart import after_a_restart, counts

pytestmark = pytest.mark.timeout(120)


class Story:
    """Start, requests, trips, orders, a checkpoint, stop: and what was known after each step."""

    def __init__(self, folder: Path) -> None:
        self.live = Live(folder, ManualClock(mono=123_456_789))
        self.files = SignalFiles(folder)
        self.known: list[list[int]] = [[0, 0]]

    def tell(self) -> None:
        """All of it. Nothing here may raise, whatever the disk does."""
        self.live.start()
        self.signals = SignalWriter(self.files, self.live.clock, self.live.notices)
        self._step(lambda: self.live.serve(3))
        self._step(lambda: self.live.serve(4, ok=False))
        self._step(lambda: self.live.order("demote", "a"))
        self._step(self._across_a_checkpoint)
        self.live.clock.advance(MINUTE)
        self._step(lambda: self.live.serve(2))

    def go_on(self) -> None:
        """The disk works again, and it has had time to notice."""
        self.live.clock.advance(RETRY_MS)
        self._turn()
        self.live.serve(1)
        self._note()
        self._turn()

    def end(self) -> None:
        """Stop, whether there is a journal or not."""
        self.live.engine.close()
        if self.live.writer is not None:
            self.live.writer.close()

    def _across_a_checkpoint(self) -> None:
        """More than one statement has to be written for it, and all or none of them."""
        self.live.serve(1)
        self.live.clock.advance(CHECKPOINT_MS)
        self.live.serve(2)

    def _step(self, act: Callable[[], None]) -> None:
        act()
        self._note()
        self._turn()

    def _note(self) -> None:
        self.known.append(counts(self.live))

    def _turn(self) -> None:
        if self.live.writer is not None:
            self.live.writer.turn()
            self.signals.offer(self.live.engine.take_changed())
            self.signals.turn()


def check(folder: Path, fail_at: int, *, sticky: bool) -> bool:
    """One run in which that call fails; whether there was such a call."""
    with pytest.MonkeyPatch.context() as patch:
        disk = Disk(folder, fail_at, sticky=sticky)
        disk.install(patch)
        story = Story(folder)
        story.tell()
        saving, told = story.live.writer is not None, list(story.live.notices)
        disk.repair()
        story.go_on()
        still = [notice for notice in story.live.notices if notice.startswith("not saving")]
        story.end()
    where = f"{disk.failed[:1]} at {fail_at}"
    known = after_a_restart(folder)
    assert known in story.known, f"{where}: {known} was never known"
    assert not saving or (still, known) == ([], story.known[-1]), f"{where}: something is missing"
    if sticky and saving and [what for what in disk.failed if "runtime" not in what]:
        assert told, f"{where}: nothing was said"
    return bool(disk.failed)


def failures(folder: Path, *, sticky: bool, every: int) -> int:
    """Fail each call in turn, until a run passes in which nothing failed: how many did."""
    injected, fail_at = 0, 1
    while check(folder / f"at-{fail_at}", fail_at, sticky=sticky):
        injected, fail_at = injected + 1, fail_at + every
    return injected


STEPS = pytest.mark.parametrize("every", [17, pytest.param(1, marks=pytest.mark.long)])


@STEPS
@pytest.mark.fault("D01")
@pytest.mark.parametrize("sticky", [False, True])
def test_whichever_call_to_the_disk_fails_nothing_is_broken_and_it_goes_on(
    tmp_path: Path, sticky: bool, every: int
) -> None:
    assert failures(tmp_path, sticky=sticky, every=every) > 60 // every


def kills(folder: Path, every: int) -> int:
    """Look at what a kill at each call would have left: how many there were."""
    folder.mkdir()

    def keep(number: int) -> None:
        if number % every == 0:
            nothing_shared = shutil.ignore_patterns("*-shm")
            shutil.copytree(live, folder / f"killed-{number}", ignore=nothing_shared)

    live = folder / "live"
    with pytest.MonkeyPatch.context() as patch:
        disk = Disk(live, before=keep)
        story = Story(live)
        live.mkdir()
        disk.install(patch)
        story.tell()
        story.end()
    left = list(folder.glob("killed-*"))
    for copy in left:
        assert after_a_restart(copy) in story.known, copy.name
    return len(left)


@STEPS
@pytest.mark.fault("D07", "X05")
def test_what_a_kill_at_any_call_leaves_is_whole_and_was_true(tmp_path: Path, every: int) -> None:
    assert kills(tmp_path / "kills", every) > 60 // every


def in_place(path: Path) -> None:
    """A journal that is made under its own name, table by table."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        for statement in database._TABLES.split(";\n"):
            db.execute(statement)
        db.execute("INSERT INTO marker VALUES (?)", (database.MARKER,))
        db.execute(f"PRAGMA application_id = {database.APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {database.SCHEMA}")


def test_a_journal_that_is_not_made_in_one_step_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "create", in_place)
    with pytest.raises(AssertionError):
        kills(tmp_path / "kills", 3)


def test_a_batch_that_is_not_one_transaction_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Disk._connect

    def loose(self: Disk, connect: Any) -> Any:
        def made(path: Any, **options: Any) -> sqlite3.Connection:
            db = real(self, connect)(path, **options)
            return Loose(db) if "mode=ro" not in str(path) else db  # type: ignore[return-value]

        return made

    monkeypatch.setattr(Disk, "_connect", loose)
    with pytest.raises(AssertionError):
        kills(tmp_path / "kills", 2)


class Loose:
    """A connection on which a transaction is only words."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
        return self._db.execute("SELECT 1" if sql.startswith(("BEGIN", "COMMIT")) else sql, *args)
