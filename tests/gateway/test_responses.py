"""The Responses API through the gateway: same wire in and out, failover, and honest ends."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import openai
import pytest

from crtui.core.inputs import Usage
from crtui.gateway.waiting import Pace
from tests.fakes.upstream import Upstream, cut, ok_json, status, stream
from tests.wire.answers import (
    ADDED,
    COMPLETED,
    CREATED,
    ITEM_DONE,
    OUTPUT,
    OUTPUT_TEXT,
    RESPONSE,
    TOKENS,
    ended,
    event,
)

from .conftest import House, Open, provider

WIRES = ("responses",)
BEGUN = (CREATED, ADDED, OUTPUT_TEXT)
WHOLE = (*BEGUN, ITEM_DONE, COMPLETED)
ANSWER = {**RESPONSE, "status": "completed", "output": [OUTPUT], "usage": TOKENS}


def request(**changes: Any) -> bytes:
    return json.dumps({"model": "gpt-5", "input": "hello"} | changes).encode()


async def ask(gateway: House, body: bytes, **headers: str):
    return await gateway.ask("POST", "/v1/responses", body, **headers)


async def test_the_body_goes_up_and_the_answer_comes_back_as_they_are(house: Open) -> None:
    body = request(reasoning={"effort": "high"}, unknown=[1], prompt_cache_key="s")
    async with (
        Upstream(ok_json(ANSWER)) as upstream,
        house(provider("a", upstream.url, wires=WIRES)) as gateway,
    ):
        answer = await ask(gateway, body)
        end = await gateway.end()
    assert (upstream.requests[0].target, upstream.requests[0].body) == ("/v1/responses", body)
    assert answer.json == ANSWER
    assert (end.wire, end.session, end.usage) == ("responses", "s", Usage(25, 15, 5))


async def test_a_stream_is_passed_on_byte_by_byte(house: Open) -> None:
    async with (
        Upstream(stream(*WHOLE)) as upstream,
        house(provider("a", upstream.url, wires=WIRES)) as gateway,
    ):
        answer = await ask(gateway, request(stream=True))
        end = await gateway.end()
    assert (answer.body, answer.whole) == (b"".join(WHOLE), True)
    assert (end.ok, end.usage) == (True, Usage(25, 15, 5))


FAILURES = {
    "429": status(429, {"error": {"message": "slow down"}}),
    "a failed response before any content": stream(
        CREATED, ended("failed", error={"code": "server_error", "message": "oops"})
    ),
    "a cut before any content": stream(CREATED, ADDED),
}


@pytest.mark.parametrize("name", FAILURES)
async def test_the_next_provider_answers_when_the_first_fails(house: Open, name: str) -> None:
    async with Upstream(FAILURES[name]) as first, Upstream(stream(*WHOLE)) as second:
        pair = (provider("a", first.url, wires=WIRES), provider("b", second.url, wires=WIRES))
        async with house(*pair) as gateway:
            answer = await ask(gateway, request(stream=True))
    assert (answer.body, answer.header("x-crtui-provider")) == (b"".join(WHOLE), "b")


async def test_a_provider_that_does_not_speak_it_is_passed_over(house: Open) -> None:
    async with Upstream(ok_json(ANSWER)) as upstream, house(upstream) as gateway:
        answer = await ask(gateway, request())
    assert answer.status == 503
    assert "responses" in answer.json["error"]["message"]
    assert answer.json["error"]["code"] == "no_provider"


@pytest.mark.fault("P24")
async def test_a_cut_stream_ends_as_a_failed_response_which_codex_reads_only_from_a_whole_body(
    house: Open,
) -> None:
    script = cut(*BEGUN, how="clean")
    async with Upstream(script) as upstream, house(provider("a", upstream.url, wires=WIRES)) as gateway:
        answer = await ask(gateway, request(stream=True))
        end = await gateway.end()
    error = json.loads(answer.body.rpartition(b"data: ")[2])
    assert answer.whole
    assert error["type"] == "response.failed"
    assert error["response"]["error"] == {
        "code": "server_error",
        "message": "a: stream cut before its end",
    }
    assert (end.ok, end.midstream) == (False, True)


def failed_with(code: str) -> bytes:
    return ended("failed", error={"code": code, "message": "because"})


async def error_told(gateway: House, before: bytes, gate: asyncio.Event) -> dict[str, str]:
    """The error of a failed response, sent once ``before`` has been read, in a body with its last chunk."""
    client = await gateway.connect()
    await client.ask("POST", "/v1/responses", request(stream=True))
    await client.read_some(before)
    gate.set()
    said = await client.rest_until(b"0\r\n\r\n")
    return json.loads(said.rpartition(b"data: ")[2].partition(b"\n")[0])["response"]["error"]


@pytest.mark.parametrize(
    "code", ["context_length_exceeded", "invalid_prompt", "usage_not_included", "server_is_overloaded"]
)
async def test_a_response_that_fails_after_its_content_keeps_its_code_and_words(
    house: Open, code: str
) -> None:
    gate = asyncio.Event()
    async with (
        Upstream(stream(*BEGUN, gate, failed_with(code))) as upstream,
        house(provider("a", upstream.url, wires=WIRES)) as gateway,
    ):
        error = await error_told(gateway, b"Hello", gate)
    assert error["code"] == code
    assert "because" in error["message"]


@pytest.mark.parametrize("code", ["context_length_exceeded", "invalid_prompt"])
async def test_the_callers_own_fault_keeps_its_code_and_words_too(house: Open, code: str) -> None:
    gate = asyncio.Event()
    async with (
        Upstream(stream(CREATED, gate, failed_with(code))) as upstream,
        house(provider("a", upstream.url, wires=WIRES), pace=Pace(silence_s=0)) as gateway,
    ):
        error = await error_told(gateway, b"\r\n\r\n", gate)
    assert error == {"code": code, "message": "because"}


async def test_openais_library_reads_it_plain_streamed_and_with_a_tool_call(house: Open) -> None:
    call = {"type": "function_call", "id": "f1", "call_id": "c1", "name": "look", "arguments": '{"a":1}'}
    pieces = (
        CREATED,
        event({"type": "response.output_item.added", "output_index": 0, "item": {**call, "arguments": ""}}),
        event({"type": "response.function_call_arguments.delta", "item_id": "f1", "delta": '{"a":1}'}),
        event({"type": "response.output_item.done", "output_index": 0, "item": call}),
        ended(output=[call], usage=TOKENS),
    )
    async with (
        Upstream(ok_json(ANSWER), stream(*pieces)) as upstream,
        house(provider("a", upstream.url, wires=WIRES)) as gateway,
        openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="k", max_retries=0) as sdk,
    ):
        plain = await sdk.responses.create(model="gpt-5", input="hello")
        events = await sdk.responses.create(model="gpt-5", input="hello", stream=True)
        last = [one async for one in events][-1]
    assert plain.output_text == "Hello"
    assert last.type == "response.completed"
    assert last.response.output[0].type == "function_call"
    assert last.response.output[0].arguments == '{"a":1}'


async def test_openais_library_raises_on_a_stream_that_was_cut(house: Open) -> None:
    gate = asyncio.Event()

    async def read(sdk: openai.AsyncOpenAI) -> None:
        async for one in await sdk.responses.create(model="gpt-5", input="hello", stream=True):
            if one.type == "response.output_text.delta":
                gate.set()

    async with (
        Upstream(cut(*BEGUN, gate, how="reset")) as upstream,
        house(provider("a", upstream.url, wires=WIRES)) as gateway,
        openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="k", max_retries=0) as sdk,
    ):
        with pytest.raises(openai.APIError, match="a: answer cut short"):
            await read(sdk)
