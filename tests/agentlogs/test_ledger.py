"""Reading on: offsets, half lines, rotation, truncation, and a cache that may be lost at any time."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from crtui.agents import lines, table
from crtui.agents.claude import ClaudeLogs
from crtui.agents.entry import Limit
from crtui.agents.files import LogFile, stamp_of
from crtui.agents.lines import LineReader
from crtui.agents.sources import changed_files
from crtui.agents.table import CACHE_FILE, open_cache
from crtui.core.inputs import WindowReport
from crtui.core.now import DAY
from tests.agentlogs.logs import T0, Machine, append, claude, read_all, touch, write

ONE = 2450
"""Tokens of a row that tells no others."""


def row(number: int) -> dict[str, object]:
    return claude(f"m{number}", request=f"r{number}")


def log(machine: Machine, count: int = 3) -> Path:
    return write(machine.projects / "p" / "s1.jsonl", [row(n) for n in range(count)])


def test_only_what_is_new_is_read(machine: Machine) -> None:
    file = log(machine)
    machine.totals()
    size = file.stat().st_size
    with file.open("r+b") as out:  # what was read before is not looked at again
        out.write(b"x" * (size - 1))
    append(file, row(9))

    assert machine.tokens("claude") == 4 * ONE


def test_a_log_without_news_is_not_opened(machine: Machine) -> None:
    touch(log(machine), T0)
    machine.totals()

    assert changed_files(machine.sources(), machine.memory) == []


def test_a_log_that_was_written_to_just_now_is_looked_at_once_more(machine: Machine) -> None:
    """A second write in the same tick of the file system's clock changes neither time nor size."""
    file = log(machine)
    touch(file, time.time_ns() // 1_000_000 + 1_000)
    machine.totals()

    assert len(changed_files(machine.sources(), machine.memory)) == 1


def test_a_half_line_waits_for_its_rest(machine: Machine) -> None:
    file = log(machine)
    whole = file.read_bytes()
    for end in (len(whole) // 2, len(whole) - 1, len(whole)):
        file.write_bytes(whole[:end])
        expected = whole[:end].count(b"\n") * ONE
        assert machine.tokens("claude") == expected
    assert machine.skipped() == 0


def test_a_truncated_log_is_read_anew_and_what_was_spent_stays(machine: Machine) -> None:
    file = log(machine, 3)
    machine.totals()
    write(file, [row(7)])

    assert machine.tokens("claude") == 4 * ONE


def test_rows_without_an_id_go_with_their_place_in_a_truncated_log(machine: Machine) -> None:
    file = write(machine.projects / "p" / "s1.jsonl", [claude(None)] * 3)
    machine.totals()
    write(file, [claude(None)])

    assert machine.tokens("claude") == ONE


def test_a_log_that_was_replaced_by_a_longer_one_is_read_from_its_start(machine: Machine) -> None:
    file = log(machine, 2)
    machine.totals()
    new = write(file.with_name("new"), [row(n) for n in range(10, 16)])
    new.replace(file)

    assert machine.tokens("claude") == 8 * ONE


def test_a_log_that_was_rewritten_in_place_is_noticed(machine: Machine) -> None:
    file = log(machine, 2)
    machine.totals()
    longer = [{**row(n), "padding": "x" * 37} for n in range(10, 16)]
    with file.open("r+b") as out:
        out.write(write(file.with_name("new"), longer).read_bytes())
    file.with_name("new").unlink()

    assert machine.tokens("claude") == 8 * ONE


def test_a_log_that_is_gone_keeps_what_it_told(machine: Machine) -> None:
    file = log(machine)
    machine.totals()
    (source, listed), *_ = [(s, f) for s in machine.sources() for f in s.files()]
    file.unlink()

    assert machine.tokens("claude") == 3 * ONE
    assert not machine.memory.read(source, listed)


def test_a_log_whose_file_system_counts_in_64_bits_is_read_and_known_again(machine: Machine) -> None:
    file = log(machine)
    size = file.stat().st_size
    large = os.stat_result((0o100600, 2**63 + 5, 2**64 - 1, 1, 0, 0, size, 0, 0, 0), {"st_mtime_ns": 7})
    (source, listed), *_ = [(s, f) for s in machine.sources() for f in s.files()]

    assert machine.memory.read(source, listed._replace(stamp=stamp_of(large)))
    assert not machine.memory.changed("claude", listed._replace(stamp=stamp_of(large)))
    assert stamp_of(large) != stamp_of(file.stat())


@pytest.mark.parametrize("at_ns", [10**19, -(10**18)])
def test_a_log_of_any_date_is_read(machine: Machine, at_ns: int) -> None:
    file = log(machine)
    os.utime(file, ns=(at_ns, at_ns))

    assert machine.tokens("claude") == 3 * ONE


def test_the_newest_log_comes_first(machine: Machine) -> None:
    for number, age in enumerate((3, 1, 2)):
        touch(write(machine.projects / "p" / f"s{age}.jsonl", [row(number)]), T0 - age * DAY)

    found = [file.path.name for _, file in changed_files(machine.sources(), machine.memory)]

    assert found == ["s1.jsonl", "s2.jsonl", "s3.jsonl"]


def test_the_order_of_reading_makes_no_difference(machine: Machine) -> None:
    """Copies tie at other times; the earliest one's day counts."""
    for number in range(3):
        rows = [claude(at=T0 + number * DAY), claude("own", T0 + number * DAY, request=f"r{number}")]
        write(machine.projects / "p" / f"s{number}.jsonl", rows)
    totals = []
    for ordered in (1, -1):
        with closing(open_cache(None)) as db:
            ledger = type(machine.memory)(db)
            for source, file in changed_files(machine.sources(), ledger)[::ordered]:
                ledger.read(source, file)
            totals.append(machine.totals(ledger))

    assert totals[0] == totals[1]


def test_links_are_not_followed(machine: Machine) -> None:
    file = log(machine)
    (machine.projects / "p" / "loop").symlink_to(machine.projects)
    (machine.projects / "p" / "link.jsonl").symlink_to(file)

    assert len([f for s in machine.sources() for f in s.files()]) == 1


@pytest.mark.parametrize("chunk", [1, 7, 64, 10_000])
def test_lines_are_the_same_however_they_are_cut_into_chunks(
    tmp_path: Path, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "CHUNK", chunk)
    wanted = [b'{"usage":{1}', b'a "token_count" "usage":{2}', b'"usage":{3}' + b"y" * 100]
    text = (
        b"\n".join([b"none", wanted[0], b"", wanted[1], b"x" * 90, wanted[2], b'half "usage":{']) + b" line"
    )
    file = tmp_path / "x.jsonl"
    file.write_bytes(text)
    reader = LineReader((b'"usage":{', b'"token_count"'))

    assert list(reader.read(file, 0)) == wanted
    assert reader.offset == text.rfind(b"\n") + 1


def test_an_endless_line_takes_no_endless_memory(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINE", 300_000)
    file = write(machine.projects / "p" / "s1.jsonl", [row(1)])
    with file.open("ab") as out:
        out.write(b"x" * 900_000 + b"\n")
    append(file, row(2))

    assert machine.tokens("claude") == 2 * ONE
    assert machine.skipped() >= 1


def test_a_new_start_goes_on_where_the_last_one_was(machine: Machine) -> None:
    file = log(machine)
    with closing(machine.ledger().db) as db:
        read_all(type(machine.memory)(db), machine.sources())
    append(file, row(9))
    ledger = machine.ledger()

    assert machine.totals(ledger) == machine.totals()
    assert ledger.db.execute("SELECT offset FROM files").fetchone() == (file.stat().st_size,)
    ledger.db.close()


def _nonsense(file: Path) -> None:
    file.write_bytes(b"no database at all")


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:5000])


def _holes(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[100:4000] = bytes(3900)
    file.write_bytes(data)


def _other_version(file: Path) -> None:
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA user_version = 99")


def _no_table(file: Path) -> None:
    with closing(sqlite3.connect(file)) as db:
        db.execute("DROP TABLE files")


@pytest.mark.parametrize("harm", [_nonsense, _cut, _holes, _other_version, _no_table])
def test_a_damaged_cache_is_made_again(machine: Machine, harm: Callable[[Path], None]) -> None:
    touch(log(machine), T0)
    ledger = machine.ledger()
    before = machine.totals(ledger)
    ledger.db.close()
    harm(machine.state / CACHE_FILE)

    again = machine.ledger()

    assert machine.totals(again) == before
    again.db.close()
    kept = machine.ledger()
    assert read_all(kept, machine.sources()) == 0
    kept.db.close()


def test_the_cache_is_private(machine: Machine) -> None:
    machine.ledger().db.close()

    assert (machine.state / CACHE_FILE).stat().st_mode & 0o777 == 0o600


def test_where_nothing_can_be_kept_the_numbers_are_still_there(machine: Machine) -> None:
    log(machine)
    (machine.state / CACHE_FILE).mkdir()
    ledger = machine.ledger()

    assert machine.tokens("claude", ledger) == 3 * ONE
    ledger.db.close()


def test_two_processes_share_the_cache_and_count_once(machine: Machine) -> None:
    for number in range(20):
        write(machine.projects / "p" / f"s{number}.jsonl", [row(n) for n in range(number, number + 30)])
    ledgers = [machine.ledger(), machine.ledger()]
    threads = [threading.Thread(target=read_all, args=(ledger, machine.sources())) for ledger in ledgers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert machine.totals(ledgers[0]) == machine.totals(ledgers[1]) == machine.totals()
    for ledger in ledgers:
        ledger.db.close()


def test_while_another_process_writes_a_log_is_left_for_later(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "BUSY_S", 0.0)
    log(machine)
    ledger, other = machine.ledger(), machine.ledger()
    (source, file), *_ = changed_files(machine.sources(), ledger)
    limit = Limit(T0, WindowReport("5h", "status line", 5.0))
    other.db.execute("BEGIN IMMEDIATE")

    assert not ledger.read(source, file)
    assert not ledger.note_limits("claude", "status line", [limit])
    other.db.execute("COMMIT")
    assert ledger.note_limits("claude", "status line", [limit])
    assert machine.tokens("claude", ledger) == 3 * ONE
    ledger.db.close()
    other.db.close()


def test_what_fails_in_the_middle_of_a_log_leaves_nothing_of_it(machine: Machine) -> None:
    log(machine)
    ledger = machine.ledger()
    (source, file), *_ = changed_files(machine.sources(), ledger)

    def fails() -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        ledger.read(source, file, fails)
    assert ledger.db.execute("SELECT count(*) FROM answers").fetchone() == (0,)
    assert machine.tokens("claude", ledger) == 3 * ONE
    ledger.db.close()


def test_names_that_are_no_text_are_read_too(machine: Machine) -> None:
    folder = os.fsencode(machine.projects / "p")
    os.makedirs(folder)
    with open(folder + b"/s\xff.jsonl", "wb") as out:
        out.write(log(machine).read_bytes())

    assert machine.tokens("claude") == 3 * ONE


def test_a_root_that_is_a_file_holds_no_logs(tmp_path: Path) -> None:
    (tmp_path / "projects").write_text("x")

    assert list[LogFile](ClaudeLogs([tmp_path / "projects"]).files()) == []
