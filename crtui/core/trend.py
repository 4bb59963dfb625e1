"""When a quota window is used up: how fast it has filled, told as a range that its own past supports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from math import sqrt
from operator import sub
from typing import Any, Final, NamedTuple

from crtui.core import saved
from crtui.core.now import MINUTE

NEEDED_MS: Final = 10 * MINUTE
NEEDED_POINTS: Final = 5.0
"""A pace is known once so much has moved in so long."""

STILL_MS: Final = 15 * MINUTE
STILL_POINTS: Final = 2.0
"""A window that has not risen for so long, in which it was to rise so far, is not being used."""

READING_ERROR: Final = 1.0
"""Percentages come rounded, so how far one has moved is known to about a point."""

STEP: Final = 2.0
"""A rise of less than this moves the newest point on, so that there are never much more than fifty."""

SLOWEST: Final = 0.5
"""However a pace falls off, it is not taken to fall below this share of what it was on average."""

Point = tuple[int, float]
"""A time, and the percentage first seen at it."""


class Ends(NamedTuple):
    """Between which times a window is used up, or that it ``lasts`` to its reset; neither if unknown."""

    soon: int | None = None
    late: int | None = None
    lasts: bool = False


class WindowTrend:
    """How fast one quota window fills, from the percentages that messages told of it.

    Times are milliseconds of any one clock. ``heard`` is when it was told last, risen or not, and
    ``used`` when anything was used last, if it is known: a window that nobody uses stands still.
    """

    def __init__(self) -> None:
        self._points: list[Point] = []

    def add(self, percent: float, at: int) -> None:
        """Take one reading. A percentage that falls means the window was refilled: start anew.

        By up to a point it was not: of two sources one may round down what the other tells exactly.
        """
        points, percent = self._points, min(percent, 100.0)
        last = points[-1][1] if points else percent
        if points and percent <= last:
            risen = last - points[0][1]
            if risen and (percent == last or last - percent <= READING_ERROR < risen):
                return
            points.clear()  # also where it has not risen yet: it begins to with the next reading
        elif len(points) > 1 and last - points[-2][1] < STEP:
            points.pop()
        points.append((at, percent))

    def forecast(self, now: int, resets: int | None, heard: int, used: int | None) -> Ends:
        """Whether and when 100 % is reached before the window's reset, at which the later end is cut off.

        Nothing is known before 10 minutes and 5 points of movement, at 100 %, and while nobody uses it.
        """
        seen = _seen(now, heard, used)
        if resets is None or (found := self._range(seen)) is None:
            return Ends()
        soon, late = (max(now, seen + round(ms)) for ms in found)
        return Ends(soon, min(late, resets)) if soon < resets else Ends(lasts=True)

    def filling(self, now: int, heard: int, used: int | None) -> tuple[float, float, int] | None:
        """The points left up to 100 % by now, the points per ms on average, and when it rose last.

        None where ``forecast`` knows nothing.
        """
        seen = _seen(now, heard, used)
        if self._range(seen) is None:
            return None
        (begun, start), (rose, percent) = self._points[0], self._points[-1]
        pace = (percent - start) / (max(seen, rose) - begun)
        return max(0.0, 100 - percent - pace * (now - seen)), pace, rose

    def dump(self, now_mono: int) -> dict[str, object]:
        """The readings as JSON values, by age in milliseconds."""
        return {"points": [[now_mono - mono, percent] for mono, percent in self._points]}

    def load(self, data: Mapping[str, Any], now_mono: int) -> None:
        """Become what ``dump`` described, as seen from a monotonic time."""
        rows = saved.rows(data, "points", (int,), saved.NUMBER)
        self._points.clear()
        for age, percent in rows:  # earlier versions' rows need not rise
            self.add(percent, now_mono - saved.bounded(age, "points"))

    def _range(self, seen: int) -> tuple[float, float] | None:
        """In how many ms from ``seen`` it is full, at the earliest and at the latest.

        At the average pace, but for what the readings' error leaves open, and for as much time as the
        window has ever gained on that pace, or lost to it in a pause. One that has changed from the
        whole to its later half is taken to go on changing.
        """
        points = self._points
        if not points:
            return None
        (begun, start), (rose, percent) = points[0], points[-1]
        risen, left, length = percent - start, 100 - percent, max(seen, rose) - begun
        if left <= 0 or risen < NEEDED_POINTS or rose - begun < NEEDED_MS:
            return None
        if seen - rose > max(STILL_MS, STILL_POINTS * (rose - begun) / risen):
            return None
        average, bend = risen / length, _bend(points, left)
        fast, slow = (risen + READING_ERROR) / length, (risen - READING_ERROR) / length
        # What is to come strays as a walk at random does: further than what was, if it takes longer.
        further = sqrt(max(1.0, left / average / length))
        gained, lost = (further * strayed for strayed in _strayed(points, seen, average))
        soon = max(left / max(fast, _fastest(points)), left / fast - gained)
        late = left / min(slow, max(average + bend, SLOWEST * average)) + lost
        return min(soon, left / (average + max(bend, 0.0))), late


def _seen(now: int, heard: int, used: int | None) -> int:
    """Now, less the time in which it was used after it was told last: for so long it stood as told."""
    return now if used is None else max(heard, now - max(0, used - heard))


def _strayed(points: Sequence[Point], seen: int, pace: float) -> tuple[float, float]:
    """The most ms by which the window ever got ahead of an even pace, and fell behind it."""
    ahead = [percent / pace - at for at, percent in (*points, (seen, points[-1][1]))]
    return max(map(sub, ahead, accumulate(ahead, min))), max(map(sub, accumulate(ahead, max), ahead))


def _bend(points: Sequence[Point], left: float) -> float:
    """By how much the pace of what is left differs from the average, if it goes on changing evenly."""
    (begun, start), (rose, percent) = points[0], points[-1]
    middle, half = next(point for point in reversed(points) if (rose - point[0]) * 2 >= rose - begun)
    later = (percent - half) / (rose - middle)
    return 2 * (later - (percent - start) / (rose - begun)) * (1 + left / later / (rose - begun))


def _fastest(points: Sequence[Point]) -> float:
    """The fastest pace over any stretch that is long enough to tell one."""
    fastest, begin = 0.0, 0
    for at, percent in points:
        early, low = at - NEEDED_MS, percent - NEEDED_POINTS
        while points[begin + 1][0] <= early and points[begin + 1][1] <= low:  # never the point itself
            begin += 1
        then, before = points[begin]
        if then <= early and before <= low:
            fastest = max(fastest, (percent - before + READING_ERROR) / (at - then))
    return fastest
