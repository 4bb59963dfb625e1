"""Providers that do what providers do wrong, each by a seeded chance of its own, and at times for a spell."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import socket
from collections import Counter
from types import TracebackType

from tests.fakes.upstream import (
    JSON,
    SSE,
    Exchange,
    Script,
    Upstream,
    cut,
    ok_json,
    reset,
    stall,
    status,
    stream,
)
from tests.gateway import wires
from tests.wire import answers

COUNT = 4
CONFIG = (
    """
[health]
threshold = 2
recovery_s = 1
[[provider]]
name = "refuses"
kind = "vllm"
base_url = "http://127.0.0.1:{ports[0]}/v1"
wires = ["messages", "chat", "responses"]
auth = "none"
poll_s = 0
"""
    + "".join(
        f"""
[[provider]]
name = "p{number}"
kind = "vllm"
base_url = "http://127.0.0.1:{{ports[{number}]}}/v1"
wires = ["messages", "chat", "responses"]
auth = "none"
poll_s = 0
first_byte_timeout_s = 1
idle_timeout_s = 1
"""
        for number in range(1, COUNT + 1)
    )
    + """
[[profile]]
name = "default"
chain = ["refuses", "p1", "p2", "p3", "p4"]
memory_pressure_cooldown_s = 10
affinity_s = 5
"""
)
WORDS = 12
SPELL_S = 6
"""Every so often a provider falls ill for that long, in its turn."""
GOOD = 0.85
SAY = {"error": {"message": "scripted"}}
OOM = {"error": {"message": "CUDA error: out of memory"}}
STREAMS: dict[str, tuple[bytes, ...]] = {
    "messages": (wires.MESSAGE_START, *[wires.message_text("word ")] * WORDS, wires.MESSAGE_END),
    "completions": (wires.CHAT_START, *[wires.chat_text("word ")] * WORDS, wires.CHAT_END),
    "responses": (
        answers.CREATED + answers.ADDED,
        *[answers.OUTPUT_TEXT] * WORDS,
        answers.ITEM_DONE + answers.COMPLETED,
    ),
}
RESPONSE = {**answers.RESPONSE, "status": "completed", "output": [answers.OUTPUT], "usage": answers.TOKENS}
WHOLE: dict[str, object] = {"messages": wires.MESSAGE, "completions": wires.COMPLETION, "responses": RESPONSE}
MODELS = {"object": "list", "data": [{"id": "m", "object": "model"}]}
"""What a free probe asks for."""
LIMITED = "429 in 1 s"
FAULTS: dict[str, tuple[Script, int]] = {
    "500": (status(500, SAY), 8),
    "529": (status(529, SAY), 3),
    LIMITED: (status(429, SAY, ("retry-after", "1")), 6),
    "503 in 1 s": (status(503, SAY, ("retry-after", "1")), 2),
    "out of memory": (status(500, OOM), 2),
    "reset": (reset, 6),
    "silence": (stall, 1),
}
CUTS = ("reset", "close", "clean", "garbage", "short", "stall")


class Providers:
    """Four scripted servers, and an address where nobody listens."""

    def __init__(self, seed: int) -> None:
        self.told: Counter[str] = Counter()
        self._stack = contextlib.AsyncExitStack()
        self._servers = [Upstream(Ailing(f"{seed}-{number}", number, self.told)) for number in range(COUNT)]
        self._nobody = socket.socket()

    async def __aenter__(self) -> Providers:
        self._nobody.bind(("127.0.0.1", 0))  # and never listens
        for server in self._servers:
            await self._stack.enter_async_context(server)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()
        self._nobody.close()

    @property
    def ports(self) -> list[int]:
        """Of the one that refuses, and of the others."""
        return [self._nobody.getsockname()[1], *(server.port for server in self._servers)]


class Ailing:
    """A script of one provider: mostly a good answer, sometimes a fault, for spells nothing but faults."""

    def __init__(self, seed: str, turn: int, told: Counter[str]) -> None:
        self._dice = random.Random(seed)
        self._turn = turn
        self._told = told

    async def __call__(self, exchange: Exchange) -> None:
        name, script = self._pick(exchange)
        self._told[name] += 1
        await script(exchange)

    def _pick(self, exchange: Exchange) -> tuple[str, Script]:
        wire, streams = exchange.seen.target.rpartition("/")[2], b'"stream": true' in exchange.seen.body
        ill = int(asyncio.get_running_loop().time() / SPELL_S) % (2 * COUNT) == self._turn
        if exchange.seen.method == "GET":
            return ("probe failed", status(500, SAY)) if ill else ("probe", ok_json(MODELS))
        if not ill and self._dice.random() < GOOD:
            slow = self._dice.random() < 0.1
            if streams:
                return ("slow", dawdling(STREAMS[wire])) if slow else ("streamed", stream(*STREAMS[wire]))
            return ("drop by drop", trickling(WHOLE[wire])) if slow else ("whole", ok_json(WHOLE[wire]))
        if streams and self._dice.random() < 0.5:
            how = self._dice.choice(CUTS)
            return f"cut: {how}", cut(*STREAMS[wire][: self._dice.randrange(WORDS)], how=how)
        [name] = self._dice.choices(tuple(FAULTS), [weight for _, weight in FAULTS.values()])
        if name == LIMITED and self._turn == 0:
            return "429", status(429, SAY)  # that says no time: only from one, since it stays out for long
        return name, FAULTS[name][0]


def dawdling(events: tuple[bytes, ...]) -> Script:
    """A good stream with a pause before every event."""

    async def script(exchange: Exchange) -> None:
        await exchange.head(200, SSE, ("transfer-encoding", "chunked"))
        for event in events:
            await asyncio.sleep(0.05)
            await exchange.chunk(event)
        await exchange.end()

    return script


def trickling(value: object) -> Script:
    """A good answer, a few bytes at a time."""
    body = json.dumps(value).encode()

    async def script(exchange: Exchange) -> None:
        await exchange.head(200, JSON, ("content-length", str(len(body))))
        for at in range(0, len(body), 16):
            await exchange.raw(body[at : at + 16])
            await asyncio.sleep(0.01)

    return script
