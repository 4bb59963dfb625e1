"""A real llama.cpp server polled: what it tells of itself and its model, idle and at work."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from crtui.core.inputs import ModelReport
from crtui.core.now import Now
from crtui.core.views import ServerView
from crtui.providers.probing import Observation, observe, probe_client
from crtui.providers.provider import Provider
from tests.gateway.conftest import provider
from tests.llamacpp.running import llama_server
from tests.providers.bodies import WALL

pytestmark = pytest.mark.long
CONTEXT, SLOTS = 4096, 2


@pytest.fixture(scope="module")
def llama() -> Iterator[Provider]:
    pytest.importorskip("xllamacpp", reason="needs a llama.cpp server: pip install xllamacpp")
    with llama_server(slots=SLOTS, context=CONTEXT) as url:
        yield provider("llama", url, kind="llamacpp", auth="none", secret=None)


async def seen_at(llama: Provider, client: httpx.AsyncClient) -> Observation:
    return await observe(llama, llama.probes, client, Now(0, WALL), 5, {})


async def test_its_model_window_slots_and_build_are_told(llama: Provider) -> None:
    async with probe_client() as client:
        seen = await seen_at(llama, client)
    assert seen.poll.ok
    assert seen.poll.models == (ModelReport("tiny", True, CONTEXT),)
    server = seen.server
    assert server is not None
    assert (server.running, server.slots, server.cache_ratio) == (0, SLOTS, 0.0)
    assert server.version
    size = seen.traits["tiny"].size_bytes
    assert size is not None
    assert size > 10_000


async def test_a_request_at_work_is_counted_and_fills_the_cache(llama: Provider) -> None:
    body = {"messages": [{"role": "user", "content": "\n"}], "max_tokens": 3_000, "ignore_eos": True}
    async with probe_client() as client:
        work = asyncio.create_task(client.post(f"{llama.base_url}/v1/chat/completions", json=body))
        busy: ServerView | None = None
        while not work.done() and (busy is None or not busy.cache_ratio):
            busy = (await seen_at(llama, client)).server
        work.cancel()
        await asyncio.wait([work])
    assert busy is not None
    assert busy.running == 1
    assert busy.cache_ratio is not None
    assert 0 < busy.cache_ratio <= 0.5
