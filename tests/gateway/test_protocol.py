"""A client's connection: one request after the other, each answered once, none for ever."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakes.upstream import Exchange, Upstream, ok_json, stream

from .conftest import Open
from .wires import CHAT_END, CHAT_START, COMPLETION, chat_request, chat_text

PATH = "/v1/chat/completions"


async def test_a_request_split_anywhere_is_answered_the_same(house: Open) -> None:
    async with Upstream(ok_json(COMPLETION)) as upstream, house(upstream) as gateway:
        client = await gateway.connect()
        body = chat_request()
        raw = client.head("POST", PATH, len(body)) + body
        for at in range(1, len(raw), 23):
            await client.send(raw[:at])
            await asyncio.sleep(0)
            await client.send(raw[at:])
            answer = await client.read()
            assert (answer.status, answer.json) == (200, COMPLETION), at
        assert [seen.body for seen in upstream.requests] == [body] * len(upstream.requests)


async def test_many_requests_sent_ahead_are_answered_in_their_order(house: Open) -> None:
    async with house(Upstream(ok_json(COMPLETION))) as gateway:
        client = await gateway.connect()
        paths = ("/healthz", "/v1/models", "/nothing", "/healthz")
        await client.send(b"".join(client.head("GET", path) for path in paths))
        answers = [await client.read() for _ in paths]
    assert [answer.status for answer in answers] == [200, 200, 404, 200]
    assert "data" in answers[1].json


async def test_an_answer_to_head_has_the_length_but_no_body(house: Open) -> None:
    async with house(Upstream(ok_json(COMPLETION))) as gateway:
        client = await gateway.connect()
        await client.ask("HEAD", "/healthz")
        head = await client.read_head()
        await client.ask("GET", "/healthz")
        answer = await client.read()
    assert head.header("content-length") == answer.header("content-length") == str(len(answer.body))


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_client_of_http_1_0_gets_no_chunks_and_a_close(house: Open, streamed: bool) -> None:
    good = stream(CHAT_START, chat_text("hi"), CHAT_END) if streamed else ok_json(COMPLETION)
    async with Upstream(good) as upstream, house(upstream) as gateway:
        client = await gateway.connect()
        body = chat_request(stream=streamed)
        await client.send(client.head("POST", PATH, len(body)).replace(b"HTTP/1.1", b"HTTP/1.0") + body)
        answer = await client.read_head()
        rest = await client.rest()
    assert answer.header("transfer-encoding") is None
    assert answer.header("connection") == "close"
    assert rest == (CHAT_START + chat_text("hi") + CHAT_END if streamed else upstream_body())


def upstream_body() -> bytes:
    import json

    return json.dumps(COMPLETION).encode()


async def test_who_asks_for_a_close_gets_the_answer_first(house: Open) -> None:
    async with Upstream(ok_json(COMPLETION)) as upstream, house(upstream) as gateway:
        client = await gateway.connect()
        body = chat_request()
        await client.send(client.head("POST", PATH, len(body), connection="close") + body)
        answer = await client.read()
        assert await client.rest() == b""
    assert (answer.status, answer.header("connection")) == (200, "close")


@pytest.mark.parametrize("chunked", [False, True])
async def test_an_offer_of_http_2_is_passed_over(house: Open, chunked: bool) -> None:
    """As Java's client makes it; bytes come in any pieces, and the connection serves on."""
    offer = {"upgrade": "h2c", "connection": "Upgrade, HTTP2-Settings", "http2-settings": "AAEAAEAA"}
    body = chat_request()
    async with Upstream(ok_json(COMPLETION)) as upstream, house(upstream) as gateway:
        client = await gateway.connect()
        if chunked:
            raw = client.head("POST", PATH, transfer_encoding="chunked", **offer)
            raw += b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        else:
            raw = client.head("POST", PATH, len(body), **offer) + body
        for at in (raw.index(b"\r\n\r\n") + 4, len(raw), 30):
            await client.send(raw[:at])
            await asyncio.sleep(0)
            await client.send(raw[at:] + client.head("GET", "/v1/models", **offer))
            assert (await client.read()).json == COMPLETION
            assert (await client.read()).status == 200
        many = 1000
        await client.send(client.head("GET", "/healthz", upgrade="h2c", connection="upgrade") * many)
        assert {(await client.read()).status for _ in range(many)} == {200}
    assert [seen.body for seen in upstream.requests] == [body] * 3


async def test_what_comes_behind_a_chunked_body_is_not_of_its_head(house: Open) -> None:
    trailers = b"anthropic-beta: late\r\nhost: evil.example\r\ncontent-encoding: gzip\r\n"
    async with Upstream(ok_json(COMPLETION)) as upstream, house(upstream) as gateway:
        client = await gateway.connect()
        body = chat_request()
        head = client.head("POST", PATH, transfer_encoding="chunked")
        await client.send(head + b"%x\r\n%b\r\n0\r\n%b\r\n" % (len(body), body, trailers))
        answer = await client.read()
    assert answer.json == COMPLETION
    assert upstream.requests[0].header("anthropic-beta") is None


async def test_a_body_is_asked_for_once_its_head_was_found_good(house: Open) -> None:
    async with Upstream(ok_json(COMPLETION)) as upstream, house(upstream) as gateway:
        client = await gateway.connect()
        body = chat_request()
        await client.send(client.head("POST", PATH, len(body), expect="100-continue"))
        assert await client.read_some(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        await client.send(body)
        answer = await client.read()
    assert answer.status == 200


async def test_after_a_refused_body_that_came_in_all_the_same_the_connection_serves_on(house: Open) -> None:
    async with house(Upstream(ok_json(COMPLETION)), max_body=1000) as gateway:
        client = await gateway.connect()
        await client.send(client.head("POST", PATH, 300_000))
        refused = await client.read()
        await client.send(b"x" * 300_000)
        await client.ask("GET", "/healthz")
        answer = await client.read()
    assert (refused.status, answer.status) == (413, 200)


async def test_a_refused_body_that_does_not_end_ends_the_connection(
    house: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crtui.gateway.protocol.LINGER_S", 0.02)
    async with house(Upstream(ok_json(COMPLETION)), max_body=1000) as gateway:
        client = await gateway.connect()
        await client.send(client.head("POST", PATH, 300_000))
        refused = await client.read()
        assert await client.rest() == b""
    assert refused.status == 413


async def test_a_connection_without_a_request_is_closed_after_its_time(
    house: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crtui.gateway.protocol.KEEP_ALIVE_S", 0.02)
    async with house(Upstream(ok_json(COMPLETION))) as gateway:
        client = await gateway.connect()
        await client.ask("GET", "/healthz")
        answer = await client.read()
        assert await client.rest() == b""
    assert answer.whole


async def test_nonsense_inside_an_answer_ends_it_and_the_request(house: Open) -> None:
    async with Upstream(never_ends) as upstream, house(upstream) as gateway:
        client = await gateway.connect()
        await client.ask("POST", PATH, chat_request(stream=True))
        await client.read_some(b"hi")
        await client.send(b"\x16\x03\x01\x02\x00\r\n\r\n")
        rest = await client.rest()
        await upstream.requests[0].gone.wait()
        end = await gateway.end()
    assert b"HTTP/1.1 400" not in rest
    assert end.error_kind == "client"


async def never_ends(exchange: Exchange) -> None:
    await exchange.head(200, ("content-type", "text/event-stream"), ("transfer-encoding", "chunked"))
    await exchange.chunk(CHAT_START + chat_text("hi"))
    await exchange.stall()
