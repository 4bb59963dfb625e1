"""The spend cap: USD of one provider per UTC calendar month.

Money is counted in whole pico-dollars. A price of one USD per million tokens is one million of
them per token, so prices of up to six decimals add up without a rounding error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from crtui.core import saved
from crtui.core.inputs import Usage
from crtui.core.now import DAY, HOUR, Now, month_of, next_month, stamp
from crtui.core.settings import Price
from crtui.core.verdict import Told
from crtui.core.views import BudgetView

_PICO: Final = 10**12
_PER_TOKEN: Final = 10**6
_SET_BACK: Final = 62 * DAY
"""A month that ends later than this after now was opened by a wrong clock."""


class Budget:
    """What one provider has cost, and whether its month's cap is reached."""

    def __init__(self, monthly_usd: float | None, price: Price | None) -> None:
        self._monthly_usd = monthly_usd
        self._cap = None if monthly_usd is None else round(monthly_usd * _PICO)
        self._rates = None if price is None else _rates(price)
        self._month = ""
        self._until = 0
        self._spent = 0
        self._total = 0

    def charge(self, usage: Usage, now: Now) -> list[Told]:
        """Add what an attempt cost; tells ``budget.exceeded`` when that reaches or passes the cap.

        Negative counts are 0. An unknown price charges nothing.
        """
        events = self.expire(now)
        if self._rates is None:
            return events
        was_reached = self._reached
        cost = _cost(self._rates, usage)
        self._spent += cost
        self._total += cost
        if self._reached and not was_reached:
            data = {"spent_usd": self._spent / _PICO, "monthly_usd": self._monthly_usd}
            events.append(("budget.exceeded", {**data, "until": stamp(self._until)}))
        return events

    def verdict(self, now: Now) -> tuple[str, int] | None:
        """Code ``spent`` and the wall time the month ends, if the cap is reached; else None."""
        if self._cap is None or self._spent < self._cap:
            return None
        _, until, spent = self._in_month(now.wall)
        return ("spent", until) if spent >= self._cap else None

    def lasts(self, hourly: Usage, now: Now) -> int | None:
        """For how many ms what is left of the cap lasts at that use; None without a cap, price or use."""
        if self._cap is None or self._rates is None or not (cost := _cost(self._rates, hourly)):
            return None
        return max(0, self._cap - self._in_month(now.wall)[2]) * HOUR // cost + 1

    def due(self) -> int | None:
        """The wall time at which ``expire`` has something to do: the end of a month that cost anything."""
        return self._until if self._spent else None

    def expire(self, now: Now) -> list[Told]:
        """Begin a new month once the old one has ended; tells ``budget.reset`` if that lifts the cap."""
        was_reached = bool(self._spent) and self._reached
        self._month, self._until, self._spent = self._in_month(now.wall)
        if was_reached and not self._reached:
            return [("budget.reset", {"month": self._month})]
        return []

    def view(self, now: Now) -> BudgetView:
        """Cap, spend and month at an instant; the spend is None while no price is known."""
        month, _, spent = self._in_month(now.wall)
        return BudgetView(self._monthly_usd, None if self._rates is None else spent / _PICO, month)

    @property
    def counts(self) -> bool:
        """Whether ``charge`` does anything: there is a price, or a month that cost something to end."""
        return self._rates is not None or self._spent > 0

    @property
    def clear(self) -> bool:
        """Whether ``verdict`` is None whatever the time."""
        return not self._reached

    @property
    def cost_usd(self) -> float | None:
        """USD over all months; None while no price is known."""
        return None if self._rates is None else self._total / _PICO

    def dump(self) -> dict[str, object]:
        """The counts as JSON values; ``until`` is wall milliseconds, money is pico-dollars.

        Money is text: a sum may be larger than the whole numbers JSON libraries agree on.
        """
        money = {"spent": str(self._spent), "total": str(self._total)}
        return {"month": self._month, "until": self._until, **money}

    def load(self, data: Mapping[str, Any]) -> None:
        """Become what ``dump`` described, under this object's own cap and price."""
        month, until = saved.take(data, "month", str), saved.instant(data, "until")
        spent, total = (int(saved.take(data, key, str)) for key in ("spent", "total"))
        if not 0 <= spent <= total:
            raise saved.BadDumpError(f"spent: {spent} of {total}")
        self._month, self._until, self._spent, self._total = month, until, spent, total

    @property
    def _reached(self) -> bool:
        return self._cap is not None and self._spent >= self._cap

    def _in_month(self, wall: int) -> tuple[str, int, int]:
        """Month, its end and its spend as of a wall time.

        A clock set back across a month's start stays in the later month, so no spend is lost; one
        set back by months takes the spend along, so that a wrong clock cannot lock a provider out.
        """
        if wall >= self._until:
            return month_of(wall), next_month(wall), 0
        if self._until - wall > _SET_BACK:
            return month_of(wall), next_month(wall), self._spent
        return self._month, self._until, self._spent


def _rates(price: Price) -> tuple[int, int, int, int] | None:
    """Pico-dollars per token of input, output, cache read and cache write; None if all are unknown.

    A missing cache price is the input price: a vendor's discount is not guessed, so a cap may
    trip early but a cache read is never taken to be free.
    """
    if price == Price():
        return None
    read = price.input if price.cache_read is None else price.cache_read
    write = price.input if price.cache_write is None else price.cache_write
    return _rate(price.input), _rate(price.output), _rate(read), _rate(write)


def _rate(usd_per_million: float | None) -> int:
    return round((usd_per_million or 0) * _PER_TOKEN)


def _cost(rates: tuple[int, int, int, int], usage: Usage) -> int:
    counts = (usage.input, usage.output, usage.cache_read, usage.cache_write)
    return sum(max(0, count) * rate for count, rate in zip(counts, rates, strict=True))
