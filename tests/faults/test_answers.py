"""Providers that answer in bad HTTP, or in good HTTP with something else than an answer."""

from __future__ import annotations

import asyncio
import gzip
import json

import pytest

from crtui.core.inputs import Attempt, Began
from crtui.core.plan import Ask
from tests.fakes.upstream import JSON, SSE, Exchange, Script, Upstream, ok_json, status, stream, whole
from tests.faults.rude import failed_over, says, server
from tests.gateway.conftest import open_house, provider
from tests.gateway.wires import (
    CHAT_END,
    CHAT_START,
    COMPLETION,
    chat_chunk,
    chat_request,
    chat_text,
)

GOOD = ok_json(COMPLETION)
BODY = json.dumps(COMPLETION).encode()
STREAM = CHAT_START + chat_text("hi") + CHAT_END
PLAIN = b"content-type: application/json\r\n"
ESCAPE = b"\x1b]0;owned\x07"


def answer_of(head: bytes, body: bytes = BODY) -> bytes:
    return b"HTTP/1.1 200 OK\r\n" + PLAIN + head + b"\r\n" + body


CUT: dict[str, bytes] = {
    "shorter than its length": answer_of(b"content-length: 4000\r\n"),
    "much shorter than its length": answer_of(b"content-length: 99999999999\r\n"),
    "half a chunk": answer_of(b"transfer-encoding: chunked\r\n", b"400\r\n" + BODY),
    "no last chunk": answer_of(b"transfer-encoding: chunked\r\n", b"%x\r\n%s\r\n" % (len(BODY), BODY)),
}


@pytest.mark.fault("P05", "P06")
@pytest.mark.parametrize("name", CUT)
async def test_a_whole_answer_that_is_cut_is_nobodys_answer(name: str) -> None:
    async with server(says(CUT[name])) as port, Upstream(GOOD) as good:
        short = provider("a", f"http://127.0.0.1:{port}")
        async with open_house(short, provider("b", good.url)) as gateway:
            kind, words, code = await failed_over(gateway)
    assert (kind, words, code) == ("reset", "answer cut short", 200)


@pytest.mark.fault("P07")
async def test_what_comes_behind_an_answers_length_spoils_no_later_answer() -> None:
    forged = json.dumps(COMPLETION | {"id": "forged"}).encode()

    async def too_long(exchange: Exchange) -> None:
        smuggled = b"HTTP/1.1 200 OK\r\n%bcontent-length: %d\r\n\r\n%b" % (PLAIN, len(forged), forged)
        await exchange.raw(answer_of(b"content-length: %d\r\n" % len(BODY)) + smuggled)

    async with Upstream(too_long, GOOD) as upstream:
        once = provider("a", upstream.url, first_byte_timeout_s=1, idle_timeout_s=1)
        async with open_house(once) as gateway:
            first = await gateway.chat(chat_request())
            second = await gateway.chat(chat_request())
    assert first.json == second.json == COMPLETION
    assert len(upstream.requests) == 2


TWO_READINGS: dict[str, bytes] = {
    "a length and chunks": b"content-length: 5\r\ntransfer-encoding: chunked\r\n",
    "chunks and a length": b"transfer-encoding: chunked\r\ncontent-length: 5\r\n",
    "two lengths": b"content-length: 5\r\ncontent-length: 7\r\n",
    "a length that is none": b"content-length: -5\r\n",
    "a length with a sign": b"content-length: +5\r\n",
    "a length in words": b"content-length: five\r\n",
}


@pytest.mark.fault("P08")
@pytest.mark.parametrize("name", TWO_READINGS)
async def test_an_answer_that_can_be_read_in_two_ways_is_not_taken_and_leaves_nothing_behind(
    name: str,
) -> None:
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
    async with (
        server(says(answer_of(TWO_READINGS[name], chunked), stay=True)) as port,
        Upstream(GOOD) as good,
    ):
        ambiguous = provider("a", f"http://127.0.0.1:{port}")
        async with open_house(ambiguous, provider("b", good.url)) as gateway:
            kind, _, _ = await failed_over(gateway)
            again = await gateway.chat(chat_request())
    assert kind == "protocol"
    assert again.json == COMPLETION


BOMB = gzip.compress(b"\0" * 30_000_000)


@pytest.mark.fault("P09", "P10")
@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip", "x-unknown"])
@pytest.mark.parametrize("code", [200, 500])
async def test_a_bomb_of_an_answer_is_never_unpacked(encoding: str, code: int) -> None:
    packed = whole(code, BOMB, JSON, ("content-encoding", encoding))
    async with Upstream(packed) as first, Upstream(GOOD) as good, open_house(first, good) as gateway:
        _, words, told = await failed_over(gateway)
    assert told == code
    assert len(words) <= 300
    assert first.requests[0].header("accept-encoding") == "identity"


NO_ANSWERS: dict[str, Script] = {
    "empty": whole(200, b"", JSON),
    "only spaces": whole(200, b" \n ", JSON),
    "no choices": ok_json({"object": "chat.completion"}),
    "null choices": ok_json(COMPLETION | {"choices": None}),
    "empty choices": ok_json(COMPLETION | {"choices": []}),
    "a choice of another shape": ok_json(COMPLETION | {"choices": [7]}),
    "not a number": whole(200, BODY[:-1] + b',"x":NaN}', JSON),
    "endless number": whole(200, BODY[:-1] + b',"x":1e999999}', JSON),
    "deep": whole(200, b'{"choices":' + b"[" * 100_000 + b"]" * 100_000 + b"}", JSON),
    "a stream": stream(CHAT_START, chat_text("hi"), CHAT_END),
    "a stream in one piece": whole(200, STREAM, SSE),
}


@pytest.mark.fault("P02", "P04", "P31", "P32")
@pytest.mark.parametrize("name", NO_ANSWERS)
async def test_what_is_no_answer_is_a_failure_and_the_next_provider_answers(name: str) -> None:
    async with Upstream(NO_ANSWERS[name]) as bad, Upstream(GOOD) as good, open_house(bad, good) as gateway:
        kind, _, code = await failed_over(gateway)
    assert (kind, code) == ("protocol", 200)


NOISE: dict[str, bytes] = {
    "HTTP/0.9": b"<html>hello</html>",
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "status 99": b"HTTP/1.1 99 Odd\r\ncontent-length: 0\r\n\r\n",
    "status 0": b"HTTP/1.1 0 Odd\r\ncontent-length: 0\r\n\r\n",
    "status 20000": b"HTTP/1.1 20000 Odd\r\ncontent-length: 0\r\n\r\n",
    "a version to come": b"HTTP/9.9 200 OK\r\ncontent-length: 0\r\n\r\n",
    "bytes": bytes(range(256)) * 4,
    "a frame of HTTP/2": b"\x00\x00\x12\x04\x00\x00\x00\x00\x00",
}


@pytest.mark.fault("P35")
@pytest.mark.parametrize("name", NOISE)
async def test_noise_instead_of_a_status_line_is_a_failure_that_quotes_nothing(name: str) -> None:
    async with server(says(NOISE[name])) as port, Upstream(GOOD) as good:
        noisy = provider("a", f"http://127.0.0.1:{port}")
        async with open_house(noisy, provider("b", good.url)) as gateway:
            kind, words, _ = await failed_over(gateway)
    assert kind in ("protocol", "reset")
    assert words in ("not a usable HTTP answer", "connection closed by the provider", "answer cut short")


@pytest.mark.fault("P35")
@pytest.mark.parametrize("line", [b"HTTP/1.1 200\r\n", b"HTTP/1.1 200 \r\n", b"HTTP/1.0 200 OK\r\n"])
async def test_an_answer_without_a_reason_is_plain_http_and_served(line: bytes) -> None:
    text = line + PLAIN + b"content-length: %d\r\n\r\n" % len(BODY) + BODY
    async with (
        server(says(text, stay=True)) as port,
        open_house(provider("a", f"http://127.0.0.1:{port}")) as gateway,
    ):
        answer = await gateway.chat(chat_request())
    assert (answer.status, answer.json) == (200, COMPLETION)


HEADS: dict[str, bytes] = {
    "200 KB": b"x-long: " + b"a" * 200_000 + b"\r\n",
    "a thousand headers": b"".join(b"x-%d: y\r\n" % number for number in range(1_000)),
    "a folded header": b"x-request-id: one\r\n two\r\n",
    "a NUL": b"x-request-id: a\0b\r\n",
    "bytes that are no text": b"x-request-id: \xff\xfe\r\n",
    "an escape sequence": b"x-request-id: " + ESCAPE + b"\r\n",
    "a name that is none": b"x request: y\r\n",
    "no name at all": b": y\r\n",
}


@pytest.mark.fault("P34")
@pytest.mark.parametrize("name", HEADS)
async def test_an_odd_head_is_refused_or_passed_on_without_what_is_odd(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    text = answer_of(HEADS[name] + b"content-length: %d\r\n" % len(BODY))
    async with server(says(text, stay=True)) as port, Upstream(GOOD) as good:
        odd = provider("a", f"http://127.0.0.1:{port}")
        async with open_house(odd, provider("b", good.url)) as gateway:
            answer = await gateway.chat(chat_request())
            end = await gateway.end()
    assert (answer.status, answer.json) == (200, COMPLETION)
    assert end.ok or end.error_kind == "protocol"
    assert not {b"\0"[0], 0x1B, 0xFF} & set(answer.raw)
    assert end.message.isprintable()
    assert caplog.records == []


@pytest.mark.fault("P36")
@pytest.mark.parametrize("length", [("content-length", "1000000000"), ("transfer-encoding", "chunked")])
async def test_of_a_huge_error_only_its_beginning_is_read(length: tuple[str, str]) -> None:
    sent = 0

    async def huge(exchange: Exchange) -> None:
        nonlocal sent
        piece = b"z\x1b[31m" * 4_000
        await exchange.head(400, JSON, length)
        while not exchange.seen.gone.is_set():
            await (exchange.chunk(piece) if length[1] == "chunked" else exchange.raw(piece))
            sent += len(piece)
            await asyncio.sleep(0)

    async with Upstream(huge) as upstream, open_house(upstream) as gateway:
        answer = await gateway.chat(chat_request())
        end = await gateway.end()
    assert answer.status == 400
    assert len(answer.body) < 10_000
    assert len(end.error) <= 2_000
    assert end.message.isprintable()
    assert sent < 16_000_000, "no more than the kernel's buffers hold"


@pytest.mark.fault("P18")
@pytest.mark.parametrize("begun", [False, True])
async def test_an_event_without_end_breaks_the_stream_off(begun: bool) -> None:
    async def endless(exchange: Exchange) -> None:
        await exchange.head(200, SSE, ("transfer-encoding", "chunked"))
        await exchange.chunk((CHAT_START + chat_text("hi") if begun else b"") + b"data: ")
        while not exchange.seen.gone.is_set():
            await exchange.chunk(b"x" * 65_536)
            await asyncio.sleep(0)

    good = stream(chat_text("second"), CHAT_END)
    async with Upstream(endless) as first, Upstream(good) as second, open_house(first, second) as gateway:
        answer = await gateway.chat(chat_request(stream=True))
        end = await gateway.end()
    assert (end.error_kind, end.midstream) == ("protocol", begun)
    assert answer.whole is not begun
    assert (b'"error"' in answer.body) is begun
    assert len(answer.body) < 2_000, "of the event nothing is passed on"


@pytest.mark.fault("P19")
async def test_very_many_small_events_all_pass_and_make_one_record() -> None:
    async def chatter(exchange: Exchange) -> None:
        await exchange.head(200, SSE, ("transfer-encoding", "chunked"))
        await exchange.chunk(CHAT_START)
        for _ in range(50):
            await exchange.chunk(chat_text("x") * 100)
        await exchange.chunk(CHAT_END)
        await exchange.end()

    async with Upstream(chatter) as upstream, open_house(upstream) as gateway:
        answer = await gateway.chat(chat_request(stream=True))
        await gateway.end()
    assert answer.whole
    assert answer.body.count(chat_text("x")) == 5_000
    assert [type(item) for item in gateway.inputs] == [Ask, Began, Attempt]


@pytest.mark.fault("P29")
async def test_a_tool_calls_arguments_that_are_cut_stay_as_they_came() -> None:
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "run", "arguments": '{"cmd":"rm'}}
    piece = chat_chunk({"tool_calls": [call]})
    async with Upstream(stream(CHAT_START, piece)) as upstream, open_house(upstream) as gateway:
        answer = await gateway.chat(chat_request(stream=True))
        end = await gateway.end()
    assert answer.body.startswith(CHAT_START + piece)
    assert b'"error"' in answer.body
    assert not answer.whole
    assert (end.ok, end.midstream) == (False, True)


@pytest.mark.fault("P24")
async def test_a_chat_client_hears_a_later_error_as_data_and_no_done() -> None:
    error = b'data: {"error":{"message":"overloaded","code":503}}\n\n'
    gate = asyncio.Event()
    script = stream(CHAT_START, chat_text("hi"), gate, error, CHAT_END)
    async with Upstream(script) as upstream, open_house(upstream) as gateway:
        client = await gateway.connect()
        await client.ask("POST", "/v1/chat/completions", chat_request(stream=True))
        await client.read_some(b"hi")
        gate.set()
        rest = await client.rest()
        end = await gateway.end()
    assert (end.status, end.midstream) == (503, True)
    assert rest.count(b'"error"') == 1
    assert b"[DONE]" not in rest


@pytest.mark.fault("S15")
@pytest.mark.parametrize("code", [400, 405, 409, 413, 415, 422, 501])
async def test_the_callers_own_fault_comes_back_as_it_is_and_is_nobodys(code: int) -> None:
    said = {"error": {"message": "bad field", "type": "invalid_request_error"}}
    async with (
        Upstream(status(code, said)) as first,
        Upstream(GOOD) as second,
        open_house(first, second) as gateway,
    ):
        answer = await gateway.chat(chat_request())
        health = gateway.engine.provider_view("a").health
    assert (answer.status, answer.json) == (code, said)
    assert second.requests == []
    assert health.consecutive_failures == 0
