"""Entry is judged from the head alone: Host, Origin, token, content type, framing and size."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from crtui.gateway.guard import Access, Token, hosts_of
from tests.fakes.upstream import Upstream, ok_json, stall

from .conftest import CONTROL, Open
from .wires import COMPLETION, MESSAGE, chat_request, message_request

PATH = "/v1/chat/completions"
POST = b"POST /v1/chat/completions HTTP/1.1\r\nhost: {host}\r\n"


def access(**changes: object) -> Access:
    return Access(hosts_of("127.0.0.1", 4747), Token("control"), **changes)  # type: ignore[arg-type]


def head(*headers: tuple[bytes, bytes], target: bytes = b"/v1/models") -> tuple[Any, bytes]:
    return headers, target


HOST = (b"host", b"127.0.0.1:4747")


@pytest.mark.parametrize("host", [b"127.0.0.1:4747", b"localhost:4747", b"LOCALHOST:4747", b"[::1]:4747"])
@pytest.mark.fault("K02")
def test_loopback_names_with_our_port_are_served(host: bytes) -> None:
    assert access().head(*head((b"host", host))) is None


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ((b"host", b"evil.example:4747"),),
        ((b"host", b"127.0.0.1:4748"),),
        ((b"host", b"127.0.0.1"),),
        ((b"host", b"localhost.:4747"),),
        ((b"host", b"user@localhost:4747"),),
        ((b"host", b"evil/x?localhost:4747"),),
        (HOST, HOST),
        (HOST, (b"host", b"evil.example")),
        (HOST, (b"origin", b"http://127.0.0.1:4747")),
        (HOST, (b"origin", b"null")),
        (HOST, (b"origin", b"https://evil.example")),
    ],
)
@pytest.mark.fault("K02", "K03")
def test_other_hosts_and_any_origin_are_refused(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    refusal = access().head(*head(*headers))
    assert refusal is not None
    assert refusal.status == 403


@pytest.mark.parametrize("target", [b"http://127.0.0.1:4747/v1/models", b"*", b"evil.example:443"])
@pytest.mark.fault("K02")
def test_a_target_that_is_no_path_is_refused(target: bytes) -> None:
    refusal = access().head(*head(HOST, target=target))
    assert refusal is not None
    assert refusal.status == 403


@pytest.mark.fault("K35")
def test_configured_hosts_and_the_bind_address_are_served() -> None:
    hosts = hosts_of("10.0.0.5", 80, ("box.example", "gw.example:8443", "[fd00::1]"))
    assert {b"10.0.0.5", b"10.0.0.5:80", b"localhost", b"box.example", b"box.example:80"} <= hosts
    assert {b"gw.example:8443", b"[fd00::1]", b"[fd00::1]:80"} <= hosts
    assert b"gw.example:80" not in hosts


@pytest.mark.fault("K02")
def test_a_wildcard_bind_serves_only_loopback_names() -> None:
    assert hosts_of("0.0.0.0", 4747) == hosts_of("::", 4747) == hosts_of("127.0.0.1", 4747)


def test_an_ipv6_bind_address_is_served_in_brackets() -> None:
    assert b"[fd00::7]:4747" in hosts_of("fd00::7", 4747)


def test_an_allowed_origin_comes_in() -> None:
    allowed = access(origins=frozenset({b"https://page.example"}))
    assert allowed.head(*head(HOST, (b"origin", b"https://page.example"))) is None


@pytest.mark.parametrize(
    "headers",
    [
        ((b"content-length", b"3"), (b"content-length", b"4")),
        ((b"content-length", b"3"), (b"transfer-encoding", b"chunked")),
        ((b"content-length", b"-3"),),
        ((b"content-length", b"1e30"),),
        ((b"content-length", b"9" * 30),),
        ((b"transfer-encoding", b"gzip, chunked"),),
        ((b"transfer-encoding", b"chunked"), (b"transfer-encoding", b"chunked")),
        ((b"authorization", b"Bearer a"), (b"authorization", b"Bearer b")),
    ],
)
@pytest.mark.fault("K22")
def test_ambiguous_framing_is_refused(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    refusal = access().head(*head(HOST, *headers))
    assert refusal is not None
    assert refusal.status == 400


@pytest.mark.parametrize(
    ("headers", "enters"),
    [
        ({b"authorization": b"Bearer secret"}, True),
        ({b"authorization": b"bearer  secret"}, True),
        ({b"x-api-key": b"secret"}, True),
        ({b"authorization": b"Bearer wrong", b"x-api-key": b"secret"}, True),
        ({}, False),
        ({b"authorization": b"Bearer "}, False),
        ({b"authorization": b"Basic secret"}, False),
        ({b"x-api-key": b"secret2"}, False),
        ({b"x-api-key": b"control"}, False),
    ],
)
def test_a_configured_token_is_needed_for_everything(headers: dict[bytes, bytes], enters: bool) -> None:
    refusal = access(token=Token("secret")).caller(headers, order=False)
    assert (refusal is None) is enters
    assert refusal is None or (refusal.status, refusal.retry) == (401, False)


@pytest.mark.parametrize("offered", [b"control", b"secret"])
def test_orders_take_the_control_token_or_the_configured_one(offered: bytes) -> None:
    assert access(token=Token("secret")).caller({b"x-api-key": offered}, order=True) is None


@pytest.mark.fault("K07")
def test_orders_need_a_token_even_where_nothing_else_does() -> None:
    assert access().caller({}, order=False) is None
    refusal = access().caller({}, order=True)
    assert refusal is not None
    assert refusal.status == 401


@pytest.mark.fault("K08")
async def test_refusals_come_in_the_envelope_of_the_path_and_before_the_body(house: Open) -> None:
    async with Upstream(ok_json(MESSAGE)) as upstream, house(upstream, token="secret-token") as gateway:
        client = await gateway.connect()
        await client.send(client.head("POST", "/v1/messages", 100_000, expect="100-continue"))
        anthropic = await client.read()
        openai = await gateway.chat(chat_request())
        served = await gateway.message(message_request(), authorization="Bearer secret-token")
    assert anthropic.status == openai.status == 401
    assert anthropic.json["type"] == "error"
    assert anthropic.json["error"]["type"] == "authentication_error"
    assert openai.json["error"]["code"] == "invalid_api_key"
    assert anthropic.header("x-should-retry") == "false"
    assert served.status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"content_type": "text/plain"}, 415),
        ({"content_type": "application/x-www-form-urlencoded"}, 415),
        ({"content_encoding": "br"}, 415),
        ({"content_encoding": "gzip, zstd"}, 415),
        ({"content_encoding": "identity"}, 200),
        ({"content_type": "application/json; charset=utf-8"}, 200),
        ({"content_length": "2000000"}, 413),
        ({"upgrade": "h2c", "connection": "upgrade, http2-settings", "http2_settings": "AAEAAEAA"}, 200),
        ({"upgrade": "h2c, WebSocket", "connection": "upgrade"}, 426),
    ],
)
@pytest.mark.fault("K02", "K03", "K04", "K05", "K23", "K38", "P38")
async def test_over_the_wire(house: Open, headers: dict[str, str], status: int) -> None:
    async with Upstream(ok_json(COMPLETION)) as upstream, house(upstream) as gateway:
        answer = await gateway.chat(chat_request(), **headers)
    assert answer.status == status
    assert len(upstream.requests) == (status == 200)
    assert [name for name, _ in answer.headers if name.startswith("access-control")] == []


@pytest.mark.parametrize(
    "raw",
    [
        POST + b"host: {host}\r\n\r\n",
        b"GET http://{host}/v1/models HTTP/1.1\r\nhost: {host}\r\n\r\n",
        POST + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n",
        POST + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}",
        b"GET /v1/models HTTP/1.1\r\nhost: {host}\r\nx: a\r\n folded\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nhost : {host}\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nhost: {host}\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
@pytest.mark.fault("K02", "K22")
async def test_requests_that_two_parsers_could_read_differently_get_no_further(
    house: Open, raw: bytes
) -> None:
    async with Upstream(ok_json(COMPLETION)) as upstream, house(upstream) as gateway:
        client = await gateway.connect()
        await client.send(raw.replace(b"{host}", f"127.0.0.1:{gateway.port}".encode()))
        answer = await client.read_head()
    assert 400 <= answer.status < 500
    assert upstream.requests == []


@pytest.mark.fault("K23", "P40")
async def test_a_chunked_body_is_counted_while_it_is_read(house: Open) -> None:
    async with Upstream(ok_json(COMPLETION)) as upstream, house(upstream, max_body=1000) as gateway:
        client = await gateway.connect()
        head = client.head("POST", PATH, transfer_encoding="chunked")
        await client.send(head + b"%x\r\n%s\r\n" % (600, b" " * 600) * 2)
        answer = await client.read()
    assert answer.status == 413
    assert answer.json["error"]["code"] == "request_too_large"
    assert upstream.requests == []


async def test_a_body_of_exactly_the_limit_is_served(house: Open) -> None:
    body = chat_request()
    async with Upstream(ok_json(COMPLETION)) as upstream, house(upstream, max_body=len(body)) as gateway:
        exact = await gateway.chat(body)
        over = await gateway.chat(body + b" ")
    assert (exact.status, over.status) == (200, 413)


@pytest.mark.fault("K23")
async def test_a_head_without_end_is_not_collected_for_ever(house: Open) -> None:
    async with house(Upstream(ok_json(COMPLETION))) as gateway:
        client = await gateway.connect()
        await client.send(b"GET /healthz HTTP/1.1\r\nx: " + b"a" * 40_000)
        answer = await client.read_head()
    assert answer.status == 400


@pytest.mark.fault("L04")
async def test_a_full_house_refuses_before_the_body_and_says_when_to_come_back(house: Open) -> None:
    async with Upstream(stall) as upstream, house(upstream, max_in_flight=1) as gateway:
        waiting = await gateway.connect()
        await waiting.ask("POST", PATH, chat_request())
        await upstream.request()
        client = await gateway.connect()
        await client.send(client.head("POST", "/v1/messages", 100_000))
        answer = await client.read()
        state = await gateway.ask("GET", "/healthz")
        waiting.reset()
        await gateway.end()
    assert (answer.status, answer.header("retry-after")) == (503, "1")
    assert state.status == 200


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b'{"model":1,"model":2}', b"\xff\xfe"])
@pytest.mark.fault("P38")
async def test_a_body_that_cannot_be_routed_is_the_callers_fault(house: Open, body: bytes) -> None:
    async with Upstream(ok_json(MESSAGE)) as upstream, house(upstream) as gateway:
        answer = await gateway.message(body, content_length=str(len(body)))
    assert answer.status == 400
    assert answer.json["type"] == "error"
    assert gateway.begun == []


@pytest.mark.fault("P41")
async def test_pipelined_requests_are_answered_in_order(house: Open) -> None:
    gate = asyncio.Event()
    async with Upstream(ok_json(COMPLETION)) as upstream, house(upstream) as gateway:
        client = await gateway.connect()
        body = chat_request()
        first = client.head("POST", PATH, len(body)) + body
        await client.send(first + client.head("GET", "/healthz"))
        gate.set()
        answers = [await client.read(), await client.read()]
    assert answers[0].json["object"] == "chat.completion"
    assert answers[1].json["status"] == "ok"


async def test_the_control_token_opens_orders_but_not_the_data_plane(house: Open) -> None:
    async with Upstream(ok_json(COMPLETION)) as upstream, house(upstream, token="secret-token") as gateway:
        data = await gateway.chat(chat_request(), x_api_key=CONTROL)
        order = await gateway.ask("POST", "/crtui/v1/reset", x_api_key=CONTROL)
    assert (data.status, order.status) == (401, 200)
