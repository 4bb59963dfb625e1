"""How much a profile's callers use: the traffic that the forecast gives to whoever serves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crtui.core import saved
from crtui.core.burn import RecentRate
from crtui.core.inputs import Usage
from crtui.core.now import HOUR, MINUTE, Now


class Demand:
    """One profile's tokens: their recent rate, and how they have split so far."""

    __slots__ = ("_rate", "_used")

    def __init__(self) -> None:
        self._rate = RecentRate()
        self._used = [0, 0, 0, 0]

    def add(self, usage: Usage, mono: int) -> None:
        """Count what one attempt used, at a monotonic time that never goes backwards."""
        used = self._used
        used[0] += usage.input
        used[1] += usage.output
        used[2] += usage.cache_read
        used[3] += usage.cache_write
        self._rate.add(usage.input + usage.output + usage.cache_read + usage.cache_write, mono)

    def hourly(self, now: Now) -> Usage:
        """Use per hour at the recent rate; nothing if that is unknown."""
        return split((self._rate.per_minute(now.mono) or 0.0) * HOUR / MINUTE, self._used)

    def dump(self, now_mono: int) -> dict[str, object]:
        """The state as JSON values; the recent rate is kept by age."""
        return {"recent": self._rate.dump(now_mono), "used": list(self._used)}

    def load(self, data: Mapping[str, Any], now_mono: int) -> None:
        """Become what ``dump`` described, as seen from a monotonic time."""
        self._rate.load(saved.inner(data, "recent"), now_mono)
        self._used = list(saved.values(data, "used", (int,)))
        if len(self._used) != 4:
            raise saved.BadDumpError(f"used: {len(self._used)} counts, not 4")


def split(tokens: float, used: Sequence[int]) -> Usage:
    """So many tokens in the proportions of ``used``: input, output, cache reads, cache writes."""
    total = sum(used)
    return Usage(*(round(tokens) * count // total for count in used)) if total else Usage()
