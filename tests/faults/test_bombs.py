"""What is far too large, too deep or too slow, at full size: the right error, bounded memory and time."""

from __future__ import annotations

import asyncio
import gzip

import httpx
import pytest

from crtui.wire.stream import MAX_UNREADABLE
from tests.bench import process
from tests.cli.conftest import Place
from tests.fakes.client import Answer, RudeClient
from tests.fakes.upstream import JSON, SSE, Exchange, Script, Upstream, ok_json, whole
from tests.gateway.wires import CHAT_END, COMPLETION, chat_request, chat_text

UNPACKED = 300 * 2**20
DEEP = b"[" * 100_000
MOST_MIB = 40
MOST_S = 10.0
PROVIDER = """
[[provider]]
name = "{}"
kind = "openai-compatible"
auth = "none"
poll_s = 0
first_byte_timeout_s = 1
idle_timeout_s = 1
base_url = "{}"
"""
GZIP = ("content-encoding", "gzip")


def bomb() -> bytes:
    """Some 300 KiB that unfold to 300 MiB."""
    return gzip.compress(bytes(UNPACKED), 1)


async def dripping(exchange: Exchange) -> None:
    """A stream that begins well, then a byte every 100 ms, and never an event."""
    await exchange.head(200, SSE, ("transfer-encoding", "chunked"))
    await exchange.chunk(chat_text("hi"))
    while not exchange.seen.gone.is_set():
        await exchange.chunk(b":")
        await asyncio.sleep(0.1)


async def deep_stream(exchange: Exchange) -> None:
    """A stream whose events are nested as deep as that; fewer of them would be passed over."""
    await exchange.head(200, SSE, ("transfer-encoding", "chunked"))
    await exchange.chunk((b"data: " + DEEP + b"\n\n") * MAX_UNREADABLE + CHAT_END)
    await exchange.end()


async def asked(port: int, body: bytes, **headers: str) -> Answer:
    client = await RudeClient.connect(port)
    await client.ask("POST", "/v1/chat/completions", body, **headers)
    answer = await client.read()
    client.close()
    return answer


@pytest.mark.long
@pytest.mark.fault("N18", "P09")
async def test_bombs_from_either_side_cost_little_and_leave_nothing(place: Place) -> None:
    packed, good = bomb(), ok_json(COMPLETION)
    scripts: list[Script] = [whole(200, packed, JSON, GZIP), whole(200, DEEP, JSON), deep_stream, dripping]
    async with Upstream(*scripts, good) as bad, Upstream(good) as other:
        config = PROVIDER.format("a", bad.url) + PROVIDER.format("b", other.url)
        with place.serving(place.config(config)) as serving:
            port, pid = int(serving.url.rpartition(":")[2]), serving.process.pid
            await asyncio.to_thread(httpx.get, f"{serving.url}/healthz")
            memory, descriptors = process.rss_mib(pid), process.descriptors(pid)
            async with asyncio.timeout(MOST_S):
                told = [
                    await asked(port, packed, **{"content-encoding": "gzip"}),
                    await asked(port, DEEP),
                    await asked(port, b'{"model":"m","messages":' + DEEP),
                    await asked(port, chat_request()),
                    await asked(port, chat_request()),
                    await asked(port, chat_request(stream=True)),
                    await asked(port, chat_request(stream=True)),
                ]
            grown = process.peak_rss_mib(pid) - memory
            left = process.descriptors(pid) - descriptors
            state = (await asyncio.to_thread(httpx.get, f"{serving.url}/crtui/v1/state")).json()
    assert [answer.status for answer in told[:3]] == [413, 400, 400]
    assert [answer.header("x-crtui-provider") for answer in told[3:6]] == ["b", "b", "b"]
    assert b"stalled" in told[6].body
    assert grown < MOST_MIB
    assert left <= 3, "idle connections"
    assert state["gateway"]["in_flight"] == 0
