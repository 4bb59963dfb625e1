"""Host names to addresses, kept for a minute: a burst of new connections asks once."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from functools import partial
from typing import Any, Final

from crtui.gateway.http.target import Origin

KEPT_S: Final = 60.0
KEPT: Final = 256
"""Of more hosts than these, all are forgotten."""
ADDRESSES: Final = 8
"""Of more addresses of one host, the rest is not tried."""

Address = tuple[int, Any]
"""A socket family and what its ``connect`` takes."""


class Names:
    """What has been looked up, by host and port."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int], tuple[float, asyncio.Task[list[Address]]]] = {}

    async def addresses(self, origin: Origin) -> list[Address]:
        """Where the origin is. Raises ``socket.gaierror``, or ``UnicodeError`` for what can be no name."""
        where = (origin.host, origin.port)
        with contextlib.suppress(socket.gaierror):
            return _mixed(socket.getaddrinfo(*where, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST))
        loop = asyncio.get_running_loop()
        until, task = self._found.get(where, (0.0, None))
        if task is None or until <= loop.time():
            if len(self._found) >= KEPT:
                self._found.clear()
            task = asyncio.create_task(_looked_up(*where), name="crtui-names")
            task.add_done_callback(partial(self._settled, where))
            self._found[where] = loop.time() + KEPT_S, task
        # Shared: who leaves must not end it for the others.
        return await asyncio.shield(task)

    def close(self) -> None:
        """Stop looking."""
        for _, task in tuple(self._found.values()):
            task.cancel()

    def _settled(self, where: tuple[str, int], task: asyncio.Task[list[Address]]) -> None:
        # A failure is not kept. Nobody may be waiting for it any more, so it is also taken note of here.
        if task.cancelled() or task.exception() is not None:
            self._found.pop(where, None)

    def forget(self, origin: Origin) -> None:
        """Look the host up anew: nobody answered there."""
        self._found.pop((origin.host, origin.port), None)


async def _looked_up(host: str, port: int) -> list[Address]:
    loop = asyncio.get_running_loop()
    return _mixed(await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM))


def _mixed(found: list[Any]) -> list[Address]:
    """Families in turn, beginning with the one that the system prefers (RFC 8305, 4)."""
    first = [(row[0], row[4]) for row in found if row[0] == found[0][0]]
    other = [(row[0], row[4]) for row in found if row[0] != found[0][0]]
    mixed = [pair for both in zip(first, other, strict=False) for pair in both]
    longer = max(first, other, key=len)
    return [*mixed, *longer[len(mixed) // 2 :]][:ADDRESSES]
