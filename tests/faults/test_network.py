"""What can go wrong on the way once a connection stands: resets, silence, drips and early ends."""

from __future__ import annotations

import asyncio

import pytest

from crtui.core.inputs import Command
from tests.fakes.upstream import (
    JSON,
    SSE,
    Exchange,
    Script,
    Seen,
    Upstream,
    cut,
    ok_json,
    reset,
    stall,
    status,
    stream,
    whole,
)
from tests.faults.rude import failed_over, says, server, silent
from tests.gateway.conftest import CANARY, House, open_house, provider, until
from tests.gateway.wires import (
    CHAT_END,
    CHAT_START,
    COMPLETION,
    MESSAGE_END,
    MESSAGE_START,
    chat_request,
    chat_text,
    message_request,
    message_text,
)

GOOD = ok_json(COMPLETION)


RECORDED = MESSAGE_START + message_text("hi") + message_text(" there") + MESSAGE_END
CONTENT = len(MESSAGE_START + message_text("hi"))
DONE = len(RECORDED)


async def reset_at(at: int) -> None:
    again = stream(message_text("second"), MESSAGE_END)
    async with (
        Upstream(cut(RECORDED[:at], how="reset")) as first,
        Upstream(again) as second,
        open_house(first, second) as gateway,
    ):
        answer = await gateway.message(message_request(stream=True))
        end = await gateway.end()
    assert (b"second" in answer.body) is (at < CONTENT), at
    assert answer.whole is not (CONTENT <= at < DONE), at
    assert end.midstream is (CONTENT <= at < DONE), at
    assert end.ok is (at >= DONE), at
    if end.midstream:
        assert b"event: error" in answer.body, at
        assert b"message_stop" not in answer.body, at
        assert end.usage is not None, at
        assert end.usage.input == 12, at


@pytest.mark.fault("N13")
async def test_a_reset_before_or_after_content_is_failed_over_or_told() -> None:
    for at in (*range(1, len(RECORDED), 61), CONTENT - 1, CONTENT, DONE - 1, DONE):
        await reset_at(at)


@pytest.mark.long
async def test_a_reset_at_any_byte_is_failed_over_or_told() -> None:
    for at in range(1, len(RECORDED) + 1):
        await reset_at(at)


@pytest.mark.fault("N14")
@pytest.mark.parametrize("ending", [b"", CHAT_END])
async def test_without_any_framing_only_the_marker_makes_an_answer_whole(ending: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
    async with (
        server(says(head, CHAT_START + chat_text("hi"), ending)) as port,
        open_house(provider("a", f"http://127.0.0.1:{port}")) as gateway,
    ):
        answer = await gateway.chat(chat_request(stream=True))
        end = await gateway.end()
    assert answer.whole is end.ok is bool(ending)
    assert (b'"error"' in answer.body) is not bool(ending)


@pytest.mark.fault("N15")
@pytest.mark.parametrize("code", [401, 413])
async def test_an_answer_that_comes_before_the_body_was_read_is_the_one_that_counts(code: int) -> None:
    text = b'{"error":{"message":"no thanks"}}'
    head = b"HTTP/1.1 %d No\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % (
        code,
        len(text),
    )
    large = chat_request(messages=[{"role": "user", "content": "x" * 4_000_000}])
    async with server(says(head + text, stay=True)) as port, Upstream(GOOD) as good:
        early = provider("a", f"http://127.0.0.1:{port}")
        async with open_house(early, provider("b", good.url), max_body=8_000_000) as gateway:
            answer = await gateway.chat(large)
            end = await gateway.end()
    assert (end.status, end.error_kind, end.message) == (code, None, "no thanks")
    assert answer.status == (200 if code == 401 else 413)


@pytest.mark.fault("N16")
async def test_a_head_that_drips_in_does_not_prolong_the_wait_for_the_answer() -> None:
    async def drip(exchange: Exchange) -> None:
        await exchange.raw(b"HTTP/1.1 200 OK\r\n")
        while not exchange.seen.gone.is_set():
            await exchange.raw(b"x-a: b\r\n")
            await asyncio.sleep(0.005)

    async with Upstream(drip) as first, Upstream(stream(chat_text("hi"), CHAT_END)) as second:
        dripping = provider("a", first.url, first_byte_timeout_s=0.05)
        async with open_house(dripping, provider("b", second.url)) as gateway:
            kind, _, _ = await failed_over(gateway, chat_request(stream=True))
    assert kind == "timeout"


@pytest.mark.fault("N17")
async def test_comments_after_content_are_no_progress() -> None:
    async def comments(exchange: Exchange) -> None:
        await exchange.head(200, SSE, ("transfer-encoding", "chunked"))
        await exchange.chunk(CHAT_START + chat_text("hi"))
        while not exchange.seen.gone.is_set():
            await exchange.chunk(b": still here\n\n")
            await asyncio.sleep(0.005)

    async with (
        Upstream(comments) as upstream,
        open_house(provider("a", upstream.url, idle_timeout_s=0.05)) as gateway,
    ):
        answer = await gateway.chat(chat_request(stream=True))
        end = await gateway.end()
        await upstream.requests[0].gone.wait()
    assert not answer.whole
    assert (end.error_kind, end.midstream) == ("timeout", True)


EARLY = b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n"


@pytest.mark.fault("N20")
@pytest.mark.parametrize("count", [1, 8])
async def test_informational_answers_are_passed_over(count: int) -> None:
    async def informed(exchange: Exchange) -> None:
        await exchange.raw(EARLY * count)
        await GOOD(exchange)

    async with Upstream(informed) as upstream, open_house(upstream) as gateway:
        answer = await gateway.chat(chat_request())
        end = await gateway.end()
    assert (answer.status, answer.json, end.ok) == (200, COMPLETION, True)
    assert answer.header("link") is None


@pytest.mark.fault("N20")
async def test_informational_answers_without_end_do_not_prolong_the_wait() -> None:
    async def informing(exchange: Exchange) -> None:
        while not exchange.seen.gone.is_set():
            await exchange.raw(EARLY)
            await asyncio.sleep(0.005)

    async with Upstream(informing) as first, Upstream(stream(chat_text("hi"), CHAT_END)) as second:
        hasty = provider("a", first.url, first_byte_timeout_s=0.05)
        async with open_house(hasty, provider("b", second.url)) as gateway:
            kind, _, _ = await failed_over(gateway, chat_request(stream=True))
    assert kind in ("timeout", "protocol")


@pytest.mark.fault("N21")
@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed_and_no_key_goes_there(code: int) -> None:
    async with Upstream(GOOD) as elsewhere, Upstream(GOOD) as good:
        away = whole(code, b"", ("location", f"{elsewhere.url}/v1/chat/completions"))
        async with Upstream(away) as first, open_house(first, good) as gateway:
            _, words, _ = await failed_over(gateway)
    assert elsewhere.requests == []
    assert "mend base_url" in words


@pytest.mark.fault("N22")
async def test_a_proxy_that_the_environment_names_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Upstream(GOOD) as proxy, Upstream(GOOD) as upstream:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        async with open_house(upstream) as gateway:
            answer = await gateway.chat(chat_request())
    assert answer.status == 200
    assert proxy.requests == []
    assert upstream.requests[0].header("authorization") == f"Bearer {CANARY}"


PAGE = b"<html><head><title>Sign \x1b[31min</title></head><body>secret-of-the-page</body></html>"


@pytest.mark.fault("N24", "N29")
@pytest.mark.parametrize("code", [511, 502, 503, 504])
async def test_a_page_instead_of_an_answer_is_a_failure_and_only_its_title_is_told(code: int) -> None:
    page = whole(code, PAGE, ("content-type", "text/html"))
    async with Upstream(page) as first, open_house(first) as gateway:
        answer = await gateway.chat(chat_request())
        end = await gateway.end()
        health = gateway.engine.provider_view("a").health
    assert (answer.status, end.status, end.message) == (502, code, "Sign in")
    assert b"secret-of-the-page" not in answer.body
    assert health.consecutive_failures == 1


@pytest.mark.fault("N27", "N30")
async def test_an_upstream_that_takes_no_more_of_the_request_is_left_at_the_deadline() -> None:
    large = chat_request(messages=[{"role": "user", "content": "x" * 8_000_000}])
    async with server(silent, limit=1) as port, Upstream(GOOD) as good:
        deaf = provider("a", f"http://127.0.0.1:{port}", first_byte_timeout_s=0.2, idle_timeout_s=0.2)
        async with open_house(deaf, provider("b", good.url), max_body=32_000_000) as gateway:
            kind, _, _ = await failed_over(gateway, large)
    assert kind == "timeout"


@pytest.mark.fault("N12")
@pytest.mark.parametrize("streamed", [False, True])
async def test_a_reset_behind_the_head_is_a_failure_like_any_before_content(streamed: bool) -> None:
    async def head_then_reset(exchange: Exchange) -> None:
        await exchange.head(200, SSE if streamed else JSON, ("transfer-encoding", "chunked"))
        exchange.reset()

    good = stream(chat_text("hi"), CHAT_END) if streamed else GOOD
    async with (
        Upstream(head_then_reset) as first,
        Upstream(good) as second,
        open_house(first, second) as gateway,
    ):
        kind, _, _ = await failed_over(gateway, chat_request(stream=streamed))
    assert kind == "reset"


async def test_the_fakes_here_serve_what_they_are_told_to() -> None:
    """A server that never answered would let many of these tests pass."""
    async with Upstream(status(200, COMPLETION)) as upstream, open_house(upstream) as gateway:
        assert (await gateway.chat(chat_request())).status == 200


def after(gate: asyncio.Event) -> Script:
    """A good answer, but not before that."""

    async def script(exchange: Exchange) -> None:
        await gate.wait()
        await GOOD(exchange)

    return script


async def idle_connections(upstream: Upstream, gateway: House, gate: asyncio.Event, count: int) -> list[Seen]:
    """As many requests at once, answered: their connections are kept and idle now."""
    asked = [asyncio.create_task(gateway.chat(chat_request())) for _ in range(count)]
    seen = [await upstream.request(number) for number in range(count)]
    gate.set()
    await asyncio.gather(*asked)
    return seen


@pytest.mark.fault("N26")
@pytest.mark.parametrize("fails", [stall, reset])
async def test_one_failure_of_the_network_closes_the_idle_connections_to_that_host_only(
    fails: Script,
) -> None:
    one, two = asyncio.Event(), asyncio.Event()
    async with Upstream(*[after(one)] * 3, fails) as bad, Upstream(after(two)) as good:
        hasty = provider("a", bad.url, first_byte_timeout_s=0.1, idle_timeout_s=0.1)
        async with open_house(hasty, provider("b", good.url)) as gateway:
            first = await idle_connections(bad, gateway, one, 3)
            gateway.engine.command(Command("drain", "a"))
            second = await idle_connections(good, gateway, two, 2)
            gateway.engine.command(Command("release", "a"))
            answer = await gateway.chat(chat_request())
            # The third one's connection is the one that failed.
            async with asyncio.timeout(5):
                await until(lambda: sum(seen.gone.is_set() for seen in first) == 2)
            left = [seen.gone.is_set() for seen in second]
    assert answer.header("x-crtui-provider") == "b"
    assert left == [False, False]
