"""The one parser for "when may I come again": every form of it, as milliseconds from now.

Nonsense (a sign, NaN, infinity, digits that are not ASCII, 400 of them, an instant that has
passed) is None, as if nothing had been said. Fractions are rounded up to the millisecond, so that
waiting exactly as long as asked is long enough.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from fractions import Fraction
from math import ceil
from typing import Final

from crtui.core.now import DAY, HOUR, MINUTE, SECOND

_NUMBER: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,30})?")
_PARTS: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,30})?)(ns|us|µs|ms|s|m|h|d)")
_DURATION: Final = re.compile(rf"(?:{_PARTS.pattern}){{1,8}}")
_UNIT_MS: Final = {
    "ns": Fraction(1, 1_000_000),
    "us": Fraction(1, 1000),
    "µs": Fraction(1, 1000),
    "ms": Fraction(1),
    "s": Fraction(SECOND),
    "m": Fraction(MINUTE),
    "h": Fraction(HOUR),
    "d": Fraction(DAY),
}

# A number tells by its size what it is: nobody asks for 10^9 s of waiting (31 years), and both
# 10^9 s and 10^12 ms after the epoch lie in 2001.
_EPOCH_SECONDS_FROM: Final = 10**9
_EPOCH_MS_FROM: Final = 10**12

_RFC3339: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?"
    r"(?:[Zz]|([+-][0-9]{2}):?([0-9]{2}))?"
)

# RFC 9110, 5.6.7: IMF-fixdate, the RFC 850 form and asctime's.
_DAY: Final = r"(?P<day>[0-9]{1,2})"
_MONTH: Final = r"(?P<month>[A-Z][a-z]{2})"
_TIME: Final = r"(?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2})"
_ZONE: Final = r"(?: (?:GMT|UTC|[+-]0000))?"
_HTTP_DATES: Final = (
    re.compile(rf"(?:[A-Z][a-z]{{2}}, )?{_DAY} {_MONTH} (?P<year>[0-9]{{4}}) {_TIME}{_ZONE}"),
    re.compile(rf"[A-Z][a-z]{{5,8}}, {_DAY}-{_MONTH}-(?P<year>[0-9]{{2}}) {_TIME}{_ZONE}"),
    re.compile(rf"[A-Z][a-z]{{2}} {_MONTH} +{_DAY} {_TIME} (?P<year>[0-9]{{4}})"),
)
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def parse_reset(text: str, *, wall_ms: int, date_ms: int | None = None) -> int | None:
    """Milliseconds from now until the wait or the instant that ``text`` names is over; more than 0.

    Takes seconds (``7``, ``0.5``), Go durations (``6m0s``, ``2m59.56s``), epoch seconds and
    milliseconds, the three HTTP dates and RFC 3339. Instants are told from waits by their size.
    ``date_ms`` is the answer's own ``Date``: where it lies within a day of ``wall_ms``, instants
    are measured from it, so that a clock a little off makes no wait longer or shorter.
    """
    wait = parse_wait(text)
    if wait is not None:
        return wait
    instant = parse_instant(text, wall_ms=wall_ms)
    if instant is None:
        return None
    now = date_ms if date_ms is not None and abs(date_ms - wall_ms) <= DAY else wall_ms
    return instant - now if instant > now else None


def parse_wait(text: str) -> int | None:
    """Milliseconds of a plain wait: seconds or a duration with units. None for anything else."""
    text = text.strip(" \t")
    if _NUMBER.fullmatch(text):
        seconds = Fraction(text)
        return ceil(seconds * SECOND) or None if seconds < _EPOCH_SECONDS_FROM else None
    if not _DURATION.fullmatch(text):
        return None
    return ceil(sum(Fraction(number) * _UNIT_MS[unit] for number, unit in _PARTS.findall(text))) or None


def parse_ms(text: str) -> int | None:
    """Milliseconds of a plain number of milliseconds, as in ``retry-after-ms``."""
    text = text.strip(" \t")
    if not _NUMBER.fullmatch(text):
        return None
    return ceil(Fraction(text)) or None


def parse_instant(text: str, *, wall_ms: int) -> int | None:
    """Wall milliseconds of an instant: epoch seconds or milliseconds, an HTTP date or RFC 3339.

    ``wall_ms`` settles the century of two-digit years, as RFC 9110 asks. The instant may be past.
    """
    text = text.strip(" \t")
    if _NUMBER.fullmatch(text):
        return _epoch(Fraction(text))
    try:
        return _rfc3339(text) or _http_date(text, wall_ms)
    except (ValueError, OverflowError):
        return None


def until_pacific_midnight(wall_ms: int) -> int:
    """Milliseconds until Google's quotas by the day begin anew: at midnight in California.

    https://ai.google.dev/gemini-api/docs/rate-limits
    """
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # few answers need it

    try:
        zone: tzinfo = ZoneInfo("America/Los_Angeles")
    except ZoneInfoNotFoundError:
        zone = timezone(-timedelta(hours=8))  # in summer an hour late, and never early
    today = datetime.fromtimestamp(wall_ms // SECOND, zone).replace(hour=0, minute=0, second=0)
    return _to_ms(today + timedelta(days=1)) - wall_ms


def _epoch(number: Fraction) -> int | None:
    if number < _EPOCH_SECONDS_FROM:
        return None
    return ceil(number if number >= _EPOCH_MS_FROM else number * SECOND)


def _rfc3339(text: str) -> int | None:
    """RFC 3339; a missing zone is taken as UTC."""
    match = _RFC3339.fullmatch(text)
    if not match:
        return None
    date, time, fraction, hours, minutes = match.groups()
    sign = -1 if hours and hours.startswith("-") else 1
    offset = timedelta(hours=int(hours or 0), minutes=sign * int(minutes or 0))
    whole = datetime.fromisoformat(f"{date}T{time}").replace(tzinfo=timezone(offset))
    return _to_ms(whole) + ceil(Fraction(f"0.{fraction or 0}") * SECOND)


def _http_date(text: str, wall_ms: int) -> int | None:
    match = next((found for form in _HTTP_DATES if (found := form.fullmatch(text))), None)
    if not match or match["month"] not in _MONTHS:
        return None
    year = int(match["year"])
    if len(match["year"]) == 2:
        year = _full_year(year, datetime.fromtimestamp(wall_ms // SECOND, UTC).year)
    hour, minute, second = map(int, match["time"].split(":"))
    month = _MONTHS.index(match["month"]) + 1
    # A leap second is written :60 and has no datetime of its own.
    whole = datetime(year, month, int(match["day"]), hour, minute, min(second, 59), tzinfo=UTC)
    return _to_ms(whole) + max(0, second - 59) * SECOND if second <= 60 else None


def _full_year(two_digits: int, this_year: int) -> int:
    """The year nearest to now that ends so and is not more than 50 years ahead (RFC 9110, 5.6.7)."""
    year = this_year - this_year % 100 + two_digits
    return year - 100 if year > this_year + 50 else year


def _to_ms(whole: datetime) -> int:
    return int((whole - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * SECOND
