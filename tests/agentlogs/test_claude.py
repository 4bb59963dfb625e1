"""Claude Code's logs: which rows count, and which are copies of one another."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path

import pytest

from crtui.agents import places
from crtui.agents.totals import limits_seen
from crtui.core.now import HOUR
from tests.agentlogs.logs import DAY_1, T0, Machine, append, claude, write

ROW = ("2026-11-19", "claude", "claude-sonnet-4-6")


def test_an_answer_counts_by_day_and_model(machine: Machine) -> None:
    rows = [
        claude("m1", counts=(1, 2, 3, 4)),
        claude("m2", T0 + 10 * HOUR, (10, 20, 30, 40)),
        claude("m3", counts=(5, 5, 5, 5), model="claude-haiku-4-5"),
        {"type": "user", "message": {"content": "no usage"}},
    ]
    write(machine.projects / "p" / "s1.jsonl", rows)

    assert machine.totals() == {
        ROW: (1, 2, 3, 4),
        (DAY_1, "claude", "claude-haiku-4-5"): (5, 5, 5, 5),
        ("2026-11-20", "claude", "claude-sonnet-4-6"): (10, 20, 30, 40),
    }
    assert machine.skipped() == 0


@pytest.mark.parametrize("shape", ["p/s1.jsonl", "p/s1/chat.jsonl", "p/s1/subagents/worker.jsonl"])
def test_logs_lie_flat_nested_or_below_subagents(machine: Machine, shape: str) -> None:
    write(machine.projects / shape, [claude()])

    assert machine.tokens("claude") == 2450


def test_of_a_streamed_answer_the_largest_row_counts(machine: Machine) -> None:
    growing = [claude(counts=(100, output, 0, 0)) for output in (1, 40, 900, 30)]
    write(machine.projects / "p" / "s1.jsonl", growing)

    assert machine.totals() == {ROW: (100, 900, 0, 0)}


def test_a_resumed_session_repeats_rows_in_another_file(machine: Machine) -> None:
    old = [claude("m1", request="r1"), claude("m2", request="r2")]
    write(machine.projects / "p" / "s1.jsonl", old)
    write(machine.projects / "p" / "s2.jsonl", [*old, claude("m3", request="r3")])

    assert machine.tokens("claude") == 3 * 2450


def test_one_message_of_two_requests_is_two_answers(machine: Machine) -> None:
    write(machine.projects / "p" / "s1.jsonl", [claude(request="r1"), claude(request="r2")])

    assert machine.tokens("claude") == 2 * 2450


def test_a_row_without_a_request_is_known_by_its_message(machine: Machine) -> None:
    write(machine.projects / "p" / "s1.jsonl", [claude(request=None), claude(request=None)])

    assert machine.tokens("claude") == 2450


def test_a_row_without_a_message_id_is_never_a_copy(machine: Machine) -> None:
    write(machine.projects / "p" / "s1.jsonl", [claude(None), claude(None)])

    assert machine.tokens("claude") == 2 * 2450


SIDE = claude("m1", counts=(900, 900, 900, 900), request="r2", isSidechain=True)
MAIN = claude("m1", counts=(1, 2, 3, 4), request="r1")
OWN = claude("m9", counts=(7, 0, 0, 0), request="r9", isSidechain=True)


@pytest.mark.parametrize("order", permutations(["main", "side", "own"]))
def test_a_side_chain_that_repeats_a_message_gives_way_whatever_it_tells(
    machine: Machine, order: tuple[str, ...]
) -> None:
    rows = {"main": MAIN, "side": SIDE, "own": OWN}
    for name in order:  # each read on its own
        write(machine.projects / "p" / f"{name}.jsonl", [rows[name]])
        machine.totals()

    assert machine.totals() == {ROW: (8, 2, 3, 4)}


def test_of_side_chains_alone_the_larger_counts(machine: Machine) -> None:
    rows = [claude("m1", counts=(n, 0, 0, 0), request=f"r{n}", isSidechain=True) for n in (5, 9, 7)]
    write(machine.projects / "p" / "s1.jsonl", rows)

    assert machine.tokens("claude") == 9


def test_of_equal_rows_the_one_that_tells_its_speed_counts(machine: Machine) -> None:
    fast = claude(usage={"speed": "fast"})
    write(machine.projects / "p" / "s1.jsonl", [claude(), fast, claude()])

    assert list(machine.totals()) == [(DAY_1, "claude", "claude-sonnet-4-6-fast")]


def test_cache_writes_by_lifetime_replace_their_sum(machine: Machine) -> None:
    by_time = {"cache_creation": {"ephemeral_5m_input_tokens": 40, "ephemeral_1h_input_tokens": 2}}
    write(machine.projects / "p" / "s1.jsonl", [claude(counts=(0, 0, 0, 300), usage=by_time)])

    assert machine.totals() == {ROW: (0, 0, 0, 42)}


def test_a_synthetic_model_is_no_name(machine: Machine) -> None:
    write(machine.projects / "p" / "s1.jsonl", [claude(model="<synthetic>")])

    assert list(machine.totals()) == [(DAY_1, "claude", "unknown")]


@pytest.mark.parametrize(
    "bad",
    [
        claude(message={"id": None}, key=None),
        claude(message={"model": None}),
        claude(cwd=None),
        claude(version=None),
        claude(version="unversioned"),
        claude(sessionId=None),
        claude(sessionId=""),
        claude(requestId=None),
        claude(requestId=""),
        claude(costUSD=None),
        claude(isApiErrorMessage=None),
        claude(usage={"speed": None}),
        claude(usage={"cache_read_input_tokens": None}),
        claude(usage={"cache_creation_input_tokens": None}),
        claude(""),
        claude(timestamp="yesterday"),
        claude(timestamp=None),
    ],
    ids=lambda row: "",
)
def test_a_malformed_row_is_left_out_and_counted(machine: Machine, bad: dict[str, object]) -> None:
    write(machine.projects / "p" / "s1.jsonl", [bad, claude("m2", request="r2")])

    assert machine.tokens("claude") == 2450
    assert machine.skipped() == 1


def test_damaged_lines_are_left_out_and_counted(machine: Machine) -> None:
    file = write(machine.projects / "p" / "s1.jsonl", [claude("m1")])
    with file.open("ab") as out:
        out.write(b'{"message":{"usage":{"input_tokens":5\n\x00\xff"usage":{\n[[[\n"usage":{}\n')
    append(file, claude("m2", request="r2"))

    assert machine.tokens("claude") == 2 * 2450
    assert machine.skipped() == 3


def test_nonsensical_counts_are_nothing(machine: Machine) -> None:
    write(machine.projects / "p" / "s1.jsonl", [claude(usage={"output_tokens": -5, "input_tokens": "9"})])

    assert machine.totals() == {ROW: (0, 0, 2000, 300)}


def hit(text: str, **more: object) -> dict[str, object]:
    """An API error's row: no model, no tokens."""
    content = [{"type": "text", "text": text}]
    return claude(counts=(0, 0, 0, 0), model="<synthetic>", message={"content": content}, **more)


@pytest.mark.parametrize(
    ("text", "resets_at"),
    [
        (f"Claude AI usage limit reached|{(T0 + HOUR) // 1000}", T0 + HOUR),
        ("Claude AI usage limit reached|1", "none"),
        ("You've hit your session limit · resets 3pm (America/Bogota)", T0 + 5 * HOUR),
        ("You've hit your session limit · resets 5:30pm (Europe/Berlin)", T0 + HOUR + HOUR // 2),
        ("You've hit your session limit · resets 12am (UTC)", T0 + 9 * HOUR),
        ("You've hit your session limit · resets 3pm (UTC)", T0 + 24 * HOUR),
        ("You've hit your session limit · resets 3pm (Mars/Olympus)", None),
        ("You've hit your session limit · resets 3pm (../../etc/passwd)", "none"),
        ("You've hit your session limit · resets 27pm (UTC)", "none"),
        ("Prompt is too long", "none"),
    ],
)
def test_a_limit_that_was_hit_tells_the_windows_reset(
    machine: Machine, text: str, resets_at: int | str | None
) -> None:
    write(machine.projects / "p" / "s1.jsonl", [hit(text, isApiErrorMessage=True)])
    machine.totals()

    found = [(limit.name, limit.used, limit.resets_at) for limit in limits_seen(machine.memory.db, "claude")]

    assert found == ([] if resets_at == "none" else [("5h", 100.0, resets_at)])


def test_what_an_answer_says_of_a_limit_is_only_talk(machine: Machine) -> None:
    text = f'Claude AI usage limit reached|{(T0 + HOUR) // 1000} "isApiErrorMessage":true'
    write(machine.projects / "p" / "s1.jsonl", [hit(text)])
    machine.totals()

    assert limits_seen(machine.memory.db, "claude") == []


def test_totals_equal_a_naive_recount(machine: Machine) -> None:
    """Many sessions with streamed rows, resumed copies and side chains, against a table kept by hand."""
    expected: dict[tuple[str, str], int] = {}
    for session in range(12):
        rows = []
        for number in range(25):
            key, at = f"m{session}-{number}", T0 + (session * 25 + number) * HOUR // 4
            total = 1000 + 37 * number
            rows += [claude(key, at, (total // step, 0, 0, 0), request=f"q{key}") for step in (3, 1, 2)]
            if number % 5 == 0:
                rows.append(claude(key, at, (9, 9, 9, 9), request="side", isSidechain=True))
            day = json.dumps(rows[-1]["timestamp"])[1:11]
            expected[day, "claude-sonnet-4-6"] = expected.get((day, "claude-sonnet-4-6"), 0) + total
        write(machine.projects / f"p{session % 3}" / f"s{session}.jsonl", rows)
        write(machine.projects / "copies" / f"s{session}.jsonl", rows[:40])

    found = {(day, model): sum(counts) for (day, _, model), counts in machine.totals().items()}

    assert found == expected


def test_the_config_directory_may_be_named_or_be_one_of_several(tmp_path: Path) -> None:
    home = {"HOME": "/h"}

    assert places.claude_roots(home) == [Path("/h/.config/claude/projects"), Path("/h/.claude/projects")]
    assert places.claude_roots({**home, "XDG_CONFIG_HOME": "/x"})[0] == Path("/x/claude/projects")
    assert places.claude_roots({**home, "CLAUDE_CONFIG_DIR": "~/a, /b/projects"}) == [
        Path("/h/a/projects"),
        Path("/b/projects"),
    ]
    assert places.claude_roots({}) == []
