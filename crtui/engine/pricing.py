"""What attempts cost: told by the provider, or else looked up in a price list.

A vendor bills the model that answered, which may be another than was sent (an alias, or one that stood
in for it); where the list does not know that one, the price is that of the model sent.

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
    models: tuple[str, ...]
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

    def priced(self, attempt: Attempt, answered: str | None, wall: int) -> Attempt:
        """The attempt with its cost, as far as that is known at ``wall``, when it ended.

        ``answered`` is the model that the answer names.
        """
        usage = attempt.usage
        if usage is None or (usage.cost is not None and attempt.provider in self._telling):
            return attempt
        # Of other providers' word neither the currency nor who pays is known.
        models = tuple(model for model in (answered, attempt.model) if model is not None)
        cost = self._cost(attempt.provider, models, usage, wall)
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

    def _cost(self, provider: str, models: tuple[str, ...], usage: Usage, wall: int) -> int | None:
        """By the first of the models that the list knows."""
        url = self._urls.get(provider)
        if url is None or not models:
            return None
        if not self._prices.loaded:
            self._wait(_Open(provider, models, usage, wall))
            return None
        tariffs = (self._prices.tariff(url, model, wall) for model in models)
        tariff = next((found for found in tariffs if found is not None), None)
        return None if tariff is None else tariff.cost(usage)

    def _wait(self, item: _Open) -> None:
        if len(self._open) < MOST_OPEN:
            self._open.append(item)
        if len(self._open) == 1:
            self._wanted.set()
