"""uvicorn's HTTP protocol with the limits it lacks: on heads, and on bodies nobody waits for.

The app also needs two things ASGI does not hand over: the request target as it was sent, and the
transport, to cut a stalled client off. Both travel in ``scope["state"]``.
"""

from __future__ import annotations

import asyncio
from typing import Final

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

HEAD_BYTES: Final = 32 * 1024
HEAD_S: Final = 10.0
"""How long a request's head may take, from the connection or from its first byte."""
LINGER_S: Final = 2.0
"""How long a body is read on after its request was refused, so that the refusal arrives."""
FULL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
)
"""What a client hears that is one too many: nothing is read of it."""


class GatewayProtocol(HttpToolsProtocol):
    """One client connection. Beyond ``cap`` of them, one is refused at once."""

    def __init__(self, config: Config, state: ServerState, cap: int) -> None:
        super().__init__(config, state, {})
        self._cap = cap

    _head_bytes = 0
    _in_head = True
    _in_message = False
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected."""
        super().connection_made(transport)
        self.app_state = {"transport": transport}
        if len(self.connections) > self._cap:
            transport.write(FULL)
            transport.close()
            return
        self._limit(HEAD_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._unlimit()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes have come; those of a head are counted, since the parser would keep any number."""
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES and self._head_runs_on(data):
                self.send_400_response("The request's head is too large.")
                return
        super().data_received(data)
        if self._in_head and self._in_message and self._timer is None:
            self._limit(HEAD_S)

    def on_message_begin(self) -> None:
        """A request's first byte."""
        super().on_message_begin()
        self._in_head = self._in_message = True

    def on_headers_complete(self) -> None:
        """A request's head is whole."""
        self._in_head, self._head_bytes = False, 0
        self._unlimit()
        self.scope["state"]["target"] = self.url  # pyright: ignore[reportTypedDictNotRequiredAccess]
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """A request's body is whole."""
        self._in_message, self._in_head = False, True
        self._unlimit()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """An answer is out, perhaps before the body it answers came in."""
        super().on_response_complete()
        if self._in_message:
            self._limit(LINGER_S)

    def _head_runs_on(self, data: bytes) -> bool:
        # A large first read that holds a whole head and part of a body is no fault.
        end = data.find(b"\r\n\r\n")
        return end < 0 or self._head_bytes - len(data) + end > HEAD_BYTES

    def _limit(self, seconds: float) -> None:
        self._unlimit()
        self._timer = self.loop.call_later(seconds, self.transport.abort)

    def _unlimit(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
