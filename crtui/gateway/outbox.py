"""Writes of one turn of the event loop, sent together.

A write wakes a peer that sleeps, which costs more than the write. So the first of a turn goes out at
once, and those that follow wait for the end of the turn: by then their peer is awake, or will be once.
"""

from __future__ import annotations

import asyncio


class Outbox:
    """For all connections to one kind of peer. Every write to them goes through it, in order."""

    __slots__ = ("_loop", "_turning", "_waiting")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._turning = False
        self._waiting: list[tuple[asyncio.Transport, tuple[bytes, ...]]] = []

    def write(self, transport: asyncio.Transport, *parts: bytes) -> None:
        """Send bytes now or at the end of this turn."""
        if self._turning:
            self._waiting.append((transport, parts))
            return
        self._turning = True
        self._loop.call_soon(self._turned)
        _send(transport, parts)

    def close(self, transport: asyncio.Transport) -> None:
        """Close a connection once it has sent what was written to it."""
        self.flush()
        transport.close()

    def flush(self) -> None:
        """Send what waits."""
        waiting, self._waiting = self._waiting, []
        for transport, parts in waiting:
            _send(transport, parts)

    def _turned(self) -> None:
        self._turning = False
        self.flush()


def _send(transport: asyncio.Transport, parts: tuple[bytes, ...]) -> None:
    if transport.is_closing():
        return
    if len(parts) == 1:
        transport.write(parts[0])
    else:
        transport.writelines(parts)
