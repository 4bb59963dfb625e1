"""The same logs, counted by ``ccusage`` (npm) and here: equal by day and model, but for two rules.

It is looked for as ``$CCUSAGE``, else on the path; ``npm install ccusage @ccusage/ccusage-linux-x64``
gets it. Compared with version 20.0.24, offline.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import zstandard

from crtui.core.now import DAY, HOUR, MINUTE
from tests.agentlogs.logs import (
    LATER,
    T0,
    Machine,
    claude,
    codex_answer,
    codex_counts,
    codex_meta,
    codex_run,
    codex_turn,
    rollout,
    write,
)

CCUSAGE = os.environ.get("CCUSAGE") or shutil.which("ccusage")
MODELS = ("claude-sonnet-4-6", "claude-opus-4-6", "claude-haiku-4-5")
Counts = tuple[int, int, int, int]

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(CCUSAGE is None, reason="ccusage is not installed (npm)"),
]


def ccusage(agent: str, variable: str, root: Path) -> list[dict[str, Any]]:
    assert CCUSAGE is not None
    done = subprocess.run(
        [CCUSAGE, agent, "daily", "--json", "--offline", "--timezone", "UTC"],
        env={"PATH": os.environ["PATH"], "HOME": str(root.parent), variable: str(root)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(done.stdout)["daily"]


def claude_by_ccusage(machine: Machine) -> dict[tuple[str, str], Counts]:
    found: dict[tuple[str, str], Counts] = {}
    for day in ccusage("claude", "CLAUDE_CONFIG_DIR", machine.projects.parent):
        for model in day["modelBreakdowns"]:
            counts = (model["inputTokens"], model["outputTokens"])
            cache = (model["cacheReadTokens"], model["cacheCreationTokens"])
            found[day["date"], model["modelName"]] = (*counts, *cache)
    return found


def codex_by_ccusage(machine: Machine) -> dict[tuple[str, str], Counts]:
    found: dict[tuple[str, str], Counts] = {}
    for day in ccusage("codex", "CODEX_HOME", machine.codex):
        for name, model in day["models"].items():
            cached = model.get("cachedInputTokens", model.get("cacheReadTokens", 0))
            counts = (
                model["inputTokens"],
                model["outputTokens"],
                cached,
                model.get("cacheCreationTokens", 0),
            )
            found[day["date"], name] = counts
    return found


def here(machine: Machine, agent: str) -> dict[tuple[str, str], Counts]:
    totals = machine.totals()
    return {(day, model): counts for (day, whose, model), counts in totals.items() if whose == agent}


def sessions(rng: random.Random, count: int) -> list[list[dict[str, Any]]]:
    """Sessions with streamed rows, side chains of their own, damaged rows and three models."""
    made: list[list[dict[str, Any]]] = []
    for session in range(count):
        rows: list[dict[str, Any]] = []
        for number in range(rng.randrange(5, 40)):
            key, at = f"msg_{session}_{number}", T0 + session * DAY // 3 + number * 7 * MINUTE
            counts = tuple(rng.randrange(1, 50_000) for _ in range(4))
            side = {"isSidechain": True} if number % 6 == 0 else {}
            for share in [*sorted(rng.sample(range(1, 9), 3)), 9]:
                part = (counts[0], counts[1] * share // 9, counts[2], counts[3])
                same = {"request": f"req_{key}", "sessionId": f"s{session}", "model": MODELS[number % 3]}
                rows.append(claude(key, at + share, part, **same, **side))
        rows.insert(3, claude(f"bad{session}", T0, version=None))
        made.append(rows)
    return made


def test_claude_codes_logs_give_the_same_totals(machine: Machine) -> None:
    for number, rows in enumerate(sessions(random.Random(5), 30)):
        write(machine.projects / f"p{number % 4}" / f"s{number}.jsonl", rows)
        # The same session once more below its own directory, as after a resume.
        write(machine.projects / f"p{number % 4}" / f"s{number}" / "again.jsonl", rows[: len(rows) // 2])

    found = here(machine, "claude")

    assert len(found) > 20
    assert found == claude_by_ccusage(machine)


def test_speeds_cache_lifetimes_and_side_chains_are_read_alike(machine: Machine) -> None:
    written = {"cache_creation": {"ephemeral_5m_input_tokens": 40, "ephemeral_1h_input_tokens": 2}}
    rows = [
        claude("m1", usage={"speed": "fast"}),
        claude("m2", request="r2", usage={"speed": "standard"}),
        claude("m3", request="r3", usage=written),
        claude("m4", request=None),
        claude(None, request="r5"),
        claude(None, request="r5"),
        claude("m6", request="r6"),
        claude("m6", request="r7", isSidechain=True, counts=(9000, 9000, 9000, 9000)),
    ]
    write(machine.projects / "p" / "s.jsonl", rows)

    assert here(machine, "claude") == claude_by_ccusage(machine)


def test_copies_in_a_session_of_another_id_count_once(machine: Machine) -> None:
    row = claude("m1", counts=(10, 0, 0, 0))
    write(machine.projects / "p" / "s1.jsonl", [row])
    write(machine.projects / "p" / "s2.jsonl", [{**row, "sessionId": "s2"}])

    once = {("2026-11-19", "claude-sonnet-4-6"): (10, 0, 0, 0)}
    assert here(machine, "claude") == claude_by_ccusage(machine) == once


def ids(number: int) -> str:
    return f"{number:08d}-1111-4111-8111-111111111111"


def test_codexs_rollouts_give_the_same_totals(machine: Machine) -> None:
    """With turns of several models, repeated sums, forks, and forks of parents that are gone."""
    rng = random.Random(6)
    for number in range(20):
        at = T0 + number * DAY // 2
        steps = [
            (rng.randrange(500, 90_000), rng.randrange(1, 5_000), rng.randrange(0, 500)) for _ in range(9)
        ]
        rows = codex_run(at, steps)
        meta = [codex_meta(ids(number), at), codex_turn(f"gpt-5.{number % 3 + 4}", at)]
        rollout(machine.codex, ids(number), [*meta, *rows[:4], rows[3], *rows[4:]])
        child, parent = 100 + number, ids(number if number % 2 else 900 + number)
        copies = codex_run(at + HOUR, steps, gap=15)
        own = codex_run(at + 2 * HOUR, [*steps, (700, 70, 7), (800, 80, 8)])[-2:]
        forked = [codex_meta(ids(child), at + HOUR, forked_from_id=parent), meta[1]]
        rollout(machine.codex, ids(child), [*forked, *copies, *own])

    found = here(machine, "codex")

    assert len(found) > 9
    assert found == codex_by_ccusage(machine)


def test_compressed_rollouts_count_here_and_not_there(machine: Machine) -> None:
    """Old rollouts become ``.jsonl.zst`` (openai/codex ``rollout/src/compression.rs``)."""
    file = rollout(machine.codex, ids(1), [codex_meta(ids(1)), *codex_run(T0, [(10, 1, 0)])])
    both = codex_by_ccusage(machine)
    file.with_name(file.name + ".zst").write_bytes(zstandard.compress(file.read_bytes()))
    file.unlink()

    assert here(machine, "codex") == both == {("2026-11-19", "gpt-5"): (10, 1, 0, 0)}
    assert codex_by_ccusage(machine) == {}


def test_a_sum_that_falls_back_counts_there_and_not_here(machine: Machine) -> None:
    """Here nothing counts below what the sum has been: copied rows come with sums of their parent's past."""
    high, low, last = codex_counts(900, 90), codex_counts(400, 40), codex_counts(100, 10)
    rows = [codex_answer(LATER, high, high), codex_answer(LATER + MINUTE, last, low)]
    rollout(machine.codex, ids(1), [codex_meta(ids(1), LATER), codex_turn("gpt-5.6"), *rows])

    assert here(machine, "codex") == {("2026-11-20", "gpt-5.6"): (900, 90, 0, 0)}
    assert codex_by_ccusage(machine) == {("2026-11-20", "gpt-5.6"): (1000, 100, 0, 0)}
