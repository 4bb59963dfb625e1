"""Requests of polls that are given up at any moment: nothing of them stays, and the next poll is answered."""

from __future__ import annotations

import asyncio
import random

import httpx

from crtui.providers.probing import probe_client
from tests.fakes.upstream import Exchange, Upstream, ok_json, stall
from tests.faults.rude import server
from tests.gateway.conftest import until

ROUNDS, AT_ONCE = 60, 40


async def in_pieces(exchange: Exchange) -> None:
    """An answer that comes in a hundred pieces, so that a request may be given up anywhere in it."""
    await exchange.head(200, ("transfer-encoding", "chunked"))
    for _ in range(100):
        await exchange.chunk(b"x" * 100)
        await asyncio.sleep(0)
    await exchange.end()


async def given_up(client: httpx.AsyncClient, url: str, after_s: float) -> None:
    try:
        async with asyncio.timeout(after_s):
            await client.get(url)
    except TimeoutError:
        pass


async def test_requests_given_up_at_any_moment_leave_no_connection_and_no_later_one_waits() -> None:
    chance = random.Random(1)
    async with Upstream(in_pieces) as upstream, probe_client() as client:
        for _ in range(ROUNDS):
            waits = [chance.random() * 0.02 for _ in range(AT_ONCE)]
            await asyncio.gather(*(given_up(client, upstream.url, wait) for wait in waits))
        upstream.scripts[:] = [ok_json({"data": []})]
        async with asyncio.timeout(5):
            assert (await client.get(upstream.url)).json() == {"data": []}
            await until(lambda: upstream.open == 0)


async def test_one_that_is_never_answered_is_hung_up_on() -> None:
    async with Upstream(stall) as upstream, probe_client() as client:
        await given_up(client, upstream.url, 0.05)
        async with asyncio.timeout(5):
            await (await upstream.request()).gone.wait()


async def test_one_that_is_given_up_in_its_handshake_is_hung_up_on() -> None:
    hung_up = asyncio.Event()

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(4096):
            pass
        hung_up.set()

    async with server(never) as port, probe_client() as client:
        await given_up(client, f"https://127.0.0.1:{port}", 0.5)
        async with asyncio.timeout(5):
            await hung_up.wait()


async def test_an_answer_that_was_read_ends_its_connection() -> None:
    async with Upstream(ok_json({"data": []})) as upstream, probe_client() as client:
        await client.get(upstream.url)
        async with asyncio.timeout(5):
            await until(lambda: upstream.open == 0)


async def test_no_cookie_is_kept() -> None:
    async with Upstream(ok_json({}, ("set-cookie", "a=b"))) as upstream, probe_client() as client:
        for _ in range(2):
            await client.get(upstream.url)
    assert [request.header("cookie") for request in upstream.requests] == [None, None]
