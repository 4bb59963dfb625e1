"""Numbers and times: short, and never rounded into a lie."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone

import pytest

from crtui.core.now import DAY, HOUR, MINUTE, SECOND
from crtui.text import cell_width
from crtui.tui import fmt
from tests.fakes.snapshots import NOW


@pytest.mark.parametrize(
    ("ms", "shown"),
    [
        (-5, "now"),
        (0, "now"),
        (1, "1s"),
        (42 * SECOND, "42s"),
        (99 * SECOND, "99s"),
        (100 * SECOND, "1m40"),
        (16 * MINUTE + 10 * SECOND, "16m10"),
        (HOUR - 1, "1h00"),
        (2 * HOUR + 14 * MINUTE + 59 * SECOND, "2h14"),
        (48 * HOUR, "2d00"),
        (3 * DAY + 4 * HOUR, "3d04"),
        (200 * DAY, "99d+"),
    ],
)
def test_a_countdown_takes_at_most_six_characters(ms: int, shown: str) -> None:
    assert fmt.countdown(ms) == shown
    assert len(shown) <= 6


@pytest.mark.parametrize(
    ("ms", "shown"), [(0, "0s"), (59_999, "59s"), (5 * MINUTE, "5m"), (HOUR, "1h"), (9 * DAY, "9d")]
)
def test_an_age_has_one_unit(ms: int, shown: str) -> None:
    assert fmt.age(ms) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (0, "0"),
        (812, "812"),
        (1200, "1.2k"),
        (48_200, "48.2k"),
        (999_949, "1M"),
        (2e6, "2M"),
        (3.1e9, "3.1G"),
    ],
)
def test_a_count_keeps_three_figures(value: float | None, shown: str) -> None:
    assert fmt.count(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (0.0, "0%"), (0.3, "<1%"), (33.9, "33%"), (99.9, "99%"), (100.0, "100%")],
)
def test_only_nothing_is_0_and_only_all_of_it_is_100_percent(value: float | None, shown: str) -> None:
    assert fmt.percent(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "unknown"), (0.0, "$0.00"), (14.8, "$14.80"), (1234.5, "$1,234")]
)
def test_money_that_is_not_known_is_not_zero(value: float | None, shown: str) -> None:
    assert fmt.usd(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (0.0, "0"), (640.2, "640"), (999.6, "1.0s"), (1240, "1.2s"), (120_000, "120s")],
)
def test_a_latency_under_a_second_is_bare_milliseconds(value: float | None, shown: str) -> None:
    assert fmt.latency(value) == shown


@pytest.mark.parametrize(
    ("failed", "total", "shown"), [(0, 0, "–"), (0, 9, "0.0"), (23, 310, "7.4"), (6, 6, "100")]
)
def test_an_error_rate_without_requests_is_unknown(failed: int, total: int, shown: str) -> None:
    assert fmt.error_rate(failed, total) == shown


def test_times_are_told_on_the_readers_clock() -> None:
    assert fmt.clock_time(NOW, UTC) == "14:03:22"
    assert fmt.clock_time(NOW, timezone(timedelta(hours=5, minutes=30)), seconds=False) == "19:33"


def test_the_machines_own_zone_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert fmt.clock_time(NOW, None) == "23:03:22"
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(("share", "filled"), [(0.0, 0), (0.001, 1), (0.5, 4), (1.0, 8), (1.7, 8), (-1.0, 0)])
def test_a_meter_never_shows_a_little_as_nothing(share: float, filled: int) -> None:
    full, empty = fmt.bar(share, 8)
    assert (len(full), len(empty)) == (filled, 8 - filled)


def test_a_sparkline_shows_the_shape_and_never_the_full_block() -> None:
    line = fmt.spark([100, 200, 300, 400], 4)
    assert line == "▁▃▅▇"
    assert "█" not in line


def test_equal_values_make_a_flat_sparkline() -> None:
    assert len(set(fmt.spark([500] * 30, 12))) == 1


def test_many_values_are_averaged_into_the_width() -> None:
    assert fmt.bucket([1, 3, 5, 7], 2) == [2, 6]
    assert cell_width(fmt.spark(list(range(100)), 12)) == 12
    assert fmt.spark([], 12) == ""
