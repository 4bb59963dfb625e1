"""The journal's file: damage of any kind is put aside, never repaired, and never a reason not to start."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from crtui.engine import database
from crtui.engine.database import KEPT_BAD, SCHEMA
from tests.engine.conftest import Live


@pytest.fixture
def used(live: Live) -> Live:
    """A state directory whose last run knows something."""
    live.start()
    live.serve(200)
    live.stop()
    return live


def total(live: Live) -> int:
    return sum(row["usage"]["requests"] for row in live.shown()["providers"])


def bad_files(live: Live) -> list[Path]:
    return sorted(live.folder.glob("journal.db.bad-*"))


def zero_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"\0" * 100)


def scramble_a_page(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096 * 6)
        file.write(os.urandom(4096))


def cut_to_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def text(path: Path) -> None:
    path.write_text("this is not a database, and longer than a page\n" * 200)


def directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def another_program(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE other (x)")
    db.close()


def no_marker(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE marker")
    db.close()


def link(path: Path) -> None:
    path.rename(path.with_name("elsewhere.db"))
    path.symlink_to("elsewhere.db")


@pytest.mark.parametrize(
    "damage",
    [
        zero_header,
        scramble_a_page,
        cut_to_half,
        empty,
        text,
        directory,
        another_program,
        no_marker,
        link,
    ],
)
@pytest.mark.fault("D04", "D05", "D06", "D13")
def test_a_damaged_journal_is_put_aside_and_a_new_one_begun_with_a_notice(used, damage):
    damage(used.path)
    used.start()
    [bad] = bad_files(used)

    assert list(used.notices) == [
        f"the journal was damaged; it is kept as {bad.name}, and a new one has begun"
    ]
    assert total(used) == 0
    used.serve(2)
    used.stop()
    used.start()
    assert total(used) == 2


@pytest.mark.fault("D04")
def test_only_the_newest_damaged_journals_are_kept(used):
    for _ in range(KEPT_BAD + 2):
        used.clock.advance(1_000)
        zero_header(used.path)
        used.start()
        used.stop()

    assert len(bad_files(used)) == KEPT_BAD


def test_two_that_break_in_the_same_second_do_not_overwrite_each_other(used):
    for _ in range(2):
        zero_header(used.path)
        used.start()
        used.stop()

    assert len(bad_files(used)) == 2


@pytest.mark.fault("D15")
def test_a_journal_of_a_newer_version_is_left_alone_and_the_gateway_runs(used):
    with sqlite3.connect(used.path) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    db.close()
    before = used.path.read_bytes()
    used.start()
    used.serve(3)

    assert used.writer is None
    assert "newer crtui" in next(iter(used.notices))
    assert used.path.read_bytes() == before
    assert total(used) == 3


@pytest.mark.fault("D07")
def test_a_process_killed_while_it_makes_a_journal_leaves_no_journal(tmp_path):
    script = (
        "import os, sqlite3, sys; from pathlib import Path; from crtui.engine import database\n"
        "Path.rename = lambda *_: os.kill(os.getpid(), 9)\n"
        f"database.create(Path({str(tmp_path / 'journal.db')!r}))"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False)
    assert done.returncode == -9
    left = list(tmp_path.iterdir())
    assert left
    assert not (tmp_path / "journal.db").exists()
    database.sweep(tmp_path / "journal.db")

    assert list(tmp_path.iterdir()) == []


def test_a_page_that_breaks_under_a_running_gateway_is_noticed_and_left_behind(used):
    used.start()
    used.writer._store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for page in range(1, used.path.stat().st_size // 4096):
        with used.path.open("r+b") as file:
            file.seek(4096 * page)
            file.write(os.urandom(4096))
    used.writer._store.db.execute("PRAGMA shrink_memory")
    for _ in range(4):
        used.serve(1)
        used.turn()
    shown = total(used)
    used.stop()
    used.start()

    assert len(bad_files(used)) == 1
    assert total(used) == shown


def test_the_reader_reads_without_writing_also_in_a_directory_it_cannot_write_to(used, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    names = {path.name for path in used.folder.iterdir()}

    assert len(used.exported()) > 600
    assert {path.name for path in used.folder.iterdir()} == names
