"""A request is cancelled at its Nth wait, for every N until it has no more: nothing of it may be left."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import Coroutine, Generator
from typing import Any

import pytest

from crtui.clock import ManualClock
from crtui.gateway.app import GatewayApp
from crtui.gateway.attempt import Try
from crtui.gateway.waiting import USUAL, Pace
from tests.fakes.upstream import JSON, Exchange, Script, Upstream, status
from tests.gateway.conftest import House, open_house, until
from tests.gateway.wires import CHAT_END, CHAT_START, COMPLETION, chat_request, chat_text

BODY = json.dumps(COMPLETION).encode()
PATIENCE_S = 3.0
PATH = "/v1/chat/completions"


class Cancelled:
    """Runs a coroutine, and cancels its task at its Nth suspension."""

    def __init__(self, inner: Coroutine[Any, Any, None], at: int) -> None:
        self._inner = inner
        self._at = at
        self.waits = 0

    def __await__(self) -> Generator[Any, Any, None]:
        waiting = self._inner.__await__()
        send: Any = lambda: waiting.send(None)  # noqa: E731 - exchanged for a throw
        while True:
            try:
                future = send()
            except StopIteration:
                return
            self.waits += 1
            if self.waits == self._at:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            try:
                yield future
            except BaseException as error:
                send = _thrower(waiting, error)
            else:
                send = lambda: waiting.send(None)  # noqa: E731


def _thrower(waiting: Generator[Any, Any, None], error: BaseException) -> Any:
    return lambda: waiting.throw(error)


async def a_while() -> None:
    """Let everybody have their turn, so that what was written is read by itself."""
    for _ in range(20):
        await asyncio.sleep(0)


def slowly(*pieces: bytes, last: bool = True) -> Script:
    """A stream that comes piece by piece, each for itself."""

    async def script(exchange: Exchange) -> None:
        await exchange.raw(b"HTTP/1.1 200 OK\r\n")
        await a_while()
        await exchange.raw(b"content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        for piece in pieces:
            await a_while()
            await exchange.chunk(piece)
        if last:
            await a_while()
            await exchange.end()

    return script


async def in_two_parts(exchange: Exchange) -> None:
    """A whole answer, its body after its head."""
    await exchange.head(200, JSON, ("content-length", str(len(BODY))))
    await a_while()
    await exchange.raw(BODY[:20])
    await a_while()
    await exchange.raw(BODY[20:])


async def refuse(exchange: Exchange) -> None:
    """A limit, and a connection that cannot be used again."""
    await status(429, {"error": {"message": "slow down"}}, ("retry-after", "30"))(exchange)
    exchange.close()


async def fail(exchange: Exchange) -> None:
    """An error whose body comes later."""
    await exchange.head(500, ("content-length", "2"))
    await a_while()
    await exchange.raw(b"{}")


async def cancelled_at(at: int, answer: Script, *, streamed: bool, pace: Pace) -> bool:
    """A trial request that the first provider fails, cancelled there; whether it had so many waits."""
    made: list[Cancelled] = []
    real = GatewayApp.__call__

    async def call(self: GatewayApp, *args: Any) -> None:
        made.append(Cancelled(real(self, *args), at))
        await made[-1]

    clock = ManualClock()
    async with (
        Upstream(refuse, fail, answer) as first,
        Upstream(refuse, answer) as second,
        open_house(first, second, clock=clock, pace=pace) as gateway,
    ):
        await gateway.chat(chat_request())
        clock.advance(31_000)
        before = asyncio.all_tasks()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(GatewayApp, "__call__", call)
            await request(gateway, streamed)
        await nothing_is_left(gateway, before)
        again = await gateway.chat(chat_request(stream=streamed))
        rows = [gateway.engine.provider_view(name) for name in "ab"]
    assert again.status == 200, at
    assert [row.in_flight for row in rows] == [0, 0], at
    return made[0].waits >= at


async def request(gateway: House, streamed: bool) -> None:
    """What comes back, if anything, is not looked at: it is what stays behind that counts."""
    client = await gateway.connect()
    body = chat_request(stream=streamed)
    await client.send(client.head("POST", PATH, len(body), connection="close"))
    with contextlib.suppress(ConnectionResetError):
        for piece in (body[:10], body[10:]):
            await a_while()
            await client.send(piece)
        await client.rest()
    client.close()


async def nothing_is_left(gateway: House, before: set[asyncio.Task[Any]]) -> None:
    """Every attempt has ended, and no task runs that did not run before, but for the scripts."""
    async with asyncio.timeout(PATIENCE_S):
        await until(lambda: len(gateway.begun) == len(gateway.ended) and not gateway.engine.in_flight)
        await until(lambda: not _others(before))


def _others(before: set[asyncio.Task[Any]]) -> bool:
    running = asyncio.all_tasks() - before
    return any("Upstream.answer" not in repr(task.get_coro()) for task in running)


async def waits(answer: Script, *, streamed: bool, pace: Pace = USUAL) -> int:
    """How many there are, each cancelled once."""
    for at in itertools.count(1):
        if not await cancelled_at(at, answer, streamed=streamed, pace=pace):
            return at - 1
    raise AssertionError


ANSWERS: dict[str, tuple[Script, bool, Pace]] = {
    "whole": (in_two_parts, False, USUAL),
    "streamed": (slowly(CHAT_START, chat_text("one"), chat_text("two"), CHAT_END), True, USUAL),
    "with signs of life": (slowly(CHAT_START, chat_text("one"), CHAT_END), True, Pace(0, 0.001)),
    "cut": (slowly(CHAT_START, chat_text("one")), True, USUAL),
}


@pytest.mark.fault("X13", "X24")
@pytest.mark.parametrize("name", ANSWERS)
async def test_wherever_a_request_is_cancelled_nothing_of_it_is_left(name: str) -> None:
    answer, streamed, pace = ANSWERS[name]
    assert await waits(answer, streamed=streamed, pace=pace) >= 5


async def test_an_attempt_that_does_not_end_itself_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run(self: Try) -> Any:
        fault = await self._judged()
        self._end(fault)
        return fault

    monkeypatch.setattr(Try, "run", run)
    monkeypatch.setitem(globals(), "PATIENCE_S", 0.05)
    with pytest.raises((AssertionError, TimeoutError)):
        await waits(in_two_parts, streamed=False)
