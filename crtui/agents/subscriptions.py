"""What agents were told of their subscriptions, as hearsay of the providers that stand for those."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from crtui.core.inputs import Hearsay, WindowReport
from crtui.core.now import MINUTE
from crtui.core.views import AgentView, WindowView

FRESH_MS: Final = 10 * MINUTE
"""Older words are shown with their age and decide nothing."""


class Subscriptions:
    """Turns news of an agent's windows into hearsay; each is told once.

    ``providers`` leads from a provider's name to the agent whose subscription it is. Of an account that
    is used up nothing is told: it may be served beyond its limit, and the gateway's own request finds
    that out. So no word of an agent holds a provider back, or lets go what holds it.
    """

    def __init__(self, providers: Mapping[str, str]) -> None:
        self._providers = providers
        self._told: dict[tuple[str, str], int] = {}

    def news(self, agents: Iterable[AgentView], now: int) -> Iterator[Hearsay]:
        """One for each provider whose agent has been told something since the last call."""
        for agent in agents:
            news = [window for window in agent.windows if self._is_news(agent.name, window, now)]
            if not news:
                continue
            self._told |= {(agent.name, window.name): window.observed_at for window in news}
            if any((window.used_percent or 0.0) >= 100 for window in agent.windows):
                continue
            reports = tuple(_report(window) for window in news)
            names = (name for name, whose in self._providers.items() if whose == agent.name)
            yield from (Hearsay(name, reports) for name in names)

    def _is_news(self, agent: str, window: WindowView, now: int) -> bool:
        told = self._told.get((agent, window.name), now - FRESH_MS)
        return window.used_percent is not None and told < window.observed_at <= now


def _report(window: WindowView) -> WindowReport:
    return WindowReport(window.name, "subscription", window.used_percent, resets_at=window.resets_at)
