"""The link within one process: the engine's thread publishes, the screen's thread reads.

The newest snapshot is one attribute, exchanged whole; commands cross by ``call_soon_threadsafe``.
A screen that is slow or stopped therefore holds nothing up.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from crtui.core.now import SECOND
from crtui.engine.link import BaseLink, LinkStatus

if TYPE_CHECKING:
    from crtui.core.inputs import Command
    from crtui.core.views import Snapshot
    from crtui.engine.engine import Engine

PUBLISH_S: Final = 0.2
"""Real seconds between two looks at whether there is something new."""
REFRESH_MS: Final = SECOND
"""Rates and projections move with time alone, so a snapshot is never older than this."""


class LocalLink(BaseLink):
    """``Link`` to an engine on another thread of this process."""

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        super().__init__(LinkStatus("connecting", url), read_only=read_only)
        self._engine: Engine | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked: asyncio.Event | None = None
        self._looked = True

    @property
    def latest(self) -> Snapshot | None:
        """The newest snapshot, or None before the first."""
        self._looked = True
        return self._latest

    def send(self, command: Command) -> None:
        """Hand a command to the engine's thread; a snapshot with its effect follows at once."""
        if self._read_only or self._loop is None or self._engine is None:
            return
        self._loop.call_soon_threadsafe(self._obey, command)

    def fail(self, detail: str) -> None:
        """The engine's side has ended; what is shown from now on is old."""
        self._status = LinkStatus("lost", self._status.url, detail)

    async def publish(self, engine: Engine) -> None:
        """Run on the engine's loop until cancelled: keep ``latest`` new."""
        self._engine, self._loop = engine, asyncio.get_running_loop()
        asked = self._asked = asyncio.Event()
        shown: tuple[int, ...] | None = None
        while True:
            # A picture that nobody has looked at yet is not replaced: making one is dear.
            if self._looked and (engine.version != shown or self._stale(engine)):
                self._looked = False
                self._latest = engine.snapshot()
                shown = engine.version
                self._status = LinkStatus("live", self._latest.gateway.url)
            asked.clear()
            try:
                async with asyncio.timeout(PUBLISH_S):
                    await asked.wait()
            except TimeoutError:
                continue

    def _stale(self, engine: Engine) -> bool:
        latest = self._latest
        return latest is None or engine.clock.now().wall - latest.at >= REFRESH_MS

    def _obey(self, command: Command) -> None:
        assert self._engine is not None
        assert self._asked is not None
        self._engine.command(command)
        self._looked = True
        self._asked.set()
