"""The link of ``attach`` to a gateway that refuses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from crtui.core.inputs import Command
from crtui.engine.remote import RemoteGateway, RemoteLink
from crtui.secret import Secret
from tests.fakes.upstream import Upstream, stall

from .conftest import CONTROL, Open, until

DEMOTE = Command("demote", "a")


@asynccontextmanager
async def linked(url: str, token: str) -> AsyncIterator[RemoteLink]:
    """A running link that has its first snapshot."""
    link = RemoteLink(RemoteGateway(url, control_token=lambda: Secret(token)))
    link.start()
    try:
        await until(lambda: link.latest is not None)
        yield link
    finally:
        await asyncio.to_thread(link.stop)


async def refusal(link: RemoteLink) -> str:
    """The next refusal."""
    while (told := link.take_refusal()) is None:  # noqa: ASYNC110 - the link tells nobody
        await asyncio.sleep(0)
    return told


async def test_each_refused_order_is_told_once_with_the_reason_and_the_link_stays(house: Open) -> None:
    async with Upstream(stall) as upstream, house(upstream) as gateway, linked(gateway.url, "wrong") as link:
        link.send(DEMOTE)
        link.send(Command("demote", "nobody"))
        told = [await refusal(link), await refusal(link)]
        assert link.take_refusal() is None
        assert link.status.state == "live"
        assert gateway.engine.provider_view("a").operator.override == "none"
    assert told == ["401: the gateway's control token (see <state-dir>/token) is missing or wrong"] * 2


async def test_an_order_to_a_provider_that_is_gone_by_then_is_refused_and_the_next_obeyed(
    house: Open,
) -> None:
    async with Upstream(stall) as upstream, house(upstream) as gateway, linked(gateway.url, CONTROL) as link:
        link.send(Command("demote", "nobody"))
        link.send(DEMOTE)
        await until(lambda: gateway.engine.provider_view("a").operator.override == "demoted")
        assert link.take_refusal() == "404: no such provider"
        assert link.take_refusal() is None
