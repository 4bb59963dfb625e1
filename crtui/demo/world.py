"""The demo world as one thing to start and stop: five providers, their script, the agents, their logs."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from crtui.clock import Clock
from crtui.core.now import MINUTE
from crtui.demo.cast import CAST
from crtui.demo.config import demo_config
from crtui.demo.logs import DemoLogs
from crtui.demo.server import SimulatedProvider
from crtui.demo.traffic import run_agents

SCRIPT_STEP_MS: Final = 250
"""How often the providers look whether the script has them crash or come back."""


class DemoWorld:
    """Five simulated providers on loopback, and agents to send requests through a gateway to them."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self._clock = clock
        self._seed = seed
        self._providers: dict[str, SimulatedProvider] = {}
        self._script: asyncio.Task[None] | None = None
        self._logs: DemoLogs | None = None

    @property
    def environ(self) -> dict[str, str]:
        """The made-up keys, by the variables the config names, and where the agents' logs lie."""
        keys = {part.key_env: part.key for part in CAST if part.key is not None}
        return keys if self._logs is None else keys | self._logs.environ

    async def start(self) -> dict[str, object]:
        """Open the providers' ports, begin the story, and return the config that names them.

        The config has the form of a config file (``gateway.listen`` is left to the caller).
        Raises ``OSError`` if no loopback port can be had.
        """
        began = self._clock.now()
        for part in CAST:
            provider = SimulatedProvider(part, self._clock, self._seed, began.mono)
            await provider.start()
            self._providers[part.name] = provider
        self._logs = DemoLogs(began.wall, self._seed)
        self._logs.write(began.wall)
        self._script = asyncio.create_task(self._follow_script(self._logs))
        base_urls = {name: provider.base_url for name, provider in self._providers.items()}
        return demo_config(base_urls, began.wall // MINUTE % (24 * 60))

    async def run_traffic(self, base_url: str, token: str | None) -> None:
        """Let the agents work on the gateway at ``base_url``, until cancelled."""
        await run_agents(base_url, token, self._clock, self._seed)

    async def stop(self) -> None:
        """Close every socket and end every task."""
        if self._script is not None:
            self._script.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._script
            self._script = None
        for provider in self._providers.values():
            await provider.stop()
        self._providers.clear()
        if self._logs is not None:
            self._logs.remove()
            self._logs = None

    async def _follow_script(self, logs: DemoLogs) -> None:
        while True:
            with contextlib.suppress(OSError):  # the disk is full: what was not written is missing
                logs.write(self._clock.now().wall)
            for provider in self._providers.values():
                with contextlib.suppress(OSError):  # its port is taken: tried again at the next step
                    await provider.follow_script()
            await asyncio.sleep(self._clock.real_seconds(SCRIPT_STEP_MS))
