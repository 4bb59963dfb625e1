"""What a provider's words mean for the request and for the provider."""

from __future__ import annotations

import pytest

from crtui.clock import ManualClock
from crtui.core.now import DAY, stamp
from tests.fakes.upstream import Upstream, ok_json, status

from .conftest import Open
from .wires import COMPLETION, MESSAGE, chat_request, message_request

TPM = "Request too large for model `m` on tokens per minute (TPM): Limit 12000, Requested 14137"
GEMINI = "The input token count (1250000) exceeds the maximum number of tokens allowed (1048576)."
FLAGGED = {
    "error": {
        "code": 403,
        "message": "m requires moderation on Anthropic. Your input was flagged for violence.",
        "metadata": {"reasons": ["violence"], "flagged_input": "kill the process"},
    }
}


@pytest.mark.parametrize(
    ("whose", "code", "error"),
    [
        ("openrouter", 400, {"message": "m is not a valid model ID", "code": 400}),
        ("openai", 400, {"message": "no such model", "code": "model_not_found"}),
        ("deepseek", 400, {"message": "Model Not Exist", "code": "invalid_request_error"}),
        ("gemini", 400, {"message": GEMINI, "status": "INVALID_ARGUMENT"}),
        ("groq", 413, {"message": TPM, "type": "tokens", "code": "rate_limit_exceeded"}),
        ("openai", 400, {"message": "could not be verified", "code": "invalid_encrypted_content"}),
        ("openai", 400, {"message": "not found", "code": "previous_response_not_found"}),
    ],
)
async def test_what_one_provider_cannot_take_goes_to_the_next_and_blames_nobody(
    house: Open, whose: str, code: int, error: dict[str, object]
) -> None:
    async with (
        Upstream(status(code, {"error": error})) as first,
        Upstream(ok_json(COMPLETION)) as second,
        house(first, second) as gateway,
    ):
        answer = await gateway.chat(chat_request())
        row = gateway.engine.provider_view("a")
    assert (answer.status, answer.header("x-crtui-provider")) == (200, "b"), whose
    assert (row.standing, row.health.consecutive_failures) == ("eligible", 0)


async def test_a_usage_limit_that_a_400_tells_is_kept_until_its_date(house: Open) -> None:
    clock = ManualClock()
    spent = {
        "type": "error",
        "error": {
            "type": "invalid_request_error",
            "message": "You have reached your specified API usage limits. You will regain access on "
            f"{stamp(clock.now().wall + 3 * DAY)[:10]} at 00:00 UTC.",
        },
    }
    async with (
        Upstream(status(400, spent)) as first,
        Upstream(ok_json(MESSAGE)) as second,
        house(first, second, clock=clock) as gateway,
    ):
        answers = [await gateway.message(message_request()) for _ in range(2)]
        row = gateway.engine.provider_view("a")
    assert [answer.header("x-crtui-attempts") for answer in answers] == ["2", "1"]
    assert [reason.code for reason in row.reasons] == ["no_credit"]
    assert row.quota.retry_after is not None
    assert 2 * DAY < row.quota.retry_after - clock.now().wall <= 3 * DAY


async def test_a_prompt_that_was_flagged_is_nobodys_failure(house: Open) -> None:
    async with (
        Upstream(status(403, FLAGGED)) as first,
        Upstream(ok_json(COMPLETION)) as second,
        house(first, second) as gateway,
    ):
        answer = await gateway.chat(chat_request())
        row = gateway.engine.provider_view("a")
    assert (answer.status, answer.json, second.requests) == (403, FLAGGED, [])
    assert (row.standing, row.health.consecutive_failures) == ("eligible", 0)


@pytest.mark.parametrize(
    "words", ["prompt too long; exceeded max context length by 1200 tokens", "Prompt exceeds max length"]
)
async def test_an_overflow_in_any_words_is_what_agents_compact_at(house: Open, words: str) -> None:
    async with (
        Upstream(status(400, {"error": {"message": words}})) as upstream,
        house(upstream) as gateway,
    ):
        message = await gateway.message(message_request())
        chat = await gateway.chat(chat_request())
    assert message.json["error"]["message"] == f"prompt is too long: {words}"
    assert chat.json["error"]["code"] == "context_length_exceeded"
