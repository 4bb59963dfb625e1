"""Ordering a model over HTTP: the route, its token rule, and what it answers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest

from crtui.core.inputs import Command, Pull
from crtui.engine.puller import Puller
from crtui.engine.remote import RemoteGateway
from crtui.secret import Secret
from crtui.wire.trace_in import decode
from crtui.wire.trace_out import encode
from tests.fakes.upstream import Upstream, stall

from .conftest import CONTROL, House, Open, provider

KEY = {"authorization": f"Bearer {CONTROL}"}


@asynccontextmanager
async def fetching(house: Open, upstream: Upstream) -> AsyncIterator[House]:
    """A gateway with an Ollama ``o`` and another provider ``a``, and its puller."""
    local = provider("o", upstream.url, kind="ollama", auth="none", secret=None)
    async with house(upstream, local) as gateway:
        engine = gateway.engine
        puller = Puller(engine.providers, engine.inventory, engine.clock, engine.pulled)
        engine.listen_for_orders(puller.obey)
        task = asyncio.create_task(puller.run())
        try:
            yield gateway
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def test_a_model_is_ordered_and_cancelled_and_each_answer_is_the_new_row(house: Open) -> None:
    async with Upstream(stall) as upstream, fetching(house, upstream) as gateway:
        ordered = await gateway.ask("POST", "/crtui/v1/providers/o/pull", b'{"model": "qwen3:4b"}', **KEY)
        seen = await upstream.request(0)
        row = (await gateway.ask("GET", "/crtui/v1/state")).json["providers"][1]
        body = b'{"model": "qwen3:4b", "cancel": true}'
        cancelled = await gateway.ask("POST", "/crtui/v1/providers/o/pull", body, **KEY)
        await seen.gone.wait()
        events = [event for event in gateway.engine.events_since(0) if event.kind == "model.pull"]
    assert ordered.status == 200
    assert [(pull["model"], pull["state"]) for pull in ordered.json["pulls"]] == [("qwen3:4b", "queued")]
    assert (seen.target, seen.json["model"]) == ("/api/pull", "qwen3:4b")
    assert [pull["state"] for pull in row["pulls"]] == ["pulling"]
    assert (cancelled.status, cancelled.json["pulls"]) == (200, [])
    assert [event.to_json() | {"at": ""} for event in events] == [
        {
            "seq": event.seq,
            "at": "",
            "kind": "model.pull",
            "provider": "o",
            "model": "qwen3:4b",
            "status": status,
        }
        for event, status in zip(events, ("queued", "started", "cancelled"), strict=True)
    ]


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("o/pull", b'{"model": 3}', 400),
        ("o/pull", b'{"cancel": "yes"}', 400),
        ("o/pull", b"[]", 400),
        ("o/pull", b'{"model": "%s"}' % (b"x" * 300), 400),
        ("a/pull", b"{}", 400),
        ("nobody/pull", b"{}", 404),
    ],
)
async def test_what_is_no_order_is_refused_and_nothing_is_fetched(
    house: Open, path: str, body: bytes, code: int
) -> None:
    async with Upstream(stall) as upstream, fetching(house, upstream) as gateway:
        answer = await gateway.ask("POST", f"/crtui/v1/providers/{path}", body, **KEY)
        assert answer.status == code
        assert gateway.engine.provider_view("o").pulls == ()
        assert not [item for item in gateway.inputs if isinstance(item, Command | Pull)]


async def test_ordering_needs_the_control_token(house: Open) -> None:
    async with Upstream(stall) as upstream, fetching(house, upstream) as gateway:
        answer = await gateway.ask("POST", "/crtui/v1/providers/o/pull", b'{"model": "m"}')
        assert answer.status == 401
        assert gateway.engine.provider_view("o").pulls == ()


async def test_the_attached_screen_s_order_is_the_same(house: Open) -> None:
    async with Upstream(stall) as upstream, fetching(house, upstream) as gateway:
        remote = RemoteGateway(gateway.url, control_token=lambda: Secret(CONTROL))
        await asyncio.to_thread(remote.send, Command("pull", "o", model="m"))
        assert [pull.model for pull in gateway.engine.provider_view("o").pulls] == ["m"]
        await asyncio.to_thread(remote.send, Command("cancel_pull", "o"))
        assert gateway.engine.provider_view("o").pulls == ()
        remote.close()


@pytest.mark.parametrize(
    "item",
    [
        Command("pull", "o", model="qwen3:4b"),
        Command("cancel_pull", "o"),
        Pull("o", "qwen3:4b", "started"),
        Pull("o", "qwen3:4b", "failed", "disk full"),
    ],
)
def test_orders_and_turning_points_survive_the_trace(item: Command | Pull) -> None:
    assert decode(orjson.loads(encode(item)), 0) == item


async def test_a_get_of_the_route_is_told_what_it_takes(house: Open) -> None:
    async with Upstream(stall) as upstream, fetching(house, upstream) as gateway:
        answer = await gateway.ask("GET", "/crtui/v1/providers/o/pull")
    assert (answer.status, answer.header("allow")) == (405, "POST")
