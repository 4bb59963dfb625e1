"""List prices of models, from the table of genai-prices that is installed; it never asks the network.

The table knows a vendor by its base URL and a model by its name. Importing it takes a tenth of a
second and some 6 MB, so nothing is loaded until ``PriceList.load``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from crtui.core.inputs import Usage
from crtui.core.money import MOST, Rates
from crtui.core.now import MINUTE, SECOND
from crtui.providers.provider import MAX_MODEL_NAME, Provider

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice, TieredPrices

    _Price = Decimal | TieredPrices | None

_KEPT: Final = 512
_STEADY_MS: Final = 15 * MINUTE
"""Prices that depend on the date or the time of day change on a quarter of an hour."""
_PER_MILLION: Final = 10**6
_PER_THOUSAND: Final = 10**9


class Tariff(NamedTuple):
    """What one model costs: the rates by size of the whole input, the dearest size first.

    Each step holds for an input of more than so many tokens, cached ones included, and then for all
    of them. ``request`` is a fee of pico-dollars for each request.
    """

    steps: tuple[tuple[int, Rates], ...]
    request: int = 0

    def cost(self, usage: Usage) -> int:
        """What an attempt with this use cost, in pico-dollars."""
        size = usage.input + usage.cache_read + usage.cache_write
        _, rates = self.steps[-1]
        for above, dearer in self.steps:
            if size > above:
                rates = dearer
                break
        return min(MOST, self.request + rates.cost(usage))


class PriceList:
    """Prices by base URL and model. Knows nothing until it is loaded."""

    def __init__(self) -> None:
        self.loaded = False
        self._tariff = lru_cache(_KEPT)(_tariff)

    def load(self) -> None:
        """Import the table; blocks for a tenth of a second, on whatever thread this is."""
        import genai_prices

        # The table itself is read at the first question.
        genai_prices.calc_price(genai_prices.Usage(), "gpt-4o", provider_id="openai")
        self.loaded = True

    def tariff(self, base_url: str, model: str, wall: int) -> Tariff | None:
        """What a model costs at a wall time; None for a vendor or model that is not in the table."""
        if not self.loaded or len(model) > MAX_MODEL_NAME:
            return None
        return self._tariff(base_url, model, wall // _STEADY_MS)


def bills_by_list(provider: Provider) -> bool:
    """Whether list prices mean anything for it: a caller's own credential may be a subscription's."""
    return provider.auth == "key" and not provider.local


def _tariff(base_url: str, model: str, quarter: int) -> Tariff | None:
    import genai_prices

    when = datetime.fromtimestamp(quarter * _STEADY_MS // SECOND, UTC)
    try:
        found = genai_prices.calc_price(
            genai_prices.Usage(), model, provider_api_url=base_url, genai_request_timestamp=when
        )
    except (LookupError, ValueError):
        return None
    return _steps_of(found.model_price)


def _steps_of(price: ModelPrice) -> Tariff | None:
    if price.input_mtok is None and price.output_mtok is None:
        return None
    tokens = (
        price.input_mtok,
        price.output_mtok,
        _first(price.cache_read_mtok, price.input_mtok),
        _first(price.cache_write_mtok, price.input_mtok),
        _first(price.cache_write_1h_mtok, price.cache_write_mtok, price.input_mtok),
    )
    starts = sorted({0, *(start for part in tokens for start in _starts(part))}, reverse=True)
    steps = tuple((start, _rates(tokens, start)) for start in starts)
    return Tariff(steps, _above(price.requests_kcount, 0, _PER_THOUSAND))


def _first(*prices: _Price) -> _Price:
    """A price that is not listed is that of the kind of token it would be without a cache."""
    return next((price for price in prices if price is not None), None)


def _starts(price: _Price) -> list[int]:
    return [] if price is None or isinstance(price, Decimal) else [tier.start for tier in price.tiers]


def _rates(prices: tuple[_Price, ...], above: int) -> Rates:
    sent, got, read, written, hour = (_above(price, above, _PER_MILLION) for price in prices)
    return Rates(sent, got, read, written, hour)


def _above(price: _Price, above: int, pico: int) -> int:
    """The price of an input of more than so many tokens; 0 where there is none."""
    if price is None:
        return 0
    if not isinstance(price, Decimal):
        reached = [tier.price for tier in price.tiers if tier.start <= above]
        price = reached[-1] if reached else price.base
    return round(price * pico)
