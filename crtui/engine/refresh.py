"""A provider's signal made new: one free probe, however many processes and tasks ask for it at once.

Whoever gets the provider's lock asks; the others wait for that and read what was written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from crtui.clock import Clock
from crtui.core.inputs import Poll
from crtui.engine.lock import FileLock
from crtui.engine.signals import Signal, SignalFiles, after_poll

DEADLINE_S: Final = 5.0
_LOOK_S: Final = 0.05

Ask = Callable[[str], Awaitable[Poll]]


class Refresher:
    """Belongs to one event loop. ``ask`` polls one provider's free endpoints (the poller's probe)."""

    def __init__(self, files: SignalFiles, ask: Ask, clock: Clock, deadline_s: float = DEADLINE_S) -> None:
        self._files = files
        self._ask = ask
        self._clock = clock
        self._deadline_s = deadline_s
        self._running: dict[str, asyncio.Task[Signal]] = {}

    async def refresh(self, provider: str) -> Signal:
        """The signal after a probe, or what was known before where none answered within the deadline.

        Raises ``ValueError`` for what is no provider's name, ``OSError`` where nothing can be written.
        """
        task = self._running.get(provider)
        if task is None:
            task = self._running[provider] = asyncio.create_task(self._refresh(provider))
            task.add_done_callback(lambda _: self._running.pop(provider, None))
        # One caller that leaves must not take the answer from the others.
        return await asyncio.shield(task)

    async def _refresh(self, provider: str) -> Signal:
        lock = FileLock(self._files.path(provider, ".lock"))
        self._files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            async with asyncio.timeout(self._deadline_s):
                if lock.take():
                    return await self._probe(provider)
                while not lock.take():  # noqa: ASYNC110 - another process has it: there is no event to wait for
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            pass
        finally:
            lock.release()
        return self._files.read(provider) or Signal(provider)

    async def _probe(self, provider: str) -> Signal:
        poll = await self._ask(provider)
        signal = after_poll(poll, self._files.read(provider), self._clock.now().wall)
        self._files.write(signal)
        return signal
