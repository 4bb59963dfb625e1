"""The core under the machine, and what the machine has seen."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.core.machine import Machine

ROOT = Path(__file__).parents[2]
MUST_SEE = {
    "stories": 80,
    "failure while cooling": 80,
    "half-open ends": 20,
    "trial begun": 10,
    "not admitted": 20,
    "stale news": 20,
    "refusals": 10,
    "honest waits": 10,
    "last resorts": 10,
    "restarts while cooling": 20,
    "reloads in flight": 20,
    "edge -1": 10,
    "edge +0": 10,
    "edge +1": 10,
    "wall jumps": 20,
    "suspends": 20,
    "reset": 10,
    "health to UNHEALTHY": 50,
    "health to DEGRADED": 50,
    "health to HEALTHY": 50,
}
"""How often a run must have been at each place to prove anything."""


def run(examples: int, steps: int, *, same_every_time: bool = True) -> None:
    Machine.visited.clear()
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=same_every_time,
            database=None,
            phases=[Phase.generate],
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.timeout(120)
def test_every_law_holds_along_random_stories_that_went_everywhere():
    """In a process of its own: what hypothesis draws follows from the modules that are loaded."""
    command = [sys.executable, "-m", "tests.core.test_machine"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    visited: dict[str, int] = json.loads(done.stdout)

    assert {
        place: visited.get(place, 0) for place, least in MUST_SEE.items() if visited.get(place, 0) < least
    } == {}


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_every_law_holds_along_many_more_stories():
    run(examples=1_500, steps=60)


if __name__ == "__main__":
    run(examples=160, steps=40)
    print(json.dumps(Machine.visited))
