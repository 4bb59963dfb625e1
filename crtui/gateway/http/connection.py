"""One connection to a provider, serving one request after the other. RFC 9112; llhttp reads.

Its ways of saying two things at once are refused whole: an answer that another reader could end
elsewhere would let its tail pass for the next caller's answer.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, cast

from httptools import HttpParserError, HttpResponseParser

from crtui.gateway.http.errors import ClosedError, CutError, GarbledError
from crtui.gateway.http.response import Header, Response
from crtui.gateway.http.target import Origin

if TYPE_CHECKING:
    from crtui.gateway.http.pool import Pool

HEAD_BYTES: Final = 64 * 1024
"""What an answer's head may take, with those of the interim answers before it."""
_ONE_WRITE: Final = 16 * 1024
"""A larger body is not copied to be sent together with its head."""
_BODILESS: Final = (204, 304)
_SWITCHING: Final = 101


class _RefusedError(Exception):
    """Raised in a parser's callback to end the parsing."""


class Connection(asyncio.Protocol):
    """Made by dialling; ``pool`` hears when it is free for another request, and when it has gone."""

    def __init__(self, origin: Origin, pool: Pool) -> None:
        self.origin = origin
        self.idle_since = 0.0
        self._pool = pool
        self._parser = HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(lenient_spaces_after_chunk_size=True)
        self._transport: asyncio.Transport | None = None
        self._response: Response | None = None
        self._headers: list[Header] = []
        self._head_bytes = 0
        self._reusable = False
        self._until_close = False

    def ask(self, head: bytes, body: bytes) -> Response:
        """Send a request; only on a connection that is free."""
        assert self._transport is not None
        response = Response(self)
        if self._transport.is_closing():
            response.fail(ClosedError(unread=True))
            return response
        self._head_bytes = 0
        self._response = response
        parts = (head + body,) if len(body) <= _ONE_WRITE else (head, body)
        self._pool.outbox.write(self._transport, *parts)
        return response

    def drop(self, response: Response) -> None:
        """Close, unless this answer is no longer what the connection is reading."""
        if self._response is response:
            self.close()

    def close(self) -> None:
        """Close at once; an answer that is still coming breaks off."""
        self._pool.forget(self)
        response, self._response = self._response, None
        if response is not None:
            response.fail(CutError())
        if self._transport is not None:
            self._transport.abort()

    def pause(self) -> None:
        """Take nothing more from the network."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It has been dialled."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Bytes have come; those that nobody asked for end the connection."""
        response = self._response
        if response is None:
            self.close()
            return
        if not response.status:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserError:
            response.fail(GarbledError())
            self.close()
            # Its reader may wait for an answer that is whole: only what came behind it was wrong.
            response.wake()
            return
        if response.ended:
            self._served()
        elif not response.status and self._head_bytes > HEAD_BYTES:
            response.fail(GarbledError())
            self.close()
        response.wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """It has gone; an answer without any length of its own ends whole by that."""
        self._pool.forget(self)
        response, self._response = self._response, None
        # The parser holds this object's methods, so each would keep the other.
        del self._parser
        if response is None:
            return
        if not response.status:
            response.fail(ClosedError(unread=not self._head_bytes))
        elif self._until_close and exc is None:
            response.ended = True
            response.wake()
        else:
            response.fail(CutError())

    def on_message_begin(self) -> None:
        """An answer's first byte."""
        if self._response is None or self._response.ended:
            raise _RefusedError
        self._headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """A whole header."""
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """A whole head, perhaps only an interim one (RFC 9110, 15.2)."""
        status = self._parser.get_status_code()
        if self._head_bytes > HEAD_BYTES and sum(map(_size, self._headers)) > HEAD_BYTES:
            raise _RefusedError
        if 100 <= status < 200 and status != _SWITCHING:
            return
        if status < 200 or self._parser.get_http_version() not in ("1.1", "1.0"):
            raise _RefusedError
        self._until_close = not _framed(self._headers) and status not in _BODILESS
        self._reusable = self._parser.should_keep_alive()
        assert self._response is not None
        self._response.status, self._response.headers = status, self._headers
        self._headers = []  # what comes behind the body is not of the head

    def on_body(self, data: bytes) -> None:
        """A piece of the body, without its chunks' frames."""
        assert self._response is not None
        self._response.take(data)

    def on_message_complete(self) -> None:
        """A whole answer, or a whole interim one."""
        assert self._response is not None
        self._response.ended = self._response.status > 0

    def _served(self) -> None:
        """Be free for the next request, unless this one is still being sent or was to be the last."""
        self._response = None
        transport = self._transport
        if self._reusable and transport and not transport.get_write_buffer_size():
            self._pool.give(self)
        else:
            self.close()


def _size(header: Header) -> int:
    return len(header[0]) + len(header[1])


def _framed(headers: list[Header]) -> bool:
    """Whether the body's end is told by the head; one told in two ways is refused (RFC 9112, 6.3)."""
    codings = [value for name, value in headers if name == b"transfer-encoding"]
    lengths = [value for name, value in headers if name == b"content-length"]
    if len(codings) + len(lengths) > 1 or (codings and codings[0].lower() != b"chunked"):
        raise _RefusedError
    return bool(codings or lengths)
