"""Servers that are no HTTP servers, addresses that swallow packets, and names that lead astray."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from tests.gateway.conftest import House
from tests.gateway.wires import chat_request

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(handler: Handler, host: str = "127.0.0.1", **options: Any) -> AsyncIterator[int]:
    """Calls ``handler`` with each connection, and gives its port; what still runs at the end is cancelled."""
    running: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            await handler(reader, writer)
        except (ConnectionError, asyncio.CancelledError, ssl.SSLError):
            return
        finally:
            running.discard(task)
            writer.transport.abort()

    listener = await asyncio.start_server(connected, host, 0, **options)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()
        for task in tuple(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def says(*pieces: bytes, after: bytes = b"\r\n\r\n", stay: bool = False) -> Handler:
    """A server that writes these bytes once it has read a request up to ``after``, then hangs up or stays."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(after)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if stay:
            await reader.read(-1)

    return handler


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes the connection and nothing else."""
    await asyncio.Event().wait()


@contextmanager
def black_hole(host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """A port whose queue is full: the kernel drops what would open another connection."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket(family))
        listener.bind((host, port))
        listener.listen(0)
        address = listener.getsockname()
        for _ in range(4):
            waiting = stack.enter_context(socket.socket(family))
            waiting.setblocking(False)
            waiting.connect_ex(address)
        yield address[1]


def resolve(monkeypatch: pytest.MonkeyPatch, names: dict[str, list[str] | Callable[[], None]]) -> None:
    """Let the machine's resolver know these names and no other; a callable is what a lookup runs into."""
    real = socket.getaddrinfo

    def lookup(host: Any, port: Any, *args: Any, flags: int = 0, **options: Any) -> list[Any]:
        flags = args[3] if len(args) > 3 else flags
        known = names.get(host.decode() if isinstance(host, bytes) else host)
        if known is None or flags & socket.AI_NUMERICHOST:
            return real(host, port, *args[:3], flags=flags, **options)
        if callable(known):
            known()
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [row for address in known for row in real(address, port, 0, socket.SOCK_STREAM)]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)


async def failed_over(gateway: House, body: bytes = b"") -> tuple[str | None, str, int | None]:
    """How the attempt at the first provider ended, after the second one has answered."""
    answer = await gateway.chat(body or chat_request())
    end = await gateway.end()
    assert (answer.status, answer.header("x-crtui-provider")) == (200, "b")
    assert (end.provider, end.ok, end.midstream) == ("a", False, False)
    return end.error_kind, end.message, end.status
