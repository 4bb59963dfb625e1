"""An upstream breaks off at the Nth of its writes, in every way a socket can; and what must hold then."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest

from crtui.gateway.interrupt import Patience
from tests.fakes.client import Answer
from tests.fakes.upstream import Exchange, Script, Upstream
from tests.gateway.conftest import open_house, provider
from tests.gateway.wires import (
    MESSAGE_END,
    MESSAGE_START,
    PING,
    message_request,
    message_text,
)

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
EVENTS = (MESSAGE_START, PING, message_text("one"), message_text("two"), MESSAGE_END)
WRITES = (HEAD[:20], HEAD[20:], *(b"%x\r\n%s\r\n" % (len(e), e) for e in EVENTS), b"0\r\n\r\n")
CONTENT = 5
"""So many writes hold the first content, ..."""
WHOLE = 7
"""... and so many the end of the answer."""


async def reset(exchange: Exchange) -> None:
    exchange.reset()


async def close(exchange: Exchange) -> None:
    exchange.close()


async def stall(exchange: Exchange) -> None:
    await exchange.stall()


async def garbage(exchange: Exchange) -> None:
    await exchange.raw(b"\0\xffwhat?\r\n\r\n" * 3)


async def end_early(exchange: Exchange) -> None:
    await exchange.end()


async def half_a_chunk(exchange: Exchange) -> None:
    await exchange.raw(b"40\r\ndata: {")
    exchange.close()


WAYS: dict[str, Script] = {
    way.__name__: way for way in (reset, close, stall, garbage, end_early, half_a_chunk)
}


def broken(at: int, way: Script) -> Script:
    """So many writes, each for itself, and then that."""

    async def script(exchange: Exchange) -> None:
        for piece in WRITES[:at]:
            await exchange.raw(piece)
            await asyncio.sleep(0)
        await way(exchange)

    return script


async def whole(exchange: Exchange) -> None:
    for piece in WRITES:
        await exchange.raw(piece)


def one_answer(answer: Answer) -> None:
    """Either an answer with its end, or one error in its place; never both, never neither."""
    ended = b"message_stop" in answer.body
    failed = answer.body.count(b"event: error")
    assert answer.status == 200
    assert (answer.whole, ended, failed) in ((True, True, 0), (False, False, 1))
    assert answer.body.count(b"event: message_start") == 1


async def breaks(at: int, name: str) -> None:
    """That upstream, and a good one behind it."""
    async with Upstream(broken(at, WAYS[name])) as first, Upstream(whole) as second:
        # Silence is found out by its time only.
        hasty: dict[str, Any] = (
            {"first_byte_timeout_s": 0.1, "idle_timeout_s": 0.1} if name == "stall" else {}
        )
        async with open_house(provider("a", first.url, **hasty), provider("b", second.url)) as gateway:
            answer = await gateway.message(message_request(stream=True))
            end = await gateway.end()
            again = await gateway.message(message_request(stream=True))
            rows = [gateway.engine.provider_view(name) for name in "ab"]
    where = f"{name} at {at}"
    one_answer(answer)
    one_answer(again)
    assert end.ok is (at >= WHOLE), where
    assert end.midstream is (CONTENT <= at < WHOLE), where
    assert len(second.requests) == 2 * (at < CONTENT), where
    assert [row.in_flight for row in rows] == [0, 0], where


async def every_break(first: int = 0) -> int:
    """Break after each write from that on, in each way: how often it was."""
    for at in range(first, len(WRITES)):
        for name in WAYS:
            await breaks(at, name)
    return (len(WRITES) - first) * len(WAYS)


@pytest.mark.fault("N11", "N12", "N14", "N17", "P05", "P21", "P22")
async def test_wherever_and_however_an_upstream_breaks_off_the_client_gets_one_answer_or_one_error() -> None:
    before = len(os.listdir("/dev/fd"))
    assert await every_break() == 48
    assert len(os.listdir("/dev/fd")) == before


async def trusting(response: Any, reader: Any, reply: Any, patience: Patience, held: bytes) -> None:
    """A relay that takes the end of the bytes for the end of the answer."""
    while held:
        await reply.piece(held)
        held = await response.read()
        patience.progress()
    await reply.last(b"")


async def test_a_relay_that_takes_any_end_for_the_end_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crtui.gateway.attempt.relay", trusting)
    with pytest.raises(AssertionError):
        await every_break(CONTENT)
