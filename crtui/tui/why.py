"""Why a provider is in its state, in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crtui.tui import fmt
from crtui.tui.meters import meters_of

if TYPE_CHECKING:
    from crtui.core.views import ProviderView, ReasonView


def why(provider: ProviderView) -> str:
    """The reasons for the provider's state, gravest first; empty for one that is simply fine."""
    parts = [reason_words(provider, reason) for reason in provider.reasons]
    if not parts:
        parts = [
            f"{meter.label} limit runs dry before it resets" for meter in meters_of(provider) if meter.short()
        ][:1]
    return "; ".join(dict.fromkeys(part for part in parts if part))


def reason_words(provider: ProviderView, reason: ReasonView) -> str:
    """One reason without its guard and its times."""
    if reason.detail:
        return f"key refused: {reason.detail}" if reason.guard == "auth" else reason.detail
    match reason.guard:
        case "burn":
            return _burn(provider)
        case "budget":
            return f"{fmt.usd(provider.budget.monthly_usd)} cap of {provider.budget.month} reached"
        case "auth":
            return "key missing or refused"
        case _:
            return f"{reason.guard}: {reason.code.replace('_', ' ')}"


def _burn(provider: ProviderView) -> str:
    burn = provider.burn
    budget = fmt.count(burn.budget_tokens)
    if burn.budget_tokens is not None and burn.used_tokens < burn.budget_tokens:
        return f"too fast: {fmt.count(burn.projected_tokens)} by midnight UTC, budget {budget}"
    return f"the day's {budget} tokens are used up"
