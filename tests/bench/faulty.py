"""A provider that does everything providers do wrong, by a seeded chance, for a long load.

python -m tests.bench.faulty SEED       prints its port, serves until its standard input ends
"""

from __future__ import annotations

import asyncio
import random
import sys

import uvloop

from tests.fakes.upstream import Exchange, Script, Upstream, cut, ok_json, reset, stall, status, stream
from tests.gateway.wires import (
    CHAT_END,
    CHAT_START,
    COMPLETION,
    MESSAGE,
    MESSAGE_END,
    MESSAGE_START,
    chat_text,
    message_text,
)

WORDS = 40
STREAMS = {
    "chat": (CHAT_START, *(chat_text("word "),) * WORDS, CHAT_END),
    "messages": (MESSAGE_START, *(message_text("word "),) * WORDS, MESSAGE_END),
}
WHOLE = {"chat": COMPLETION, "messages": MESSAGE}
GOOD_SHARE = 0.9
BROKEN = ("reset", "close", "clean", "garbage", "short", "stall")
SAY = {"error": {"message": "scripted"}}
# Those that say when to come back are rare: all callers would only ever hear of three full quotas.
REFUSALS: dict[Script, int] = {
    reset: 8,
    stall: 2,
    status(500, SAY): 8,
    status(529, SAY): 8,
    status(429, SAY, ("retry-after", "1")): 1,
    status(503, SAY, ("retry-after", "1")): 1,
}


async def serve(seed: int) -> None:
    """Serve until nobody needs it."""
    chance = random.Random(seed)

    async def script(exchange: Exchange) -> None:
        # Kept by the server for tests to look at; a long load would fill the memory.
        upstream.requests.clear()
        await _pick(exchange, chance)(exchange)

    async with Upstream(script) as upstream:
        print(upstream.port, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def _pick(exchange: Exchange, chance: random.Random) -> Script:
    wire = "messages" if exchange.seen.target.endswith("/messages") else "chat"
    streams = b'"stream":true' in exchange.seen.body
    if chance.random() < GOOD_SHARE:
        return stream(*STREAMS[wire]) if streams else ok_json(WHOLE[wire])
    if streams and chance.random() < 0.5:
        return cut(*STREAMS[wire][: chance.randrange(WORDS)], how=chance.choice(BROKEN))
    return chance.choices(tuple(REFUSALS), tuple(REFUSALS.values()))[0]


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
