"""The client towards providers, against servers that are rude down to the byte."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from crtui.gateway.http.client import HttpClient
from crtui.gateway.http.connection import HEAD_BYTES, Connection
from crtui.gateway.http.errors import ClosedError, CutError, GarbledError, NotConnectedError
from crtui.gateway.http.names import Names
from crtui.gateway.http.pool import Pool
from crtui.gateway.http.response import Response
from crtui.gateway.http.target import Origin, target_of
from tests.fakes.upstream import Exchange, Script, Upstream, stall

from .conftest import until

OK = b"HTTP/1.1 200 OK\r\n"
HI = OK + b"content-length: 2\r\n\r\nhi"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"


def says(*pieces: bytes, close: bool = False, reset: bool = False) -> Script:
    """Writes these bytes, each once everybody had a turn, and perhaps leaves."""

    async def script(exchange: Exchange) -> None:
        for piece in pieces:
            await exchange.raw(piece)
            await asyncio.sleep(0)
        if close:
            exchange.close()
        if reset:
            exchange.reset()

    return script


@contextlib.asynccontextmanager
async def client(**options: float) -> AsyncIterator[HttpClient]:
    made = HttpClient(**options)
    try:
        yield made
    finally:
        made.close()
        await asyncio.sleep(0)


async def post(http: HttpClient, upstream: Upstream, body: bytes = b"{}") -> Response:
    return await http.post(f"{upstream.url}/v1/x", {"x-a": "b"}, body, 5)


async def whole(response: Response) -> bytes:
    data = b""
    while piece := await response.read():
        data += piece
    return data


async def test_a_request_stands_on_the_wire_as_it_was_given() -> None:
    async with Upstream(says(HI)) as upstream, client() as http:
        await http.post(f"{upstream.url}/v1/x?a=%2F", {"x-a": "b", "x-ü": "ü"}, b'{"a": 1}', 5)
        seen = upstream.requests[0]
    assert (seen.method, seen.target, seen.body) == ("POST", "/v1/x?a=%2F", b'{"a": 1}')
    assert seen.headers == [
        ("host", f"127.0.0.1:{upstream.port}"),
        ("x-a", "b"),
        ("x-ü".encode().decode("latin-1"), "ü".encode().decode("latin-1")),
        ("content-length", "8"),
    ]


@pytest.mark.parametrize(
    ("script", "body", "connections"),
    [
        (says(HI), b"hi", 1),
        (says(CHUNKED + b"2\r\nhi\r\n", b"1;x=y\r\n!\r\n0\r\n", b"x-trailer: 1\r\n\r\n"), b"hi!", 1),
        (says(CHUNKED + b"2  \r\nhi\r\n0\r\n\r\n"), b"hi", 1),
        (says(OK + b"\r\nhi", close=True), b"hi", 2),
        (says(b"HTTP/1.0 200 OK\r\n\r\nhi", close=True), b"hi", 2),
        (says(b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nhi"), b"hi", 2),
        (says(OK + b"connection: close\r\ncontent-length: 2\r\n\r\nhi"), b"hi", 2),
        (says(b"HTTP/1.1 204 No Content\r\n\r\n"), b"", 1),
        (says(b"HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n"), b"", 1),
        (says(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early\r\nx: y\r\n\r\n" + HI), b"hi", 1),
        (says(HI + b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nbad"), b"hi", 2),
        (says(HI + b"left over"), b"hi", 2),
    ],
)
async def test_every_way_of_framing_is_read_and_only_a_clean_connection_is_used_again(
    script: Script, body: bytes, connections: int
) -> None:
    async with Upstream(script) as upstream, client() as http:
        assert await whole(await post(http, upstream)) == body
        assert await whole(await post(http, upstream)) == body
        assert upstream.connections == connections


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        OK + b"transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        OK + b"content-length: 2\r\ncontent-length: 2\r\n\r\nhi",
        OK + b"content-length: 2, 2\r\n\r\nhi",
        OK + b"content-length: +2\r\n\r\nhi",
        OK + b"content-length : 2\r\n\r\nhi",
        OK + b"transfer-encoding: gzip, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        OK + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        OK + b"transfer-encoding: identity\r\n\r\nhi",
        OK + b"x: a\r\n folded\r\ncontent-length: 2\r\n\r\nhi",
        OK + b"x: a\0b\r\ncontent-length: 2\r\n\r\nhi",
        b"HTTP/1.1 200 OK\ncontent-length: 2\n\nhi",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/2.0 200 OK\r\ncontent-length: 2\r\n\r\nhi",
        b"HTTP/1.1 099 What\r\ncontent-length: 2\r\n\r\nhi",
        b"\x15\x03\x03\x00\x02\x02\x46",
        OK + b"x: " + b"a" * HEAD_BYTES + b"\r\n\r\n",
        OK + b"x: a\r\n" * HEAD_BYTES,
        b"HTTP/1.1 103 Early\r\nx: y\r\n\r\n" * (HEAD_BYTES // 20),
    ],
)
async def test_an_answer_that_could_be_read_in_two_ways_or_has_no_measure_is_refused(answer: bytes) -> None:
    async with Upstream(says(answer)) as upstream, client() as http:
        with pytest.raises(GarbledError):
            await post(http, upstream)
        await upstream.requests[0].gone.wait()


@pytest.mark.parametrize(
    ("script", "before", "error"),
    [
        (says(OK + b"content-length: 9\r\n\r\nhi", close=True), b"hi", CutError),
        (says(CHUNKED + b"2\r\nhi\r\n", close=True), b"hi", CutError),
        (says(CHUNKED + b"9\r\nhi", close=True), b"hi", CutError),
        (says(CHUNKED + b"2\r\nhi\r\n", b"what?\r\n"), b"hi", GarbledError),
        (says(CHUNKED + b"2\r\nhi\r\nffffffffffffffffff\r\n"), b"hi", GarbledError),
        (says(OK + b"content-length: 9\r\n\r\nhi", reset=True), b"hi", CutError),
    ],
)
async def test_a_body_that_breaks_off_is_an_error_after_what_came_of_it(
    script: Script, before: bytes, error: type[Exception]
) -> None:
    async with Upstream(script) as upstream, client() as http:
        response = await post(http, upstream)
        pieces: list[bytes] = []
        with pytest.raises(error):
            await _take_all(response, pieces)
    assert b"".join(pieces) in (before, b"")


async def _take_all(response: Response, pieces: list[bytes]) -> None:
    while piece := await response.read():
        pieces.append(piece)


async def test_a_body_without_any_length_that_is_reset_did_not_end() -> None:
    gate = asyncio.Event()

    async def script(exchange: Exchange) -> None:
        await exchange.raw(OK + b"\r\nhi")
        await gate.wait()
        exchange.reset()

    async with Upstream(script) as upstream, client() as http:
        response = await post(http, upstream)
        assert await response.read() == b"hi"
        gate.set()
        with pytest.raises(CutError):
            await response.read()


async def test_an_answer_that_had_begun_on_a_pooled_connection_is_not_asked_for_again() -> None:
    scripts = (says(HI), says(b"HTTP/1.1 2", close=True), says(HI))
    async with Upstream(*scripts) as upstream, client() as http:
        await post(http, upstream)
        with pytest.raises(ClosedError):
            await post(http, upstream)
        assert len(upstream.requests) == 2


async def test_who_is_cancelled_while_waiting_leaves_at_once() -> None:
    async with Upstream(stall) as upstream, client() as http:
        waiting = asyncio.create_task(post(http, upstream))
        seen = await upstream.request()
        waiting.cancel()
        await seen.gone.wait()
        with pytest.raises(asyncio.CancelledError):
            await waiting


async def test_what_nobody_reads_stops_the_server_and_all_of_it_arrives_later() -> None:
    piece, count = b"z" * 65_536, 400
    sent = 0

    async def flood(exchange: Exchange) -> None:
        nonlocal sent
        await exchange.raw(CHUNKED)
        for _ in range(count):
            await exchange.chunk(piece)
            sent += len(piece)
        await exchange.end()

    async with Upstream(flood) as upstream, client() as http:
        response = await post(http, upstream)
        still, last = 0, -1
        while still < 200:
            await asyncio.sleep(0)
            still, last = (still + 1 if sent == last else 0), sent
        held = sent
        data = await whole(response)
    assert held < 12 * 1024 * 1024
    assert len(data) == count * len(piece)


async def test_an_idle_connection_is_closed_after_its_time() -> None:
    async with Upstream(says(HI)) as upstream, client(idle_s=0.02) as http:
        await post(http, upstream)
        await upstream.requests[0].gone.wait()
        await post(http, upstream)
        assert upstream.connections == 2


async def test_what_comes_behind_an_answers_body_is_not_of_its_head() -> None:
    trailed = CHUNKED + b"2\r\nhi\r\n0\r\nretry-after: 5\r\n\r\n"
    async with Upstream(says(trailed)) as upstream, client() as http:
        response = await post(http, upstream)
        assert await whole(response) == b"hi"
        assert response.header(b"retry-after") == b""


async def test_bytes_that_nobody_asked_for_end_an_idle_connection() -> None:
    gate = asyncio.Event()

    async def talks_on(exchange: Exchange) -> None:
        await exchange.raw(HI)
        await gate.wait()
        await exchange.raw(b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n")

    async with Upstream(talks_on, says(HI)) as upstream, client() as http:
        await whole(await post(http, upstream))
        gate.set()
        await upstream.requests[0].gone.wait()
        assert (await post(http, upstream)).status == 200
        assert upstream.connections == 2


async def test_a_connection_whose_request_is_still_being_sent_is_not_used_again() -> None:
    connections: list[asyncio.StreamWriter] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        await reader.read(10)
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n")

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server, client() as http:
        for _ in range(2):
            response = await http.post(url, {}, b"x" * 20_000_000, 5)
            assert response.status == 413
        for writer in connections:
            writer.transport.abort()
        await asyncio.sleep(0)
    assert len(connections) == 2


async def test_closing_breaks_off_what_is_still_being_read() -> None:
    async with Upstream(stall_in_body) as upstream, client() as http:
        response = await post(http, upstream)
        assert await response.read() == b"hi"
        http.close()
        with pytest.raises(CutError):
            await response.read()


async def stall_in_body(exchange: Exchange) -> None:
    await exchange.raw(CHUNKED + b"2\r\nhi\r\n")
    await exchange.stall()


async def test_an_answer_that_is_left_early_gives_its_connection_back_when_it_ends_in_time() -> None:
    gate = asyncio.Event()

    async def late_end(exchange: Exchange) -> None:
        await exchange.raw(CHUNKED + b"2\r\nhi\r\n")
        await gate.wait()
        await exchange.raw(b"2\r\nho\r\n0\r\n\r\n")

    async with Upstream(late_end, says(HI)) as upstream, client() as http:
        response = await post(http, upstream)
        assert await response.read() == b"hi"
        response.finish(5)
        gate.set()
        await until(lambda: response.ended)
        await post(http, upstream)
        assert upstream.connections == 1


async def test_an_answer_that_is_left_early_and_does_not_end_costs_its_connection() -> None:
    async with Upstream(stall_in_body) as upstream, client() as http:
        response = await post(http, upstream)
        response.finish(0.01)
        await upstream.requests[0].gone.wait()


async def test_a_header_with_a_line_break_is_never_sent() -> None:
    async with Upstream(says(HI)) as upstream, client() as http:
        with pytest.raises(NotConnectedError, match="line break"):
            await http.post(upstream.url, {"authorization": "Bearer a\r\nx-evil: 1"}, b"{}", 5)
        assert upstream.connections == 0


@pytest.mark.parametrize(
    ("url", "origin", "start"),
    [
        ("http://a.test/v1/x", Origin(False, "a.test", 80), "POST /v1/x HTTP/1.1\r\nhost: a.test\r\n"),
        ("https://a.test:443/x", Origin(True, "a.test", 443), "POST /x HTTP/1.1\r\nhost: a.test\r\n"),
        ("https://a.test:80/x", Origin(True, "a.test", 80), "POST /x HTTP/1.1\r\nhost: a.test:80\r\n"),
        ("http://[::1]:9/x?b=1", Origin(False, "::1", 9), "POST /x?b=1 HTTP/1.1\r\nhost: [::1]:9\r\n"),
        ("http://a.test", Origin(False, "a.test", 80), "POST / HTTP/1.1\r\nhost: a.test\r\n"),
    ],
)
def test_a_url_is_taken_apart_as_written(url: str, origin: Origin, start: str) -> None:
    assert target_of(url) == (origin, start)


async def test_a_burst_of_connections_looks_a_name_up_once_and_a_failure_is_not_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real, asked = socket.getaddrinfo, []

    def lookup(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        flags = options.get("flags", args[3] if len(args) > 3 else 0)
        if flags & socket.AI_NUMERICHOST:
            return real(host, port, *args, **options)
        asked.append(host)
        if len(asked) == 1:
            raise socket.gaierror(socket.EAI_AGAIN, "not now")
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", port, 0, 0)),
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::2", port, 0, 0)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)),
        ]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    names, origin = Names(), Origin(False, "many.test", 80)
    with pytest.raises(socket.gaierror):
        await names.addresses(origin)
    found = await asyncio.gather(*(names.addresses(origin) for _ in range(5)))
    assert len(asked) == 2
    assert [where[0] for _, where in found[0]] == ["::1", "127.0.0.1", "::2"]


class Line(asyncio.Transport):
    """The other end of a connection, for bytes that are fed by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += data

    def is_closing(self) -> bool:
        return self.closed

    def abort(self) -> None:
        self.closed = True

    def get_write_buffer_size(self) -> int:
        return 0


async def test_wherever_the_bytes_are_split_the_answer_is_the_same() -> None:
    raw = b"HTTP/1.1 103 Early\r\n\r\n" + CHUNKED[:-2] + b"X-A: b\r\n\r\n2\r\nhi\r\n5\r\nthere\r\n0\r\n\r\n"
    for at in range(1, len(raw)):
        pool, line = Pool(), Line()
        connection = Connection(Origin(False, "a.test", 80), pool)
        connection.connection_made(line)
        response = connection.ask(b"POST / HTTP/1.1\r\n\r\n", b"")
        connection.data_received(raw[:at])
        connection.data_received(raw[at:])
        await response.begun()
        assert (response.status, response.header(b"x-a")) == (200, b"b"), at
        assert await whole(response) == b"hithere", at
        assert response.ended
        assert pool.take(Origin(False, "a.test", 80)) is connection
        connection.connection_lost(None)
        pool.close()
