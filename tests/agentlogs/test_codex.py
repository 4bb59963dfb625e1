"""Codex's rollouts: which answers count once, whoever copied them, and the windows they tell of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import zstandard

from crtui.agents import places
from crtui.agents.totals import LimitSeen, limits_seen
from crtui.core.now import DAY, HOUR, MINUTE, SECOND
from tests.agentlogs.logs import (
    DAY_1,
    LATER,
    T0,
    Machine,
    append,
    codex_answer,
    codex_counts,
    codex_meta,
    codex_run,
    codex_turn,
    rollout,
    write,
)

PARENT = "11111111-1111-4111-8111-111111111111"
CHILD = "22222222-2222-4222-8222-222222222222"
GRANDCHILD = "33333333-3333-4333-8333-333333333333"
ROW = (DAY_1, "codex", "gpt-5.6")
STEPS = [(1000, 100, 0), (2000, 200, 900), (3000, 300, 1500)]
STEPS_TOTAL = (1000 + 1100 + 1500, 600, 2400, 0)
OWN_STEP = (5000, 500, 4000)


def started(session: str = PARENT, at: int = T0, **meta: Any) -> list[dict[str, Any]]:
    return [codex_meta(session, at, **meta), codex_turn("gpt-5.6", at)]


def test_answers_count_by_their_own_usage_with_the_cached_taken_out_of_the_input(machine: Machine) -> None:
    rollout(machine.codex, PARENT, [*started(), *codex_run(T0, STEPS)])

    assert machine.totals() == {ROW: STEPS_TOTAL}


def test_the_model_is_that_of_the_turn(machine: Machine) -> None:
    first, second = codex_run(T0, STEPS[:2])
    rollout(machine.codex, PARENT, [*started(), first, codex_turn("gpt-5.6-mini"), second])

    assert {model: sum(counts) for (_, _, model), counts in machine.totals().items()} == {
        "gpt-5.6": 1100,
        "gpt-5.6-mini": 2200,
    }


def test_without_any_model_it_is_taken_for_the_first_one(machine: Machine) -> None:
    rollout(machine.codex, PARENT, [codex_meta(PARENT), *codex_run(T0, STEPS[:1])])

    assert list(machine.totals()) == [(DAY_1, "codex", "gpt-5")]


def test_without_its_own_usage_an_answer_took_what_the_sum_has_grown_by(machine: Machine) -> None:
    sums = [codex_counts(1000, 100), codex_counts(3000, 300, 900)]
    rollout(machine.codex, PARENT, [*started(), *(codex_answer(T0, None, total) for total in sums)])

    assert machine.totals() == {ROW: (2100, 300, 900, 0)}


def test_a_row_that_repeats_the_sum_is_no_answer(machine: Machine) -> None:
    rows = codex_run(T0, STEPS[:1])
    rollout(machine.codex, PARENT, [*started(), *rows, *rows, *codex_run(T0, [*STEPS[:1], (9, 9, 0)])])

    assert machine.totals() == {ROW: (1009, 109, 0, 0)}


def test_below_what_the_sum_has_been_nothing_counts(machine: Machine) -> None:
    high, low = codex_counts(9000, 900), codex_counts(4000, 400)
    last = codex_counts(4000, 400)
    rollout(machine.codex, PARENT, [*started(), codex_answer(T0, high, high), codex_answer(T0, last, low)])

    assert machine.totals() == {ROW: (9000, 900, 0, 0)}


def test_rows_of_nothing_and_rows_without_info_are_no_answers(machine: Machine) -> None:
    nothing = codex_counts(0, 0)
    bare = {"timestamp": "x", "type": "event_msg", "payload": {"type": "token_count", "info": None}}
    rollout(machine.codex, PARENT, [*started(), codex_answer(T0, nothing, nothing), bare])

    assert machine.totals() == {}


def fork(own_at: int = LATER, **meta: Any) -> list[dict[str, Any]]:
    """A rollout that begins with its parent's rows, at other times, and goes on by itself."""
    copies = codex_run(LATER, STEPS, gap=10)
    own = codex_run(own_at, [*STEPS, OWN_STEP])[-1]
    return [*started(CHILD, LATER, **meta), *copies, {**own, "timestamp": copies[0]["timestamp"]}]


OWN_TOTAL = (STEPS_TOTAL[0] + 1000, 1100, 6400, 0)


@pytest.mark.parametrize(
    "meta",
    [
        {"forked_from_id": PARENT},
        {"source": {"subagent": {"thread_spawn": {"parent_thread_id": PARENT, "depth": 1}}}},
    ],
    ids=["forked", "spawned"],
)
def test_what_a_fork_copied_of_its_parent_counts_once(machine: Machine, meta: dict[str, Any]) -> None:
    rollout(machine.codex, PARENT, [*started(), *codex_run(T0, STEPS)])
    rollout(machine.codex, CHILD, fork(**meta))

    found = machine.totals()

    assert tuple(map(sum, zip(*found.values(), strict=True))) == OWN_TOTAL


def test_a_fork_of_a_fork_counts_once_too(machine: Machine) -> None:
    child = fork(forked_from_id=PARENT)
    rollout(machine.codex, PARENT, [*started(), *codex_run(T0, STEPS)])
    rollout(machine.codex, CHILD, child)
    last = codex_run(LATER + HOUR, [*STEPS, OWN_STEP, (10, 1, 0)])[-1]
    meta = codex_meta(GRANDCHILD, LATER + HOUR, forked_from_id=CHILD)
    rollout(machine.codex, GRANDCHILD, [meta, codex_turn("gpt-5.6"), *child[2:], last])

    assert machine.tokens("codex") == sum(OWN_TOTAL) + 11


def test_what_the_parent_did_after_the_fork_is_no_copy(machine: Machine) -> None:
    """Both go on with the same counts by chance; each was spent."""
    rollout(
        machine.codex, PARENT, [*started(), *codex_run(T0, STEPS[:1]), *codex_run(LATER + DAY, STEPS)[1:]]
    )
    rows = [*codex_run(LATER, STEPS[:1]), *codex_run(LATER + MINUTE, STEPS)[1:]]
    rollout(machine.codex, CHILD, [*started(CHILD, LATER, forked_from_id=PARENT), *rows])

    assert machine.tokens("codex") == 2 * sum(STEPS_TOTAL) - 1100


def test_without_its_parent_a_copy_is_known_by_its_haste(machine: Machine) -> None:
    copies = codex_run(LATER, STEPS, gap=20)
    own = codex_run(LATER + 8 * SECOND, [*STEPS, OWN_STEP])[-1]
    rollout(machine.codex, CHILD, [*started(CHILD, LATER, forked_from_id=PARENT), *copies, own])

    assert machine.totals() == {("2026-11-20", "codex", "gpt-5.6"): (1000, 500, 4000, 0)}


def test_a_fork_without_parent_that_takes_its_time_copied_nothing(machine: Machine) -> None:
    rollout(machine.codex, CHILD, [*started(CHILD, T0, forked_from_id=PARENT), *codex_run(T0, STEPS)])

    assert machine.totals() == {ROW: STEPS_TOTAL}


def test_hasty_answers_of_a_rollout_that_is_no_fork_count(machine: Machine) -> None:
    rollout(machine.codex, PARENT, [*started(), *codex_run(T0, STEPS, gap=20)])

    assert machine.totals() == {ROW: STEPS_TOTAL}


@pytest.mark.parametrize("cut", range(2, 7))
def test_a_fork_that_is_read_in_two_parts_counts_the_same(machine: Machine, cut: int) -> None:
    rows = fork(forked_from_id=PARENT)
    rollout(machine.codex, PARENT, [*started(), *codex_run(T0, STEPS)])
    file = rollout(machine.codex, CHILD, rows[:cut])
    machine.totals()
    append(file, *rows[cut:])

    assert machine.tokens("codex") == sum(OWN_TOTAL)


@pytest.mark.parametrize("cut", range(2, 6))
def test_a_burst_that_is_read_in_two_parts_counts_the_same(machine: Machine, cut: int) -> None:
    copies = codex_run(LATER, STEPS, gap=20)
    own = codex_run(LATER + 8 * SECOND, [*STEPS, OWN_STEP])[-1]
    rows = [*started(CHILD, LATER, forked_from_id=PARENT), *copies, own]
    file = rollout(machine.codex, CHILD, rows[:cut])
    machine.totals()
    append(file, *rows[cut:])

    assert machine.tokens("codex") == sum(OWN_STEP[:2])


def packed(file: Path, rows: list[dict[str, Any]]) -> None:
    write(file, rows)
    file.with_name(file.name + ".zst").write_bytes(zstandard.compress(file.read_bytes()))
    file.unlink()


def test_a_compressed_rollout_counts_like_a_plain_one(machine: Machine) -> None:
    rows = [*started(), *codex_run(T0, STEPS)]
    packed(machine.codex / "sessions/2026/11/19" / f"rollout-x-{PARENT}.jsonl", rows)

    assert machine.totals() == {ROW: STEPS_TOTAL}


def test_a_rollout_that_is_compressed_after_it_was_read_counts_once(machine: Machine) -> None:
    rows = [*started(), *codex_run(T0, STEPS)]
    file = rollout(machine.codex, PARENT, rows)
    before = machine.totals()
    packed(file, rows)

    assert machine.totals() == before == {ROW: STEPS_TOTAL}


def test_beside_a_plain_rollout_its_compressed_one_is_not_read(machine: Machine) -> None:
    rows = [*started(), *codex_run(T0, STEPS)]
    file = rollout(machine.codex, PARENT, rows)
    file.with_name(file.name + ".zst").write_bytes(b"not zstd at all")

    assert machine.totals() == {ROW: STEPS_TOTAL}


def test_a_damaged_compressed_rollout_is_left_alone(machine: Machine) -> None:
    folder = machine.codex / "sessions"
    folder.mkdir(parents=True)
    file = folder / f"rollout-x-{PARENT}.jsonl.zst"
    file.write_bytes(b"not zstd at all")
    ledger = machine.memory
    (source, listed), *_ = [(s, f) for s in machine.sources() for f in s.files()]

    assert not ledger.read(source, listed)
    assert machine.memory.db.execute("SELECT count(*) FROM answers").fetchone() == (0,)


def test_an_archived_rollout_counts_once_and_the_active_one_goes_first(machine: Machine) -> None:
    rows = [*started(), *codex_run(T0, STEPS)]
    rollout(machine.codex, PARENT, rows[:-1], folder="archived_sessions")
    active = rollout(machine.codex, PARENT, rows)

    assert machine.totals() == {ROW: STEPS_TOTAL}
    active.unlink()
    rollout(machine.codex, PARENT, rows, folder="archived_sessions")
    assert machine.totals() == {ROW: STEPS_TOTAL}


def test_a_headless_run_counts_its_plain_usage(machine: Machine) -> None:
    turn = {"type": "turn.completed", "usage": codex_counts(700, 70, 600)}
    write(
        machine.codex / "sessions" / "exec.jsonl", [{"type": "thread.started"}, turn, {**turn, "model": "o9"}]
    )

    assert {key[2]: counts for key, counts in machine.totals().items()} == {
        "gpt-5": (100, 70, 600, 0),
        "o9": (100, 70, 600, 0),
    }


def limits(**windows: Any) -> dict[str, Any]:
    return {"limit_id": "codex", "primary": None, "secondary": None, "plan_type": "plus", **windows}


def window(used: Any, minutes: int | None, resets_at: int | None = None, **more: Any) -> dict[str, Any]:
    return {"used_percent": used, "window_minutes": minutes, "resets_at": resets_at, **more}


def told(machine: Machine, *rate_limits: dict[str, Any], at: int = T0) -> list[LimitSeen]:
    rows = [codex_answer(at + n, None, None, limit) for n, limit in enumerate(rate_limits)]
    rollout(machine.codex, PARENT, [*started(), *rows])
    machine.totals()
    return limits_seen(machine.memory.db, "codex")


def test_a_window_is_known_by_its_length_and_not_by_its_slot(machine: Machine) -> None:
    reset = T0 // 1000 + 3600
    found = told(machine, limits(primary=window(41.5, 10080, reset), secondary=window(7, 300, reset)))

    assert [(w.name, w.used, w.resets_at, w.at) for w in found] == [
        ("5h", 7.0, reset * 1000, T0),
        ("7d", 41.5, reset * 1000, T0),
    ]


def test_a_free_plan_has_one_window_of_a_month(machine: Machine) -> None:
    assert [(w.name, w.used) for w in told(machine, limits(primary=window(3, 43200)))] == [("30d", 3.0)]


def test_the_newest_word_on_a_window_stands_and_others_stay(machine: Machine) -> None:
    first = limits(primary=window(5, 300), secondary=window(50, 10080))

    assert [(w.name, w.used) for w in told(machine, first, limits(primary=window(9, 300)))] == [
        ("5h", 9.0),
        ("7d", 50.0),
    ]


def test_a_models_own_meter_never_stands_for_the_account(machine: Machine) -> None:
    spark = {**limits(primary=window(99, 300)), "limit_id": "codex_bengalfox"}

    assert [(w.name, w.used) for w in told(machine, limits(primary=window(5, 300)), spark)] == [
        ("5h", 5.0),
        ("5h_bengalfox", 99.0),
    ]


def test_an_older_build_tells_the_reset_from_the_event_on(machine: Machine) -> None:
    slot = {"used_percent": 5, "window_minutes": 300, "resets_in_seconds": 60}

    assert told(machine, limits(primary=slot))[0].resets_at == T0 + MINUTE


@pytest.mark.parametrize("nonsense", [None, "12", -1, 1_795_100_400, True])
def test_a_percentage_that_is_none_is_unknown(machine: Machine, nonsense: object) -> None:
    assert told(machine, limits(primary=window(nonsense, 300))) == []


@pytest.mark.parametrize("nonsense", [10**15, -5, "soon"])
def test_a_reset_that_cannot_be_meant_is_unknown(machine: Machine, nonsense: Any) -> None:
    assert told(machine, limits(primary=window(5, 300, nonsense)))[0].resets_at is None


def test_the_home_directory_may_be_named() -> None:
    assert places.codex_homes({"HOME": "/h", "CODEX_HOME": "/c"}) == [Path("/c")]
    assert places.codex_homes({"HOME": "/h"}) == [Path("/h/.codex")]
