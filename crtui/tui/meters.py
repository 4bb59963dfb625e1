"""How much of each limit a provider has left: its windows, the day's tokens and the month's money."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from crtui.core.now import DAY, HOUR, MINUTE

if TYPE_CHECKING:
    from crtui.core.views import BudgetView, ProviderView, WindowView

_LENGTH: Final = re.compile(r"(\d+)\s*(m|h|d)", re.IGNORECASE)
_UNIT: Final = {"m": MINUTE, "h": HOUR, "d": DAY}
_NAMED: Final = (("week", 7 * DAY), ("dai", DAY), ("day", DAY), ("hour", HOUR), ("minute", MINUTE))


@dataclass(frozen=True, slots=True)
class Meter:
    """One limit and its state. Times are wall milliseconds; None is unknown.

    ``used`` and ``limit`` are in the limit's own unit where both are known. ``unpriced`` requests are
    not in ``used``, so that ``left`` is the most there may be. ``lasts``: at its recent pace it holds until
    it is refilled; false also where no pace is known.
    """

    label: str
    left: float | None
    resets_at: int | None
    source: str
    observed_at: int | None = None
    empty_from: int | None = None
    empty_to: int | None = None
    unconfirmed: bool = False
    used: float | None = None
    limit: float | None = None
    money: bool = False
    unpriced: int = 0
    lasts: bool = False

    def short(self) -> bool:
        """Whether it runs out before it is refilled, at the present rate."""
        if self.empty_from is None:
            return False
        return self.resets_at is None or self.empty_from < self.resets_at

    def pace(self, now: int) -> float | None:
        """Share used over share of time gone by: above 1 it will not last. None: length unknown."""
        length = length_of(self.label)
        if length is None or self.left is None or self.resets_at is None or self.unconfirmed:
            return None
        gone = 1 - (self.resets_at - now) / length
        return (1 - self.left / 100) / gone if 0.02 <= gone <= 1 else None


def length_of(name: str) -> int | None:
    """The milliseconds that a window's name tells: ``5h``, ``7d``, ``weekly``; None if it tells none."""
    found = _LENGTH.search(name)
    if found:
        return int(found[1]) * _UNIT[found[2].lower()]
    lowered = name.lower()
    return next((length for word, length in _NAMED if word in lowered), None)


def meters_of(provider: ProviderView) -> list[Meter]:
    """Every limit of the provider: windows in their order, then the day's tokens, then the month's cap."""
    found = [window_meter(window) for window in provider.quota.windows]
    burn, budget = provider.burn, provider.budget
    if burn.budget_tokens:
        found.append(
            Meter(
                "day",
                _left(burn.used_tokens, burn.budget_tokens),
                burn.resets_at,
                "own count",
                empty_from=burn.exhausts_at,
                empty_to=burn.exhausts_at,
                used=burn.used_tokens,
                limit=burn.budget_tokens,
                lasts=burn.tokens_per_min is not None,
            )
        )
    if budget.monthly_usd:
        found.append(_month(budget, budget.monthly_usd))
    return found


def _month(budget: BudgetView, cap: float) -> Meter:
    spent = budget.spent_usd
    return Meter(
        "month",
        None if spent is None else _left(spent, cap),
        None,
        "own count",
        used=spent,
        limit=cap,
        money=True,
        unpriced=budget.unpriced_requests,
    )


def binding(provider: ProviderView) -> Meter | None:
    """The limit with the smallest share left among those that are known; the first one if none is."""
    found = meters_of(provider)
    known = [meter for meter in found if meter.left is not None and not meter.unconfirmed]
    if known:
        return min(known, key=lambda meter: meter.left if meter.left is not None else 101.0)
    return found[0] if found else None


def window_meter(window: WindowView) -> Meter:
    """A limit window as a meter."""
    left = None if window.used_percent is None else max(0.0, 100 - window.used_percent)
    if left is None and window.remaining is not None and window.limit:
        left = max(0.0, min(100.0, 100 * window.remaining / window.limit))
    used = None
    if window.limit is not None and window.remaining is not None:
        used = window.limit - window.remaining
    return Meter(
        window.name,
        left,
        window.resets_at,
        window.source,
        window.observed_at,
        window.exhausts_from,
        window.exhausts_to,
        window.unconfirmed,
        used,
        window.limit,
        lasts=window.lasts,
    )


def _left(used: float, limit: float) -> float:
    return max(0.0, 100 * (limit - used) / limit)
