"""Whether a spend cap can hold: without a price nothing is counted against it."""

from __future__ import annotations

from crtui.config.model import Provider as ProviderTable
from crtui.modes.doctor.checks import Check
from crtui.providers.prices import PriceList, bills_by_list
from crtui.providers.provider import Provider
from crtui.text import scrub

_PRICE = "price = { input = ..., output = ... }"


def wants_prices(table: ProviderTable) -> bool:
    """Whether there is a cap that rests on list prices."""
    return bool(table.monthly_usd) and table.price is None


def cap_checks(table: ProviderTable, provider: Provider, prices: PriceList, wall: int) -> list[Check]:
    """One check where there is a cap; OpenRouter tells the cost of each answer itself."""
    if not table.monthly_usd:
        return []
    if table.price is not None or table.kind == "openrouter":
        return [Check("cap", "ok", f"${table.monthly_usd:g} a month")]
    if not bills_by_list(provider):
        return [Check("cap", "warn", "counts nothing: no list has its price", _PRICE)]
    named = [name for name in (table.model, *table.models.values()) if name is not None]
    unknown = [name for name in named if prices.tariff(provider.url(""), name, wall) is None]
    if unknown:
        said = f"counts nothing for {scrub(unknown[0], 60)}: no list has its price"
        return [Check("cap", "warn", said, _PRICE)]
    return [Check("cap", "ok", f"${table.monthly_usd:g} a month, by list prices")]
