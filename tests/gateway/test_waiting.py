"""A client that waits for its first content gets headers and a sign of life, and failover stays open."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

import anthropic
import openai
import pytest

from crtui.gateway.waiting import Pace
from tests.fakes.client import Answer, RudeClient
from tests.fakes.upstream import Exchange, Script, Upstream, cut, ok_json, status, stream
from tests.wire.answers import COMPLETED, CREATED, ITEM_DONE, OUTPUT_TEXT

from .conftest import House, Open, provider
from .wires import (
    CHAT_END,
    CHAT_START,
    COMPLETION,
    MESSAGE_END,
    MESSAGE_START,
    chat_request,
    chat_text,
    message_request,
    message_text,
)

AT_ONCE = Pace(silence_s=0, every_s=0.01)
PING = b'event: ping\ndata: {"type":"ping"}\n\n'
COMMENT = b": keep-alive\n\n"
RESPONSE = json.dumps({"model": "gpt-5", "input": "hi", "stream": True}).encode()
WIRES = {
    "messages": ("/v1/messages", message_request(stream=True), PING),
    "chat": ("/v1/chat/completions", chat_request(stream=True), COMMENT),
    "responses": ("/v1/responses", RESPONSE, COMMENT),
}
GOOD: dict[str, tuple[bytes, ...]] = {
    "messages": (MESSAGE_START, message_text("Hi"), MESSAGE_END),
    "chat": (CHAT_START, chat_text("Hi"), CHAT_END),
    "responses": (CREATED, OUTPUT_TEXT, ITEM_DONE, COMPLETED),
}


def later(gate: asyncio.Event, script: Script) -> Script:
    async def held(exchange: Exchange) -> None:
        await gate.wait()
        await script(exchange)

    return held


def any_wire(name: str, upstream: Upstream) -> Any:
    return provider(name, upstream.url, wires=("messages", "chat", "responses"))


async def softly(gateway: House, wire: str) -> tuple[RudeClient, Answer]:
    """A client that has its headers and two signs of life."""
    path, body, sign = WIRES[wire]
    client = await gateway.connect()
    await client.ask("POST", path, body)
    head = await client.read_head()
    assert (head.status, head.header("content-type")) == (200, "text/event-stream")
    await client.read_some(sign + b"\r\n")
    await client.read_some(sign + b"\r\n")
    return client, head


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.fault("P45", "S44")
async def test_the_next_provider_serves_after_the_signs_of_life(house: Open, wire: str) -> None:
    """RELIABILITY P45."""
    gate = asyncio.Event()
    async with (
        Upstream(later(gate, status(500, {}))) as first,
        Upstream(stream(*GOOD[wire])) as second,
        house(any_wire("a", first), any_wire("b", second), pace=AT_ONCE) as gateway,
    ):
        client, answer = await softly(gateway, wire)
        gate.set()
        await client._chunks(answer)
        ends = [await gateway.end(0), await gateway.end(1)]
    assert answer.header("x-crtui-provider") == "-"
    assert (answer.body.replace(WIRES[wire][2], b""), answer.whole) == (b"".join(GOOD[wire]), True)
    assert [(end.provider, end.ok) for end in ends] == [("a", False), ("b", True)]
    assert not any(end.midstream for end in ends)


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.fault("P45")
async def test_an_error_is_told_in_the_stream_which_is_whole_only_where_that_ends_it(
    house: Open, wire: str
) -> None:
    gate = asyncio.Event()
    async with (
        Upstream(later(gate, status(429, {}, ("retry-after", "30")))) as upstream,
        house(any_wire("a", upstream), pace=AT_ONCE) as gateway,
    ):
        client, answer = await softly(gateway, wire)
        gate.set()
        with contextlib.suppress(asyncio.IncompleteReadError):
            await client._chunks(answer)
    assert b"every provider failed: a: 429" in answer.body
    assert b'"error"' in answer.body
    assert answer.whole is (wire == "responses")


async def test_the_callers_own_fault_is_told_in_the_stream_too(house: Open) -> None:
    gate = asyncio.Event()
    refusal = status(400, {"error": {"type": "invalid_request_error", "message": "tools: bad schema"}})
    async with Upstream(later(gate, refusal)) as upstream, house(upstream, pace=AT_ONCE) as gateway:
        client, _ = await softly(gateway, "messages")
        gate.set()
        rest = await client.rest()
    assert b"event: error" in rest
    assert b"tools: bad schema" in rest


async def test_a_stream_that_breaks_after_its_content_ends_as_ever(house: Open) -> None:
    gate = asyncio.Event()
    script = later(gate, cut(MESSAGE_START, message_text("Half"), how="clean"))
    async with Upstream(script) as upstream, house(upstream, pace=AT_ONCE) as gateway:
        client, _ = await softly(gateway, "messages")
        gate.set()
        rest = await client.rest()
        end = await gateway.end()
    assert b"a: stream cut before its end" in rest
    assert PING not in rest.partition(b"Half")[2]
    assert end.midstream


async def test_a_client_that_leaves_while_it_waits_ends_the_attempt(house: Open) -> None:
    async with Upstream(later(asyncio.Event(), status(500, {}))) as upstream:
        upstream.scripts = [_silent]
        async with house(upstream, pace=AT_ONCE) as gateway:
            client, _ = await softly(gateway, "chat")
            client.reset()
            end = await gateway.end()
    assert end.error_kind == "client"


async def _silent(exchange: Exchange) -> None:
    await exchange.stall()


async def test_an_answer_in_time_has_no_sign_of_life_and_names_its_provider(house: Open) -> None:
    async with Upstream(stream(*GOOD["chat"])) as upstream, house(upstream) as gateway:
        answer = await gateway.chat(chat_request(stream=True))
    assert (answer.body, answer.header("x-crtui-provider")) == (b"".join(GOOD["chat"]), "a")


async def test_a_whole_answer_is_waited_for_in_silence(house: Open) -> None:
    gate = asyncio.Event()
    async with (
        Upstream(later(gate, ok_json(COMPLETION))) as upstream,
        house(upstream, pace=AT_ONCE) as gateway,
    ):
        client = await gateway.connect()
        await client.ask("POST", "/v1/chat/completions", chat_request())
        await upstream.request()
        asyncio.get_running_loop().call_later(0.05, gate.set)
        answer = await client.read()
    assert answer.json == COMPLETION


async def test_codex_hears_an_event_because_it_passes_over_comments(house: Open) -> None:
    gate = asyncio.Event()
    async with (
        Upstream(later(gate, stream(*GOOD["responses"]))) as upstream,
        house(any_wire("a", upstream), pace=AT_ONCE) as gateway,
    ):
        client = await gateway.connect()
        await client.ask("POST", "/v1/responses", RESPONSE, originator="codex_exec")
        await client.read_some(b'event: keepalive\ndata: {"type":"keepalive","sequence_number":0}\n\n')
        gate.set()
        rest = await client.rest_until(b"response.completed")
    assert b": keep-alive" not in rest


async def test_openais_library_accumulates_what_comes_after_the_comments(house: Open) -> None:
    gate = asyncio.Event()
    async with (
        Upstream(later(gate, stream(CREATED, COMPLETED))) as upstream,
        house(any_wire("a", upstream), pace=AT_ONCE) as gateway,
        openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="k", max_retries=0) as sdk,
        sdk.responses.stream(model="gpt-5", input="hi") as streamed,
    ):
        gate.set()
        response = await streamed.get_final_response()
    assert response.output_text == "Hello"


async def test_anthropics_library_reads_past_the_pings(house: Open) -> None:
    gate = asyncio.Event()
    hello: list[Any] = [{"role": "user", "content": "hello"}]
    async with (
        Upstream(later(gate, stream(*GOOD["messages"]))) as upstream,
        house(upstream, pace=AT_ONCE) as gateway,
        anthropic.AsyncAnthropic(base_url=gateway.url, api_key="k", max_retries=0) as sdk,
        sdk.messages.stream(model="claude-x", max_tokens=9, messages=hello) as streamed,
    ):
        gate.set()
        message = await streamed.get_final_message()
    assert message.content[0].type == "text"
    assert message.content[0].text == "Hi"
