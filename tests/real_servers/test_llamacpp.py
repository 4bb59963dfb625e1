"""What only llama.cpp's server tells and does."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from crtui.core.inputs import ModelReport
from crtui.providers.probing import probe_client
from crtui.providers.provider import Provider
from crtui.providers.seen import Seen
from tests.gateway.conftest import Open
from tests.real_servers.asking import SYSTEM, USER, WIRES, ask, busy_while, seen_at
from tests.real_servers.servers import LLAMACPP_CONTEXT, SLOTS

pytestmark = [pytest.mark.long, pytest.mark.timeout(240)]


async def test_every_free_endpoint_is_read(llama: Provider) -> None:
    seen = Seen()
    async with probe_client() as http:
        for probe in llama.probes:
            answer = await http.get(llama.probe_url(probe))
            assert answer.status_code == 200, probe.path
            seen = seen.with_more(probe.read(answer.content, 0))
    assert (seen.models, seen.context) == ((ModelReport("tiny", True, LLAMACPP_CONTEXT),), LLAMACPP_CONTEXT)
    assert seen.server is not None
    assert (seen.server.slots, seen.server.running, seen.server.waiting) == (SLOTS, 0, 0)


async def test_its_model_window_slots_and_build_are_told(llama: Provider) -> None:
    async with probe_client() as client:
        seen = await seen_at(llama, client)
    assert seen.poll.ok
    assert seen.poll.models == (ModelReport("tiny", True, LLAMACPP_CONTEXT),)
    server = seen.server
    assert server is not None
    assert (server.running, server.slots, server.cache_ratio) == (0, SLOTS, 0.0)
    assert server.version
    size = seen.traits["tiny"].size_bytes
    assert size is not None
    assert size > 10_000


async def test_a_request_at_work_is_counted_and_fills_the_cache(llama: Provider) -> None:
    body = {"messages": [{"role": "user", "content": "\n"}], "max_tokens": 3_000, "ignore_eos": True}
    busy = await busy_while(llama, body)
    assert busy.running == 1
    assert busy.cache_ratio is not None
    assert 0 < busy.cache_ratio <= 0.5


async def test_a_stream_without_its_tokens_is_charged_by_estimate(house: Open, llama: Provider) -> None:
    async with house(llama) as gateway:
        answer = await ask(gateway, "chat", stream=True, stream_options=None)
        end = await gateway.end()
    assert b'"usage"' not in answer.body
    assert (end.ok, end.usage_estimated) == (True, True)
    assert 1 <= end.usage.output <= 10


async def test_system_texts_anywhere_reach_a_template_that_takes_one(house: Open, llama: Provider) -> None:
    async with house(llama) as gateway:
        answer = await ask(gateway, "messages", system="be kind", messages=[USER, SYSTEM, USER])
        straight = await ask(gateway, "chat", messages=[USER, SYSTEM, USER])
    assert [one.status for one in (answer, straight)] == [200, 200]


async def test_what_does_not_fit_is_told_with_both_numbers(house: Open, llama: Provider) -> None:
    async with house(llama) as gateway:
        many = [{"role": "user", "content": "a word " * LLAMACPP_CONTEXT}]
        answer = await ask(gateway, "messages", messages=many)
    assert f"> {LLAMACPP_CONTEXT} maximum" in answer.json["error"]["message"]


async def test_it_counts_tokens_itself(house: Open, llama: Provider) -> None:
    async with house(llama) as gateway:
        body = json.dumps({"model": "any", **WIRES["messages"][1]}).encode()
        answer = await gateway.ask("POST", "/v1/messages/count_tokens", body)
        whole = await ask(gateway, "messages")
    usage = whole.json["usage"]
    assert answer.header("x-crtui-estimated") is None
    assert answer.json["input_tokens"] == usage["input_tokens"] + usage["cache_read_input_tokens"]


async def test_a_caller_that_leaves_ends_the_generation_and_frees_the_slot(
    house: Open, llama: Provider
) -> None:
    async with house(llama) as gateway, probe_client() as http:
        caller = await gateway.connect()
        body = {**WIRES["chat"][1], "model": "any", "stream": True, "ignore_eos": True}
        await caller.ask("POST", "/v1/chat/completions", json.dumps(body).encode())
        await caller.read_some(b"The")
        while len(busy := [slot["id"] for slot in await slots(http, llama) if slot["is_processing"]]) > 1:
            pass  # another test's work is still being given up
        caller.reset()
        end = await gateway.end()
        while (slot := (await slots(http, llama))[busy[0]])["is_processing"]:
            pass
    assert not end.ok
    assert slot["n_prompt_tokens"] < LLAMACPP_CONTEXT // 2, "it would have gone on to the end of its window"


async def slots(http: httpx.AsyncClient, llama: Provider) -> list[dict[str, Any]]:
    """What the server tells of each of its slots."""
    return (await http.get(f"{llama.base_url}/slots")).json()
