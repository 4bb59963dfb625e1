"""A provider on loopback that does exactly what a script says, down to the byte and the reset.

A script is a coroutine function that gets the ``Exchange``. Nothing here sleeps: a script that has to
wait does so on an ``asyncio.Event`` the test holds, or on the client leaving.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, cast

Script = Callable[["Exchange"], Awaitable[None]]

SSE = ("content-type", "text/event-stream")
JSON = ("content-type", "application/json")


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when its connection is closed, by whichever side."""

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name), None)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Exchange:
    """One request being answered."""

    def __init__(self, link: _Link, seen: Seen) -> None:
        self._link = link
        self.seen = seen

    async def raw(self, data: bytes) -> None:
        """Write bytes as they are; returns when the client has room again."""
        await self._link.write(data)

    async def head(self, status: int, *headers: tuple[str, str]) -> None:
        lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {value}" for name, value in headers)]
        await self.raw("\r\n".join([*lines, "", ""]).encode("latin-1"))

    async def chunk(self, data: bytes) -> None:
        await self.raw(b"%x\r\n%s\r\n" % (len(data), data))

    async def end(self) -> None:
        await self.raw(b"0\r\n\r\n")

    def close(self) -> None:
        """Close without another byte."""
        self._link.transport.close()

    def reset(self) -> None:
        """Close so that the client gets a RST."""
        self._link.reset()

    async def stall(self) -> None:
        """Say nothing until the client leaves."""
        await self.seen.gone.wait()


class Upstream:
    """The server. Each request takes the next script; the last one serves all that follow."""

    def __init__(self, *scripts: Script) -> None:
        self.scripts = list(scripts)
        self.requests: list[Seen] = []
        self.connections = 0
        self.port = 0
        self._arrived = asyncio.Event()
        self._links: set[_Link] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Upstream:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Link(self), "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for link in tuple(self._links):
            link.transport.abort()
        # Scripts that wait for the client to leave end now; an error inside one fails the test.
        await asyncio.gather(*(link.task for link in tuple(self._links) if link.task is not None))
        await asyncio.sleep(0)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def open(self) -> int:
        """The connections there are now."""
        return sum(not link.gone for link in self._links)

    async def request(self, number: int = 0) -> Seen:
        """The request with that number, once it has come."""
        while len(self.requests) <= number:
            self._arrived.clear()
            await self._arrived.wait()
        return self.requests[number]

    async def reset_all(self) -> None:
        """Reset every connection, as a firewall does with idle ones."""
        for link in tuple(self._links):
            link.reset()
        await asyncio.sleep(0)

    def joined(self, link: _Link) -> None:
        self.connections += 1
        self._links.add(link)

    def left(self, link: _Link) -> None:
        if link.task is None or link.task.done():
            self._links.discard(link)

    async def answer(self, link: _Link, seen: Seen) -> None:
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        self.requests.append(seen)
        self._arrived.set()
        try:
            await script(Exchange(link, seen))
        except ConnectionResetError:
            return


class _Link(asyncio.Protocol):
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._buffer = b""
        self._writable = asyncio.Event()
        self._writable.set()
        self.gone = False
        self._seen: Seen | None = None
        self.task: asyncio.Task[None] | None = None
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclass of asyncio's.
        self.transport = cast("asyncio.Transport", transport)
        self._upstream.joined(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone = True
        self._writable.set()
        if self._seen is not None:
            self._seen.gone.set()
        self._upstream.left(self)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, mark, rest = self._buffer.partition(b"\r\n\r\n")
        if not mark:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        method, target, _ = first.split(" ")
        self._seen = Seen(method, target, headers, rest[:length])
        self.task = asyncio.ensure_future(self._upstream.answer(self, self._seen))

    def reset(self) -> None:
        raw: socket.socket = self.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    async def write(self, data: bytes) -> None:
        await self._writable.wait()
        if self.gone:
            raise ConnectionResetError
        self.transport.write(data)


def whole(status: int, body: bytes, *headers: tuple[str, str]) -> Script:
    """A complete answer with its length."""

    async def script(exchange: Exchange) -> None:
        await exchange.head(status, ("content-length", str(len(body))), *headers)
        await exchange.raw(body)

    return script


def ok_json(value: object, *headers: tuple[str, str]) -> Script:
    """A 200 with a JSON body."""
    return whole(200, json.dumps(value).encode(), JSON, *headers)


def status(code: int, value: object, *headers: tuple[str, str]) -> Script:
    """A status with a JSON body."""
    return whole(code, json.dumps(value).encode(), JSON, *headers)


def stream(*pieces: bytes | asyncio.Event, headers: Iterable[tuple[str, str]] = ()) -> Script:
    """A 200 stream: bytes are sent as one chunk each, an event is waited for. Ends cleanly."""

    async def script(exchange: Exchange) -> None:
        await _pieces(exchange, pieces, headers)
        await exchange.end()

    return script


def cut(*pieces: bytes | asyncio.Event, how: str) -> Script:
    """A stream that stops after its pieces: ``reset`` (RST), ``close`` (FIN inside the chunked body),
    ``clean`` (its last chunk, but not its end marker), ``stall`` (silence until the client leaves),
    ``garbage`` (no chunk at all) or ``short`` (FIN inside a chunk).
    """

    async def script(exchange: Exchange) -> None:
        await _pieces(exchange, pieces, ())
        match how:
            case "reset":
                exchange.reset()
            case "close":
                exchange.close()
            case "clean":
                await exchange.end()
            case "stall":
                await exchange.stall()
            case "garbage":
                await exchange.raw(b"what?\r\n")
            case _:
                await exchange.raw(b"40\r\ndata: {")
                exchange.close()

    return script


async def _pieces(
    exchange: Exchange, pieces: Iterable[bytes | asyncio.Event], headers: Iterable[tuple[str, str]]
) -> None:
    await exchange.head(200, SSE, ("transfer-encoding", "chunked"), *headers)
    for piece in pieces:
        if isinstance(piece, asyncio.Event):
            await piece.wait()
        else:
            await exchange.chunk(piece)


async def reset(exchange: Exchange) -> None:
    """RST instead of an answer."""
    exchange.reset()


async def stall(exchange: Exchange) -> None:
    """No answer at all, until the client leaves."""
    await exchange.stall()


async def redirect(exchange: Exchange) -> None:
    """A redirect to somewhere else."""
    await exchange.head(307, ("location", "http://192.0.2.1/v1/messages"), ("content-length", "0"))


async def html(exchange: Exchange) -> None:
    """A captive portal's page."""
    await whole(200, b"<html><title>Log in</title></html>", ("content-type", "text/html"))(exchange)


async def compressed(exchange: Exchange) -> None:
    """Says gzip although identity was asked for."""
    await whole(200, b"\x1f\x8b\x08\x00", JSON, ("content-encoding", "gzip"))(exchange)


def sse(event: str | None, data: object) -> bytes:
    """One event's bytes."""
    text = data if isinstance(data, str) else json.dumps(data, separators=(",", ":"))
    return (f"event: {event}\n" if event else "").encode() + f"data: {text}\n\n".encode()
