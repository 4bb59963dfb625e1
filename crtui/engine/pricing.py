"""What attempts cost: told by the provider, or else looked up in a price list.

The cost travels with the attempt into journal and trace, so a replay never depends on the list that
is installed. The list is loaded on a thread of its own when the first attempt needs it; attempts that
end before it is there are charged as soon as it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from crtui.core.inputs import Attempt, Charge, Usage
from crtui.core.settings import CoreSettings
from crtui.engine.notices import Notices
from crtui.providers.prices import PriceList, bills_by_list
from crtui.providers.provider import Provider

MOST_OPEN: Final = 10_000
"""More attempts than this cannot end while the list is loaded, unless it never is."""


class _Open(NamedTuple):
    """An attempt that has ended and is not priced yet."""

    provider: str
    model: str
    usage: Usage
    wall: int


class Pricing:
    """Prices attempts as they end. All but ``run``'s loading happens on the engine's thread."""

    def __init__(self, settings: CoreSettings, providers: Mapping[str, Provider], prices: PriceList) -> None:
        self._prices = prices
        self._urls = {
            row.name: providers[row.name].url("")
            for row in settings.providers
            if row.price is None and row.name in providers and bills_by_list(providers[row.name])
        }
        self._telling = {name for name, provider in providers.items() if provider.kind == "openrouter"}
        self._open: list[_Open] = []
        self._wanted = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many attempts wait for the list."""
        return len(self._open)

    def priced(self, attempt: Attempt, wall: int) -> Attempt:
        """The attempt with its cost, as far as that is known at ``wall``, when it ended."""
        usage = attempt.usage
        if usage is None or (usage.cost is not None and attempt.provider in self._telling):
            return attempt
        # Of other providers' word neither the currency nor who pays is known.
        cost = self._cost(attempt.provider, attempt.model, usage, wall)
        return attempt if cost == usage.cost else attempt._replace(usage=usage._replace(cost=cost))

    async def run(self, charge: Callable[[Charge], None], notices: Notices) -> None:
        """Load the list once it is wanted and charge what has waited for it, until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                await asyncio.to_thread(self._prices.load)
            except Exception as fault:
                # Whatever is wrong with the table, requests are served and their cost is unknown.
                notices.put("prices", f"prices are unknown, reinstall genai-prices: {fault!r:.80}")
                continue
            waited, self._open = self._open, []
            for item in waited:
                cost = self._cost(*item)
                if cost is not None:
                    charge(Charge(item.provider, item.usage._replace(cost=cost)))

    def _cost(self, provider: str, model: str | None, usage: Usage, wall: int) -> int | None:
        url = self._urls.get(provider)
        if url is None or model is None:
            return None
        if not self._prices.loaded:
            self._wait(_Open(provider, model, usage, wall))
            return None
        tariff = self._prices.tariff(url, model, wall)
        return None if tariff is None else tariff.cost(usage)

    def _wait(self, item: _Open) -> None:
        if len(self._open) < MOST_OPEN:
            self._open.append(item)
        if len(self._open) == 1:
            self._wanted.set()
