"""A quota window: what a provider has told of how much it still grants, and until when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from crtui.core import saved
from crtui.core.inputs import WindowReport
from crtui.core.now import MINUTE, SECOND
from crtui.core.trend import WindowTrend
from crtui.core.views import QuotaSource

SAME_RESET_MS: Final = 2 * SECOND
"""Resets this close together are one: many are told as whole seconds from then on."""
_SOURCES: Final[dict[str, QuotaSource]] = {
    "headers": "headers",
    "subscription": "subscription",
    "poll": "poll",
}


@dataclass(slots=True)
class Window:
    """The newest that is known of one window; times are monotonic but ``observed``."""

    name: str
    source: str
    observed: int
    observed_mono: int
    used: float | None
    remaining: float | None
    limit: float | None
    resets: int | None
    trend: WindowTrend
    unconfirmed: bool = False
    ticket: int = 0
    """Of the attempt that told it last; 0 where none did."""

    @property
    def spent(self) -> bool:
        """Whether nothing is left in it, as far as has been told and is still believed."""
        if self.unconfirmed:
            return False
        return self.remaining == 0 or (self.used is not None and self.used >= 100)

    @property
    def blocks_until(self) -> int:
        """A spent window's reset; one that never told it is taken for a minute's."""
        return self.resets if self.resets is not None else self.observed_mono + MINUTE

    @property
    def told_by(self) -> QuotaSource:
        """Its source, as a wait for it names it."""
        return _SOURCES.get(self.source, "headers")

    def holds(self, mono: int) -> bool:
        """Whether it keeps requests away at a monotonic time."""
        return self.spent and self.blocks_until > mono

    def is_newer(self, ticket: int, began: int | None) -> bool:
        """Whether it was told by a later attempt, or after a poll that began then had begun."""
        return 0 < ticket < self.ticket if began is None else began < self.observed_mono

    def corrected(self, report: WindowReport, resets: int | None) -> WindowReport | None:
        """What a report adds that was made before the one that told this window last; None: nothing.

        Of one period the smaller rest stays, and a later period is the newer one.
        """
        ahead = 0 if resets is None or self.resets is None else resets - self.resets
        if ahead < -SAME_RESET_MS:
            return None
        if ahead > SAME_RESET_MS:
            return report
        if self.spent and not report.spent:
            return None
        remaining, used = report.remaining, report.used_percent
        if remaining is not None and self.remaining is not None:
            remaining = min(remaining, self.remaining)
        if used is not None and self.used is not None:
            used = max(used, self.used)
        return replace(report, remaining=remaining, used_percent=used)

    def dump(self, now_mono: int) -> dict[str, object]:
        """The window as JSON values."""
        return {
            "name": self.name,
            "source": self.source,
            "observed": self.observed,
            "age": now_mono - self.observed_mono,
            "used": self.used,
            "remaining": self.remaining,
            "limit": self.limit,
            "resets": saved.left(self.resets, now_mono),
            "unconfirmed": self.unconfirmed,
            "trend": self.trend.dump(now_mono),
        }

    @classmethod
    def restored(cls, data: Mapping[str, Any], now_mono: int) -> Window:
        """The window that ``dump`` described, as seen from a monotonic time."""
        trend = WindowTrend()
        trend.load(saved.inner(data, "trend"), now_mono)
        return cls(
            saved.take(data, "name", str),
            saved.take(data, "source", str),
            saved.instant(data, "observed"),
            now_mono - saved.bounded(saved.take(data, "age", int), "age"),
            saved.number(data, "used"),
            saved.number(data, "remaining"),
            saved.number(data, "limit"),
            saved.deadline(data, "resets", now_mono),
            trend,
            saved.take(data, "unconfirmed", bool),
        )
