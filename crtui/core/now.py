"""Time as the core sees it: a value that is handed in, in whole milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR


class Now(NamedTuple):
    """One instant on both clocks.

    ``mono`` drives cooldowns and windows and never jumps; ``wall`` (Unix epoch, UTC) is for
    calendar budgets and display only. Both are milliseconds. One is made for every input, and a
    named tuple is made in a third of a frozen dataclass's time.
    """

    mono: int
    wall: int

    def wall_at(self, mono: int) -> int:
        """The wall time that a monotonic deadline falls on, as seen from this instant."""
        return self.wall + (mono - self.mono)

    def mono_at(self, wall: int) -> int:
        """The monotonic deadline that a wall time means, as seen from this instant."""
        return self.mono + (wall - self.wall)


def stamp(wall: int) -> str:
    """A wall time as RFC 3339 UTC with milliseconds, e.g. ``2026-11-20T09:00:00.000Z``."""
    return _to_the_second(wall // SECOND) + _PAST_THE_SECOND[wall % SECOND]


def unstamp(text: str) -> int:
    """The wall milliseconds of such a stamp, or of any other RFC 3339 time. Raises ``ValueError``."""
    try:
        return round(datetime.fromisoformat(text).timestamp() * SECOND)
    except (OverflowError, OSError) as error:  # a time without a zone that this machine cannot place
        raise ValueError(f"not a time of this machine: {text!r}") from error


_PAST_THE_SECOND: Final = tuple(f".{ms:03d}Z" for ms in range(SECOND))


@lru_cache(maxsize=512)
def _to_the_second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


def next_midnight(wall: int) -> int:
    """The first UTC midnight after a wall time."""
    return (wall // DAY + 1) * DAY


def month_of(wall: int) -> str:
    """The UTC calendar month a wall time lies in, as ``YYYY-MM``."""
    return f"{datetime.fromtimestamp(wall // SECOND, UTC):%Y-%m}"


def next_month(wall: int) -> int:
    """The first instant of the UTC calendar month after the one a wall time lies in."""
    here = datetime.fromtimestamp(wall // SECOND, UTC)
    year, month = (here.year + 1, 1) if here.month == 12 else (here.year, here.month + 1)
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp()) * SECOND
