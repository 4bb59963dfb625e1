"""A request's body as it comes in: nothing of it is waited for before its head was found good."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

BODY_PIECE_S: Final = 30.0
"""The longest pause between two pieces of a request's body."""
UNREAD_BYTES: Final = 64 * 1024
"""More than this is not taken from a client before somebody reads it."""


class BodyTooLargeError(Exception):
    """A body went past its limit while it was read."""


class BodyTooSlowError(Exception):
    """No further piece of a body came within ``BODY_PIECE_S``."""


class ClientGoneError(Exception):
    """The client closed its connection."""


class Body:
    """Filled by a connection, read by one task. ``more`` lets the connection read on."""

    __slots__ = ("_dropped", "_gone", "_held", "_more", "_pieces", "_reading", "_waiter", "complete")

    def __init__(self, more: Callable[[], None]) -> None:
        self._more = more
        self._pieces: list[bytes] = []
        self._held = 0
        self._reading = False
        self._dropped = False
        self._gone = False
        self._waiter: asyncio.Future[None] | None = None
        self.complete = False

    @property
    def stuck(self) -> bool:
        """Whether the connection should take no more for now."""
        return self._held > UNREAD_BYTES and not self._reading

    def add(self, data: bytes) -> None:
        """A piece has come."""
        if not self._dropped:
            self._pieces.append(data)
            self._held += len(data)
            self._wake()

    def end(self) -> None:
        """The last piece has come."""
        self.complete = True
        self._wake()

    def drop(self) -> None:
        """Nobody wants it any more: what else comes of it is not kept."""
        self._dropped = True
        self._pieces.clear()
        self._held = 0

    def lose(self) -> None:
        """The client has gone."""
        self._gone = True
        self._wake()

    async def whole(self, limit: int) -> bytes:
        """All of it, once, counted while it is read.

        Raises ``BodyTooLargeError``, ``BodyTooSlowError`` or ``ClientGoneError``.
        """
        self._reading = True
        # Also where all of it is here: a connection that takes nothing does not see its client leave.
        self._more()
        while not (self.complete or self._gone or self._held > limit):
            await self._next()
        if self._gone:
            raise ClientGoneError
        if self._held > limit:
            raise BodyTooLargeError
        pieces, self._pieces = self._pieces, []
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def _next(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(BODY_PIECE_S):
                await self._waiter
        except TimeoutError:
            raise BodyTooSlowError from None
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
