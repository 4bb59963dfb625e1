"""A caller asks for more output than a provider gives."""

from __future__ import annotations

import pytest

from tests.fakes.upstream import Upstream, ok_json, status
from tests.gateway.conftest import Open
from tests.gateway.wires import COMPLETION, chat_request, message_request

TOO_LARGE = {"error": {"message": "max_tokens=32000 cannot be greater than max_model_len=4096.", "code": 400}}
CROWDED = (
    "This model's maximum context length is 8192 tokens. However, you requested {} output tokens and your "
    "prompt contains at least {} input tokens, for a total of at least 8193 tokens."
)


async def test_the_same_provider_is_asked_for_what_it_gives(house: Open) -> None:
    async with (
        Upstream(status(400, TOO_LARGE), ok_json(COMPLETION)) as first,
        Upstream(ok_json(COMPLETION)) as second,
        house(first, second) as gateway,
    ):
        answer = await gateway.chat(chat_request(max_tokens=32_000))
        end = await gateway.end()
        [event] = [event for event in gateway.engine.snapshot().events if event.kind == "attempt.ok"]
    assert (answer.status, answer.header("x-crtui-provider"), answer.header("x-crtui-attempts")) == (
        200,
        "a",
        "1",
    )
    assert [seen.json["max_tokens"] for seen in first.requests] == [32_000, 4_096]
    assert (end.ok, end.status, end.output_limit, event.data["output_limit"]) == (True, 200, 4_096, 4_096)
    assert (len(gateway.ended), len(second.requests)) == (1, 0)


async def test_both_askings_take_one_connection(house: Open) -> None:
    async with Upstream(status(400, TOO_LARGE), ok_json(COMPLETION)) as upstream, house(upstream) as gateway:
        await gateway.chat(chat_request(max_tokens=32_000))
        assert upstream.connections == 1


async def test_a_prompt_that_is_not_counted_to_its_end_is_asked_with_half_and_half_again(house: Open) -> None:
    refusals = [
        status(400, {"error": {"message": CROWDED.format(asked, 8_193 - asked)}}) for asked in (8_000, 3_999)
    ]
    async with Upstream(*refusals, ok_json(COMPLETION)) as upstream, house(upstream) as gateway:
        answer = await gateway.chat(chat_request(max_tokens=8_000))
        end = await gateway.end()
    assert answer.status == 200
    assert [seen.json["max_tokens"] for seen in upstream.requests] == [8_000, 3_999, 1_999]
    assert end.output_limit == 1_999


async def test_where_there_is_no_room_left_the_prompt_is_too_long(house: Open) -> None:
    words = CROWDED.format(2_000, 6_193)
    async with Upstream(status(400, {"error": {"message": words}})) as upstream, house(upstream) as gateway:
        answer = await gateway.message(message_request(max_tokens=2_000))
        end = await gateway.end()
    assert answer.status == 400
    assert answer.json["error"]["message"] == f"prompt is too long: {words}"
    assert (len(upstream.requests), end.output_limit) == (1, None)


async def test_one_that_is_never_content_is_not_asked_for_ever(house: Open) -> None:
    refusals = [
        status(400, {"error": {"message": f"`max_tokens` must be less than or equal to `{limit}`"}})
        for limit in range(9_000, 8_000, -1)
    ]
    async with Upstream(*refusals) as upstream, house(upstream) as gateway:
        answer = await gateway.chat(chat_request(max_tokens=32_000))
    assert answer.status == 400
    assert [seen.json["max_tokens"] for seen in upstream.requests] == [32_000, 9_000, 8_999, 8_998]


@pytest.mark.parametrize("asked", [None, 4_096, 100])
async def test_who_asks_for_less_hears_the_refusal(house: Open, asked: int | None) -> None:
    async with Upstream(status(400, TOO_LARGE)) as upstream, house(upstream) as gateway:
        answer = await gateway.chat(chat_request(max_tokens=asked))
    assert (answer.status, answer.json, len(upstream.requests)) == (400, TOO_LARGE, 1)


async def test_a_caller_that_leaves_ends_the_second_asking_too(house: Open) -> None:
    async with (
        Upstream(status(400, TOO_LARGE), lambda exchange: exchange.stall()) as first,
        Upstream(ok_json(COMPLETION)) as second,
        house(first, second) as gateway,
    ):
        asking = await gateway.connect()
        await asking.ask("POST", "/v1/chat/completions", chat_request(max_tokens=32_000))
        await first.request(1)
        asking.reset()
        end = await gateway.end()
    assert (end.ok, end.error_kind, end.output_limit) == (False, "client", 4_096)
