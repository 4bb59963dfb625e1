"""What only vLLM's server tells and does."""

from __future__ import annotations

import json

import pytest

from crtui.core.inputs import ModelReport
from crtui.providers.probing import probe_client
from crtui.providers.provider import Provider
from tests.gateway.conftest import Open
from tests.real_servers.asking import WIRES, ask, busy_while, seen_at
from tests.real_servers.servers import CONTEXT

pytestmark = [pytest.mark.long, pytest.mark.timeout(240)]


async def test_its_model_window_load_and_version_are_told(vllm: Provider) -> None:
    async with probe_client() as client:
        seen = await seen_at(vllm, client)
        version = (await client.get(f"{vllm.base_url}/version")).json()["version"]
    assert seen.poll.ok
    assert seen.poll.models == (ModelReport("tiny", True, CONTEXT),)
    server = seen.server
    assert server is not None
    assert (server.running, server.waiting, server.cache_ratio) == (0, 0, 0.0)
    assert server.version == version


async def test_a_request_at_work_is_counted_and_fills_the_cache(vllm: Provider) -> None:
    body = {"messages": [{"role": "user", "content": "\n"}], "max_tokens": 4_000, "ignore_eos": True}
    busy = await busy_while(vllm, {"model": "tiny", **body})
    assert (busy.running, busy.waiting) == (1, 0)
    assert busy.cache_ratio is not None
    assert 0 < busy.cache_ratio < 0.01


async def test_it_counts_tokens_itself(house: Open, vllm: Provider) -> None:
    async with house(vllm) as gateway:
        body = json.dumps({"model": "tiny", **WIRES["messages"][1]}).encode()
        answer = await gateway.ask("POST", "/v1/messages/count_tokens", body)
        whole = await ask(gateway, "messages")
    assert answer.header("x-crtui-estimated") is None
    assert answer.json["input_tokens"] == whole.json["usage"]["input_tokens"]


async def test_a_model_it_does_not_have_is_looked_for_at_the_next_provider(
    house: Open, vllm: Provider
) -> None:
    async with house(vllm) as gateway:
        answer = await ask(gateway, "chat", model="absent")
        end = await gateway.end()
        view = gateway.engine.provider_view("real")
    assert (answer.status, end.status, view.health.state) == (404, 404, "HEALTHY")
