"""What is answered when nobody serves a request: the most useful word of the providers, and who is out."""

from __future__ import annotations

from typing import Any

import pytest

from crtui.clock import ManualClock
from tests.fakes.upstream import Script, Upstream, ok_json, status

from .conftest import Open, provider
from .wires import COMPLETION, MESSAGE, chat_request, message_request

MISSING = {"type": "error", "error": {"type": "not_found_error", "message": "model: m"}, "request_id": "r"}
TOO_LONG = {"error": {"message": "request (9000 tokens) exceeds the available context size (4096 tokens)"}}
SIGNED = {"error": {"message": "messages.1.content.0: Invalid `signature` in `thinking` block"}}
UNKNOWN = {"error": {"message": "Unknown parameter: 'context_management'"}}
FOREIGN = {"error": {"message": "could not be verified", "code": "invalid_encrypted_content"}}


def limited(wait: int) -> Script:
    return status(429, {"error": {"message": "slow down"}}, ("retry-after", str(wait)))


def down() -> Script:
    return status(503, {"error": {"message": "down"}})


@pytest.mark.parametrize(("code", "error"), [(404, MISSING), (400, TOO_LONG)])
async def test_who_cannot_serve_makes_no_short_wait_final(house: Open, code: int, error: Any) -> None:
    clock = ManualClock()
    async with (
        Upstream(limited(5), ok_json(MESSAGE)) as big,
        Upstream(status(code, error)) as small,
        house(big, small, clock=clock) as gateway,
    ):
        first = await gateway.message(message_request())
        clock.advance(2_000)
        second = await gateway.message(message_request())
        clock.advance(3_000)
        third = await gateway.message(message_request())
    assert [answer.status for answer in (first, second, third)] == [429, 429, 200]
    assert [answer.header("retry-after") for answer in (first, second)] == ["5", "3"]
    assert first.header("x-should-retry") is second.header("x-should-retry") is None
    assert "b: 4" in second.json["error"]["message"]
    assert third.header("x-crtui-provider") == "a"


async def test_past_a_long_wait_the_answer_of_who_cannot_serve_names_who_is_out_until_when(
    house: Open,
) -> None:
    clock = ManualClock()
    async with (
        Upstream(limited(7200)) as big,
        Upstream(status(404, MISSING, ("request-id", "r"))) as small,
        house(big, small, clock=clock) as gateway,
    ):
        answers = [await gateway.message(message_request()) for _ in range(2)]
    for answer, why in zip(answers, ("429 slow down", "rate limited"), strict=True):
        error = answer.json["error"]
        assert (answer.status, answer.header("request-id"), answer.json["request_id"]) == (404, "r", "r")
        assert error["type"] == "not_found_error"
        assert error["message"].startswith(f"model: m (a: {why} until ")
        assert answer.header("x-crtui-provider") == "b"


async def test_an_overflow_still_compacts_when_it_names_who_is_out(house: Open) -> None:
    async with (
        Upstream(limited(7200)) as big,
        Upstream(status(400, TOO_LONG)) as small,
        house(big, small, clock=ManualClock()) as gateway,
    ):
        message = await gateway.message(message_request())
        chat = await gateway.chat(chat_request())
    told = message.json["error"]["message"]
    assert told.startswith("prompt is too long: 9000 tokens > 4096 maximum (a: 429 slow down until ")
    assert chat.json["error"]["code"] == "context_length_exceeded"
    assert "(a: rate limited until " in chat.json["error"]["message"]


async def test_an_error_in_another_form_is_told_in_ours_with_who_is_out(house: Open) -> None:
    async with (
        Upstream(limited(7200)) as big,
        Upstream(status(404, {"error": "model 'm' not found"})) as small,
        house(big, small, clock=ManualClock()) as gateway,
    ):
        answer = await gateway.message(message_request())
    assert answer.status == 404
    assert answer.json["error"]["message"].startswith("model 'm' not found (a: 429 slow down until ")


async def test_the_earliest_wait_is_told_whoever_it_is_of(house: Open) -> None:
    clock = ManualClock()
    async with (
        Upstream(limited(30)) as first,
        Upstream(ok_json(MESSAGE), limited(50)) as second,
        house(first, second, clock=clock) as gateway,
    ):
        await gateway.message(message_request())
        answer = await gateway.message(message_request())
    assert (answer.status, answer.header("retry-after")) == (429, "30")


async def test_a_refusal_after_anothers_failure_goes_to_the_next(house: Open) -> None:
    async with (
        Upstream(down()) as first,
        Upstream(status(400, UNKNOWN)) as second,
        Upstream(ok_json(COMPLETION), down()) as third,
        house(first, second, third) as gateway,
    ):
        served = await gateway.chat(chat_request())
        failed = await gateway.chat(chat_request())
    assert (served.status, served.header("x-crtui-provider")) == (200, "c")
    assert failed.status == 502
    assert failed.json["error"]["message"] == (
        "every provider failed: a: 503 down; b: 400 Unknown parameter: 'context_management'; c: 503 down"
    )


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        # The first one's own word on the request; all there is besides a long wait; more than no model.
        ([status(400, FOREIGN), down()], (400, FOREIGN, "a")),
        ([limited(7200), status(400, UNKNOWN), status(400, FOREIGN)], (400, UNKNOWN, "b")),
        ([status(404, MISSING), status(400, UNKNOWN)], (400, UNKNOWN, "b")),
    ],
)
async def test_of_refusals_the_most_useful_comes_back_as_it_is(
    house: Open, others: list[Script], expected: tuple[int, Any, str]
) -> None:
    async with (
        Upstream(others[0]) as first,
        Upstream(others[1]) as second,
        Upstream(others[-1]) as third,
        house(first, second, third) as gateway,
    ):
        answer = await gateway.chat(chat_request())
    assert (answer.status, answer.json, answer.header("x-crtui-provider")) == expected


async def test_claude_code_hears_of_a_foreign_signature_and_the_others_go_on(house: Open) -> None:
    async with (
        Upstream(limited(7200)) as first,
        Upstream(status(400, SIGNED)) as second,
        Upstream(ok_json(MESSAGE)) as third,
        house(first, second, third) as gateway,
    ):
        heals = [await gateway.message(message_request(), x_claude_code_session_id="one") for _ in range(2)]
        other = await gateway.message(message_request())
    assert [(answer.status, answer.json) for answer in heals] == [(400, SIGNED)] * 2
    assert (other.status, other.header("x-crtui-provider"), len(third.requests)) == (200, "c", 1)


async def test_a_refused_credential_of_the_caller_is_told_also_after_anothers_failure(house: Open) -> None:
    refusal = {"type": "error", "error": {"type": "authentication_error", "message": "token expired"}}
    async with (
        Upstream(down()) as first,
        Upstream(status(401, refusal)) as second,
        Upstream(ok_json(MESSAGE)) as third,
    ):
        own = provider("b", second.url, auth="client", secret=None)
        async with house(provider("a", first.url), own, provider("c", third.url)) as gateway:
            answer = await gateway.message(message_request(), authorization="Bearer callers-own")
    assert (answer.status, answer.json, third.requests) == (401, refusal, [])
