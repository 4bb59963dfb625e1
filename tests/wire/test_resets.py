"""Every form in which an upstream may say when to come again."""

from __future__ import annotations

import sys
import zoneinfo
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crtui.core.now import DAY, HOUR, MINUTE
from crtui.wire.limits import read_limits
from crtui.wire.resets import parse_instant, parse_ms, parse_reset, parse_wait, until_pacific_midnight

from .props import seeded

WALL = 1_795_165_200_000  # 2026-11-20T09:00:00Z, a Friday
NOW_S = WALL // 1000


def reset(text: str, date_ms: int | None = None) -> int | None:
    return parse_reset(text, wall_ms=WALL, date_ms=date_ms)


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("7", 7_000),
        (" 7\t", 7_000),
        ("0.5", 500),
        ("0.0001", 1),
        ("1.0005", 1_001),
        ("33011.382867", 33_011_383),
        ("1s", 1_000),
        ("7s", 7_000),
        ("12ms", 12),
        ("6m0s", 360_000),
        ("1h2m3s", 3_723_000),
        ("2m59.56s", 179_560),
        ("26s", 26_000),
        ("900ms", 900),
        ("24h", 86_400_000),
        ("1.5us", 1),
        ("250µs", 1),
        ("1d", 86_400_000),
        (str(NOW_S + 90), 90_000),
        (f"{NOW_S + 90}.25", 90_250),
        (str(WALL + 1_234), 1_234),
        ("Fri, 20 Nov 2026 09:01:30 GMT", 90_000),
        ("Fri, 20 Nov 2026 09:01:30", 90_000),
        ("20 Nov 2026 09:01:30 UTC", 90_000),
        ("Friday, 20-Nov-26 09:01:30 GMT", 90_000),
        ("Fri Nov 20 09:01:30 2026", 90_000),
        ("Tue Dec  1 09:00:00 2026", 11 * DAY),
        ("2026-11-20T09:01:30Z", 90_000),
        ("2026-11-20T09:01:30.5Z", 90_500),
        ("2026-11-20T09:01:30.123456789Z", 90_124),
        ("2026-11-20t10:01:30+01:00", 90_000),
        ("2026-11-20T03:31:30-05:30", 90_000),
        ("2026-11-20 09:01:30", 90_000),
        ("Thu, 31 Dec 2026 23:59:60 GMT", 41 * DAY + 15 * HOUR),
    ],
)
@pytest.mark.fault("S02", "S09", "S22")
def test_every_form_is_read_and_fractions_are_rounded_up(text: str, ms: int) -> None:
    """RELIABILITY S01, S02, S09, S22; a duration with a unit is one of Go's, so ``7s`` is one."""
    assert reset(text) == ms


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "0",
        "0.0",
        "0s",
        "0m0s",
        "-1",
        "-5s",
        "+7",
        "1,5",
        "7,",
        "0x10",
        "٣",
        "７",
        "1_000",
        "1e3",
        ".5",
        "5.",
        "nan",
        "NaN",
        "inf",
        "Infinity",
        "1e309",
        "9" * 400,
        "1" * 16,
        "soon",
        "unlimited",
        "7 s",
        "s",
        "5x",
        "1h2",
        "1000000000",
        str(NOW_S),
        str(NOW_S - 1),
        str(WALL - 1),
        "Fri, 20 Nov 2026 09:00:00 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "2026-11-20T08:59:59Z",
        "2020-01-01T00:00:00Z",
        "Fri, 20 Foo 2026 09:01:30 GMT",
        "Fri, 99 Nov 2026 09:01:30 GMT",
        "Fri, 20 Nov 2026 25:01:30 GMT",
        "Fri, 20 Nov 2026 09:01:99 GMT",
        "2026-13-20T09:01:30Z",
        "2026-11-20T09:01:30+99:00",
        "0000-01-01T00:00:00Z",
    ],
)
@pytest.mark.fault("S03", "S04", "S05", "S07")
def test_nonsense_and_what_has_passed_count_as_not_said(text: str) -> None:
    """RELIABILITY S03, S04, S05, S07."""
    assert reset(text) is None


@pytest.mark.parametrize(
    ("date_offset", "ms"),
    [
        (0, 90_000),
        (-20_000, 110_000),
        (20_000, 70_000),
        (DAY, None),
        (-DAY, 90_000 + DAY),
        (-DAY - 1, 90_000),
    ],
)
@pytest.mark.fault("P44", "S02")
def test_instants_are_measured_from_the_answers_own_date_if_it_is_sane(
    date_offset: int, ms: int | None
) -> None:
    """RELIABILITY S02, P44: up to a day apart the answer's clock is believed."""
    for text in (
        "Fri, 20 Nov 2026 09:01:30 GMT",
        "2026-11-20T09:01:30Z",
        str(NOW_S + 90),
        str(WALL + 90_000),
    ):
        assert reset(text, WALL + date_offset) == ms


def test_plain_waits_do_not_depend_on_any_clock() -> None:
    for wall in (0, WALL, 4 * WALL):
        assert parse_reset("7", wall_ms=wall, date_ms=wall - HOUR) == 7_000


@pytest.mark.parametrize(("text", "year"), [("20-Nov-26", 2026), ("20-Nov-76", 2076), ("20-Nov-77", 1977)])
def test_a_two_digit_year_is_at_most_fifty_years_ahead(text: str, year: int) -> None:
    """RFC 9110, 5.6.7."""
    instant = parse_instant(f"Friday, {text} 09:00:00 GMT", wall_ms=WALL)
    assert instant == int(datetime(year, 11, 20, 9, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "ms"), [("1500", 1_500), ("0.2", 1), ("0", None), ("-1", None), ("1s", None)]
)
def test_milliseconds_are_plain_numbers(text: str, ms: int | None) -> None:
    assert parse_ms(text) == ms


@seeded
@given(st.text(max_size=60) | st.text("0123456789.smhnu-:TZ+, ", max_size=40), st.none() | st.integers())
@pytest.mark.fault("S05")
def test_no_text_raises_and_every_wait_is_positive(text: str, date_ms: int | None) -> None:
    """RELIABILITY C2, S05: total."""
    for ms in (reset(text, date_ms), parse_wait(text), parse_ms(text)):
        assert ms is None or (isinstance(ms, int) and ms > 0)


@seeded
@given(st.integers(NOW_S + 1, NOW_S + 33 * 365 * 86_400))
def test_all_spellings_of_one_instant_mean_the_same(seconds: int) -> None:
    when = datetime.fromtimestamp(seconds, UTC)
    day, month = f"{when:%a}", f"{when:%b}"
    spellings = [
        f"{when:%Y-%m-%dT%H:%M:%S}Z",
        f"{day}, {when.day:02} {month} {when:%Y %H:%M:%S} GMT",
        f"{when:%A}, {when.day:02}-{month}-{when:%y %H:%M:%S} GMT",
        f"{day} {month} {when.day:2} {when:%H:%M:%S %Y}",
        str(seconds),
        str(seconds * 1000),
    ]
    assert {reset(text) for text in spellings} == {seconds * 1000 - WALL}


def test_an_hour_is_an_hour_in_every_unit() -> None:
    assert {parse_wait(text) for text in ("3600", "3600s", "60m", "1h", "59m60s", "3600000ms")} == {
        60 * MINUTE
    }


@pytest.mark.parametrize(
    ("now", "midnight"),
    [
        ("2026-11-20T09:00:00", "2026-11-21T08:00:00"),
        ("2026-11-21T07:59:59", "2026-11-21T08:00:00"),
        ("2026-11-21T08:00:00", "2026-11-22T08:00:00"),
        ("2026-07-01T06:59:00", "2026-07-01T07:00:00"),
        ("2026-10-31T12:00:00", "2026-11-01T07:00:00"),
        ("2026-11-01T12:00:00", "2026-11-02T08:00:00"),
    ],
)
def test_a_day_in_california_ends_at_its_own_midnight(now: str, midnight: str) -> None:
    wall, end = (int(datetime.fromisoformat(f"{at}+00:00").timestamp()) * 1000 for at in (now, midnight))
    assert until_pacific_midnight(wall) == end - wall
    assert until_pacific_midnight(wall + 1) == end - wall - 1


def test_without_a_time_zone_database_it_is_never_too_early(monkeypatch: pytest.MonkeyPatch) -> None:
    summer = int(datetime(2026, 7, 1, 12, tzinfo=UTC).timestamp()) * 1000
    known = until_pacific_midnight(summer)
    monkeypatch.setitem(sys.modules, "tzdata", None)
    zoneinfo.reset_tzpath(())
    zoneinfo.ZoneInfo.clear_cache()
    try:
        assert until_pacific_midnight(summer) == known + HOUR
    finally:
        zoneinfo.reset_tzpath()


@pytest.mark.parametrize(
    ("quota", "wait"),
    [
        ("GenerateRequestsPerDayPerProjectPerModel-FreeTier", 23 * HOUR),
        ("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", 13_000),
        (7, 13_000),
    ],
)
def test_the_delay_beside_a_spent_quota_of_the_day_is_not_believed(quota: object, wait: int) -> None:
    details = [{"violations": [{"quotaId": "x"}, {"quotaId": quota}]}, {"retryDelay": "13s"}]
    body = orjson.dumps([{"error": {"code": 429, "message": "Please retry in 13s.", "details": details}}])
    assert read_limits({}, body, 429, WALL).retry_after_ms == wait
