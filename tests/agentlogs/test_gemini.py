"""Gemini CLI's chats, of today's form and of the older one."""

from __future__ import annotations

import json
from pathlib import Path

from crtui.agents import places
from tests.agentlogs.logs import DAY_1, Machine, append, gemini, write

ROW = (DAY_1, "gemini", "gemini-3.7-flash")
TOLD = {"input": 1000, "output": 100, "cached": 800, "thoughts": 40, "tool": 7, "total": 1147}


def chat(machine: Machine, name: str = "session-1.jsonl") -> Path:
    return machine.gemini / "a1b2" / "chats" / name


def test_the_cached_is_taken_out_of_the_input_and_thoughts_are_output(machine: Machine) -> None:
    write(chat(machine), [{"sessionId": "s"}, gemini("m1", **TOLD)])

    assert machine.totals() == {ROW: (207, 140, 800, 0)}


def test_a_message_that_is_written_again_counts_as_it_was_last(machine: Machine) -> None:
    file = write(
        chat(machine), [gemini("m1"), gemini("m1", input=9), gemini("m1", **TOLD), gemini("m2", input=1)]
    )
    machine.totals()
    append(file, gemini("m2", input=5), {"$rewindTo": "m1"}, {"$set": {"lastUpdated": "x"}})

    assert machine.totals() == {ROW: (212, 140, 800, 0)}
    assert machine.skipped() == 1  # the one without any counts


def test_the_same_id_in_two_chats_is_two_messages(machine: Machine) -> None:
    write(chat(machine), [gemini("m1", input=5)])
    write(chat(machine, "session-2.jsonl"), [gemini("m1", input=5)])

    assert machine.tokens("gemini") == 10


def test_a_subagents_chat_lies_in_a_folder_of_its_own(machine: Machine) -> None:
    write(chat(machine, "parent/session-3.jsonl"), [gemini("m1", input=5)])

    assert machine.tokens("gemini") == 5


def test_the_older_form_is_one_document_that_grows(machine: Machine) -> None:
    file = chat(machine, "session-4.json")
    file.parent.mkdir(parents=True)
    for count in (1, 3):
        messages = [gemini(f"m{n}", input=5) for n in range(count)] + [{"type": "user", "content": "x"}]
        file.write_text(json.dumps({"sessionId": "s", "messages": messages}, indent=count))
        assert machine.tokens("gemini") == 5 * count


def test_a_half_written_document_is_counted_as_bad_and_read_again(machine: Machine) -> None:
    file = chat(machine, "session-5.json")
    file.parent.mkdir(parents=True)
    file.write_text('{"messages": [')

    assert machine.tokens("gemini") == 0
    assert machine.skipped() == 1
    file.write_text(json.dumps({"messages": [gemini("m1", input=5)]}))
    assert machine.tokens("gemini") == 5
    assert machine.skipped() == 0


def test_other_files_of_gemini_are_no_chats(machine: Machine) -> None:
    write(machine.gemini / "a1b2" / "logs.jsonl", [gemini("m1", input=5)])

    assert machine.totals() == {}


def test_the_data_directory_may_be_named() -> None:
    assert places.gemini_roots({"HOME": "/h"}) == [Path("/h/.gemini/tmp")]
    assert places.gemini_roots({"GEMINI_DATA_DIR": "/g"}) == [Path("/g/tmp")]
