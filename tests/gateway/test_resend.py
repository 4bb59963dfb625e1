"""A request goes out a second time on a fresh connection only where nobody can have worked on the first."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakes.upstream import Exchange, Upstream, ok_json

from .conftest import Open
from .wires import COMPLETION, chat_request


async def test_one_that_was_worked_on_before_the_close_goes_to_the_next_provider(
    house: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crtui.gateway.http.client.AT_ONCE_S", 0.02)
    gate = asyncio.Event()

    async def give_up(exchange: Exchange) -> None:
        asyncio.get_running_loop().call_later(0.1, gate.set)
        await gate.wait()
        exchange.close()

    good = ok_json(COMPLETION)
    async with (
        Upstream(good, give_up, good) as first,
        Upstream(good) as second,
        house(first, second) as gateway,
    ):
        await gateway.chat(chat_request())
        answer = await gateway.chat(chat_request())
        failed = await gateway.end(1)
    assert answer.header("x-crtui-provider") == "b"
    assert (failed.provider, failed.error_kind, failed.message) == (
        "a",
        "reset",
        "connection closed by the provider",
    )
    assert len(first.requests) == 2
