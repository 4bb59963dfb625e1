"""The status line: what Claude Code hands over is kept, and the command that was there still runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from crtui.agents.entry import Limit
from crtui.agents.statusline import FILE, from_file, merged, read_status, to_bytes
from crtui.core.inputs import WindowReport
from crtui.core.now import DAY, HOUR, MINUTE
from tests.agentlogs.logs import T0, Machine


def told(**windows: Any) -> bytes:
    return json.dumps({"model": {"display_name": "Opus"}, "rate_limits": windows}).encode()


def report(name: str, used: float, resets_at: int | None = None) -> WindowReport:
    return WindowReport(name, "status line", used, resets_at=resets_at)


FIVE = {"used_percentage": 41.5, "resets_at": (T0 + HOUR) // 1000}
SEVEN = {"used_percentage": 7, "resets_at": (T0 + 3 * DAY) // 1000}


def test_both_windows_are_read() -> None:
    assert read_status(told(five_hour=FIVE, seven_day=SEVEN), T0) == [
        Limit(T0, report("5h", 41.5, T0 + HOUR)),
        Limit(T0, report("7d", 7.0, T0 + 3 * DAY)),
    ]


@pytest.mark.parametrize("used", [1_795_100_400, 101.5, -1, None, "41", True])
def test_a_percentage_that_is_none_is_unknown(used: object) -> None:
    assert read_status(told(five_hour={**FIVE, "used_percentage": used}, seven_day=SEVEN), T0) == [
        Limit(T0, report("7d", 7.0, T0 + 3 * DAY))
    ]


@pytest.mark.parametrize("resets_at", [None, "soon", 0, 10**12, -1])
def test_a_reset_that_cannot_be_meant_is_unknown(resets_at: object) -> None:
    assert read_status(told(five_hour={**FIVE, "resets_at": resets_at}), T0) == [
        Limit(T0, report("5h", 41.5))
    ]


@pytest.mark.parametrize(
    "data", [b"{}", b'{"rate_limits": null}', b'{"rate_limits": {"five_hour": []}}', b"[]"]
)
def test_without_limits_there_are_none(data: bytes) -> None:
    assert read_status(data, T0) == []


def test_drawing_the_same_numbers_again_makes_them_no_newer() -> None:
    old = read_status(told(five_hour=FIVE, seven_day=SEVEN), T0)
    new = read_status(told(five_hour={**FIVE, "used_percentage": 50}, seven_day=SEVEN), T0 + MINUTE)

    assert [(limit.report.name, limit.at) for limit in merged(new, old)] == [("5h", T0 + MINUTE), ("7d", T0)]


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    limits = read_status(told(five_hour=FIVE, seven_day=SEVEN), T0)
    (tmp_path / FILE).write_bytes(to_bytes(limits))

    assert from_file(tmp_path) == limits


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'{"version": 2, "windows": []}', b'{"windows": [{"name": "5h"}]}']
)
def test_a_damaged_file_is_as_none(tmp_path: Path, data: bytes) -> None:
    (tmp_path / FILE).write_bytes(data)

    assert from_file(tmp_path) is None


def test_damaged_windows_of_a_good_file_are_left_out(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b'{"version": 1, "windows": [5, {"name": "9h", "at": 1, "used": 1}, {}]}')

    assert from_file(tmp_path) == []


def run(machine: Machine, data: bytes, *command: str) -> subprocess.CompletedProcess[bytes]:
    """The command as Claude Code runs it."""
    return subprocess.run(
        [sys.executable, "-m", "crtui", "statusline", "--state-dir", str(machine.state), *command],
        input=data,
        capture_output=True,
        cwd=Path(__file__).parents[2],
        env={"PATH": os.environ["PATH"], "HOME": str(machine.home)},
        check=False,
        timeout=20,
    )


def test_the_command_keeps_the_windows_privately_and_prints_one_line(machine: Machine) -> None:
    done = run(machine, told(five_hour={"used_percentage": 41.5}))

    assert (done.returncode, done.stdout, done.stderr) == (0, b"5h 42% used\n", b"")
    assert [limit.report.used_percent for limit in from_file(machine.state) or []] == [41.5]
    assert (machine.state / FILE).stat().st_mode & 0o777 == 0o600


def test_the_command_that_was_there_gets_the_same_input_and_has_its_way(machine: Machine) -> None:
    data = told(five_hour=FIVE) + b"\n"
    done = run(machine, data, "--", "sh", "-c", "cat; echo no >&2; exit 5")

    assert (done.returncode, done.stdout, done.stderr) == (5, data, b"no\n")
    assert from_file(machine.state)


def test_what_is_no_json_still_reaches_the_command_that_was_there(machine: Machine) -> None:
    done = run(machine, b"\xffnonsense", "--", "cat")

    assert (done.returncode, done.stdout) == (0, b"\xffnonsense")
    assert not (machine.state / FILE).exists()


def test_a_command_that_cannot_be_run_is_named(machine: Machine) -> None:
    done = run(machine, told(five_hour=FIVE), "--", "/nowhere/at-all")

    assert done.returncode == 2
    assert done.stderr.startswith(b"crtui: /nowhere/at-all cannot be run: ")


def test_a_subscription_that_is_no_more_leaves_no_windows(machine: Machine) -> None:
    run(machine, told(five_hour=FIVE))
    run(machine, b"{}")

    assert from_file(machine.state) == []
