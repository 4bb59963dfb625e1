"""What a streaming client hears while no provider has said a word: silence first, then a heartbeat.

For the first seconds status and headers are held back, so that an error can still be one. After that
the client gets them (a *soft commit*) and a sign of life now and then, or it would give up on a model
that loads or a long prompt. The next provider may still be tried; only errors are in-band from then on.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from crtui.gateway.reply import Header, Reply

SSE: Final[tuple[Header, ...]] = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
)


@dataclass(frozen=True, slots=True)
class Pace:
    """When a waiting client hears something, in seconds: first after ``silence_s``, then ``every_s``."""

    silence_s: float = 15.0
    every_s: float = 10.0


USUAL: Final = Pace()


class Waiting:
    """Runs from its making until ``stop``, which must come before anybody else writes to the reply."""

    def __init__(self, reply: Reply, heartbeat: bytes, pace: Pace) -> None:
        self._reply = reply
        self._heartbeat = heartbeat
        self._pace = pace
        self._task: asyncio.Task[None] | None = None
        # A task for each request would cost all those that are answered in time.
        self._timer = asyncio.get_running_loop().call_later(pace.silence_s, self._start)

    def stop(self) -> None:
        """The wait is over. What has been written is whole: a write is not split by this."""
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def _start(self) -> None:
        self._task = asyncio.create_task(self._keep_alive(), name="crtui-waiting")

    async def _keep_alive(self) -> None:
        await self._reply.begin(200, SSE, served=False)
        while True:
            await self._reply.piece(self._heartbeat)
            await asyncio.sleep(self._pace.every_s)
