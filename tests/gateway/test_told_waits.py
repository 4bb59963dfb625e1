"""A wait that an error inside a stream tells is kept like one that a status brings."""

from __future__ import annotations

import json
from typing import Any

import pytest

from crtui.clock import ManualClock
from crtui.core.settings import Wire
from tests.fakes.upstream import Upstream, ok_json, sse, stream
from tests.wire.answers import CREATED, OUTPUT_TEXT

from .conftest import Open, provider
from .wires import chat_request, message_request

SECOND, HOUR = 1000, 3_600_000
NOW = ManualClock().now().wall
FAILED = {"code": "rate_limit_exceeded", "message": "Rate limit reached. Please try again in 11.054s."}
PER_DAY = {
    "code": 429,
    "message": "Rate limit exceeded: free-models-per-day",
    "metadata": {
        "headers": {
            "X-RateLimit-Limit": "50",
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": str(NOW + 2 * HOUR),
        }
    },
}
TOLD: dict[str, tuple[Wire, dict[str, Any], int]] = {
    "in words": ("messages", {"type": "rate_limit_error", "message": "try again in 90 seconds"}, 90 * SECOND),
    "by Codex's backend": (
        "responses",
        {"type": "usage_limit_reached", "message": "m", "resets_at": NOW // SECOND + 18_000},
        5 * HOUR,
    ),
    "by OpenRouter's headers": ("chat", PER_DAY, 2 * HOUR),
}
PATHS = {"messages": "/v1/messages", "chat": "/v1/chat/completions", "responses": "/v1/responses"}


def request(wire: Wire) -> bytes:
    if wire == "responses":
        return json.dumps({"model": "gpt-5", "input": "hi", "stream": True}).encode()
    return (message_request if wire == "messages" else chat_request)(stream=True)


@pytest.mark.parametrize("how", TOLD)
async def test_it_is_read_from_the_errors_event(house: Open, how: str) -> None:
    wire, error, wait = TOLD[how]
    told = stream(sse("error", {"type": "error", "error": error}))
    async with Upstream(told) as upstream:
        one = provider("a", upstream.url, wires=(wire,))
        async with house(one, clock=ManualClock()) as gateway:
            answer = await gateway.ask("POST", PATHS[wire], request(wire))
            quota = gateway.engine.provider_view("a").quota
    assert quota.retry_after == NOW + wait
    assert (answer.status, answer.header("retry-after")) == (429, str(wait // SECOND))


@pytest.mark.parametrize("begun", [(CREATED,), (CREATED, OUTPUT_TEXT)])
async def test_it_is_read_from_a_failed_response(house: Open, begun: tuple[bytes, ...]) -> None:
    failed = {"type": "response.failed", "response": {"status": "failed", "error": FAILED}}
    async with Upstream(stream(*begun, sse(None, failed))) as upstream:
        one = provider("a", upstream.url, wires=("responses",))
        async with house(one, clock=ManualClock()) as gateway:
            await gateway.ask("POST", PATHS["responses"], request("responses"))
            quota = gateway.engine.provider_view("a").quota
    assert quota.retry_after == NOW + 11_054


async def test_it_is_read_from_an_error_in_a_choice(house: Open) -> None:
    choice = {"index": 0, "delta": {}, "error": {"code": 429, "message": "Please retry in 26.5s."}}
    script = stream(sse(None, {"choices": [choice]}))
    async with Upstream(script) as upstream, house(upstream, clock=ManualClock()) as gateway:
        await gateway.ask("POST", PATHS["chat"], request("chat"))
        quota = gateway.engine.provider_view("a").quota
    assert quota.retry_after == NOW + 26_500


async def test_it_is_read_from_a_whole_answer(house: Open) -> None:
    limited = {"error": {"code": 429, "message": "Quota exceeded. Please retry in 26.5s."}}
    async with Upstream(ok_json(limited)) as upstream, house(upstream) as gateway:
        answer = await gateway.chat(chat_request())
        end = await gateway.end()
    assert end.limits.retry_after_ms == 26_500
    assert answer.status == 429
    assert 26 <= int(answer.header("retry-after") or 0) <= 27
