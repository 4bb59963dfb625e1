"""One answer while it comes in: its head, and its body piece by piece."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from crtui.gateway.http.errors import HttpError

if TYPE_CHECKING:
    from crtui.gateway.http.connection import Connection

Header = tuple[bytes, bytes]

BUFFER_BYTES: Final = 128 * 1024
"""With more than this unread, nothing further is taken from the connection."""


class Response:
    """The answer to one request, read by one task.

    ``status`` is 0 until the head is there; ``headers`` have their names in lower case, and are
    otherwise as they came; ``ended`` once the whole body has come in, whether it was read or not.
    """

    __slots__ = (
        "_connection",
        "_discarding",
        "_failure",
        "_held",
        "_paused",
        "_pieces",
        "_waiter",
        "ended",
        "headers",
        "status",
    )

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._pieces: list[bytes] = []
        self._held = 0
        self._failure: HttpError | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._paused = False
        self._discarding = False
        self.status = 0
        self.headers: list[Header] = []
        self.ended = False

    def header(self, name: bytes) -> bytes:
        """The value of the first header of that lower-case name, or nothing."""
        return next((value for key, value in self.headers if key == name), b"")

    async def begun(self) -> Response:
        """Wait for the head; whatever prevents it closes the connection. Raises ``HttpError``."""
        try:
            while not self.status:
                if self._failure is not None:
                    raise self._failure
                await self._wait()
        except BaseException:
            self.close()
            raise
        return self

    async def read(self) -> bytes:
        """What has come of the body since, waited for; empty once all of it has been read.

        Raises ``HttpError`` where the body breaks off, after all that came before.
        """
        while not self._pieces:
            if self.ended:
                return b""
            if self._failure is not None:
                raise self._failure
            await self._wait()
        pieces = self._pieces
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._pieces, self._held = [], 0
        self._resume()
        return data

    def close(self) -> None:
        """Read no further: the connection is closed at once, unless the whole answer is in."""
        self._connection.drop(self)

    def finish(self, within_s: float) -> None:
        """Read no further, but let the rest come in for a moment, so that the connection can serve again."""
        if self.ended:
            return
        self._discarding = True
        self._pieces.clear()
        self._resume()
        asyncio.get_running_loop().call_later(within_s, self.close)

    def take(self, data: bytes) -> None:
        """The connection read a piece of the body."""
        if not self._discarding:
            self._pieces.append(data)
            self._held += len(data)

    def fail(self, failure: HttpError) -> None:
        """No more will come. The first reason given is the one that counts."""
        if not self.ended and self._failure is None:
            self._failure = failure
            self.wake()

    def wake(self) -> None:
        """Something came: let the reader look, and hold the connection where it is behind."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        if self._held > BUFFER_BYTES and not self._paused:
            self._paused = True
            self._connection.pause()

    def _resume(self) -> None:
        if self._paused:
            self._paused = False
            self._connection.resume()

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None
