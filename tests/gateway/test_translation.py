"""What the gateway changes for clients and backends that would not understand each other."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import openai
import pytest

from crtui.clock import ManualClock
from crtui.core.settings import ProfileSettings
from tests.fakes.upstream import Upstream, ok_json, status, stream
from tests.wire.answers import CREATED, OUTPUT, RESPONSE, TOKENS, ended

from .conftest import Open, provider
from .wires import COMPLETION, MESSAGE, chat_request, message_request

TOO_LONG = {
    "error": {
        "code": 400,
        "message": "request (10825 tokens) exceeds the available context size (1024 tokens), "
        "try increasing it",
        "type": "exceed_context_size_error",
        "n_prompt_tokens": 10825,
        "n_ctx": 1024,
    }
}
SYSTEM = {"role": "system", "content": "env"}
USER = {"role": "user", "content": "hello"}
ALL = ("messages", "chat", "responses")
ANSWER = {**RESPONSE, "status": "completed", "output": [OUTPUT], "usage": TOKENS}
HELLO: list[Any] = [USER]


@pytest.mark.fault("S16")
async def test_a_llama_cpp_overflow_is_what_claude_code_compacts_at(house: Open) -> None:
    async with Upstream(status(400, TOO_LONG)) as upstream, house(upstream) as gateway:
        answer = await gateway.message(message_request())
        view = gateway.engine.provider_view("a")
    assert answer.status == 400
    assert answer.json["error"] == {
        "type": "invalid_request_error",
        "message": "prompt is too long: 10825 tokens > 1024 maximum",
    }
    assert answer.header("x-should-retry") == "false"
    assert (answer.header("x-crtui-provider"), view.health.consecutive_failures) == ("a", 0)


@pytest.mark.parametrize(("path", "wire"), [("/v1/chat/completions", "chat"), ("/v1/responses", "responses")])
async def test_and_openais_code_for_codex_and_the_others(house: Open, path: str, wire: str) -> None:
    async with (
        Upstream(status(400, TOO_LONG)) as upstream,
        house(provider("a", upstream.url, wires=ALL)) as gateway,
    ):
        answer = await gateway.ask("POST", path, b'{"model":"m","messages":[],"input":"x"}')
    assert answer.status == 400
    assert answer.json["error"]["code"] == "context_length_exceeded"
    assert "10825 tokens" in answer.json["error"]["message"]


async def test_an_overflow_told_inside_the_stream_is_one_too(house: Open) -> None:
    failed = ended(
        "failed",
        error={"code": "context_length_exceeded", "message": "Your input exceeds the context window"},
    )
    async with (
        Upstream(stream(CREATED, failed)) as upstream,
        house(provider("a", upstream.url, wires=ALL)) as gateway,
    ):
        answer = await gateway.ask("POST", "/v1/responses", b'{"model":"m","input":"x","stream":true}')
        end = await gateway.end()
        view = gateway.engine.provider_view("a")
    assert (answer.status, answer.json["error"]["code"]) == (400, "context_length_exceeded")
    assert (end.status, view.health.consecutive_failures) == (400, 0)


@pytest.mark.fault("S16")
async def test_a_larger_context_is_tried_before_the_client_hears_of_it(house: Open) -> None:
    async with (
        Upstream(status(400, TOO_LONG)) as first,
        Upstream(ok_json(MESSAGE)) as second,
        house(first, second) as gateway,
    ):
        answer = await gateway.message(message_request())
    assert (answer.status, answer.header("x-crtui-provider")) == (200, "b")


async def test_the_right_words_are_left_as_they_are(house: Open) -> None:
    error = {"message": "too long", "type": "x", "param": None, "code": "context_length_exceeded", "more": 1}
    async with Upstream(status(400, {"error": error})) as upstream, house(upstream) as gateway:
        answer = await gateway.chat(chat_request())
    assert answer.json == {"error": error}


async def test_both_libraries_raise_it_as_a_bad_request(house: Open) -> None:
    async with (
        Upstream(status(400, TOO_LONG)) as upstream,
        house(upstream) as gateway,
        anthropic.AsyncAnthropic(base_url=gateway.url, api_key="k") as claude,
        openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="k") as gpt,
    ):
        with pytest.raises(
            anthropic.BadRequestError, match="prompt is too long: 10825 tokens > 1024 maximum"
        ):
            await claude.messages.create(model="m", max_tokens=9, messages=HELLO)
        with pytest.raises(openai.BadRequestError) as told:
            await gpt.chat.completions.create(model="m", messages=HELLO)
    assert told.value.code == "context_length_exceeded"
    assert len(upstream.requests) == 2


async def test_system_messages_are_merged_only_for_a_backend_that_needs_it(house: Open) -> None:
    body = message_request(system="be kind", messages=[USER, SYSTEM])
    async with Upstream(status(500, {})) as first, Upstream(ok_json(MESSAGE)) as second:
        needs = provider("b", second.url, merge_system=True)
        async with house(provider("a", first.url), needs) as gateway:
            await gateway.message(body)
    assert first.requests[0].body == body
    assert second.requests[0].json["system"] == "be kind\n\nenv"
    assert second.requests[0].json["messages"] == [USER]


async def test_a_body_that_needs_no_merging_keeps_its_bytes(house: Open) -> None:
    async with (
        Upstream(ok_json(COMPLETION)) as upstream,
        house(provider("a", upstream.url, merge_system=True)) as gateway,
    ):
        await gateway.chat(chat_request(messages=[SYSTEM, USER]))
    assert upstream.requests[0].body == chat_request(messages=[SYSTEM, USER])


@pytest.mark.parametrize(
    ("path", "answer", "mark"),
    [
        ("/v1/messages", MESSAGE, b"event: message_stop"),
        ("/v1/chat/completions", COMPLETION, b"data: [DONE]"),
        ("/v1/responses", ANSWER, b"event: response.completed"),
    ],
)
@pytest.mark.fault("P30")
async def test_a_whole_answer_to_a_streaming_request_is_told_as_a_stream(
    house: Open, path: str, answer: object, mark: bytes
) -> None:
    """RELIABILITY P30."""
    body = json.dumps({"model": "m", "messages": [USER], "input": "x", "stream": True}).encode()
    async with (
        Upstream(ok_json(answer)) as upstream,
        house(provider("a", upstream.url, wires=ALL)) as gateway,
    ):
        told = await gateway.ask("POST", path, body)
        end = await gateway.end()
    assert (told.status, told.header("content-type"), told.whole) == (200, "text/event-stream", True)
    assert mark in told.body
    assert (end.ok, end.usage is not None) == (True, True)


@pytest.mark.parametrize(
    ("wait", "told", "retry"), [("58", "58", None), ("60", "59", None), ("62", "62", "false")]
)
async def test_a_long_wait_is_told_together_with_the_advice_not_to_sleep_through_it(
    house: Open, wait: str, told: str, retry: str | None
) -> None:
    clock = ManualClock()
    async with (
        Upstream(status(429, {}, ("retry-after", wait))) as upstream,
        house(upstream, clock=clock) as gateway,
    ):
        answer = await gateway.message(message_request())
    assert (answer.status, answer.header("retry-after")) == (429, told)
    assert answer.header("x-should-retry") == retry


@pytest.mark.parametrize("code", [402, 429])
@pytest.mark.parametrize("path", ["/v1/responses", "/v1/chat/completions"])
async def test_codex_is_told_of_a_long_wait_by_what_it_stops_at(house: Open, path: str, code: int) -> None:
    clock = ManualClock()
    limited = status(code, {"error": {"message": "empty"}}, ("retry-after", "3600"))
    async with (
        Upstream(limited) as upstream,
        house(provider("a", upstream.url, wires=ALL), clock=clock) as gateway,
    ):
        answers = [
            await gateway.ask("POST", path, b'{"model":"m","messages":[],"input":"x"}') for _ in range(2)
        ]
    for answer in answers:
        error = answer.json["error"]
        assert (answer.status, answer.header("retry-after")) == (429, "3600")
        assert (error["type"], error["code"]) == ("usage_limit_reached", "rate_limited")
        assert error["resets_at"] == clock.now().wall // 1000 + 3600
        assert "a: " in error["message"]
    assert len(upstream.requests) == 1


async def test_the_libraries_raise_a_long_wait_as_a_limit_at_once(house: Open) -> None:
    async with (
        Upstream(status(429, {}, ("retry-after", "3600"))) as upstream,
        house(upstream) as gateway,
        openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="k") as gpt,
    ):
        with pytest.raises(openai.RateLimitError, match="a: 429") as told:
            await gpt.chat.completions.create(model="m", messages=HELLO)
    assert (told.value.code, told.value.type) == ("rate_limited", "usage_limit_reached")


@pytest.mark.fault("S10")
async def test_who_is_refused_without_a_time_is_told_to_come_back_and_served(house: Open) -> None:
    clock, bare = ManualClock(), status(429, {"error": {"message": "slow down"}})
    async with (
        Upstream(bare, bare, ok_json(MESSAGE)) as upstream,
        house(upstream, clock=clock) as gateway,
    ):
        answers = [await gateway.message(message_request())]
        for wait in (1_000, 59_000, 1_000):
            clock.advance(wait)
            answers.append(await gateway.message(message_request()))
    assert [answer.status for answer in answers] == [429, 429, 429, 200]
    assert [answer.header("retry-after") for answer in answers[:3]] == ["1", "59", "1"]
    assert {answer.header("x-should-retry") for answer in answers} == {None}
    assert len(upstream.requests) == 3


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (401, "authentication_error", "token expired"),
        (403, "permission_error", "OAuth token has been revoked. Please obtain a new token."),
    ],
)
async def test_a_refusal_of_the_callers_own_credential_is_the_callers_to_mend(
    house: Open, code: int, kind: str, words: str
) -> None:
    refusal = {"type": "error", "error": {"type": kind, "message": words}}
    async with Upstream(status(code, refusal)) as first, Upstream(ok_json(MESSAGE)) as second:
        subscription = provider("a", first.url, auth="client", secret=None)
        async with house(subscription, second, profiles=(ProfileSettings("alone", ("a",)),)) as gateway:
            expired = await gateway.message(message_request(), authorization="Bearer expired-token")
            health = gateway.engine.provider_view("a").health
            keyless = await gateway.message(message_request())
            alone = await gateway.message(message_request(), x_crtui_profile="alone")
    assert (expired.status, expired.json) == (code, refusal)
    assert first.requests[0].header("authorization") == "Bearer expired-token"
    assert (keyless.status, keyless.header("x-crtui-provider")) == (200, "b")
    assert (health.state, health.consecutive_failures) == ("HEALTHY", 0)
    assert (alone.status, alone.header("x-should-retry")) == (401, "false")
    assert "a: needs the caller's own credential" in alone.json["error"]["message"]
    assert len(first.requests) == 1


async def test_a_callers_credential_without_credit_is_no_refusal_of_it(house: Open) -> None:
    spent = {"error": {"message": "Key limit exceeded (total limit).", "code": 403}}
    async with Upstream(status(403, spent)) as first, Upstream(ok_json(MESSAGE)) as second:
        subscription = provider("a", first.url, auth="client", secret=None)
        async with house(subscription, provider("b", second.url)) as gateway:
            answer = await gateway.message(message_request(), authorization="Bearer callers-own")
            row = gateway.engine.provider_view("a")
    assert (answer.status, answer.header("x-crtui-provider")) == (200, "b")
    assert [reason.code for reason in row.reasons] == ["no_credit"]
