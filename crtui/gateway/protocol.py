"""One client's connection: HTTP/1.1 as RFC 9112 has it, read by llhttp, with limits on everything."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from crtui.gateway.body import Body
from crtui.gateway.guard import Headers, wants_websocket
from crtui.gateway.interrupt import Interrupt
from crtui.gateway.outbox import Outbox
from crtui.gateway.reply import Header, Reply
from crtui.gateway.request import Request

HEAD_BYTES: Final = 32 * 1024
HEAD_S: Final = 10.0
"""How long a request's head may take, from the connection or from its first byte."""
LINGER_S: Final = 2.0
"""How long a body is read on after its request was refused, so that the refusal arrives."""
KEEP_ALIVE_S: Final = 15.0
"""How long a connection may stay without a request."""
_REFUSED: Final = (
    b"HTTP/1.1 %b\r\n%bcontent-type: text/plain\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b"
)
_FULL: Final = b"503 Service Unavailable\r\nretry-after: 1"
"""What a client hears that is one too many: nothing is read of it."""
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_ONE_WRITE: Final = 16 * 1024
"""A larger body is not copied to be sent together with its head."""


@dataclass(slots=True)
class Hall:
    """What all connections share: who serves requests, how many there may be, and the time of day."""

    serve: Callable[[Request], Awaitable[None]]
    cap: int
    date: bytes = b""
    outbox: Outbox = field(default_factory=Outbox)
    connections: set[ClientConnection] = field(default_factory=set["ClientConnection"])


class ClientConnection(asyncio.Protocol):
    """Serves one request after the other; those that are sent ahead wait for their turn."""

    def __init__(self, hall: Hall) -> None:
        self.client = ""
        self._hall = hall
        self._loop = asyncio.get_running_loop()
        self._parser = self._new_parser()
        self._serving: Request | None = None
        self._watched: Interrupt | None = None
        self._waiting: deque[Request] = deque()
        self._task: asyncio.Task[None] | None = None
        self._body: Body | None = None
        self._target = b""
        self._headers: list[Header] = []
        self._expects = False
        self._head_bytes = 0
        self._in_head = True
        self._in_message = False
        self._offers = False
        self._timer: asyncio.TimerHandle | None = None
        self._idle_timer: asyncio.TimerHandle | None = None
        self._idle_since = 0.0
        self._room: asyncio.Event | None = None

    @property
    def date(self) -> bytes:
        """The ``date`` header's whole line."""
        return self._hall.date

    def write(self, *parts: bytes) -> None:
        """Send bytes; none go out any more once the client has gone."""
        if len(parts) > 1 and sum(map(len, parts)) <= _ONE_WRITE:
            parts = (b"".join(parts),)
        self._hall.outbox.write(self._transport, *parts)

    async def room(self) -> None:
        """Wait until the client has taken most of what was sent, or has gone."""
        if self._room is not None:
            await self._room.wait()

    def answered(self, *, keep: bool) -> None:
        """The answer is out as whole: the next request's turn, if there may be one."""
        self._serving = self._watched = None
        if self._transport.is_closing():
            return
        if self._in_message and not self._in_head and not self._waiting and self._body is not None:
            self._body.drop()
        if not keep:
            self._close()
            return
        self._transport.resume_reading()
        if self._waiting:
            self._start(self._waiting.popleft())
        elif self._in_message:
            self._limit(HEAD_S if self._in_head else LINGER_S, self._transport.abort)
        else:
            self._rest()

    def watch(self, interrupt: Interrupt) -> None:
        """Interrupt the request that is being served when the client leaves."""
        self._watched = interrupt
        if self._transport.is_closing():
            interrupt.fire("gone")

    def cut(self) -> None:
        """Drop the client at once, with what it has not taken yet."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        self._transport = cast("asyncio.Transport", transport)
        self._hall.connections.add(self)
        peer = transport.get_extra_info("peername")
        self.client = peer[0] if isinstance(peer, tuple) else ""
        if len(self._hall.connections) > self._hall.cap:
            self._refuse(_FULL, b"")
        else:
            self._limit(HEAD_S, self._transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone, and with it the requests that wait for their turn."""
        self._hall.connections.discard(self)
        self._unlimit()
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self.resume_writing()
        self._waiting.clear()
        if self._serving is not None:
            self._serving.lose()
        if self._watched is not None:
            self._watched.fire("gone")
        # The parser holds this object's methods, so each would keep the other.
        del self._parser

    def pause_writing(self) -> None:
        """The client takes less than it is sent."""
        self._room = asyncio.Event()

    def resume_writing(self) -> None:
        """It has caught up."""
        room, self._room = self._room, None
        if room is not None:
            room.set()

    def data_received(self, data: bytes) -> None:
        """Bytes have come; those of a head are counted, since the parser would keep any number."""
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES and self._head_runs_on(data):
                self._bad(b"The request's head is too large.")
                return
        try:
            while data:
                data = self._parsed(data)
        except HttpParserError:
            self._bad(b"Invalid HTTP request received.")
            return
        if self._in_head and self._in_message and self._serving is None and self._timer is None:
            self._limit(HEAD_S, self._transport.abort)

    def on_message_begin(self) -> None:
        """A request's first byte."""
        if self._body is not None:
            self._unlimit()  # but for the first request, whose time runs from the connection on
        self._in_head = self._in_message = True
        self._target, self._headers, self._expects = b"", [], False

    def on_url(self, url: bytes) -> None:
        """A piece of the request target."""
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A whole header; one that comes behind the body is dropped, as the head has been judged."""
        if not self._in_head:
            return
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self._expects = True
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """A request's head is whole: it is judged and served from here on, while its body comes in."""
        self._offers = self._parser.should_upgrade() and _is_offer(dict(self._headers))
        if self._offers:
            return
        self._in_head, self._head_bytes = False, 0
        self._unlimit()
        parser = self._parser
        method, modern = parser.get_method().decode(), parser.get_http_version() != "1.0"
        keep = modern and parser.should_keep_alive() and not parser.should_upgrade()
        reply = Reply(self, keep=keep, bare=method == "HEAD", chunked=modern)
        self._body = Body(self._go_on)
        request = Request(method, self._target, self._headers, reply, self, self._body)
        if self._serving is None:
            self._start(request)
        else:
            self._waiting.append(request)
            self._transport.pause_reading()

    def on_body(self, data: bytes) -> None:
        """A piece of the body, without its chunks' frames."""
        assert self._body is not None
        self._body.add(data)
        if self._body.stuck:
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        """A request's body is whole."""
        if self._offers:
            return
        self._in_message, self._in_head = False, True
        assert self._body is not None
        self._body.end()
        if self._serving is None:
            self._unlimit()
            self._rest()

    def _new_parser(self) -> HttpRequestParser:
        parser = HttpRequestParser(self)
        # The answer to the first of two requests sent at once may be the connection's last.
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser

    def _parsed(self, data: bytes) -> bytes:
        """Read on; returns what is to be read again, as the parser takes what follows an upgrade for no HTTP.

        That is a whole head without the upgrade it offers, which no client insists on (Java's offers h2c).
        """
        try:
            self._parser.feed_data(data)
            return b""
        except HttpParserUpgrade as upgrade:
            if not self._offers:
                return b""  # its head says so too, and is refused for it
            rest = data[upgrade.args[0] :]
        lines = [b"%b: %b\r\n" % header for header in self._headers if header[0] != b"upgrade"]
        version = self._parser.get_http_version().encode()
        first = b"%b %b HTTP/%b\r\n" % (self._parser.get_method(), self._target, version)
        self._parser = self._new_parser()
        return b"".join((first, *lines, b"\r\n", rest))

    def _start(self, request: Request) -> None:
        self._serving = request
        self._task = self._loop.create_task(self._serve(request))
        request.interrupt = Interrupt(self._task)

    async def _serve(self, request: Request) -> None:
        try:
            await self._hall.serve(request)
        finally:
            if not request.reply.ended:
                # What was cut must not look whole: no last chunk, and no further answer.
                self._close()

    def _go_on(self) -> None:
        """Somebody reads the body."""
        if self._expects and self._in_message:
            self._expects = False
            self.write(_CONTINUE)
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def _bad(self, words: bytes) -> None:
        if self._serving is not None and self._serving.reply.begun:
            self._transport.abort()  # nothing else can be said inside an answer
        else:
            self._refuse(b"400 Bad Request", words)

    def _refuse(self, status: bytes, words: bytes) -> None:
        self.write(_REFUSED % (status, self.date, len(words), words))
        self._close()

    def _close(self) -> None:
        self._hall.outbox.close(self._transport)

    def _head_runs_on(self, data: bytes) -> bool:
        # A large first read that holds a whole head and part of a body is no fault.
        end = data.find(b"\r\n\r\n")
        return end < 0 or self._head_bytes - len(data) + end > HEAD_BYTES

    def _rest(self) -> None:
        """No request from now on. One timer for all such times: it looks how long this one has lasted."""
        self._idle_since = self._loop.time()
        if self._idle_timer is None:
            self._idle_timer = self._loop.call_later(KEEP_ALIVE_S, self._look)

    def _look(self) -> None:
        self._idle_timer = None
        if self._serving is not None or self._in_message:
            return  # the next rest begins after it
        left = self._idle_since + KEEP_ALIVE_S - self._loop.time()
        if left <= 0:
            self._close()
        else:
            self._idle_timer = self._loop.call_later(left, self._look)

    def _limit(self, seconds: float, then: Callable[[], None]) -> None:
        self._unlimit()
        self._timer = self._loop.call_later(seconds, then)

    def _unlimit(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _is_offer(headers: Headers) -> bool:
    return b"upgrade" in headers and not wants_websocket(headers)
