"""A client that goes takes its upstream request with it at once, and no provider is blamed."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakes.client import RudeClient
from tests.fakes.upstream import Exchange, Script, Upstream, cut, ok_json, stall, status

from .conftest import Open, provider, until
from .wires import CHAT_START, COMPLETION, chat_request, chat_text


def leave(client: RudeClient, how: str) -> None:
    if how == "reset":
        client.reset()
    else:
        client.close()


@pytest.mark.parametrize("how", ["reset", "close"])
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.fault("L05", "S18")
async def test_before_the_first_byte(house: Open, how: str, streamed: bool) -> None:
    async with (
        Upstream(stall) as first,
        Upstream(ok_json(COMPLETION)) as second,
        house(first, second) as gateway,
    ):
        client = await gateway.connect()
        await client.ask("POST", "/v1/chat/completions", chat_request(stream=streamed))
        seen = await first.request()
        leave(client, how)
        await seen.gone.wait()
        end = await gateway.end()
        health = gateway.engine.provider_view("a").health
    assert (end.error_kind, end.ok, end.midstream) == ("client", False, False)
    assert health.consecutive_failures == 0
    assert len(gateway.begun) == 1
    assert second.requests == []


@pytest.mark.parametrize("how", ["reset", "close"])
@pytest.mark.fault("L06", "S33")
async def test_in_the_middle_of_the_stream(house: Open, how: str) -> None:
    text = "x" * 200
    async with (
        Upstream(cut(CHAT_START, chat_text(text), how="stall")) as upstream,
        house(upstream) as gateway,
    ):
        client = await gateway.connect()
        await client.ask("POST", "/v1/chat/completions", chat_request(stream=True))
        await client.read_some(b'x"')
        leave(client, how)
        await upstream.requests[0].gone.wait()
        end = await gateway.end()
        health = gateway.engine.provider_view("a").health
    assert end.error_kind == "client"
    assert end.usage is not None
    assert (end.usage.output, end.usage_estimated) == (50, True)
    assert health.state == "HEALTHY"
    assert health.consecutive_failures == 0


@pytest.mark.parametrize("length", [1_000, 100_000, 800_000])
async def test_however_large_its_request_was(house: Open, length: int) -> None:
    """A body that is whole before anybody reads it had the connection held, and for good."""
    async with (
        Upstream(cut(CHAT_START, chat_text("x" * 200), how="stall")) as upstream,
        house(upstream) as gateway,
    ):
        client = await gateway.connect()
        prompt = [{"role": "user", "content": "p" * length}]
        await client.ask("POST", "/v1/chat/completions", chat_request(stream=True, messages=prompt))
        await client.read_some(b'x"')
        client.close()
        await asyncio.wait_for(upstream.requests[0].gone.wait(), 5)
        end = await gateway.end()
    assert end.error_kind == "client"


@pytest.mark.fault("L07")
async def test_while_it_sends_its_body_no_attempt_is_ever_made(house: Open) -> None:
    async with Upstream(ok_json(COMPLETION)) as upstream, house(upstream) as gateway:
        client = await gateway.connect()
        await client.send(client.head("POST", "/v1/chat/completions", 500) + b'{"model":')
        await until(lambda: gateway.engine.in_flight == 1)
        client.reset()
        await until(lambda: gateway.engine.in_flight == 0)
    assert gateway.begun == []
    assert upstream.requests == []


@pytest.mark.fault("L08")
async def test_between_two_attempts_the_second_never_starts(house: Open) -> None:
    gate = asyncio.Event()

    async def slowly_fail(exchange: Exchange) -> None:
        await exchange.head(500, ("content-length", "10"))
        await gate.wait()
        await exchange.raw(b"0123456789")

    async with (
        Upstream(slowly_fail) as first,
        Upstream(ok_json(COMPLETION)) as second,
        house(first, second) as gateway,
    ):
        client = await gateway.connect()
        await client.ask("POST", "/v1/chat/completions", chat_request())
        seen = await first.request()
        client.reset()
        await seen.gone.wait()
        gate.set()
        end = await gateway.end()
    assert end.error_kind == "client"
    assert second.requests == []


async def test_many_at_once_leave_nothing_behind(house: Open) -> None:
    async with Upstream(stall) as upstream, house(upstream) as gateway:
        clients = [await gateway.connect() for _ in range(50)]
        for client in clients:
            await client.ask("POST", "/v1/chat/completions", chat_request(stream=True))
        for number in range(50):
            await upstream.request(number)
        for client in clients:
            client.reset()
        for number in range(50):
            assert (await gateway.end(number)).error_kind == "client"
        row = gateway.engine.provider_view("a")
    assert row.in_flight == 0


async def test_the_next_request_of_another_client_is_not_affected(house: Open) -> None:
    async with Upstream(stall, status(200, COMPLETION)) as upstream, house(upstream) as gateway:
        client = await gateway.connect()
        await client.ask("POST", "/v1/chat/completions", chat_request())
        await upstream.request()
        client.reset()
        answer = await gateway.chat(chat_request())
    assert answer.status == 200


TOOLS = [{"type": "function", "function": {"name": "look", "description": "d" * 4000}}]
CALLS = [{"id": "c1", "type": "function", "function": {"name": "look", "arguments": "a" * 4000}}]
LONG = chat_request(
    stream=True,
    tools=TOOLS,
    messages=[{"role": "user", "content": "p" * 4000}, {"role": "assistant", "tool_calls": CALLS}],
)


@pytest.mark.parametrize("script", [stall, cut(CHAT_START, how="stall")])
@pytest.mark.fault("S33")
async def test_a_prompt_that_was_sent_counts_with_its_tools_and_calls(house: Open, script: Script) -> None:
    async with Upstream(script) as upstream, house(upstream) as gateway:
        client = await gateway.connect()
        await client.ask("POST", "/v1/chat/completions", LONG)
        await upstream.request()
        client.reset()
        end = await gateway.end()
    assert end.usage is not None
    assert 3000 <= end.usage.input < 3100
    assert (end.usage.output, end.usage_estimated) == (0, True)


async def test_one_that_was_never_sent_costs_nothing(house: Open) -> None:
    """The connection is there, but its TLS handshake is not over."""
    async with Upstream(stall) as upstream:
        slow = provider("a", upstream.url.replace("http:", "https:"))
        async with house(slow) as gateway:
            client = await gateway.connect()
            await client.ask("POST", "/v1/chat/completions", LONG)
            await until(lambda: upstream.connections == 1)
            client.reset()
            end = await gateway.end()
    assert (end.error_kind, end.usage, end.usage_estimated) == ("client", None, False)
