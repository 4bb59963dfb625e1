"""Each hand-written trace prints exactly what it is known to print, in any process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from tests.replay.goldens import EXPECTED, digest, printed, traces

COVERED = """
guard-adaptive guard-auth guard-budget guard-burn guard-burn-projected guard-credit guard-health
guard-memory guard-operator guard-overload guard-paid guard-quota-evidence guard-quota-windows
tactic-adaptive tactic-capacity-based tactic-latency-based tactic-priority tactic-random
tactic-speed-based tactic-tier tactic-token-based
rule-code-fence rule-contains rule-has-image rule-has-tools rule-model rule-regex rule-tokens
chain-affinity chain-exhausted chain-model-and-context chain-wire-and-capability
"""


@pytest.mark.parametrize("trace", traces(), ids=lambda trace: trace.stem)
def test_a_trace_prints_the_expected_bytes(trace: Path):
    assert printed(trace) == (EXPECTED / trace.name).read_bytes()


def test_every_guard_tactic_and_rule_has_a_trace_and_no_expectation_is_left_over():
    names = {trace.stem for trace in traces()}

    assert set(COVERED.split()) <= names
    assert {path.stem for path in EXPECTED.glob("*.jsonl")} == names


def test_every_kind_of_event_the_core_tells_is_told_by_some_trace():
    told = {
        row["kind"]
        for trace in traces()
        for row in map(orjson.loads, printed(trace).splitlines())
        if row["output"] == "event"
    }

    assert told >= {
        "route.decided", "attempt.ok", "attempt.failed", "attempt.interrupted", "attempt.cancelled",
        "health.changed", "health.half_open", "quota.exhausted", "quota.available", "memory.detected",
        "memory.pressured", "memory.recovered", "budget.exceeded", "budget.reset", "burn.projected",
        "adaptive.reordered", "operator.changed", "paid.changed", "chain.exhausted", "rule.matched",
        "poll.ok", "poll.failed",
    }  # fmt: skip


def test_another_process_with_another_hash_seed_prints_the_same_bytes():
    command = [sys.executable, "-m", "tests.replay.goldens", "--digest"]
    done = subprocess.run(
        command,
        capture_output=True,
        check=True,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONHASHSEED": "4711"},
    )

    assert done.stdout.strip() == digest()
