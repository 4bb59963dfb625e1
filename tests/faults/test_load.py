"""A thousand at once, and a screen that does not look."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from crtui.engine.engine import Engine
from crtui.engine.local import LocalLink
from tests.cli.conftest import Place
from tests.engine.conftest import Live
from tests.fakes.client import RudeClient
from tests.fakes.upstream import SSE, Exchange, Upstream, stream
from tests.gateway.conftest import until
from tests.gateway.wires import CHAT_END, CHAT_START, chat_request, chat_text

MANY = 1_000
MOST_MIB = 250
ENOUGH = 4_000_000_000


def rss_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


@pytest.mark.long
@pytest.mark.timeout(120)
@pytest.mark.fault("L03")
async def test_a_thousand_streams_at_once_are_all_whole_in_bounded_memory(place: Place) -> None:
    gate = asyncio.Event()
    config = "[gateway]\nmax_in_flight = 2000\n"
    config += '[[provider]]\nname = "a"\nkind = "openai-compatible"\nauth = "none"\npoll_s = 0\n'
    async with Upstream(stream(CHAT_START, chat_text("hi"), gate, chat_text("there") * 50, CHAT_END)) as a:
        with place.serving(place.config(f'{config}base_url = "{a.url}"\n')) as serving:
            port = int(serving.url.rpartition(":")[2])
            clients = [await RudeClient.connect(port) for _ in range(MANY)]
            for client in clients:
                await client.ask("POST", "/v1/chat/completions", chat_request(stream=True))
            for client in clients:
                await client.read_some(b'"hi"')
            gate.set()
            ends = [await client.read_some(b"0\r\n\r\n") for client in clients]
            memory = rss_mib(serving.process.pid)
            for client in clients:
                client.close()
    assert all(b"[DONE]" in end and b'"error"' not in end for end in ends)
    assert memory < MOST_MIB


@pytest.mark.long
@pytest.mark.timeout(120)
@pytest.mark.fault("L10")
async def test_a_stream_without_end_passes_in_bounded_memory(place: Place) -> None:
    piece = chat_text("z" * 65_536)
    config = '[[provider]]\nname = "a"\nkind = "openai-compatible"\nauth = "none"\npoll_s = 0\n'

    async def flood(exchange: Exchange) -> None:
        await exchange.head(200, SSE, ("transfer-encoding", "chunked"))
        while not exchange.seen.gone.is_set():
            await exchange.chunk(piece)
            await asyncio.sleep(0)

    async with Upstream(flood) as a:
        with place.serving(place.config(f'{config}base_url = "{a.url}"\n')) as serving:
            client = await RudeClient.connect(int(serving.url.rpartition(":")[2]))
            await client.ask("POST", "/v1/chat/completions", chat_request(stream=True))
            before, seen = rss_mib(serving.process.pid), 0
            while seen < ENOUGH:
                seen += len(await client._reader.read(1 << 20))
            grown = rss_mib(serving.process.pid) - before
            client.reset()
            await a.requests[0].gone.wait()
    assert grown < 30


@pytest.mark.fault("L17")
async def test_while_nobody_looks_one_picture_waits_and_no_other_is_made(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = 0
    real = Engine.snapshot

    def counted(self: Engine) -> object:
        nonlocal made
        made += 1
        return real(self)

    monkeypatch.setattr("crtui.engine.local.PUBLISH_S", 0)
    live.start()
    monkeypatch.setattr(Engine, "snapshot", counted)
    link = LocalLink("")
    publishing = asyncio.create_task(link.publish(live.engine))
    await until(lambda: made == 1)
    for _ in range(50):
        live.serve()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    waiting = made
    assert link.latest is not None
    await until(lambda: made > waiting)
    publishing.cancel()
    await asyncio.wait([publishing])
    assert waiting == 1
    assert link.latest.providers[0].usage.requests == 50
