"""Everything fails and callers ask again and again: what the providers get of it."""

from __future__ import annotations

import pytest

from crtui.clock import ManualClock
from crtui.gateway.retries import MOST, PER_ANSWER, Retries
from tests.fakes.upstream import Upstream, ok_json, status
from tests.gateway.conftest import House, open_house
from tests.gateway.wires import COMPLETION, chat_request

ASKS = 130
DOWN, GOOD = status(500, {}), ok_json(COMPLETION)


async def asked(gateway: House, times: int) -> list[int]:
    """Ask so often on one connection; every answer's status."""
    client, told = await gateway.connect(), list[int]()
    for _ in range(times):
        await client.ask("POST", "/v1/chat/completions", chat_request())
        told.append((await client.read()).status)
    return told


@pytest.mark.fault("L11")
async def test_when_all_fail_the_second_and_third_get_no_more_than_the_budget_of_retries() -> None:
    clock = ManualClock()
    async with (
        Upstream(DOWN) as a,
        Upstream(DOWN) as b,
        Upstream(DOWN) as c,
        open_house(a, b, c, clock=clock) as gateway,
    ):
        told = await asked(gateway, ASKS)
        spared = await gateway.chat(chat_request())
        clock.advance(10_000)
        await asked(gateway, ASKS)
        first, *others = (len(upstream.requests) for upstream in (a, b, c))
    assert set(told) == {502}
    assert "not asked, too many retries have failed just now" in spared.json["error"]["message"]
    assert first == 2 * ASKS + 1
    assert sum(others) == MOST + 10, "ten more after ten seconds"


@pytest.mark.fault("L11")
async def test_however_often_the_first_one_fails_one_that_answers_is_always_asked() -> None:
    async with Upstream(DOWN) as a, Upstream(GOOD) as b, open_house(a, b, threshold=20) as gateway:
        assert await asked(gateway, ASKS) == [200] * ASKS


@pytest.mark.fault("L11")
async def test_nor_do_two_in_front_of_it_that_fail_every_time() -> None:
    async with (
        Upstream(DOWN) as a,
        Upstream(DOWN) as b,
        Upstream(GOOD) as c,
        open_house(a, b, c, threshold=10 * ASKS) as gateway,
    ):
        assert await asked(gateway, 2 * ASKS) == [200] * 2 * ASKS


@pytest.mark.fault("L11")
async def test_when_one_is_back_the_first_request_that_may_finds_it() -> None:
    clock = ManualClock()
    back = Upstream(*[DOWN] * int(MOST), GOOD)
    async with Upstream(DOWN) as a, back as b, open_house(a, b, clock=clock) as gateway:
        assert set(await asked(gateway, ASKS)) == {502}
        clock.advance(1_000)
        assert await asked(gateway, ASKS) == [200] * ASKS


def test_answers_earn_a_tenth_of_a_retry_each() -> None:
    retries = Retries(0)
    for _ in range(int(MOST)):
        retries.failed()
    earned = 0
    for _ in range(100):
        retries.served()
        if retries.allowed(0):
            retries.failed()
            earned += 1
    assert earned == pytest.approx(100 * PER_ANSWER, abs=1)
