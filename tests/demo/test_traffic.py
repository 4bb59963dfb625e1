from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from crtui.clock import SystemClock
from crtui.demo.listener import Exchange, Listener, Request
from crtui.demo.render import RENDERERS
from crtui.demo.replies import compose
from crtui.demo.traffic import COMPACT_AT_CHARS, LEAVE_SHARE, ROLES, Agent, Role, run_agents

from .conftest import PatientClock

Answerer = Callable[[dict[str, Any], Exchange], Awaitable[None]]
MAIN, CHAT = ROLES[0], ROLES[-1]
SIDE = next(role for role in ROLES if role.side)


class StandIn:
    """In the gateway's place: notes what it is asked and answers as told, by default well."""

    def __init__(self) -> None:
        self.answer: Answerer | None = None
        self.asked: list[tuple[Request, dict[str, Any]]] = []
        self.sessions: set[str] = set()
        self.all_seen = asyncio.Event()
        self._rng = random.Random(1)
        self._listener = Listener(self._handle)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.port}"

    async def open(self) -> None:
        await self._listener.open()

    async def close(self) -> None:
        await self._listener.close()

    async def _handle(self, request: Request, exchange: Exchange) -> None:
        body = json.loads(request.body)
        self.asked.append((request, body))
        self.sessions.add(request.headers["x-session-id"])
        if len(self.sessions) == len(ROLES):
            self.all_seen.set()
        if self.answer is not None:
            await self.answer(body, exchange)
            return
        render = RENDERERS["messages" if request.path == "/v1/messages" else "chat"]
        reply = compose(self._rng, body, body["model"], 0)
        if body["stream"]:
            await exchange.begin({})
            for data in (render.opening(reply), *render.content(reply), render.closing(reply, True)):
                await exchange.chunk(data)
            await exchange.end()
        else:
            await exchange.answer(200, {}, json.dumps(render.answer(reply)).encode())


@pytest.fixture
async def gateway() -> AsyncIterator[StandIn]:
    stand_in = StandIn()
    await stand_in.open()
    yield stand_in
    await stand_in.close()


async def play(gateway: StandIn, clock: PatientClock, role: Role, turns: int, seed: int = 1) -> None:
    async with httpx.AsyncClient(base_url=gateway.url, trust_env=False) as http:
        agent = Agent(role, http, clock, seed)
        for _ in range(turns):
            await agent.turn()


@pytest.mark.parametrize("role", [MAIN, CHAT], ids=["messages", "chat"])
async def test_a_session_grows_and_carries_tool_results(gateway: StandIn, clock: PatientClock, role: Role):
    await play(gateway, clock, role, turns=12)
    sizes = [len(request.body) for request, _ in gateway.asked]
    assert max(sizes) > 3 * sizes[0]
    assert max(sizes) < 2 * COMPACT_AT_CHARS
    assert len(gateway.sessions) == 1
    assert any('"tool_result"' in text or '"tool"' in text for text in _texts(gateway))
    assert all(body["stream"] and body["tools"] for _, body in gateway.asked)


async def test_a_side_session_asks_small_whole_questions(gateway: StandIn, clock: PatientClock):
    await play(gateway, clock, SIDE, turns=5)
    assert len(gateway.asked) == 5
    for _, body in gateway.asked:
        assert body["stream"] is False
        assert len(body["messages"]) == 1
        assert "haiku" in body["model"]


async def test_the_same_seed_says_the_same_and_another_does_not(gateway: StandIn, clock: PatientClock):
    said: list[list[str]] = []
    for seed in (1, 1, 2):
        gateway.asked.clear()
        await play(gateway, clock, SIDE, turns=6, seed=seed)
        said.append(_texts(gateway))
    assert said[0] == said[1] != said[2]


async def test_it_waits_as_long_as_it_is_told(gateway: StandIn, clock: PatientClock):
    async def limited(_: dict[str, Any], exchange: Exchange) -> None:
        await exchange.answer(429, {"retry-after": "7"}, b"{}")

    gateway.answer = limited
    await play(gateway, clock, SIDE, turns=1)
    waits = clock.waits_ms
    assert len(waits) == len(gateway.asked) == 4
    assert all(7_000 <= wait <= 7_500 for wait in waits)


async def test_it_backs_off_by_itself_where_it_is_told_nothing(gateway: StandIn, clock: PatientClock):
    async def failing(_: dict[str, Any], exchange: Exchange) -> None:
        await exchange.answer(502, {}, b"{}")

    gateway.answer = failing
    await play(gateway, clock, SIDE, turns=1)
    assert [round(wait - 250, -3) for wait in clock.waits_ms] == [1_000, 2_000, 4_000, 8_000]


async def _cut(_: dict[str, Any], exchange: Exchange) -> None:
    await exchange.begin({})
    await exchange.chunk(b'data: {"type":"ping"}\n\n')
    exchange.cut()


async def _garbage(_: dict[str, Any], exchange: Exchange) -> None:
    await exchange.answer(200, {}, b"data: [1]\n\ndata: {{{\n\n")


async def _nothing(_: dict[str, Any], exchange: Exchange) -> None:
    await exchange.answer(200, {}, b"[]")


async def _odd_retry_after(_: dict[str, Any], exchange: Exchange) -> None:
    await exchange.answer(429, {"retry-after": "soon"}, b"")


@pytest.mark.parametrize("answer", [_cut, _garbage, _nothing, _odd_retry_after])
@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
async def test_whatever_comes_back_the_turn_ends_without_an_error(
    gateway: StandIn, clock: PatientClock, role: Role, answer: Answerer
):
    gateway.answer = answer
    await play(gateway, clock, role, turns=2)
    assert 2 <= len(gateway.asked) <= 8


async def test_a_gateway_that_is_not_there_is_waited_for(gateway: StandIn, clock: PatientClock):
    await gateway.close()
    await play(gateway, clock, MAIN, turns=1)
    assert len(clock.waits_ms) == 4
    assert gateway.asked == []


async def test_some_users_hang_up_in_the_middle(gateway: StandIn, clock: PatientClock):
    left: list[bool] = []

    async def endless(_: dict[str, Any], exchange: Exchange) -> None:
        await exchange.begin({})
        try:
            while True:
                await exchange.chunk(b'data: {"type":"ping"}\n\n' * 8)
                await asyncio.sleep(0)
        finally:
            left.append(True)

    gateway.answer = endless
    await asyncio.wait_for(play(gateway, clock, MAIN, turns=1, seed=_leaving_seed()), 5)
    await gateway.close()
    assert left == [True]


def _leaving_seed() -> int:
    """A seed whose first main session hangs up at its first answer."""
    for seed in range(1_000):
        rng = random.Random(f"{seed}:agent:{MAIN.name}")
        rng.getrandbits(128)
        rng.choice(range(5))
        if rng.random() < LEAVE_SHARE:
            return seed
    raise AssertionError("no such seed")


async def test_every_role_works_until_cancelled_and_sends_the_token(gateway: StandIn):
    before = asyncio.all_tasks()
    traffic = asyncio.create_task(run_agents(gateway.url, "sesame", SystemClock(speed=50), seed=4))
    async with asyncio.timeout(10):
        await gateway.all_seen.wait()
    traffic.cancel()
    with pytest.raises(asyncio.CancelledError):
        await traffic
    await gateway.close()
    assert {request.headers["authorization"] for request, _ in gateway.asked} == {"Bearer sesame"}
    assert {request.headers.get("x-crtui-profile") for request, _ in gateway.asked} == {
        None,
        "chat",
        "review",
    }
    assert asyncio.all_tasks() == before


def _texts(gateway: StandIn) -> list[str]:
    return [request.body.decode() for request, _ in gateway.asked]
