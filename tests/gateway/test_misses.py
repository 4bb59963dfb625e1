"""Guessing a token comes to nothing: after twenty misses in a minute nothing of that address is looked at."""

from __future__ import annotations

import pytest

from crtui.clock import ManualClock
from crtui.gateway.misses import ADDRESSES, ALLOWED, WINDOW_MS, Misses
from tests.fakes.upstream import Upstream, ok_json

from .conftest import CONTROL, Open
from .wires import COMPLETION

TOKEN = "right-token-0123456789"


@pytest.mark.parametrize(
    ("method", "path", "right"), [("GET", "/v1/models", TOKEN), ("POST", "/crtui/v1/reset", CONTROL)]
)
@pytest.mark.fault("K08")
async def test_the_right_token_is_not_looked_at_either_until_the_minute_is_over(
    house: Open, method: str, path: str, right: str
) -> None:
    """RELIABILITY K08."""
    clock = ManualClock()
    token = TOKEN if right == TOKEN else None
    async with house(Upstream(ok_json(COMPLETION)), token=token, clock=clock) as gateway:
        misses = [await gateway.ask(method, path, x_api_key=f"guess-{i}") for i in range(ALLOWED)]
        blocked = await gateway.ask(method, path, x_api_key=right)
        free = await gateway.ask("GET", "/healthz") if token is None else None
        clock.advance(WINDOW_MS)
        after = await gateway.ask(method, path, x_api_key=right)
    assert {answer.status for answer in misses} == {401}
    assert (blocked.status, blocked.header("retry-after")) == (429, "60")
    assert blocked.header("x-should-retry") == "false"
    assert after.status == 200
    assert free is None or free.status == 200


async def test_a_missing_token_is_no_guess(house: Open) -> None:
    async with house(Upstream(ok_json(COMPLETION)), token=TOKEN) as gateway:
        for _ in range(ALLOWED + 1):
            assert (await gateway.ask("GET", "/v1/models")).status == 401
        answer = await gateway.ask("GET", "/v1/models", x_api_key=TOKEN)
    assert answer.status == 200


def test_addresses_are_apart_and_not_kept_without_end() -> None:
    misses = Misses()
    for now in range(ALLOWED):
        misses.add("first", now)
    assert (misses.wait_ms("first", ALLOWED), misses.wait_ms("second", 0)) == (WINDOW_MS - ALLOWED, 0)
    assert misses.wait_ms("first", WINDOW_MS) == 0
    for number in range(ADDRESSES):
        misses.add(str(number), 0)
    assert misses.wait_ms("first", ALLOWED) == 0
