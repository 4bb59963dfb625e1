"""A real llama.cpp server behind the gateway: what it tells, what it answers, what it refuses."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from crtui.core.inputs import ModelReport
from crtui.providers.probing import poll, probe_client
from crtui.providers.provider import Provider
from crtui.providers.seen import Seen
from tests.gateway.conftest import CONTROL, House, Open
from tests.llamacpp.conftest import CONTEXT, SLOTS
from tests.llamacpp.tiny_model import SENTENCE

pytestmark = pytest.mark.long

SYSTEM = {"role": "system", "content": "be brief"}
USER = {"role": "user", "content": "does the gateway work ?"}
WIRES: dict[str, tuple[str, dict[str, Any]]] = {
    "messages": ("/v1/messages", {"max_tokens": 64, "messages": [USER]}),
    "chat": ("/v1/chat/completions", {"messages": [USER]}),
    "responses": ("/v1/responses", {"input": [USER]}),
}
EVERY_WIRE = pytest.mark.parametrize("wire", WIRES)


async def ask(gateway: House, wire: str, **changes: Any):
    path, fields = WIRES[wire]
    return await gateway.ask("POST", path, json.dumps({"model": "any", **fields, **changes}).encode())


def text_of(wire: str, answer: Any) -> str:
    match wire:
        case "messages":
            return answer["content"][0]["text"]
        case "chat":
            return answer["choices"][0]["message"]["content"]
        case _:
            return answer["output"][0]["content"][0]["text"]


def streamed_text(wire: str, body: bytes) -> str:
    """A stream's words, joined."""
    lines = [line[6:] for line in body.split(b"\n") if line.startswith(b"data: {")]
    events = [json.loads(line) for line in lines]
    match wire:
        case "messages":
            deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
            return "".join(delta["text"] for delta in deltas)
        case "chat":
            deltas = [choice["delta"] for event in events for choice in event["choices"]]
            return "".join(delta.get("content") or "" for delta in deltas)
        case _:
            deltas = [event for event in events if event["type"] == "response.output_text.delta"]
            return "".join(event["delta"] for event in deltas)


async def test_every_free_endpoint_is_read(llama: Provider) -> None:
    seen = Seen()
    async with probe_client() as http:
        for probe in llama.probes:
            answer = await http.get(llama.probe_url(probe))
            assert answer.status_code == 200, probe.path
            seen = seen.with_more(probe.read(answer.content, 0))
    assert (seen.models, seen.context) == ((ModelReport("tiny", True, CONTEXT),), CONTEXT)
    assert seen.server is not None
    assert (seen.server.slots, seen.server.running, seen.server.waiting) == (SLOTS, 0, 0)


async def test_a_good_poll_makes_it_known_to_callers_and_to_the_state(house: Open, llama: Provider) -> None:
    async with house(llama) as gateway, probe_client() as http:
        gateway.engine.poll(await poll(llama, llama.probes, http, 0, 5))
        listed = await gateway.ask("GET", "/v1/models")
        state = await gateway.ask("GET", "/crtui/v1/state", authorization=f"Bearer {CONTROL}")
    assert "tiny" in [model["id"] for model in listed.json["data"]]
    (row,) = state.json["providers"]
    (model,) = row["models"]
    assert (model["name"], model["loaded"], model["context"]) == ("tiny", True, CONTEXT)
    assert (row["health"]["state"], row["standing"]) == ("HEALTHY", "eligible")


@EVERY_WIRE
async def test_a_whole_answer_with_its_tokens(house: Open, llama: Provider, wire: str) -> None:
    async with house(llama) as gateway:
        answer = await ask(gateway, wire)
        end = await gateway.end()
    assert (answer.status, text_of(wire, answer.json)) == (200, SENTENCE)
    assert (end.ok, end.usage.output) == (True, 5)


@EVERY_WIRE
async def test_a_streamed_answer_with_its_tokens(house: Open, llama: Provider, wire: str) -> None:
    async with house(llama) as gateway:
        answer = await ask(gateway, wire, stream=True, stream_options={"include_usage": True})
        end = await gateway.end()
    assert (answer.whole, streamed_text(wire, answer.body)) == (True, SENTENCE)
    assert (end.ok, end.usage.output, end.usage_estimated) == (True, 5, False)


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


async def test_what_does_not_fit_is_told_in_words_agents_compact_at(house: Open, llama: Provider) -> None:
    async with house(llama) as gateway:
        many = [{"role": "user", "content": "a word " * CONTEXT}]
        answer = await ask(gateway, "messages", messages=many)
        view = gateway.engine.provider_view("llama")
    assert answer.status == 400
    assert answer.json["error"]["message"].startswith("prompt is too long: ")
    assert f"> {CONTEXT} maximum" in answer.json["error"]["message"]
    assert view.health.state == "HEALTHY"


async def test_it_counts_tokens_itself(house: Open, llama: Provider) -> None:
    async with house(llama) as gateway:
        body = json.dumps({"model": "any", **WIRES["messages"][1]}).encode()
        answer = await gateway.ask("POST", "/v1/messages/count_tokens", body)
        whole = await ask(gateway, "messages")
    usage = whole.json["usage"]
    assert answer.header("x-crtui-estimated") is None
    assert answer.json["input_tokens"] == usage["input_tokens"] + usage["cache_read_input_tokens"]


async def test_more_requests_than_it_has_slots_are_all_answered(house: Open, llama: Provider) -> None:
    async with house(llama) as gateway:
        answers = await asyncio.gather(*(ask(gateway, "chat", stream=True) for _ in range(20)))
    assert [streamed_text("chat", answer.body) for answer in answers] == [SENTENCE] * 20


async def test_a_caller_that_leaves_ends_the_generation_and_frees_the_slot(
    house: Open, llama: Provider
) -> None:
    async with house(llama) as gateway, probe_client() as http:
        caller = await gateway.connect()
        body = {**WIRES["chat"][1], "model": "any", "stream": True, "ignore_eos": True}
        await caller.ask("POST", "/v1/chat/completions", json.dumps(body).encode())
        await caller.read_some(b"The")
        (busy,) = [slot["id"] for slot in await slots(http, llama) if slot["is_processing"]]
        caller.reset()
        end = await gateway.end()
        while (slot := (await slots(http, llama))[busy])["is_processing"]:
            pass
    assert not end.ok
    assert slot["n_prompt_tokens"] < CONTEXT // 2, "it would have gone on to the end of its window"


async def slots(http: httpx.AsyncClient, llama: Provider) -> list[dict[str, Any]]:
    """What the server tells of each of its slots."""
    return (await http.get(f"{llama.base_url}/slots")).json()
