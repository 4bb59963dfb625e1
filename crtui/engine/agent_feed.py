"""The way of agents' logs into the engine: from the watcher's thread onto the engine's own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from crtui.agents.source import Source
from crtui.agents.subscriptions import Subscriptions
from crtui.agents.watcher import Ask, Watcher
from crtui.core.views import AgentView
from crtui.engine.engine import Engine


class AgentFeed:
    """Shows the engine what the agents' logs tell, and feeds it their subscriptions' windows.

    ``providers`` leads from a provider to the agent whose subscription it is; ``folder`` is the state
    directory, None where nothing can be kept; ``ask`` asks usage endpoints. ``start`` and ``stop`` are
    for the engine's loop.
    """

    def __init__(
        self,
        engine: Engine,
        sources: list[Source],
        folder: Path | None,
        providers: Mapping[str, str],
        ask: Ask | None = None,
    ) -> None:
        self._engine = engine
        self._subscriptions = Subscriptions(providers)
        self._watcher = Watcher(sources, folder, engine.clock, self._tell, self._warn, ask)
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Begin to follow the logs."""
        self._loop = asyncio.get_running_loop()
        self._watcher.start()

    async def stop(self) -> None:
        """End; what was read is kept."""
        self._loop = None
        await asyncio.to_thread(self._watcher.stop)

    def _tell(self, agents: tuple[AgentView, ...]) -> None:
        if (loop := self._loop) is not None:
            loop.call_soon_threadsafe(self._take, agents)

    def _warn(self, line: str) -> None:
        self._engine.notices.put("agents", line)

    def _take(self, agents: tuple[AgentView, ...]) -> None:
        self._engine.show_agents(agents)
        for news in self._subscriptions.news(agents, self._engine.clock.now().wall):
            self._engine.hear(news)
