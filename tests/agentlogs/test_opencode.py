"""opencode's messages, in its database and in the files of older versions."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from crtui.agents import places
from crtui.core.now import DAY, HOUR
from tests.agentlogs.logs import DAY_1, T0, Machine, opencode, touch

ROW = (DAY_1, "opencode", "claude-sonnet-4-6")
TOLD = {"input": 100, "output": 20, "reasoning": 5, "cache": {"read": 3000, "write": 400}}


@contextmanager
def database(machine: Machine, name: str = "opencode.db") -> Iterator[sqlite3.Connection]:
    machine.opencode.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(machine.opencode / name)) as db:
        db.execute("CREATE TABLE IF NOT EXISTS message (id TEXT PRIMARY KEY, session_id TEXT, data TEXT)")
        yield db


def put(db: sqlite3.Connection, key: str, message: dict[str, Any]) -> None:
    db.execute("INSERT OR REPLACE INTO message VALUES (?, 's', ?)", (key, json.dumps(message)))
    db.commit()


def test_a_message_counts_with_its_reasoning_as_output(machine: Machine) -> None:
    with database(machine) as db:
        put(db, "m0", {"role": "user", "time": {"created": T0}})
        put(db, "m1", opencode(**TOLD))

    assert machine.totals() == {ROW: (100, 25, 3000, 400)}


def test_a_running_message_is_looked_at_again_until_it_is_complete(machine: Machine) -> None:
    lately = time.time_ns() // 1_000_000
    with database(machine) as db:
        put(db, "m1", opencode(lately, done=False, input=0))
        put(db, "m2", opencode(input=7))
        assert machine.tokens("opencode") == 7
        data = json.dumps(opencode(lately, input=50))
        db.execute("UPDATE message SET data = ? WHERE id = 'm1'", (data,))
        db.commit()
        assert machine.tokens("opencode") == 57


def test_complete_messages_are_not_read_again(machine: Machine) -> None:
    with database(machine) as db:
        put(db, "m1", opencode(input=7))
        machine.totals()
        db.execute("UPDATE message SET data = 'damaged'")
        put(db, "m2", opencode(input=50))

        assert machine.tokens("opencode") == 57
        assert machine.skipped() == 0


def test_a_message_that_was_left_running_holds_nothing_up_for_ever(machine: Machine) -> None:
    with database(machine) as db:
        put(db, "m1", opencode(T0, done=False, input=0))
        put(db, "m2", opencode(T0 + HOUR, input=7))
    touch(machine.opencode / "opencode.db", T0 + 2 * DAY)
    machine.totals()

    assert machine.memory.db.execute("SELECT offset FROM files").fetchone() == (2,)


def test_rows_that_were_numbered_anew_are_found(machine: Machine) -> None:
    with database(machine) as db:
        for n in range(5):
            put(db, f"m{n}", opencode(input=1))
        machine.totals()
        db.execute("DELETE FROM message")
        put(db, "m9", opencode(input=50))

        assert machine.tokens("opencode") == 55


def test_a_channel_has_a_database_of_its_own_and_a_message_one_id(machine: Machine) -> None:
    with database(machine) as one, database(machine, "opencode-beta.db") as two:
        put(one, "m1", opencode(input=7))
        put(two, "m1", opencode(input=7))
        put(two, "m2", opencode(input=8))

    assert machine.tokens("opencode") == 15


def test_an_older_versions_files_count_unless_the_database_has_them(machine: Machine) -> None:
    folder = machine.opencode / "storage" / "message" / "ses_1"
    folder.mkdir(parents=True)
    for key in ("m1", "m2"):
        (folder / f"{key}.json").write_text(json.dumps({"id": key, **opencode(input=7)}))
    with database(machine) as db:
        put(db, "m1", opencode(input=7))

    assert machine.tokens("opencode") == 14


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\x00" + b"\xff" * 4000])
def test_what_is_no_database_is_left_alone(machine: Machine, content: bytes) -> None:
    machine.opencode.mkdir(parents=True)
    (machine.opencode / "opencode.db").write_bytes(content)
    ledger = machine.memory
    (source, file), *_ = [(s, f) for s in machine.sources() for f in s.files()]

    assert not ledger.read(source, file)


def test_what_a_database_told_before_it_turned_out_to_be_damaged_leaves_nothing(machine: Machine) -> None:
    """Not even a model's number, under which later answers would be lost."""
    with database(machine) as db:
        for number in range(600):
            row = (f"m{number:04}", json.dumps(opencode(model="new-model", input=7)))
            db.execute("INSERT INTO message VALUES (?, 's', ?)", row)
        db.commit()
    file = machine.opencode / "opencode.db"
    whole = file.read_bytes()
    file.write_bytes(whole[: 12 * 4096] + b"\xff" * (len(whole) - 12 * 4096))
    ledger = machine.memory
    (source, listed), *_ = [(s, f) for s in machine.sources() for f in s.files()]
    assert not ledger.read(source, listed)

    file.write_bytes(whole)
    assert machine.tokens("opencode") == 600 * 7


def test_rows_that_are_no_messages_are_no_answers(machine: Machine) -> None:
    with database(machine) as db:
        for number, data in enumerate(["", "[]", "{", '{"tokens": 5}', "null"]):
            db.execute("INSERT INTO message VALUES (?, 's', ?)", (str(number), data))
        db.execute("INSERT INTO message VALUES ('blob', 's', x'00ff')")
        put(db, "m1", opencode(input=7))

    assert machine.tokens("opencode") == 7


def test_the_data_directory_may_be_named() -> None:
    assert places.opencode_roots({"HOME": "/h"}) == [Path("/h/.local/share/opencode")]
    assert places.opencode_roots({"HOME": "/h", "XDG_DATA_HOME": "/d"}) == [Path("/d/opencode")]
    assert places.opencode_roots({"HOME": "/h", "OPENCODE_DATA_DIR": "/o"}) == [Path("/o")]
