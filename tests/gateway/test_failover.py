"""Before the first content byte a failure is followed by the next provider, and told once."""

from __future__ import annotations

import asyncio
import gc
import socket

import pytest

from crtui.clock import ManualClock
from crtui.core.settings import ProfileSettings
from tests.fakes.upstream import (
    JSON,
    SSE,
    Exchange,
    Script,
    Upstream,
    compressed,
    cut,
    html,
    ok_json,
    redirect,
    reset,
    sse,
    stall,
    status,
    stream,
    whole,
)

from .conftest import Open, provider
from .wires import (
    CHAT_DONE,
    CHAT_END,
    CHAT_START,
    COMPLETION,
    MESSAGE,
    MESSAGE_END,
    MESSAGE_START,
    PING,
    chat_chunk,
    chat_request,
    chat_text,
    message_request,
    message_text,
)

ERROR_OBJECT = {"error": {"message": "Provider returned error", "code": 429}}
OVERLOADED = sse("error", {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})


def closed_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


async def early_hints_then_garbage(exchange: Exchange) -> None:
    await exchange.raw(b"HTTP/0.9 what\r\n\r\n")
    exchange.close()


FAILURES: dict[str, tuple[Script, int | None, str | None]] = {
    "429": (status(429, ERROR_OBJECT), 429, None),
    "500": (status(500, {"error": {"message": "oops"}}), 500, None),
    "529": (status(529, {"type": "error", "error": {"type": "overloaded_error"}}), 529, None),
    "401": (status(401, {}), 401, None),
    "402": (status(402, {}), 402, None),
    "404 on the model": (status(404, {"error": {"message": "model not found"}}), 404, None),
    "reset": (reset, None, "reset"),
    "garbage": (early_hints_then_garbage, None, "protocol"),
    "redirect": (redirect, 307, "protocol"),
    "captive portal": (html, 200, "protocol"),
    "compressed": (compressed, 200, "protocol"),
    "200 with an error object": (ok_json(ERROR_OBJECT), 429, None),
    "200 that is no answer": (ok_json({"hello": 1}), 200, "protocol"),
    "200 with half a body": (whole(200, b'{"cho', JSON), 200, "protocol"),
}


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.fault("N11", "N24", "P01", "P02", "P03", "P10", "P35")
async def test_the_next_provider_answers_when_the_first_fails(house: Open, name: str, streamed: bool) -> None:
    script, code, kind = FAILURES[name]
    good = stream(CHAT_START, chat_text("hi"), CHAT_END) if streamed else ok_json(COMPLETION)
    async with (
        Upstream(script) as first,
        Upstream(good) as second,
        house(first, second) as gateway,
    ):
        answer = await gateway.chat(chat_request(stream=streamed))
        failed, served = await gateway.end(0), await gateway.end(1)
    assert (answer.status, answer.whole) == (200, True)
    assert answer.header("x-crtui-provider") == "b"
    assert answer.header("x-crtui-attempts") == "2"
    assert (failed.provider, failed.ok, failed.status, failed.error_kind) == ("a", False, code, kind)
    assert not failed.midstream
    assert (served.provider, served.ok) == ("b", True)


async def bad_chunk(exchange: Exchange) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    await exchange.raw(head + b"what?\r\n")


async def long_head(exchange: Exchange) -> None:
    await exchange.head(200, SSE, ("x-long", "a" * 200_000))


STREAM_FAILURES: dict[str, tuple[Script, int | None, str | None]] = {
    "an empty stream": (stream(), 200, "protocol"),
    "only a role": (stream(CHAT_START), 200, "reset"),
    "finished without content": (stream(CHAT_START, chat_chunk({}, "stop"), CHAT_DONE), 200, "protocol"),
    "a reset after the handshake": (cut(CHAT_START, how="reset"), 200, "reset"),
    "half a chunk after the handshake": (cut(CHAT_START, how="short"), 200, "reset"),
    "a chunk without size": (bad_chunk, 200, "protocol"),
    "a head without measure": (long_head, None, "protocol"),
    "an error event": (stream(CHAT_START, sse(None, ERROR_OBJECT)), 429, None),
    "an error event behind content in one piece": (
        stream(CHAT_START + chat_text("x") + sse(None, ERROR_OBJECT)),
        429,
        None,
    ),
    "text": (whole(200, b"All is well", SSE), 200, "protocol"),
}


@pytest.mark.parametrize("name", STREAM_FAILURES)
@pytest.mark.fault("N12", "P05", "P23", "P32", "P33", "P34")
async def test_a_stream_that_fails_before_its_content_is_nobodys_answer(house: Open, name: str) -> None:
    script, code, kind = STREAM_FAILURES[name]
    good = (CHAT_START, chat_text("hi"), CHAT_END)
    async with (
        Upstream(script) as first,
        Upstream(stream(*good)) as second,
        house(first, second) as gateway,
    ):
        answer = await gateway.chat(chat_request(stream=True))
        failed = await gateway.end()
    assert (answer.body, answer.whole) == (b"".join(good), True)
    assert (failed.status, failed.error_kind, failed.midstream) == (code, kind, False)


@pytest.mark.fault("N01")
async def test_nothing_listening_is_a_connect_failure_with_a_plain_reason(house: Open) -> None:
    nobody = provider("a", f"http://127.0.0.1:{closed_port()}")
    async with Upstream(ok_json(COMPLETION)) as second, house(nobody, second) as gateway:
        answer = await gateway.chat(chat_request())
        failed = await gateway.end()
    assert answer.header("x-crtui-provider") == "b"
    assert (failed.error_kind, failed.message, failed.status) == ("connect", "connection refused", None)


@pytest.mark.fault("P27")
async def test_handshake_frames_are_held_back_until_content_comes(house: Open) -> None:
    gate = asyncio.Event()
    events = (MESSAGE_START, PING, gate, message_text("Hi"), MESSAGE_END)
    async with Upstream(stream(*events)) as upstream, house(upstream) as gateway:
        client = await gateway.connect()
        await client.ask("POST", "/v1/messages", message_request(stream=True))
        head = asyncio.create_task(client.read())
        await upstream.request()
        # The state request is answered after the frames had every chance to come through.
        await gateway.ask("GET", "/crtui/v1/state")
        assert not head.done()
        gate.set()
        answer = await head
        client.close()
    assert answer.body == MESSAGE_START + PING + message_text("Hi") + MESSAGE_END


@pytest.mark.fault("P23")
async def test_an_overload_before_content_fails_over_and_the_client_sees_one_answer(house: Open) -> None:
    good = (MESSAGE_START, message_text("Hi"), MESSAGE_END)
    async with (
        Upstream(stream(MESSAGE_START, OVERLOADED)) as first,
        Upstream(stream(*good)) as second,
        house(first, second) as gateway,
    ):
        answer = await gateway.message(message_request(stream=True))
        failed = await gateway.end()
    assert answer.body == b"".join(good)
    assert failed.status == 529
    assert failed.message == "Overloaded"


@pytest.mark.parametrize("streamed", [False, True])
async def test_silence_ends_an_attempt_at_its_deadline(house: Open, streamed: bool) -> None:
    good = stream(CHAT_START, chat_text("hi"), CHAT_END) if streamed else ok_json(COMPLETION)
    async with Upstream(stall) as first, Upstream(good) as second:
        impatient = provider("a", first.url, first_byte_timeout_s=0.02, idle_timeout_s=0.02)
        async with house(impatient, provider("b", second.url)) as gateway:
            answer = await gateway.chat(chat_request(stream=streamed))
            failed = await gateway.end()
            await first.requests[0].gone.wait()
    assert answer.header("x-crtui-provider") == "b"
    assert (failed.error_kind, failed.midstream) == ("timeout", False)
    assert failed.message == "no answer within 0.02 s"


@pytest.mark.fault("N17")
async def test_comments_alone_do_not_prolong_the_wait_for_content(house: Open) -> None:
    async def comments(exchange: Exchange) -> None:
        await exchange.head(200, SSE, ("transfer-encoding", "chunked"))
        while not exchange.seen.gone.is_set():
            await exchange.chunk(b": keep-alive\n\n")
            await asyncio.sleep(0)

    async with Upstream(comments) as first, Upstream(stream(chat_text("hi"), CHAT_END)) as second:
        impatient = provider("a", first.url, first_byte_timeout_s=0.05)
        async with house(impatient, provider("b", second.url)) as gateway:
            answer = await gateway.chat(chat_request(stream=True))
            failed = await gateway.end()
    assert answer.header("x-crtui-provider") == "b"
    assert failed.error_kind in ("timeout", "protocol")


@pytest.mark.fault("N19")
async def test_a_pooled_connection_that_the_server_closed_is_replaced_silently(house: Open) -> None:
    async def leave(exchange: Exchange) -> None:
        exchange.close()

    async with (
        Upstream(ok_json(COMPLETION), leave, ok_json(COMPLETION)) as upstream,
        house(upstream) as gateway,
    ):
        first = await gateway.chat(chat_request())
        second = await gateway.chat(chat_request())
        ended = [await gateway.end(0), await gateway.end(1)]
    assert (first.status, second.status) == (200, 200)
    assert second.header("x-crtui-attempts") == "1"
    assert len(upstream.requests) == 3
    assert upstream.connections == 2
    assert [end.ok for end in ended] == [True, True]


async def test_idle_connections_that_are_reset_are_nobodys_business(
    house: Open, caplog: pytest.LogCaptureFixture
) -> None:
    gate = asyncio.Event()
    streamed = stream(chat_text("hi"), gate, CHAT_END)
    async with Upstream(streamed, ok_json(COMPLETION)) as upstream, house(upstream) as gateway:
        client = await gateway.connect()
        await client.ask("POST", "/v1/chat/completions", chat_request(stream=True))
        await client.read_some(b"hi")
        gate.set()
        await client.read_some(b"0\r\n\r\n")
        await upstream.reset_all()
        answer = await gateway.chat(chat_request())
        gc.collect()
    assert answer.status == 200
    assert answer.header("x-crtui-attempts") == "1"
    assert caplog.records == []


@pytest.mark.fault("N19")
async def test_a_fresh_connection_that_closes_at_once_is_a_failure_and_not_replayed(house: Open) -> None:
    async def leave(exchange: Exchange) -> None:
        exchange.close()

    async with Upstream(leave) as upstream, house(upstream) as gateway:
        answer = await gateway.chat(chat_request())
    assert answer.status == 502
    assert len(upstream.requests) == 1


@pytest.mark.fault("L16")
async def test_connections_are_used_again_after_whole_answers_and_streams(house: Open) -> None:
    scripts = (ok_json(COMPLETION), stream(chat_text("hi"), CHAT_END), ok_json(COMPLETION))
    async with Upstream(*scripts) as upstream, house(upstream) as gateway:
        for streamed in (False, True, False):
            await gateway.chat(chat_request(stream=streamed))
    assert upstream.connections == 1


async def test_when_all_fail_the_answer_names_each_provider_and_why(house: Open) -> None:
    nobody = provider("b", f"http://127.0.0.1:{closed_port()}")
    async with (
        Upstream(status(500, {"error": {"message": "oops"}})) as first,
        house(first, nobody) as gateway,
    ):
        answer = await gateway.message(message_request())
    assert answer.status == 502
    assert answer.json["type"] == "error"
    message = answer.json["error"]["message"]
    assert message == "every provider failed: a: 500 oops; b: connection refused"
    assert answer.header("x-crtui-attempts") == "2"
    assert answer.header("x-should-retry") is None


async def test_when_every_key_is_refused_the_client_is_told_not_to_retry(house: Open) -> None:
    async with Upstream(status(401, {"error": {"message": "bad key"}})) as only, house(only) as gateway:
        answer = await gateway.message(message_request())
    assert answer.status == 502
    assert answer.header("x-should-retry") == "false"


@pytest.mark.fault("S37")
async def test_when_all_hit_their_limit_the_wait_is_told(house: Open) -> None:
    clock = ManualClock()
    limits = [
        status(429, {"error": {"message": "slow down"}}, ("retry-after", wait)) for wait in ("40", "90")
    ]
    async with (
        Upstream(limits[0]) as first,
        Upstream(limits[1]) as second,
        house(first, second, clock=clock) as gateway,
    ):
        tried = await gateway.message(message_request())
        clock.advance(10_500)
        waiting = await gateway.chat(chat_request())
    assert (tried.status, tried.header("retry-after"), tried.header("x-crtui-attempts")) == (429, "40", "2")
    assert (waiting.status, waiting.header("retry-after"), waiting.header("x-crtui-attempts")) == (
        429,
        "30",
        "0",
    )
    assert "a: " in waiting.json["error"]["message"]
    assert "until" in waiting.json["error"]["message"]
    assert len(first.requests) == len(second.requests) == 1


@pytest.mark.fault("P43", "S37")
async def test_a_wire_that_no_provider_speaks_is_503_and_not_worth_a_retry(house: Open) -> None:
    async with Upstream(ok_json(MESSAGE)) as upstream:
        chat_only = provider("a", upstream.url, wires=("chat",))
        async with house(chat_only) as gateway:
            answer = await gateway.message(message_request())
    assert answer.status == 503
    assert answer.header("x-should-retry") == "false"
    assert answer.json["error"]["message"].startswith("no provider of profile default serves this API: a: ")
    assert upstream.requests == []


@pytest.mark.fault("S16")
async def test_a_context_that_is_too_long_everywhere_comes_back_in_the_upstreams_words(house: Open) -> None:
    overflow = {
        "error": {"message": "prompt is too long: 9 tokens > 8 maximum", "type": "invalid_request_error"}
    }
    async with (
        Upstream(status(400, overflow)) as first,
        Upstream(status(404, {"error": {"message": "no such model"}})) as second,
        house(first, second) as gateway,
    ):
        answer = await gateway.message(message_request())
    assert answer.status == 400
    assert answer.json == overflow
    assert answer.header("x-crtui-provider") == "a"
    assert len(second.requests) == 1


@pytest.mark.fault("K19", "S38")
async def test_a_profile_is_named_by_header_and_an_unknown_one_is_refused(house: Open) -> None:
    other = ProfileSettings("other", ("b",))
    async with (
        Upstream(ok_json(MESSAGE)) as first,
        Upstream(ok_json(MESSAGE)) as second,
        house(first, second, profiles=(other,)) as gateway,
    ):
        named = await gateway.message(message_request(), x_crtui_profile="other")
        unknown = await gateway.message(message_request(), x_crtui_profile="nope")
    assert (named.header("x-crtui-provider"), named.header("x-crtui-profile")) == ("b", "other")
    assert unknown.status == 400
    assert "nope" in unknown.json["error"]["message"]
    assert unknown.header("x-crtui-profile") == "-"


async def test_a_provider_that_cannot_be_reached_at_all_is_passed_over(house: Open) -> None:
    async with Upstream(ok_json(MESSAGE)) as upstream, house(upstream, upstream) as gateway:
        gateway.engine.providers = {"b": gateway.engine.providers["b"]}
        answer = await gateway.message(message_request())
        gateway.engine.providers = {}
        nobody = await gateway.message(message_request())
    assert answer.header("x-crtui-provider") == "b"
    assert (nobody.status, nobody.header("retry-after")) == (429, "1")
    assert "a: became unavailable meanwhile" in nobody.json["error"]["message"]


@pytest.mark.fault("L01")
async def test_one_trial_at_a_time_goes_to_a_provider_that_may_have_recovered(house: Open) -> None:
    clock = ManualClock()
    gate = asyncio.Event()
    limit = status(429, {"error": {"message": "slow down"}}, ("retry-after", "30"))
    trial = stream(chat_text("hi"), gate, CHAT_END)
    async with Upstream(limit, trial) as upstream, house(upstream, clock=clock) as gateway:
        await gateway.chat(chat_request())
        clock.advance(31_000)
        first = await gateway.connect()
        await first.ask("POST", "/v1/chat/completions", chat_request(stream=True))
        await first.read_some(b"hi")
        second = await gateway.chat(chat_request())
        gate.set()
        await gateway.end(1)
    assert second.status == 429
    assert len(upstream.requests) == 2
