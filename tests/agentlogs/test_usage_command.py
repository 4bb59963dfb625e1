"""``crtui usage`` as a person and as a script see it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from crtui.core.now import DAY
from crtui.modes.options import Options
from crtui.modes.usage import usage
from tests.agentlogs.logs import Machine, claude, codex_meta, codex_run, rollout, write

SESSION = "11111111-1111-4111-8111-111111111111"
OLD = 1_577_890_800_000
"""2020-01-01 15:00 UTC: no block of then runs now."""


@pytest.fixture(autouse=True)
def _at_home(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(machine.home))


def fill(machine: Machine) -> None:
    rows = [claude(f"m{n}", OLD + n * DAY, (1000 + n, 20, 30, 40), request=f"r{n}") for n in range(2)]
    write(machine.projects / "p" / "s.jsonl", [*rows, claude(timestamp="bad")])
    rollout(machine.codex, SESSION, [codex_meta(SESSION), *codex_run(OLD, [(500, 5, 100)])])


def as_json(
    machine: Machine, capsys: pytest.CaptureFixture[str], state: Path | None = None
) -> dict[str, Any]:
    assert usage(Options(state_dir=state or machine.state), days=None, utc=True, as_json=True) == 0
    return json.loads(capsys.readouterr().out)


def command(machine: Machine, *args: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "crtui", "usage", "--state-dir", str(machine.state), *args],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        env={"HOME": str(machine.home), **environ},
        check=False,
        timeout=20,
    )


def test_the_table_has_a_line_for_each_day_agent_and_model_and_a_total(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(machine)

    assert usage(Options(state_dir=machine.state), days=None, utc=True, as_json=False) == 0

    out, err = capsys.readouterr()
    assert err == ""
    assert out.splitlines() == [
        "date        agent   model              input  output  cache read  cache write  total",
        "2020-01-01  claude  claude-sonnet-4-6  1,000      20          30           40  1,090",
        "2020-01-01  codex   gpt-5                400       5         100            0    505",
        "2020-01-02  claude  claude-sonnet-4-6  1,001      20          30           40  1,091",
        "-" * 84,
        "total                                  2,401      45         160           80  2,686",
        "claude: 1 line of its logs could not be understood",
    ]


def test_the_json_has_the_same_numbers(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    fill(machine)

    data = as_json(machine, capsys)

    assert data["schema"] == 1
    assert data["totals"]["total_tokens"] == 2686 == sum(day["total_tokens"] for day in data["days"])
    assert data["days"][1] == {
        "date": "2020-01-01",
        "agent": "codex",
        "model": "gpt-5",
        "input_tokens": 400,
        "output_tokens": 5,
        "cache_read_tokens": 100,
        "cache_write_tokens": 0,
        "total_tokens": 505,
    }
    assert [(agent["name"], agent["files"], agent["skipped"]) for agent in data["agents"]] == [
        ("claude", 1, 1),
        ("codex", 1, 0),
    ]


def test_only_so_many_days_are_counted_if_so_asked(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(machine)

    assert usage(Options(state_dir=machine.state), days=30, utc=True, as_json=True) == 0

    assert json.loads(capsys.readouterr().out)["days"] == []


def test_without_any_log_it_says_so(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    assert usage(Options(state_dir=machine.state), days=None, utc=False, as_json=False) == 0

    assert capsys.readouterr().out.startswith("no agent has left a log here")


def test_where_nothing_can_be_kept_it_still_counts(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(machine)
    file = machine.home / "file"
    file.write_text("")

    assert usage(Options(state_dir=file / "state"), days=None, utc=True, as_json=True) == 0

    out, err = capsys.readouterr()
    assert json.loads(out)["totals"]["total_tokens"] == 2686
    assert err.startswith("crtui: not saving: ")


def test_days_are_those_of_the_machines_zone_unless_utc_is_asked_for(machine: Machine) -> None:
    fill(machine)

    east = json.loads(command(machine, "--json", TZ="Pacific/Kiritimati").stdout)

    assert {day["date"] for day in east["days"]} == {"2020-01-02", "2020-01-03"}


def test_a_bad_number_of_days_is_a_usage_error(machine: Machine) -> None:
    done = command(machine, "--days", "0")

    assert done.returncode == 2
    assert "'0' is not a number of days" in done.stderr
