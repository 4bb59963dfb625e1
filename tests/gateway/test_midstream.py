"""After the first content byte there is no other provider: a cut answer ends in an error, never as whole."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from crtui.core.inputs import Usage
from tests.fakes.upstream import SSE, Exchange, Script, Upstream, cut, sse, stream

from .conftest import CANARY, Open, provider
from .wires import (
    CHAT_DONE,
    CHAT_END,
    CHAT_START,
    MESSAGE_END,
    MESSAGE_START,
    chat_chunk,
    chat_request,
    chat_text,
    message_request,
    message_text,
)

BEGUN = (MESSAGE_START, message_text("Half an"))
OVERLOADED = sse("error", {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})

Breaker = Callable[[asyncio.Event], Script]

BREAKS: dict[str, tuple[Breaker, int, str | None, str]] = {
    "reset": (lambda gate: cut(*BEGUN, gate, how="reset"), 200, "reset", "a: answer cut short"),
    "closed": (lambda gate: cut(*BEGUN, gate, how="close"), 200, "reset", "a: answer cut short"),
    "half a chunk": (lambda gate: cut(*BEGUN, gate, how="short"), 200, "reset", "a: answer cut short"),
    "garbage": (lambda gate: cut(*BEGUN, gate, how="garbage"), 200, "protocol", "a: not a usable HTTP"),
    "clean": (lambda gate: cut(*BEGUN, gate, how="clean"), 200, "reset", "a: stream cut before its end"),
    "error event": (lambda gate: stream(*BEGUN, gate, OVERLOADED), 529, None, "a: 529 Overloaded"),
    "stalled": (lambda gate: cut(*BEGUN, gate, how="stall"), 200, "timeout", "a: stalled"),
}


@pytest.mark.parametrize("name", BREAKS)
@pytest.mark.fault("N14", "N17", "P05", "P24")
async def test_a_cut_stream_ends_with_an_error_in_the_callers_wire_and_without_a_last_chunk(
    house: Open, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    breaker, code, kind, words = BREAKS[name]
    gate = asyncio.Event()
    async with Upstream(breaker(gate)) as upstream, Upstream(stream(*BEGUN, MESSAGE_END)) as second:
        hasty = provider("a", upstream.url, idle_timeout_s=0.05 if name == "stalled" else 10)
        async with house(hasty, second) as gateway:
            client = await gateway.connect()
            await client.ask("POST", "/v1/messages", message_request(stream=True))
            raw = await client.read_some(b"Half an")
            gate.set()
            raw += await client.rest()
            end = await gateway.end()
            health = gateway.engine.provider_view("a").health
            events = [event.kind for event in gateway.engine.events_since(0)]
    assert b"event: error\n" in raw
    assert words.encode() in raw
    assert not raw.endswith(b"0\r\n\r\n")
    assert b"message_stop" not in raw
    assert (end.midstream, end.ok, end.status, end.error_kind) == (True, False, code, kind)
    assert second.requests == []
    assert events.count("attempt.interrupted") == 1
    assert health.consecutive_failures == 1
    assert [record for record in caplog.records if record.name.startswith(("uvicorn", "crtui"))] == []


@pytest.mark.fault("P21", "P24")
async def test_the_chat_wires_error_is_one_clean_event_even_after_half_an_event(house: Open) -> None:
    whole = chat_text("one")
    broken = cut(CHAT_START, whole, chat_text("two")[:30], how="clean")
    async with Upstream(broken) as upstream, house(upstream) as gateway:
        answer = await gateway.chat(chat_request(stream=True))
    assert not answer.whole
    passed, _, error = answer.body.rpartition(b"\n\ndata: ")
    assert passed + b"\n\n" == CHAT_START + whole
    assert b'"error"' in error
    assert b"[DONE]" not in answer.body


@pytest.mark.fault("N14", "P21")
async def test_a_stream_that_ends_at_any_byte_is_failed_over_or_broken_off_or_whole(house: Open) -> None:
    whole = MESSAGE_START + message_text("hi") + MESSAGE_END
    content = len(MESSAGE_START + message_text("hi"))
    done = len(whole) - len(b"\n\n")
    good = stream(message_text("second"), MESSAGE_END)
    for at in (*range(1, len(whole), 17), content - 1, content, done - 1, done):
        async with (
            Upstream(cut(whole[:at], how="clean")) as first,
            Upstream(good) as second,
            house(first, second) as gateway,
        ):
            answer = await gateway.message(message_request(stream=True))
            end = await gateway.end()
        assert end.midstream is (content <= at < done), at
        assert answer.whole is not end.midstream, at
        assert (b"second" in answer.body) is (at < content), at


@pytest.mark.fault("S31")
async def test_usage_so_far_is_told_and_a_missing_part_is_estimated(house: Open) -> None:
    text = "x" * 400
    async with (
        Upstream(
            cut(MESSAGE_START, message_text(text), how="clean"), cut(CHAT_START, chat_text(text), how="clean")
        ) as upstream,
        house(upstream) as gateway,
    ):
        await gateway.message(message_request(stream=True))
        await gateway.chat(chat_request(stream=True, messages=[{"role": "user", "content": "y" * 80}]))
        ends = [await gateway.end(0), await gateway.end(1)]
    assert [end.usage for end in ends] == [Usage(12, 100), Usage(25, 100)]
    assert [end.usage_estimated for end in ends] == [True, True]


@pytest.mark.fault("S31")
async def test_a_finished_stream_without_usage_is_estimated(house: Open) -> None:
    pieces = (CHAT_START, chat_text("x" * 40), chat_chunk({}, "stop"), CHAT_DONE)
    body = chat_request(stream=True, messages=[{"role": "user", "content": "y" * 80}])
    async with Upstream(stream(*pieces)) as upstream, house(upstream) as gateway:
        await gateway.chat(body)
        end = await gateway.end()
    assert (end.usage, end.usage_estimated) == (Usage(25, 10), True)


@pytest.mark.fault("P22")
async def test_at_the_end_marker_the_answer_is_done_though_the_upstream_stays_open(house: Open) -> None:
    script = cut(CHAT_START, chat_text("hi"), CHAT_END, how="stall")
    async with Upstream(script) as upstream, house(upstream) as gateway:
        answer = await gateway.chat(chat_request(stream=True))
        end = await gateway.end()
        await upstream.requests[0].gone.wait()
    assert answer.whole
    assert end.ok


@pytest.mark.fault("N18")
async def test_bytes_that_never_finish_an_event_do_not_prolong_the_wait(house: Open) -> None:
    async def drip(exchange: Exchange) -> None:
        await exchange.head(200, SSE, ("transfer-encoding", "chunked"))
        await exchange.chunk(CHAT_START + chat_text("hi") + b"data: ")
        while not exchange.seen.gone.is_set():
            await exchange.chunk(b"x")
            await asyncio.sleep(0)

    async with Upstream(drip) as upstream:
        hasty = provider("a", upstream.url, idle_timeout_s=0.05)
        async with house(hasty) as gateway:
            answer = await gateway.chat(chat_request(stream=True))
            end = await gateway.end()
    assert not answer.whole
    assert (end.error_kind, end.midstream) in [("timeout", True), ("protocol", True)]


@pytest.mark.fault("L10")
async def test_a_slow_reader_stops_the_reading_from_the_upstream(house: Open) -> None:
    piece = chat_text("z" * 65536)
    sent = 0
    finished = asyncio.Event()

    async def flood(exchange: Exchange) -> None:
        nonlocal sent
        await exchange.head(200, SSE, ("transfer-encoding", "chunked"))
        for _ in range(600):
            await exchange.chunk(piece)
            sent += len(piece)
        await exchange.chunk(CHAT_END)
        await exchange.end()
        finished.set()

    async with Upstream(flood) as upstream, house(upstream) as gateway:
        client = await gateway.connect(small_buffer=True)
        await client.ask("POST", "/v1/chat/completions", chat_request(stream=True))
        await client.read_head()
        await _settled(lambda: sent)
        held = sent
        answer = await client.rest_until(CHAT_END)
        await finished.wait()
        client.close()
    assert held < 12 * 1024 * 1024
    assert len(answer) > 600 * 65536


@pytest.mark.fault("L10")
async def test_a_reader_that_takes_nothing_more_is_cut_off_without_blaming_the_provider(house: Open) -> None:
    async def flood(exchange: Exchange) -> None:
        await exchange.head(200, SSE, ("transfer-encoding", "chunked"))
        while not exchange.seen.gone.is_set():
            await exchange.chunk(chat_text("z" * 65536))

    async with Upstream(flood) as upstream:
        hasty = provider("a", upstream.url, idle_timeout_s=0.3)
        async with house(hasty) as gateway:
            client = await gateway.connect(small_buffer=True)
            await client.ask("POST", "/v1/chat/completions", chat_request(stream=True))
            end = await gateway.end()
            await upstream.requests[0].gone.wait()
            health = gateway.engine.provider_view("a").health
            client.close()
    assert end.error_kind == "client"
    assert end.message == "the client stopped reading"
    assert health.consecutive_failures == 0


@pytest.mark.fault("K13")
async def test_no_key_is_in_an_in_band_error(house: Open) -> None:
    quoting = sse(
        "error", {"type": "error", "error": {"type": "api_error", "message": f"key {CANARY} broke"}}
    )
    gate = asyncio.Event()
    scripts = (stream(*BEGUN, gate, quoting), stream(MESSAGE_START, quoting))
    async with Upstream(*scripts) as upstream, house(upstream) as gateway:
        client = await gateway.connect()
        await client.ask("POST", "/v1/messages", message_request(stream=True))
        await client.read_some(b"Half an")
        gate.set()
        midstream = await client.rest()
        before = await gateway.message(message_request(stream=True))
    assert b"event: error" in midstream
    assert before.status == 502
    assert CANARY.encode() not in midstream + before.raw + before.body
    assert CANARY not in repr(gateway.inputs)


async def _settled(count: Callable[[], int]) -> None:
    """Wait until a counter no longer moves although everybody had their turn many times."""
    still = 0
    last = -1
    while still < 200:
        await asyncio.sleep(0)
        still = still + 1 if count() == last else 0
        last = count()
