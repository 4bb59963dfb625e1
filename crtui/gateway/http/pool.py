"""Connections that wait for the next request to their origin."""

from __future__ import annotations

import asyncio
from typing import Final

from crtui.gateway.http.connection import Connection
from crtui.gateway.http.target import Origin
from crtui.gateway.outbox import Outbox

IDLE_S: Final = 60.0
"""How long an idle connection is kept."""


class Pool:
    """Every connection that is open, and which of them are idle. The newest is used first."""

    def __init__(self, idle_s: float = IDLE_S) -> None:
        self._idle_s = idle_s
        self._loop = asyncio.get_running_loop()
        self.outbox = Outbox()
        """What every connection writes through."""
        self._open: set[Connection] = set()
        # An ordered set: the newest is taken, and one that closes can be anywhere.
        self._idle: dict[Origin, dict[Connection, None]] = {}
        self._sweeping: asyncio.TimerHandle | None = None

    def add(self, connection: Connection) -> None:
        """A new connection, in use."""
        self._open.add(connection)

    def take(self, origin: Origin) -> Connection | None:
        """An idle connection to use, if there is one."""
        idle = self._idle.get(origin)
        return idle.popitem()[0] if idle else None

    def give(self, connection: Connection) -> None:
        """A connection is free for another request."""
        connection.idle_since = self._loop.time()
        self._idle.setdefault(connection.origin, {})[connection] = None
        if self._sweeping is None:
            self._sweeping = self._loop.call_later(self._idle_s, self._sweep)

    def forget(self, connection: Connection) -> None:
        """A connection has gone, or is about to."""
        self._open.discard(connection)
        idle = self._idle.get(connection.origin)
        if idle is not None:
            idle.pop(connection, None)

    def drop_idle(self, origin: Origin) -> None:
        """Close the idle connections to an origin."""
        for connection in tuple(self._idle.get(origin, ())):
            connection.close()

    def close(self) -> None:
        """Close every connection, those in use too."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        for connection in tuple(self._open):
            connection.close()

    def _sweep(self) -> None:
        """Close what has been idle too long, and look again when the next may have been."""
        self._sweeping = None
        now = self._loop.time()
        idle = [connection for by_origin in self._idle.values() for connection in by_origin]
        for connection in idle:
            if connection.idle_since + self._idle_s <= now:
                connection.close()
        oldest = min((connection.idle_since for by in self._idle.values() for connection in by), default=None)
        if oldest is not None:
            self._sweeping = self._loop.call_at(oldest + self._idle_s, self._sweep)
