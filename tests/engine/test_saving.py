"""What stands in the way of saving: it is said, requests go on, and saving begins again by itself."""

from __future__ import annotations

import contextlib
import gc
import os
import sqlite3
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path

import pytest

from crtui.core.inputs import Began
from crtui.engine.journal import CHECKPOINT_MS, Save
from crtui.engine.journal_writer import LOOK_MS, RETRY_MS
from crtui.engine.lock import FileLock, holder_of
from crtui.engine.state_dir import StateDir
from tests.engine.conftest import Live


def total(live: Live) -> int:
    return sum(row["usage"]["requests"] for row in live.shown()["providers"])


@pytest.mark.fault("D01")
def test_a_full_disk_is_told_with_the_time_and_requests_go_on(live, small_files):
    live.start()
    live.serve(3)
    live.turn()
    small_files(live.path.with_name("journal.db-wal").stat().st_size + 100)
    live.serve(50)
    live.turn()
    [notice] = live.notices

    assert notice.startswith("not saving since ")
    assert "tried again every 30 s" in notice
    assert str(live.folder) in notice
    assert total(live) == 53


@pytest.mark.fault("D01")
def test_when_the_disk_has_room_again_nothing_is_missing(live, small_files):
    live.start()
    live.serve(3)
    live.turn()
    small_files(live.path.with_name("journal.db-wal").stat().st_size + 100)
    live.serve(50)
    live.turn()
    small_files(None)
    live.serve(5)
    live.turn()
    assert len(list(live.notices)) == 1, "it is tried again after 30 s, not at once"
    live.clock.advance(RETRY_MS)
    live.turn()

    assert list(live.notices) == []
    shown, again = live.shown(), live.replayed()
    assert again == shown
    live.kill()
    live.start()
    assert total(live) == 58


def in_memory() -> Counter[type]:
    """How many objects there are of each kind."""
    gc.collect()
    return Counter(map(type, gc.get_objects()))


def fill_up(live: Live, before: Counter[type]) -> int:
    """Serve, and try in vain to write, again and again; how many inputs that were."""
    for _ in range(23):
        live.serve(7)
        live.clock.advance(max(RETRY_MS, CHECKPOINT_MS))
        live.turn()
    held = in_memory() - before
    assert held[Began] < live.journal._limit, "of all inputs every third is one"
    assert held[Save] <= 2, "each holds all that the core knows"
    return 23 * 7 * 3


@pytest.mark.fault("D01")
def test_a_disk_that_stays_full_keeps_no_more_in_memory_than_may_wait_and_the_gap_is_told(live, small_files):
    before = in_memory()
    live.start()
    live.journal._limit = 100
    live.serve(3)
    live.turn()
    small_files(live.path.with_name("journal.db-wal").stat().st_size + 100)
    inputs = 9 + fill_up(live, before) + fill_up(live, before)
    small_files(None)
    live.clock.advance(RETRY_MS)
    live.turn()
    with contextlib.closing(sqlite3.connect(live.path)) as db:
        [written] = db.execute("SELECT count(*) FROM inputs").fetchone()
    dropped = inputs - written

    assert 600 < dropped < inputs
    assert list(live.notices) == [
        f"{dropped} inputs are missing in the journal: the disk was too slow or full"
    ]
    live.serve(2)
    live.turn()
    assert b'"state"' in live.exported()[0], "what the trace holds begins after the gap, with what was known"
    assert live.replayed()["providers"] == live.shown()["providers"]
    live.kill()
    live.start()
    assert total(live) == inputs // 3 + 2


def test_a_directory_that_never_lets_a_journal_be_made_fills_no_memory(live, small_files):
    before = in_memory()
    live.folder.mkdir()
    small_files(0)
    live.start()
    inputs = fill_up(live, before)
    small_files(None)
    live.clock.advance(RETRY_MS)
    live.turn()
    live.kill()
    live.start()

    assert total(live) == inputs // 3


def test_a_disk_that_is_full_from_the_start_is_tried_again(live, small_files):
    live.folder.mkdir()
    small_files(0)
    live.start()
    live.serve(4)
    live.turn()
    assert "not saving since" in next(iter(live.notices))
    small_files(None)
    live.clock.advance(RETRY_MS)
    live.turn()
    assert list(live.notices) == []
    live.stop()
    live.start()

    assert total(live) == 4


@pytest.mark.fault("D09")
def test_a_second_instance_runs_in_memory_and_names_the_first(live, tmp_path):
    live.start()
    live.serve(2)
    second = Live(live.folder, live.clock)
    second.start()
    second.serve(7)

    assert second.writer is None
    assert list(second.notices) == [
        f"not saving: another crtui (pid {os.getpid()}) keeps {live.folder}; "
        "choose another directory with --state-dir"
    ]
    live.stop()
    live.start()
    assert total(live) == 2


@pytest.mark.fault("D10", "X05")
def test_the_lock_of_a_process_that_was_killed_is_free(live):
    script = textwrap.dedent(f"""
        import os
        from pathlib import Path
        from crtui.engine.lock import FileLock
        Path({str(live.folder)!r}).mkdir(parents=True)
        assert FileLock(Path({str(live.folder / "lock")!r})).take()
        os.kill(os.getpid(), 9)
    """)
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -9
    assert (live.folder / "lock").read_text().strip().isdigit()
    live.start()

    assert list(live.notices) == []


def test_a_lock_whose_file_was_removed_is_no_longer_held_by_the_one_who_had_it(tmp_path: Path):
    path = tmp_path / "lock"
    first, second = FileLock(path), FileLock(path)
    assert first.take()
    assert not second.take()
    path.unlink()
    assert second.take()

    assert not first.held()
    assert second.held()
    first.release()
    second.release()
    assert holder_of(path) is None


@pytest.mark.fault("D11")
def test_removing_the_lock_file_of_a_running_gateway_costs_nothing_while_it_is_alone(live):
    live.start()
    live.serve(2)
    live.turn()
    (live.folder / "lock").unlink()
    live.clock.advance(LOOK_MS)
    live.serve(2)
    live.turn()
    live.serve(2)
    live.turn()

    assert list(live.notices) == []
    second = FileLock(live.folder / "lock")
    assert not second.take(), "it holds the new file"
    live.kill()
    live.start()
    assert total(live) == 6


@pytest.mark.fault("D11")
def test_one_whose_lock_another_took_stops_writing_and_says_so(live):
    live.start()
    live.serve(2)
    live.turn()
    (live.folder / "lock").unlink()
    second = Live(live.folder, live.clock)
    second.start()
    live.clock.advance(LOOK_MS)
    live.serve(3)
    live.turn()

    assert "not saving: another crtui" in next(iter(live.notices))
    second.stop()
    assert total(live) == 5


def test_a_journal_that_was_removed_is_made_again_and_knows_everything(live):
    live.start()
    live.serve(2)
    live.turn()
    for name in ("journal.db", "journal.db-wal", "journal.db-shm"):
        (live.folder / name).unlink()
    live.clock.advance(LOOK_MS)
    live.turn()
    live.serve(2)
    live.turn()
    live.kill()
    live.start()

    assert total(live) == 4


@pytest.mark.fault("D19")
def test_a_backup_that_holds_the_journal_for_a_moment_is_waited_out_in_silence(live):
    live.start()
    live.serve(2)
    live.turn()
    backup = sqlite3.connect(live.path, isolation_level=None)
    backup.execute("BEGIN IMMEDIATE")
    live.serve(2)
    live.turn()
    assert list(live.notices) == []
    live.clock.advance(RETRY_MS)
    live.turn()
    assert "another program holds the journal" in next(iter(live.notices))
    backup.close()
    live.clock.advance(RETRY_MS)
    live.turn()

    assert list(live.notices) == []
    assert live.replayed() == live.shown()


@pytest.mark.parametrize("folder", ["/proc/crtui", "/dev/null/crtui"])
@pytest.mark.fault("D02")
def test_a_directory_that_cannot_be_is_named_and_the_gateway_runs(clock, folder):
    live = Live(Path(folder), clock)
    live.start()
    live.serve(2)

    assert StateDir(Path(folder)).notice.startswith(f"not saving: {folder}: ")
    assert live.writer is None
    assert total(live) == 2


def as_directory(folder: Path) -> None:
    folder.mkdir()
    os.chown(folder, 12345, -1)


def as_link(folder: Path) -> None:
    folder.with_name("theirs").mkdir()
    folder.symlink_to(folder.with_name("theirs"))
    os.chown(folder, 12345, -1, follow_symlinks=False)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
@pytest.mark.parametrize("given_away", [as_directory, as_link])
@pytest.mark.fault("D13")
def test_another_users_directory_is_neither_read_nor_written(clock, tmp_path, given_away):
    folder = tmp_path / "state"
    given_away(folder)
    live = Live(folder, clock)
    live.start()
    live.serve(2)

    assert StateDir(folder).notice == (
        f"not saving: {folder}: belongs to another user; choose another with --state-dir"
    )
    assert (live.writer, list(folder.iterdir())) == (None, [])
    assert total(live) == 2


@pytest.mark.fault("D12")
def test_without_shared_memory_the_journal_is_kept_by_its_writer_alone(live, monkeypatch):
    """SQLite's own ``unix-dotfile`` file system stands in for a network's: it has no shared memory."""
    connect = sqlite3.connect

    def over_the_network(path: Path, **options: object) -> sqlite3.Connection:
        return connect(f"{path.as_uri()}?vfs=unix-dotfile", uri=True, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(sqlite3, "connect", over_the_network)
    live.start()
    live.serve(3)
    live.turn()
    told = list(live.notices)
    live.stop()
    live.start()

    assert len(told) == 1
    assert f"{live.folder} is on a file system without shared memory" in told[0]
    assert not live.path.with_name("journal.db-wal").exists()
    assert total(live) == 3
