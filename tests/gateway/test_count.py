"""Counting tokens: asked of who counts for nothing, else estimated; never an attempt."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakes.upstream import Script, Upstream, ok_json, reset, stall, status, whole

from .conftest import CANARY, House, Open, provider
from .wires import message_request

PATH = "/v1/messages/count_tokens"
TOOL = {"name": "look", "description": "d" * 400, "input_schema": {"type": "object"}}


async def count(gateway: House, body: bytes, **headers: str):
    return await gateway.ask("POST", f"{PATH}?beta=true", body, **headers)


async def test_the_first_that_speaks_messages_and_can_count_is_asked(house: Open) -> None:
    async with Upstream(ok_json({})) as first, Upstream(ok_json({"input_tokens": 42})) as second:
        cannot = provider("a", first.url)
        chat_only = provider("b", first.url, kind="anthropic", wires=("chat",))
        counts = provider("c", second.url, kind="anthropic", model="claude-real")
        async with house(cannot, chat_only, counts) as gateway:
            answer = await count(gateway, message_request(), anthropic_beta="x")
    seen = second.requests[0]
    assert (answer.json, answer.header("x-crtui-provider")) == ({"input_tokens": 42}, "c")
    assert answer.header("x-crtui-estimated") is None
    assert (seen.target, seen.json["model"]) == ("/v1/messages/count_tokens", "claude-real")
    assert (seen.header("x-api-key"), seen.header("anthropic-beta")) == (CANARY, "x")
    assert first.requests == []
    assert gateway.begun == []


FAILURES: dict[str, Script] = {
    "404": status(404, {"error": {"message": "no such path"}}),
    "401": status(401, {}),
    "reset": reset,
    "no number": ok_json({"input_tokens": "many"}),
    "no JSON": whole(200, b"<html>"),
}


@pytest.mark.parametrize("name", FAILURES)
async def test_a_count_that_fails_is_estimated_and_held_against_nobody(house: Open, name: str) -> None:
    async with (
        Upstream(FAILURES[name]) as upstream,
        house(provider("a", upstream.url, kind="llamacpp")) as gateway,
    ):
        answer = await count(gateway, message_request(tools=[TOOL]))
        view = gateway.engine.provider_view("a")
    assert answer.header("x-crtui-estimated") == "true"
    assert 100 < answer.json["input_tokens"] < 200
    assert (view.health.consecutive_failures, view.standing, gateway.ended) == (0, "eligible", [])


async def test_without_anybody_who_counts_it_is_estimated(house: Open) -> None:
    async with Upstream(ok_json({})) as upstream, house(upstream) as gateway:
        answer = await count(gateway, message_request(messages=[{"role": "user", "content": "x" * 4000}]))
    assert answer.header("x-crtui-estimated") == "true"
    assert 1000 <= answer.json["input_tokens"] < 1020
    assert upstream.requests == []


async def test_it_does_not_wait_behind_generation(house: Open) -> None:
    async with Upstream(stall) as upstream, house(upstream, max_in_flight=1) as gateway:
        busy = await gateway.connect()
        await busy.ask("POST", "/v1/messages", message_request())
        await upstream.request()
        answers = await asyncio.gather(*(count(gateway, message_request()) for _ in range(25)))
    assert {answer.status for answer in answers} == {200}


async def test_a_bad_body_is_told_in_the_callers_envelope(house: Open) -> None:
    async with house(provider("a", "http://127.0.0.1:9")) as gateway:
        answer = await count(gateway, b"[1]")
    assert (answer.status, answer.json["error"]["type"]) == (400, "invalid_request_error")
