"""The machine's clocks: in step to the millisecond, until the wall clock is really set."""

from __future__ import annotations

import time

import pytest

from crtui.clock import STEP_MS, SystemClock

MS = 1_000_000


class Machine:
    """What the operating system would say."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.mono, self.wall = 5_000_000_123, 1_795_165_200_000_999_999
        monkeypatch.setattr("crtui.clock.uptime_ns", lambda: self.mono)
        monkeypatch.setattr(time, "time_ns", lambda: self.wall)

    def pass_(self, ns: int) -> None:
        self.mono += ns
        self.wall += ns


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


@pytest.mark.parametrize("speed", [1.0, 20.0])
def test_between_corrections_the_distance_of_the_clocks_never_changes(machine, speed):
    clock = SystemClock(speed)
    found = set()
    for step in (1, 333_333, 999_999, 7 * MS + 1, 10**12 + 5):
        machine.pass_(step)
        now = clock.now()
        found.add(now.wall - now.mono)

    assert len(found) == 1


@pytest.mark.parametrize(
    ("off_ms", "noticed"), [(STEP_MS - 1, False), (STEP_MS + 2, True), (-3_600_000, True)]
)
@pytest.mark.fault("S26")
def test_a_wall_clock_that_is_set_is_noticed_and_one_that_is_trimmed_is_not(machine, off_ms, noticed):
    clock = SystemClock()
    before = clock.now()
    machine.wall += off_ms * MS
    after = clock.now()

    assert (after.wall - before.wall) == (off_ms if noticed else 0)
    assert after.mono == before.mono


def test_a_faster_clock_keeps_its_own_time_whatever_the_wall_says(machine):
    clock = SystemClock(10.0)
    before = clock.now()
    machine.pass_(100 * MS)
    machine.wall += 3_600_000 * MS
    after = clock.now()

    assert (after.wall - before.wall, after.mono - before.mono) == (1_000, 1_000)
    assert clock.real_seconds(1_000) == 0.1
