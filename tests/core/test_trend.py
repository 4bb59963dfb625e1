"""The trend of one quota window: when it is used up, told as a range in which the truth then lies."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crtui.core.now import DAY, HOUR, MINUTE
from crtui.core.trend import Ends, WindowTrend

FAR = 365 * DAY
UNKNOWN = Ends()


def trend_of(*readings: tuple[float, float]) -> WindowTrend:
    trend = WindowTrend()
    for minute, percent in readings:
        trend.add(percent, round(minute * MINUTE))
    return trend


def ends(trend: WindowTrend, minute: int, resets: int | None = FAR) -> Ends:
    """What is known at a minute at which it has been heard of, whether or not it has risen."""
    return trend.forecast(minute * MINUTE, resets, minute * MINUTE, None)


@pytest.mark.parametrize(
    "readings",
    [(), ((0, 10),), ((0, 10), (9, 30)), ((0, 10), (60, 14.9)), ((0, 10), (30, 100)), ((0, 50), (60, 50))],
)
def test_nothing_is_known_before_ten_minutes_and_five_points_or_at_the_end(
    readings: tuple[tuple[int, float], ...],
) -> None:
    assert ends(trend_of(*readings), 60) == UNKNOWN


def test_the_range_is_what_rounded_readings_leave() -> None:
    soon, late, _ = ends(trend_of((0, 10), (10, 20)), 10)
    assert soon == round((10 + 80 * 10 / 11) * MINUTE)
    assert late == round((10 + 80 * 10 / 9) * MINUTE)


def test_the_range_is_cut_off_at_the_reset_and_a_window_that_is_reset_before_lasts() -> None:
    trend = trend_of((0, 10), (10, 20))
    soon, late, _ = ends(trend, 10)
    assert soon is not None
    assert late is not None
    assert ends(trend, 10, late - 1) == Ends(soon, late - 1)
    assert ends(trend, 10, soon) == Ends(lasts=True)
    assert ends(trend, 10, None) == UNKNOWN


def test_a_window_that_stands_still_runs_out_later_and_after_a_while_not_at_all() -> None:
    trend = trend_of(*((minute, float(minute)) for minute in range(61)))
    told = [ends(trend, minute) for minute in (60, 65, 75, 76, 180)]
    assert told[0] < told[1] < told[2]
    assert all(found.soon is not None and found.soon > (75 + 20) * MINUTE for found in told[2:3])
    assert told[3:] == [UNKNOWN, UNKNOWN]


def test_a_slow_window_is_not_still_while_its_next_points_are_not_due() -> None:
    trend = trend_of(*((hour * 60, float(hour)) for hour in range(11)))
    assert ends(trend, 11 * 60 + 59).soon is not None
    assert ends(trend, 12 * 60 + 1) == UNKNOWN


def test_a_window_used_unheard_goes_on_filling_until_that_ends() -> None:
    trend = trend_of(*((minute, float(minute)) for minute in range(61)))
    heard = 60 * MINUTE
    still, busy, idle = (
        trend.forecast(now * MINUTE, FAR, heard, used * MINUTE)
        for now, used in ((60, 60), (90, 90), (110, 91))
    )
    assert busy == still
    assert idle == UNKNOWN
    assert trend.forecast(500 * MINUTE, FAR, heard, 500 * MINUTE) == Ends(500 * MINUTE, 500 * MINUTE)
    left, pace, rose = trend.filling(90 * MINUTE, heard, 90 * MINUTE) or (0, 0, 0)
    assert (left, pace * MINUTE, rose) == (pytest.approx(10, abs=0.1), pytest.approx(1, rel=0.01), heard)


def test_after_a_pause_the_late_end_allows_for_another_one() -> None:
    work = [(minute, minute * 0.8) for minute in range(31)]
    again = [(minute, 24 + (minute - 60) * 0.8) for minute in range(61, 76)]
    soon, late, _ = ends(trend_of(*work, *again), 75)
    assert soon is not None
    assert late is not None
    assert soon < (75 + 80 + 30) * MINUTE  # 80 minutes of work and one pause
    assert late > (75 + 80 + 90) * MINUTE  # and three


def test_a_percentage_that_falls_starts_anew() -> None:
    trend = trend_of((0, 10), (10, 90), (11, 2), (20, 8))
    assert ends(trend, 20) == UNKNOWN
    trend.add(9, 21 * MINUTE)
    assert ends(trend, 21).soon is not None


def test_a_source_that_rounds_down_what_another_tells_exactly_does_not_start_anew() -> None:
    exact = [(minute, 20.9 + minute / 2) for minute in range(0, 60, 3)]
    rounded = [(minute, float(20 + minute // 2)) for minute in range(1, 60, 3)]
    soon, late, _ = ends(trend_of(*sorted([*exact, *rounded])), 58)
    assert soon is not None
    assert late is not None
    assert soon < 158 * MINUTE < late


def test_a_refill_of_the_first_point_starts_anew() -> None:
    again = ((300, 0.2), (310, 5.2))
    assert ends(trend_of((0, 0.8), *again), 310) == ends(trend_of(*again), 310) != UNKNOWN


def test_the_time_before_a_window_is_first_used_does_not_count() -> None:
    work = [(600 + minute, float(minute)) for minute in range(21)]
    assert ends(trend_of((0, 0), (300, 0), *work), 620) == ends(trend_of(*work), 620) != UNKNOWN


def test_the_readings_of_a_week_are_few_and_their_pauses_are_kept() -> None:
    trend, used = WindowTrend(), 0.0
    for minute in range(4 * 24 * 60):
        used += 0.04 if minute // 60 % 24 < 8 else 0.0
        trend.add(used, minute * MINUTE)
    points = trend.dump(4 * DAY)["points"]
    assert isinstance(points, list)
    assert len(points) <= 53
    gaps = [earlier[0] - later[0] for earlier, later in pairwise(points)]
    assert sum(gap > 16 * HOUR for gap in gaps) == 3


@given(
    st.lists(st.tuples(st.integers(0, 30 * MINUTE), st.floats(0, 120)), max_size=150),
    st.integers(0, DAY),
    st.none() | st.integers(-HOUR, 30 * DAY),
    st.none() | st.integers(0, DAY),
)
def test_a_forecast_is_an_ordered_range_and_a_dump_a_fixed_point(
    steps: list[tuple[int, float]], later: int, reset: int | None, ago: int | None
) -> None:
    trend, again, mono = WindowTrend(), WindowTrend(), 0
    for passed, percent in steps:
        mono += passed
        trend.add(percent, mono)
    now = mono + later
    resets = None if reset is None else now + reset
    used = None if ago is None else now - ago
    found = trend.forecast(now, resets, mono, used)
    if found.soon is not None:
        assert found.late is not None
        assert resets is not None
        assert now <= found.soon <= found.late <= resets
        assert not found.lasts
    dumped = trend.dump(now)
    again.load(json.loads(json.dumps(dumped)), now)
    assert again.dump(now) == dumped
    assert again.forecast(now, resets, mono, used) == found
    assert again.filling(now, mono, used) == trend.filling(now, mono, used)


def test_points_of_an_earlier_version_that_do_not_rise_are_read() -> None:
    trend = WindowTrend()
    trend.load({"points": [[40 * MINUTE, 10], [30 * MINUTE, 20], [20 * MINUTE, 20], [0, 30]]}, 40 * MINUTE)
    assert ends(trend, 40).soon is not None


# how often the truth lies in the range


class Kept(NamedTuple):
    """The share of the ranges in which the truth lay, and how wide one is against what was left."""

    inside: float
    width: float


def stop_and_go(minute: int, chance: random.Random) -> float:
    return 2.0 if minute // 30 % 2 == 0 else 0.0


def night_pause(minute: int, chance: random.Random) -> float:
    return 3.0 if minute // 60 % 24 < 8 else 0.0


SHAPES: dict[str, Callable[[int, random.Random], float]] = {
    "steady": lambda minute, chance: 1.0,
    "short pauses": lambda minute, chance: 2.0 if minute // 10 % 2 == 0 else 0.0,
    "stop and go": stop_and_go,
    "random": lambda minute, chance: chance.expovariate(1.0),
    "rising": lambda minute, chance: 0.3 + minute / 150,
    "night pause": night_pause,
}


def kept(shape: str, per_minute: float, rounded: Callable[[float], float], every: int = 1) -> Kept:
    """Fill a window from 0 to 100 % with a prediction every so many minutes, and compare with the truth."""
    chance, trend, used, told = random.Random(1), WindowTrend(), 0.0, list[tuple[int, Ends]]()
    minute = 0
    while (used := used + per_minute * (grown := SHAPES[shape](minute, chance))) < 100:
        if grown:
            trend.add(rounded(used), minute * MINUTE)
        if minute % every == 0 and (found := ends(trend, minute)).soon is not None:
            told.append((minute * MINUTE, found))
        minute += 1
    truth = minute * MINUTE
    ranges = [(at, found.soon or 0, found.late or 0) for at, found in told]
    inside = sum(soon - MINUTE <= truth <= late + MINUTE for _, soon, late in ranges) / len(ranges)
    widths = sorted((late - soon) / (truth - at) for at, soon, late in ranges)
    return Kept(inside, widths[len(widths) // 2])


@pytest.mark.parametrize("rounded", [float, round, math.floor], ids=["exact", "rounded", "rounded down"])
@pytest.mark.parametrize(
    ("shape", "per_minute", "every", "inside"),
    [
        ("steady", 0.4, 1, 0.99),
        ("steady", 0.8, 1, 0.99),
        ("short pauses", 0.4, 1, 0.9),
        ("short pauses", 0.8, 1, 0.9),
        ("stop and go", 0.4, 1, 0.75),
        ("stop and go", 0.8, 1, 0.55),
        ("random", 0.4, 1, 0.75),
        ("random", 0.8, 1, 0.6),
        ("rising", 0.4, 1, 0.75),
        ("rising", 0.8, 1, 0.75),
        ("night pause", 0.014, 10, 0.75),
    ],
)
def test_the_truth_lies_in_most_ranges_whatever_the_traffic(
    shape: str, per_minute: float, every: int, inside: float, rounded: Callable[[float], float]
) -> None:
    found = kept(shape, per_minute, rounded, every)
    assert found.inside >= inside
    if shape == "steady":
        assert found.width < 0.2
