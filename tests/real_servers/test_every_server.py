"""Every real server behind the gateway: what it tells, what it answers, what it refuses."""

from __future__ import annotations

import asyncio
import itertools
import json
from dataclasses import replace

import pytest

from crtui.core.settings import Wire
from crtui.providers.probing import poll, probe_client
from tests.gateway.conftest import CONTROL, Open
from tests.real_servers.asking import WIRES, ask, streamed_text, text_of
from tests.real_servers.conftest import Real
from tests.real_servers.tiny_model import SENTENCE

pytestmark = [pytest.mark.long, pytest.mark.timeout(240)]

LIMITS = {"messages": "max_tokens", "chat": "max_tokens", "responses": "max_output_tokens"}


@pytest.fixture(params=WIRES)
def wire(request: pytest.FixtureRequest, real: Real) -> Wire:
    """Each API that the server has."""
    if request.param not in real.server.wires:
        pytest.skip(f"{real.server.name} has no {request.param} API")
    return request.param


async def test_a_good_poll_makes_it_known_to_callers_and_to_the_state(house: Open, real: Real) -> None:
    async with house(real.provider) as gateway, probe_client() as http:
        gateway.engine.poll(await poll(real.provider, real.provider.probes, http, 0, 5))
        listed = await gateway.ask("GET", "/v1/models")
        state = await gateway.ask("GET", "/crtui/v1/state", authorization=f"Bearer {CONTROL}")
    assert "tiny" in [model["id"] for model in listed.json["data"]]
    (row,) = state.json["providers"]
    (model,) = row["models"]
    assert model["name"] == "tiny"
    assert model["context"] == (None if real.server.kind == "openai-compatible" else real.server.context)
    assert (row["health"]["state"], row["standing"]) == ("HEALTHY", "eligible")


async def test_a_whole_answer_with_its_tokens(house: Open, real: Real, wire: Wire) -> None:
    async with house(real.provider) as gateway:
        answer = await ask(gateway, wire)
        end = await gateway.end()
    assert (answer.status, text_of(wire, answer.json)) == (200, SENTENCE)
    assert (end.ok, end.usage.output in (4, 5)) == (True, True), "its words, with their end or without"


async def test_a_streamed_answer_with_its_tokens(house: Open, real: Real, wire: Wire) -> None:
    async with house(real.provider) as gateway:
        answer = await ask(gateway, wire, stream=True, stream_options={"include_usage": True})
        end = await gateway.end()
    assert (answer.whole, streamed_text(wire, answer.body)) == (True, SENTENCE)
    assert (end.ok, end.usage.output in (4, 5)) == (True, True)
    assert end.usage_estimated is not real.server.tells_usage


async def test_what_does_not_fit_is_told_in_words_agents_compact_at(
    house: Open, real: Real, wire: Wire
) -> None:
    async with house(real.provider) as gateway:
        many = [{"role": "user", "content": "a word " * real.server.context}]
        answer = await ask(gateway, wire, **{"input" if wire == "responses" else "messages": many})
        view = gateway.engine.provider_view("real")
    assert answer.status == 400
    if wire == "messages":
        assert answer.json["error"]["message"].startswith("prompt is too long: ")
    else:
        assert answer.json["error"]["code"] == "context_length_exceeded"
    assert view.health.state == "HEALTHY"


async def test_more_output_than_there_can_be_is_no_reason_to_refuse(
    house: Open, real: Real, wire: Wire
) -> None:
    async with house(real.provider) as gateway:
        answer = await ask(gateway, wire, **{LIMITS[wire]: 128_000})
        end = await gateway.end()
    assert (answer.status, text_of(wire, answer.json)) == (200, SENTENCE)
    assert end.output_limit == (real.server.context if real.server.kind == "vllm" else None)


async def test_it_stands_in_for_one_that_is_down(house: Open, real: Real, wire: Wire) -> None:
    dead = replace(real.provider, name="dead", base_url="http://127.0.0.1:9")
    async with house(dead, real.provider) as gateway:
        answer = await ask(gateway, wire)
    assert (answer.status, text_of(wire, answer.json)) == (200, SENTENCE)


async def test_many_requests_at_once_are_all_answered(house: Open, real: Real, wire: Wire) -> None:
    async with house(real.provider) as gateway:
        answers = await asyncio.gather(*(ask(gateway, wire, stream=True) for _ in range(20)))
    assert [streamed_text(wire, answer.body) for answer in answers] == [SENTENCE] * 20


async def test_a_caller_that_leaves_leaves_nothing_behind(house: Open, real: Real) -> None:
    path, fields = WIRES["chat"]
    body = {**fields, "model": "tiny", "stream": True, "ignore_eos": True, "max_tokens": 3_000}
    async with house(real.provider) as gateway:
        for number in itertools.count():
            caller = await gateway.connect()
            await caller.ask("POST", path, json.dumps(body).encode())
            await caller.read_some(b"The")
            caller.reset()
            end = await gateway.end(number)
            # A busy machine's vLLM may say its first word when it has said its last: then once more.
            if not (end.ok and real.server.goes_on):
                break
        after = await ask(gateway, "chat")
    if real.server.goes_on:
        assert (end.ok, end.error_kind) == (False, "client")
    assert text_of("chat", after.json) == SENTENCE
