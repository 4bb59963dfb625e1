from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
import uvloop

from crtui.demo.listener import Exchange, Listener, Request

LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]


async def echo(request: Request, exchange: Exchange) -> None:
    await exchange.answer(200, {}, f"{request.method} {request.path} ".encode() + request.body)


async def endless(request: Request, exchange: Exchange) -> None:
    await exchange.begin({})
    await exchange.chunk(b"begun")
    await asyncio.Event().wait()


async def post(port: int, body: bytes = b"hello") -> bytes:
    async with httpx.AsyncClient(trust_env=False) as http:
        return (await http.post(f"http://127.0.0.1:{port}/a?b=c", content=body)).content


async def crash_and_return() -> None:
    listener = Listener(echo)
    await listener.open()
    port = listener.port
    assert await post(port) == b"POST /a hello"
    await listener.crash()
    with pytest.raises(httpx.ConnectError):
        await post(port)
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))
    await listener.open()
    assert listener.port == port
    assert await post(port) == b"POST /a hello"
    await listener.close()
    with pytest.raises(httpx.ConnectError):
        await post(port)


@pytest.mark.parametrize("new_loop", LOOPS)
def test_a_crashed_listener_refuses_keeps_its_port_and_comes_back(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
):
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(crash_and_return())


async def crash_while_streaming() -> None:
    listener = Listener(endless)
    await listener.open()
    url = f"http://127.0.0.1:{listener.port}/"
    async with httpx.AsyncClient(trust_env=False) as http, http.stream("GET", url) as response:
        chunks = response.aiter_bytes()
        assert await anext(chunks) == b"begun"
        await listener.crash()
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await anext(chunks)
    await listener.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("new_loop", LOOPS)
def test_a_crash_breaks_running_streams(new_loop: Callable[[], asyncio.AbstractEventLoop]):
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(crash_while_streaming())


@pytest.fixture
async def echoing() -> AsyncIterator[Listener]:
    listener = Listener(echo)
    await listener.open()
    yield listener
    await listener.close()


async def test_a_body_larger_than_the_head_limit_is_read_whole(echoing: Listener):
    body = b"x" * 300_000
    assert await post(echoing.port, body) == b"POST /a " + body


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"nonsense\r\n\r\n", id="no request line"),
        pytest.param(b"GET / HTTP/1.1\r\ncontent-length: many\r\n\r\n", id="bad length"),
        pytest.param(b"GET", id="cut short"),
        pytest.param(b"x" * 200_000, id="endless head"),
    ],
)
async def test_what_is_not_http_is_hung_up_on(echoing: Listener, sent: bytes):
    reader, writer = await asyncio.open_connection("127.0.0.1", echoing.port)
    writer.write(sent)
    writer.write_eof()
    with contextlib.suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
    assert await post(echoing.port) == b"POST /a hello"


async def test_one_connection_carries_many_requests(echoing: Listener):
    reader, writer = await asyncio.open_connection("127.0.0.1", echoing.port)
    for path in (b"/1", b"/2"):
        writer.write(b"GET " + path + b" HTTP/1.1\r\nhost: demo\r\n\r\n")
        assert b"content-length: 7" in await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(7) == b"GET " + path + b" "
    writer.close()


async def test_a_taken_port_is_an_error_that_leaves_it_able_to_open_later(echoing: Listener):
    port = echoing.port
    await echoing.close()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(OSError, match="in use"):
            await echoing.open()
        assert not echoing.listening
    await echoing.open()
    assert await post(port) == b"POST /a hello"
