"""The spend cap: USD of one provider per UTC calendar month, counted in whole pico-dollars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from crtui.core import saved
from crtui.core.inputs import Usage
from crtui.core.money import PICO, rates_of, usd
from crtui.core.now import DAY, HOUR, Now, month_of, next_month, stamp
from crtui.core.settings import Price
from crtui.core.verdict import Told
from crtui.core.views import BudgetView

_SET_BACK: Final = 62 * DAY
"""A month that ends later than this after now was opened by a wrong clock."""


class Budget:
    """What one provider has cost, and whether its month's cap is reached.

    A configured price is what its tokens cost; where there is none, for one of the kinds of tokens that
    an attempt used, it is what the attempt's usage says.
    """

    def __init__(self, monthly_usd: float | None, price: Price | None) -> None:
        self._monthly_usd = monthly_usd
        self._cap = None if monthly_usd is None else round(monthly_usd * PICO)
        self._rates = None if price is None else rates_of(price)
        self._known = self._rates is not None
        self._month = ""
        self._until = 0
        self._spent = 0
        self._unpriced = 0
        self._ever_unpriced = 0
        self._total = 0
        self._tokens = 0

    def charge(self, usage: Usage, now: Now) -> list[Told]:
        """Add what an attempt cost; tells ``budget.exceeded`` when that reaches or passes the cap.

        Negative counts are 0. An unknown price charges nothing.
        """
        events = [] if 0 < self._until - now.wall <= _SET_BACK else self.expire(now)
        own = self._own_price(usage)
        cost = usage.cost if own is None else own
        if cost is None:
            self._unpriced += 1
            self._ever_unpriced += 1
            return events
        return events + self._add(cost, usage) if events else self._add(cost, usage)

    def settle(self, usage: Usage, now: Now) -> list[Told]:
        """Add what an attempt cost that was charged when its price was unknown; else as ``charge``."""
        events = self.expire(now)
        if usage.cost is None or self._own_price(usage) is not None:
            return events
        self._unpriced = max(0, self._unpriced - 1)
        self._ever_unpriced = max(0, self._ever_unpriced - 1)
        return events + self._add(usage.cost, usage)

    def _own_price(self, usage: Usage) -> int | None:
        """By the configured price; None where that says nothing of these tokens."""
        rates = self._rates
        if rates is None or (rates.unknown and not rates.covers(usage)):
            return None
        return rates.cost(usage)

    def _add(self, cost: int, usage: Usage) -> list[Told]:
        was_reached = self._reached
        self._known = True
        self._spent += cost
        self._total += cost
        self._tokens += max(0, usage.total)
        if was_reached or not self._reached:
            return []
        data = {"spent_usd": usd(self._spent), "monthly_usd": self._monthly_usd}
        return [("budget.exceeded", {**data, "until": stamp(self._until)})]

    def verdict(self, now: Now) -> tuple[str, int] | None:
        """Code ``spent`` and the wall time the month ends, if the cap is reached; else None."""
        if self._cap is None or self._spent < self._cap:
            return None
        _, until, spent, _ = self._in_month(now.wall)
        return ("spent", until) if spent >= self._cap else None

    def expected(self, usage: Usage) -> int | None:
        """What such tokens may cost: by the configured price, else at the mean of all so far."""
        own = self._own_price(usage)
        if own is not None:
            return own
        return self._total * usage.total // self._tokens if self._tokens else None

    def lasts(self, hourly: Usage, now: Now) -> int | None:
        """For how many ms what is left of the cap lasts at that use; None without a cap, price or use."""
        if self._cap is None or not (cost := self.expected(hourly)):
            return None
        return max(0, self._cap - self._in_month(now.wall)[2]) * HOUR // cost + 1

    def due(self) -> int | None:
        """The wall time at which ``expire`` has something to do: the end of a month that cost anything."""
        return self._until if self._spent else None

    def expire(self, now: Now) -> list[Told]:
        """Begin a new month once the old one has ended; tells ``budget.reset`` if that lifts the cap."""
        was_reached = bool(self._spent) and self._reached
        self._month, self._until, self._spent, self._unpriced = self._in_month(now.wall)
        if was_reached and not self._reached:
            return [("budget.reset", {"month": self._month})]
        return []

    def view(self, now: Now) -> BudgetView:
        """Cap, spend and month at an instant; the spend is None while no price is known."""
        month, _, spent, unpriced = self._in_month(now.wall)
        return BudgetView(self._monthly_usd, usd(spent) if self._known else None, month, unpriced)

    @property
    def clear(self) -> bool:
        """Whether ``verdict`` is None whatever the time."""
        return not self._reached

    @property
    def cost_usd(self) -> float | None:
        """USD over all months; None while no price is known."""
        return usd(self._total) if self._known else None

    @property
    def ever_unpriced(self) -> int:
        """Attempts over all months whose cost is not known, and so not in ``cost_usd``."""
        return self._ever_unpriced

    def dump(self) -> dict[str, object]:
        """The counts as JSON values; ``until`` is wall milliseconds, money is pico-dollars.

        Money is text: a sum may be larger than the whole numbers JSON libraries agree on.
        """
        money = {"spent": str(self._spent), "total": str(self._total)}
        unpriced = {"unpriced": self._unpriced, "ever_unpriced": self._ever_unpriced}
        counts = {"known": self._known, "tokens": self._tokens, **unpriced}
        return {"month": self._month, "until": self._until, **money, **counts}

    def load(self, data: Mapping[str, Any]) -> None:
        """Become what ``dump`` described, under this object's own cap and price.

        Earlier versions' dumps do not say ``ever_unpriced``, the first's neither ``known``,
        ``unpriced`` and ``tokens``.
        """
        month, until = saved.take(data, "month", str), saved.instant(data, "until")
        spent, total = (int(saved.take(data, key, str)) for key in ("spent", "total"))
        if not 0 <= spent <= total:
            raise saved.BadDumpError(f"spent: {spent} of {total}")
        data = {"known": total > 0, "unpriced": 0, "tokens": 0, **data}
        data = {"ever_unpriced": data["unpriced"], **data}
        unpriced, ever, tokens = (
            saved.take(data, key, int) for key in ("unpriced", "ever_unpriced", "tokens")
        )
        if not 0 <= unpriced <= ever or tokens < 0:
            raise saved.BadDumpError(f"unpriced, tokens: {unpriced} of {ever}, {tokens}")
        self._known = saved.take(data, "known", bool) or self._rates is not None
        self._month, self._until, self._spent, self._total = month, until, spent, total
        self._unpriced, self._ever_unpriced, self._tokens = unpriced, ever, tokens

    @property
    def _reached(self) -> bool:
        return self._cap is not None and self._spent >= self._cap

    def _in_month(self, wall: int) -> tuple[str, int, int, int]:
        """Month, its end, its spend and its attempts without a price as of a wall time.

        A clock set back across a month's start stays in the later month, so no spend is lost; one
        set back by months takes the spend along, so that a wrong clock cannot lock a provider out.
        """
        if wall >= self._until:
            return month_of(wall), next_month(wall), 0, 0
        if self._until - wall > _SET_BACK:
            return month_of(wall), next_month(wall), self._spent, self._unpriced
        return self._month, self._until, self._spent, self._unpriced
