"""Callers that are slow, many, or mean something else by what they send."""

from __future__ import annotations

import asyncio
import re

import pytest

from crtui.clock import ManualClock
from tests.fakes.client import RudeClient
from tests.fakes.upstream import Upstream, ok_json, stall, status, stream
from tests.gateway.conftest import House, open_house
from tests.gateway.wires import CHAT_END, CHAT_START, COMPLETION, chat_request, chat_text

PATH = "/v1/chat/completions"
GOOD = ok_json(COMPLETION)
MANY = pytest.mark.parametrize("many", [100, pytest.param(1_000, marks=pytest.mark.long)])


async def connected(gateway: House, count: int) -> list[RudeClient]:
    return [await gateway.connect() for _ in range(count)]


@pytest.mark.fault("K23")
async def test_a_head_that_drips_in_ends_with_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crtui.gateway.protocol.HEAD_S", 0.1)
    async with Upstream(GOOD) as upstream, open_house(upstream) as gateway:
        never, begun = await connected(gateway, 2)
        await begun.send(b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127")
        closed = await never.rest(), await begun.rest()
        answer = await gateway.chat(chat_request())
    assert closed == (b"", b"")
    assert answer.status == 200


@pytest.mark.fault("K23")
async def test_a_body_that_stops_coming_is_told_so_and_makes_no_attempt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("crtui.gateway.body.BODY_PIECE_S", 0.05)
    async with Upstream(GOOD) as upstream, open_house(upstream) as gateway:
        client = await gateway.connect()
        await client.send(client.head("POST", PATH, 500) + b'{"model":')
        answer = await client.read()
    assert (answer.status, answer.json["error"]["code"]) == (408, "request_timeout")
    assert gateway.begun == []


SMUGGLING = [
    b"POST /v1/chat/completions HTTP/1.1\nhost: {host}\ncontent-length: 2\n\n{}",
    b"POST /v1/chat/completions HTTP/1.1\r\nhost: {host}\r\ncontent-length: 2\r\n\n{}GET",
    b"POST /v1/chat/completions HTTP/1.1\r\nhost: {host}\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    b"POST /v1/chat/completions HTTP/1.1\r\nhost: {host}\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
    b"POST /v1/chat/completions HTTP/1.1\r\nhost: {host}\r\ncontent-length: +2\r\n\r\n{}",
    b"POST /v1/chat/completions HTTP/1.1\r\nhost: {host}\r\ncontent-length: 0x2\r\n\r\n{}",
    b"POST /v1/chat/completions HTTP/1.1\r\nhost: {host}\r\nx-a: b\rcontent-length: 2\r\n\r\n{}",
    b"GET /v1/models HTTP/1.1\r\nhost: {host}\r\nx-a: b\0c\r\n\r\n",
]


@pytest.mark.fault("K22")
@pytest.mark.parametrize("raw", SMUGGLING, ids=range(len(SMUGGLING)))
async def test_a_request_that_hides_another_reaches_no_provider(raw: bytes) -> None:
    async with Upstream(GOOD) as upstream, open_house(upstream) as gateway:
        client = await gateway.connect()
        await client.send(raw.replace(b"{host}", f"127.0.0.1:{gateway.port}".encode()))
        answer = await client.rest()
    assert re.match(rb"HTTP/1.1 4\d\d |$", answer), "refused, or hung up on where its body is what is wrong"
    assert upstream.requests == []


@pytest.mark.fault("K19")
@pytest.mark.parametrize(
    "change",
    [
        {"model": "http://evil.example/../../etc/passwd"},
        {"model": "../../admin"},
        {"api_base": "http://evil.example", "base_url": "http://evil.example", "provider": "evil"},
    ],
)
async def test_nothing_a_client_says_changes_where_it_is_sent(change: dict[str, str]) -> None:
    async with Upstream(GOOD) as upstream, open_house(upstream) as gateway:
        answer = await gateway.chat(chat_request(**change), x_forwarded_host="evil.example")
    [seen] = upstream.requests
    assert answer.status == 200
    assert (seen.target, seen.header("host")) == (PATH, f"127.0.0.1:{upstream.port}")
    assert "evil" not in str(seen.headers)


@MANY
@pytest.mark.fault("L04")
async def test_many_opens_at_once_are_taken_up_to_the_limit_and_the_rest_told_when(many: int) -> None:
    async with Upstream(stall) as upstream, open_house(upstream, max_in_flight=50) as gateway:
        clients = await connected(gateway, many)
        for client in clients:
            await client.send(client.head("POST", PATH, 100_000))
        answers = [await client.read() for client in clients[50:]]
        body = chat_request()
        for client in clients[:50]:
            await client.send(body + b" " * (100_000 - len(body)))
        await upstream.request(49)
        running = gateway.engine.in_flight
        for client in clients:
            client.reset()
        for number in range(50):
            await gateway.end(number)
    assert {(answer.status, answer.header("retry-after")) for answer in answers} == {(503, "1")}
    assert running == 50


@MANY
@pytest.mark.fault("L09")
async def test_many_clients_that_leave_at_once_leave_nothing_behind(
    many: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with Upstream(stall) as upstream, open_house(upstream, max_in_flight=many) as gateway:
        clients = await connected(gateway, many)
        for client in clients:
            await client.ask("POST", PATH, chat_request(stream=True))
        await upstream.request(many - 1)
        for client in clients:
            client.reset()
        ends = [await gateway.end(number) for number in range(many)]
        await asyncio.gather(*(seen.gone.wait() for seen in upstream.requests))
        row = gateway.engine.provider_view("a")
    assert {end.error_kind for end in ends} == {"client"}
    assert len({end.ticket for end in ends}) == many
    assert (row.in_flight, row.health.consecutive_failures) == (0, 0)
    assert caplog.records == []


@pytest.mark.fault("L15")
async def test_idle_connections_are_in_nobodys_way() -> None:
    async with Upstream(GOOD) as upstream, open_house(upstream) as gateway:
        idle = await connected(gateway, 500)
        answers = [await gateway.chat(chat_request()) for _ in range(3)]
        for client in idle:
            client.close()
    assert [answer.status for answer in answers] == [200] * 3


@pytest.mark.fault("L12", "S37")
async def test_who_waits_as_long_as_told_is_served() -> None:
    clock = ManualClock()
    limit = status(429, {"error": {"message": "slow down"}}, ("retry-after", "40"))
    async with Upstream(limit, GOOD) as upstream, open_house(upstream, clock=clock) as gateway:
        await gateway.chat(chat_request())
        clock.advance(10_500)
        refused = await gateway.chat(chat_request())
        wait = int(refused.header("retry-after") or 0)
        clock.advance(wait * 1_000)
        served = await gateway.chat(chat_request())
    assert (refused.status, wait, served.status) == (429, 30, 200)


@pytest.mark.fault("L01")
async def test_of_many_requests_at_the_end_of_a_wait_one_tries_and_the_others_go_elsewhere() -> None:
    clock = ManualClock()
    gate = asyncio.Event()
    limit = status(429, {"error": {"message": "slow down"}}, ("retry-after", "30"))
    trial = stream(CHAT_START, chat_text("trial"), gate, CHAT_END)
    other = stream(CHAT_START, chat_text("other"), CHAT_END)
    async with (
        Upstream(limit, trial) as first,
        Upstream(other) as second,
        open_house(first, second, clock=clock) as gateway,
    ):
        await gateway.chat(chat_request(stream=True))
        clock.advance(31_000)
        clients = await connected(gateway, 50)
        for client in clients:
            await client.ask("POST", PATH, chat_request(stream=True))
        heads = [await client.read_head() for client in clients]
        gate.set()
        for client in clients:
            await client.read_some(b"0\r\n\r\n")
    served = [head.header("x-crtui-provider") for head in heads]
    assert (served.count("a"), served.count("b")) == (1, 49)
    assert len(first.requests) == 2
