"""A small HTTP/1.1 listener that can die as a crashed server does, and come back on its port.

It exists because no web server offers what a simulated outage needs: connections refused while
the port stays ours, and answers broken off in the middle. It reads what HTTP clients send on
loopback: a request line, headers, and a body with ``Content-Length``.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

MAX_HEAD: Final = 64 * 1024
"""Bytes of request line and headers that are read at most."""


_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True, slots=True)
class Request:
    """One request, whole. Header names are lower case; ``path`` has no query."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Exchange:
    """The answering side of one request: ``answer``, or ``begin``, ``chunk``... and ``end`` or ``cut``."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    async def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Send a complete answer."""
        await self._send(_head(status, {**headers, "content-length": str(len(body))}) + body)

    async def begin(self, headers: Mapping[str, str]) -> None:
        """Start a streamed 200."""
        await self._send(_head(200, {**headers, "transfer-encoding": "chunked"}))

    async def chunk(self, data: bytes) -> None:
        """Send the next piece. Raises ``ConnectionError`` once the client has left."""
        await self._send(b"%x\r\n%b\r\n" % (len(data), data))

    async def end(self) -> None:
        """Finish the stream properly."""
        await self._send(b"0\r\n\r\n")

    def cut(self) -> None:
        """Drop the connection at once, in the middle of whatever was being sent."""
        self._writer.transport.abort()

    async def _send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()


Handler = Callable[[Request, Exchange], Awaitable[None]]


class Listener:
    """Serves ``handler`` on a loopback port chosen by the system."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._server: asyncio.Server | None = None
        self._held: socket.socket | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self.port = 0

    @property
    def listening(self) -> bool:
        """Whether connections are accepted now."""
        return self._server is not None

    async def open(self) -> None:
        """Accept connections, on the port it had before if any. Raises ``OSError`` if that is taken."""
        held = self._held or self._bind()
        self._held = None
        self._server = await asyncio.start_server(self._connected, sock=held, limit=MAX_HEAD)

    async def crash(self) -> None:
        """Break every connection and refuse new ones until ``open``.

        A socket that is bound but does not listen keeps the port meanwhile, so nobody else gets it.
        """
        server = self._stop_listening()
        with contextlib.suppress(OSError):  # some systems hold the port back while connections end
            self._held = self._bind()
        await self._break_connections(server)

    async def close(self) -> None:
        """Stop for good: no socket and no task is left."""
        server = self._stop_listening()
        if self._held is not None:
            self._held.close()
            self._held = None
        await self._break_connections(server)

    def _stop_listening(self) -> asyncio.Server | None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        return server

    async def _break_connections(self, server: asyncio.Server | None) -> None:
        tasks = list(self._connections)
        for task, writer in list(self._connections.items()):
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if server is not None:
            await server.wait_closed()

    def _bind(self) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if os.name == "posix":  # elsewhere the option would let another program take the port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", self.port))
        except OSError:
            sock.close()
            raise
        sock.setblocking(False)
        self.port = sock.getsockname()[1]
        return sock

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._connections[task] = writer
        task.add_done_callback(self._connections.pop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        gone = (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError)
        try:
            with contextlib.suppress(*gone):
                while not writer.is_closing():
                    await self._handler(await _read_request(reader), Exchange(writer))
        finally:
            writer.close()


async def _read_request(reader: asyncio.StreamReader) -> Request:
    """Read one request. Raises ``ValueError`` for what is not HTTP, ``IncompleteReadError`` at the end."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ", 2)
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, target.partition("?")[0], headers, body)


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    status_line = f"HTTP/1.1 {status} {_PHRASES.get(status, 'Overloaded')}"
    lines = [status_line, *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
