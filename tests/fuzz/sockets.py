"""What comes over connections: providers' answers to our client, clients' requests to our server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from crtui.clock import SystemClock
from crtui.core.settings import CoreSettings, ProfileSettings
from crtui.engine.engine import Engine
from crtui.gateway.app import GatewayApp
from crtui.gateway.guard import Access, Token, hosts_of
from crtui.gateway.http.client import HttpClient
from crtui.gateway.http.connection import Connection
from crtui.gateway.http.errors import HttpError
from crtui.gateway.http.pool import Pool
from crtui.gateway.http.target import target_of
from crtui.gateway.protocol import ClientConnection, Hall
from crtui.gateway.waiting import USUAL
from tests.faults.test_fuzz import BODY
from tests.gateway.conftest import CONTROL

T = TypeVar("T")

TURNS: Final = 12
"""So often everybody gets a turn before a client is taken for gone."""
HOST: Final = b"host: 127.0.0.1:4747\r\n"
REQUESTS: Final = (
    b"POST /v1/chat/completions HTTP/1.1\r\n%bcontent-length: %d\r\n\r\n%b" % (HOST, len(BODY), BODY),
    b"POST /v1/messages HTTP/1.1\r\n%btransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n" % HOST,
    b"GET /v1/models HTTP/1.1\r\n%b\r\nGET /healthz HTTP/1.0\r\n\r\n" % HOST,
    b"GET /crtui/v1/state HTTP/1.1\r\n%borigin: http://localhost\r\nconnection: close\r\n\r\n" % HOST,
    b"POST /crtui/v1/reset HTTP/1.1\r\n%bauthorization: Bearer %b\r\ncontent-length: 2\r\n\r\n{}"
    % (HOST, CONTROL.encode()),
    b"POST /v1/responses HTTP/1.1\r\n%bexpect: 100-continue\r\ncontent-length: 9\r\n\r\n" % HOST,
)


class Wire(asyncio.Transport):
    """A transport without a socket: keeps what is written, and tells its protocol when it is closed."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self.written = b""
        self._protocol = protocol
        self._closing = False
        protocol.connection_made(self)

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)

    abort = close

    def take(self, data: bytes) -> None:
        """These bytes have come, unless it has been closed before."""
        if data and not self._closing:
            self._protocol.data_received(data)


def client(data: bytes) -> None:
    """The same bytes are the same answer in however many pieces they come."""
    cut = data[0] * len(data) // 256 if data else 0
    whole = _run(lambda: _answer(data))
    assert whole == _run(lambda: _answer(data[:cut], data[cut:]))
    assert whole == _run(lambda: _answer(*(data[i : i + 1] for i in range(len(data)))))


def server(data: bytes) -> None:
    """Each request gets one answer, in HTTP, that is never an error of our own; nothing is left running."""
    cut = data[0] * len(data) // 256 if data else 0
    for pieces in ((data,), (data[:cut], data[cut:])):
        written = _run(lambda pieces=pieces: _served(*pieces))
        assert written == b"" or written.startswith(b"HTTP/1.1 ")
        assert b"HTTP/1.1 500" not in written


async def _answer(*pieces: bytes) -> tuple[object, ...]:
    pool = Pool()
    connection = Connection(target_of("http://127.0.0.1:9/v1").origin, pool)
    wire = Wire(connection)
    response = connection.ask(b"POST /v1 HTTP/1.1\r\n\r\n", b"")
    for piece in pieces:
        wire.take(piece)
        await asyncio.sleep(0)
    wire.close()
    await asyncio.sleep(0)
    body, why = b"", ""
    try:
        await response.begun()
        while piece := await response.read():
            body += piece
    except HttpError as fault:
        why = type(fault).__name__
    pool.close()
    return response.status, response.headers, body, why


async def _served(*pieces: bytes) -> bytes:
    engine = Engine(CoreSettings((), (ProfileSettings("default", ()),)), {}, SystemClock(), url="http://h")
    access = Access(hosts_of("127.0.0.1", 4747), Token(CONTROL), None, max_body=100_000)
    upstream = HttpClient()
    app = GatewayApp(engine, access, upstream, 8, USUAL)
    hall = Hall(app, 8, b"date: now\r\n")
    wire = Wire(ClientConnection(hall))
    for piece in pieces:
        wire.take(piece)
        await _turns()
    wire.close()
    await _turns()
    app.end_all()
    await app.idle()
    upstream.close()
    assert not hall.connections
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
    return wire.written


async def _turns() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)


def _run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run it to its end; what went wrong in a callback or a task beside it counts too."""
    troubles: list[dict[str, Any]] = []
    with asyncio.Runner() as runner:
        runner.get_loop().set_exception_handler(lambda _, context: troubles.append(context))
        result = runner.run(work())
    assert troubles == [], json.dumps([str(trouble) for trouble in troubles])
    return result
