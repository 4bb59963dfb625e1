"""The control plane: state, events, orders, models, and the fixed answers to everything else."""

from __future__ import annotations

import asyncio
import json

import pytest

from crtui import __version__
from crtui.core.encode import snapshot_from_json
from crtui.gateway.control import Control
from crtui.gateway.reply import Reply
from tests.fakes.upstream import Upstream, ok_json, status

from .conftest import CANARY, CONTROL, House, Open
from .wires import COMPLETION, MESSAGE, chat_request, message_request

KEY = {"authorization": f"Bearer {CONTROL}"}


async def order(gateway: House, path: str, body: bytes = b"", **headers: str):
    return await gateway.ask("POST", f"/crtui/v1/{path}", body, **(KEY | headers))


@pytest.mark.fault("K41")
async def test_health_says_ok_and_the_version(house: Open) -> None:
    async with house(Upstream(ok_json(MESSAGE))) as gateway:
        answer = await gateway.ask("GET", "/healthz")
        client = await gateway.connect()
        await client.ask("HEAD", "/healthz", connection="close")
        head = await client.read_head()
        rest = await client.rest()
    assert answer.json == {"status": "ok", "version": __version__}
    assert (head.status, rest) == (200, b"")


async def test_state_is_the_snapshot_and_counts_what_was_served(house: Open) -> None:
    async with Upstream(ok_json(MESSAGE)) as upstream, house(upstream) as gateway:
        await gateway.message(message_request())
        answer = await gateway.ask("GET", "/crtui/v1/state")
    state = answer.json
    assert state["schema"] == 1
    assert state["gateway"]["requests"] == 1
    assert state["gateway"]["in_flight"] == 0
    assert state["providers"][0]["usage"]["output_tokens"] == 3
    assert snapshot_from_json(state).providers[0].name == "a"
    assert CANARY not in answer.body.decode()


async def test_a_listener_with_a_number_that_is_still_to_come_hears_everything(house: Open) -> None:
    """A journal that was put aside begins at one again, and its listeners come back with what they had."""
    async with Upstream(ok_json(MESSAGE)) as upstream, house(upstream) as gateway:
        client = await gateway.connect()
        await client.ask("GET", "/crtui/v1/events", last_event_id="99999")
        await order(gateway, "providers/a/demote")
        raw = await client.read_some(b'"override":"demoted"')
    assert b"id: 1\n" in raw


async def test_events_come_as_they_happen_and_from_any_number_on(house: Open) -> None:
    async with Upstream(ok_json(MESSAGE)) as upstream, house(upstream) as gateway:
        await gateway.message(message_request())
        told = gateway.engine.events_since(0)
        client = await gateway.connect()
        await client.ask("GET", f"/crtui/v1/events?since={told[0].seq}")
        await client.read_some(f"id: {told[-1].seq}\n".encode())
        await order(gateway, "providers/a/demote")
        raw = await client.read_some(b'"override":"demoted"')
    assert b"id: " in raw
    assert b"operator.changed" in raw
    assert f"id: {told[0].seq}\n".encode() not in raw


async def test_events_without_a_number_are_only_new_ones(house: Open) -> None:
    async with Upstream(ok_json(MESSAGE)) as upstream, house(upstream) as gateway:
        await gateway.message(message_request())
        client = await gateway.connect()
        await client.ask("GET", "/crtui/v1/events")
        head = await client.read_head()
        await client.read_some(b": crtui events\n\n")
        await order(gateway, "providers/a/drain")
        raw = await client.read_some(b"\n\n")
    assert head.header("content-type") == "text/event-stream"
    assert b"operator.changed" in raw
    assert b"attempt.ok" not in raw


async def test_a_listener_that_leaves_and_a_bad_number_leave_nothing_behind(house: Open) -> None:
    async with house(Upstream(ok_json(MESSAGE))) as gateway:
        client = await gateway.connect()
        await client.ask("GET", "/crtui/v1/events")
        await client.read_some(b": crtui events\n\n")
        client.reset()
        bad = await gateway.ask("GET", "/crtui/v1/events?since=-1")
    assert bad.status == 400


async def test_a_quiet_event_stream_has_a_heartbeat(house: Open) -> None:
    sent: list[bytes] = []

    class Client:
        date = b""

        def write(self, *parts: bytes) -> None:
            sent.extend(parts)

        async def room(self) -> None: ...

        def answered(self, *, keep: bool) -> None: ...

    async with house(Upstream(ok_json(MESSAGE))) as gateway:
        control = Control(gateway.engine, heartbeat_s=0.01)
        await control._tell(Reply(Client()), gateway.engine.last_seq)
    assert sent == [b"3\r\n:\n\n\r\n"]


@pytest.mark.parametrize(
    ("name", "override"),
    [("demote", "demoted"), ("drain", "drained"), ("pin", "pinned"), ("release", "none")],
)
async def test_an_order_answers_the_providers_new_row(house: Open, name: str, override: str) -> None:
    async with house(Upstream(ok_json(MESSAGE)), Upstream(ok_json(MESSAGE))) as gateway:
        answer = await order(gateway, f"providers/b/{name}", b'{"for_s": 60}')
    assert answer.status == 200
    assert answer.json["name"] == "b"
    assert answer.json["operator"]["override"] == override
    assert (answer.json["operator"]["until"] is not None) is (name != "release")


async def test_a_drained_provider_gets_no_more_requests_and_the_client_is_told_why(house: Open) -> None:
    async with Upstream(ok_json(MESSAGE)) as upstream, house(upstream) as gateway:
        await order(gateway, "providers/a/drain")
        drained = await gateway.message(message_request())
        await order(gateway, "providers/a/drain", b'{"for_s": 90}')
        for_a_while = await gateway.message(message_request())
        await order(gateway, "reset")
        again = await gateway.message(message_request())
    assert (drained.status, for_a_while.status, again.status) == (503, 429, 200)
    assert "a: drained by you" in drained.json["error"]["message"]
    assert 1 <= int(for_a_while.header("retry-after") or 0) <= 90


async def test_reset_makes_an_unhealthy_provider_as_new(house: Open) -> None:
    async with Upstream(status(401, {})) as upstream, house(upstream) as gateway:
        await gateway.message(message_request())
        before = gateway.engine.provider_view("a").standing
        answer = await order(gateway, "providers/a/reset", b"{}")
    assert before == "excluded"
    assert answer.json["standing"] == "eligible"


async def test_paid_providers_are_allowed_by_order(house: Open) -> None:
    async with Upstream(ok_json(MESSAGE)) as upstream, house(upstream, paid=True) as gateway:
        before = await gateway.message(message_request())
        answer = await order(gateway, "paid", b'{"allow": true}')
        after = await gateway.message(message_request())
        bad = await order(gateway, "paid", b'{"allow": "yes"}')
    assert (before.status, after.status, bad.status) == (503, 200, 400)
    assert answer.json == {"allow_paid": True}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("providers/nobody/pin", b"", 404),
        ("providers/a/explode", b"", 404),
        ("providers/a/b/pin", b"", 404),
        ("providers/a/pin", b"[]", 400),
        ("providers/a/pin", b"{", 400),
        ("providers/a/pin", b'{"for_s": 0}', 400),
        ("providers/a/pin", b'{"for_s": -1}', 400),
        ("providers/a/pin", b'{"for_s": true}', 400),
        ("providers/a/pin", b'{"for_s": "60"}', 400),
        ("providers/a/pin", b'{"for_s": 1e12}', 400),
        ("providers/a/pin", b" " * 70_000, 413),
    ],
)
async def test_orders_that_make_no_sense_change_nothing(
    house: Open, path: str, body: bytes, status: int
) -> None:
    async with house(Upstream(ok_json(MESSAGE))) as gateway:
        answer = await order(gateway, path, body)
        override = gateway.engine.provider_view("a").operator.override
    assert answer.status == status
    assert answer.json["error"]["message"]
    assert override == "none"


@pytest.mark.parametrize("name", ["nobody", ""])
@pytest.mark.parametrize("order_", ["demote", "reset", "pull"])
async def test_an_order_for_nobody_changes_nothing(house: Open, name: str, order_: str) -> None:
    async with house(Upstream(ok_json(MESSAGE))) as gateway:
        await order(gateway, "providers/a/drain")
        answer = await order(gateway, f"providers/{name}/{order_}")
        override = gateway.engine.provider_view("a").operator.override
    assert (answer.status, answer.json["error"]["code"]) == (404, "unknown_provider")
    assert override == "drained"


@pytest.mark.fault("K07")
async def test_every_order_needs_the_token_even_on_loopback(house: Open) -> None:
    paths = ["providers/a/demote", "providers/a/reset", "reset", "paid"]
    async with house(Upstream(ok_json(MESSAGE))) as gateway:
        answers = [await gateway.ask("POST", f"/crtui/v1/{path}") for path in paths]
        wrong = await gateway.ask("POST", "/crtui/v1/reset", x_api_key="guess")
    assert [answer.status for answer in (*answers, wrong)] == [401] * 5


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v1/nothing", 404),
        ("GET", "//v1/models", 404),
        ("GET", "/v1/%2e%2e/etc/passwd", 404),
        ("OPTIONS", "/v1/messages", 405),
        ("GET", "/v1/messages", 405),
        ("PUT", "/v1/models", 405),
        ("DELETE", "/crtui/v1/state", 405),
        ("GET", "/crtui/v1/providers/a/pin", 405),
        ("OPTIONS", "/crtui/v1/events", 405),
        ("GET", "/v1/responses", 405),
        ("GET", "/v1/messages/count_tokens", 405),
        ("GET", "/v1/embeddings", 405),
    ],
)
@pytest.mark.fault("K06", "K37", "P42")
async def test_everything_else_gets_a_small_fixed_answer(
    house: Open, method: str, path: str, status: int
) -> None:
    async with house(Upstream(ok_json(MESSAGE))) as gateway:
        answer = await gateway.ask(method, path, b"{}" if method == "POST" else b"")
    assert answer.status == status
    assert answer.json["error"]["message"]
    assert (answer.header("allow") is not None) is (status == 405)
    assert answer.header("x-crtui-request-id") is not None


@pytest.mark.fault("K38")
async def test_a_websocket_upgrade_is_told_to_use_plain_http(house: Open) -> None:
    async with house(Upstream(ok_json(MESSAGE))) as gateway:
        answer = await gateway.ask(
            "GET",
            "/v1/responses",
            connection="Upgrade",
            upgrade="websocket",
            sec_websocket_version="13",
            sec_websocket_key="x3JJHMbDL1EzLkh9GBhXDw==",
        )
    assert answer.status == 426


async def test_one_connection_serves_many_requests(house: Open) -> None:
    async with Upstream(ok_json(COMPLETION)) as upstream, house(upstream) as gateway:
        client = await gateway.connect()
        for _ in range(3):
            await client.ask("POST", "/v1/chat/completions", chat_request())
            assert (await client.read()).status == 200
        await client.ask("GET", "/crtui/v1/state")
        assert json.loads((await client.read()).body)["gateway"]["requests"] == 3
        await asyncio.sleep(0)
