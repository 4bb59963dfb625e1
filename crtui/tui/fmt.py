"""Numbers and times in the fewest characters that still say what a person needs. All pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from itertools import pairwise
from typing import Final

from crtui.core.now import DAY, HOUR, MINUTE, SECOND
from crtui.tui.glyphs import AT_LEAST, BAR_EMPTY, BAR_FULL, NONE, SPARKS

_UNITS: Final = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def countdown(ms: int) -> str:
    """Time still to go, at most six characters: ``42s``, ``16m10``, ``2h14``, ``3d04``, ``now``."""
    if ms <= 0:
        return "now"
    seconds = math.ceil(ms / SECOND)
    if seconds < 100:
        return f"{seconds}s"
    if seconds < 3600:
        return f"{seconds // 60}m{seconds % 60:02d}"
    minutes = seconds // 60
    if minutes < 48 * 60:
        return f"{minutes // 60}h{minutes % 60:02d}"
    hours = minutes // 60
    return f"{hours // 24}d{hours % 24:02d}" if hours < 2400 else "99d+"


def age(ms: int) -> str:
    """Time gone by, in one unit: ``12s``, ``5m``, ``3h``, ``2d``."""
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "m")):
        if ms >= unit:
            return f"{ms // unit}{name}"
    return f"{max(0, ms) // SECOND}s"


def count(value: float | None) -> str:
    """A count with three significant figures: ``812``, ``1.2k``, ``48.2k``, ``2M``."""
    if value is None:
        return NONE
    for unit, name in _UNITS:
        if value >= unit * 0.9995:
            scaled = value / unit
            digits = f"{scaled:.0f}" if scaled >= 99.95 else f"{scaled:.1f}"
            return digits.removesuffix(".0") + name
    return f"{value:.0f}"


def usd(value: float | None, *, unpriced: int = 0) -> str:
    """An amount of US dollars; an unknown one says so, and one without ``unpriced`` requests is a least."""
    if value is None:
        return "unknown"
    least = AT_LEAST if unpriced else ""
    return f"{least}${value:,.2f}" if value < 1000 else f"{least}${value:,.0f}"


def percent(value: float | None) -> str:
    """A whole percentage. ``0%`` is shown for nothing at all only, ``100%`` for all of it only."""
    if value is None:
        return NONE
    if 0 < value < 1:
        return "<1%"
    return f"{math.floor(value)}%"


def latency(ms: float | None) -> str:
    """A latency: bare milliseconds under a second, else seconds with their unit."""
    if ms is None:
        return NONE
    if ms < 999.5:
        return f"{ms:.0f}"
    return f"{ms / 1000:.1f}s" if ms < 99_950 else f"{ms / 1000:.0f}s"


def error_rate(failed: int, total: int) -> str:
    """Failures as a percentage of all requests, one decimal under ten."""
    if total <= 0:
        return NONE
    share = 100 * failed / total
    return f"{share:.1f}" if share < 9.95 else f"{share:.0f}"


def clock_time(wall: int, zone: tzinfo | None, *, seconds: bool = True) -> str:
    """A wall time on the reader's own clock; ``zone`` None is the machine's."""
    local = datetime.fromtimestamp(wall / SECOND, UTC).astimezone(zone)
    return f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"


def file_time(wall: int, zone: tzinfo | None) -> str:
    """A wall time for a file's name: ``20261120-140322``."""
    return f"{datetime.fromtimestamp(wall / SECOND, UTC).astimezone(zone):%Y%m%d-%H%M%S}"


def bar(share: float, width: int) -> tuple[str, str]:
    """A meter of ``width`` cells as its filled and its empty part; a little is never shown as none."""
    filled = round(min(1.0, max(0.0, share)) * width)
    if share > 0:
        filled = max(1, filled)
    return BAR_FULL * filled, BAR_EMPTY * (width - filled)


def spark(values: Sequence[float], width: int) -> str:
    """The newest values as one row of at most ``width`` small columns, oldest first.

    Scaled between the smallest and the largest shown; the full block is left out so that
    sparklines in neighbouring rows do not fuse.
    """
    shown = bucket(values, width)
    if not shown:
        return ""
    low, high = min(shown), max(shown)
    span = max(high - low, high * 0.2, 1e-9)
    top = len(SPARKS) - 1
    return "".join(SPARKS[min(top, round((value - low) / span * top))] for value in shown)


def bucket(values: Sequence[float], width: int) -> list[float]:
    """At most ``width`` means of neighbouring values, in their order."""
    size = len(values)
    if size <= width:
        return list(values)
    edges = [size * i // width for i in range(width + 1)]
    return [sum(values[a:b]) / (b - a) for a, b in pairwise(edges)]
