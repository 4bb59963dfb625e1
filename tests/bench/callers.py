"""Callers for a long load: most are polite, some leave early, read slowly, or send nonsense."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable

from tests.fakes.client import Answer, RudeClient

PAUSE_S = 0.02
LIMIT_S = 30
PATHS = {"chat": "/v1/chat/completions", "messages": "/v1/messages"}
# What the gateway may say when providers fail; anything else is a fault of its own.
EXPECTED = frozenset({200, 429, 502, 503})

Manner = Callable[[RudeClient, random.Random], Awaitable[str]]


async def call_on(port: int, chance: random.Random, until: float, told: Counter[str]) -> None:
    """Be one caller after the other until the loop's time; counts how each one fared."""
    now = asyncio.get_running_loop().time
    manners, weights = zip(*MANNERS.items(), strict=True)
    while now() < until:
        (manner,) = chance.choices(manners, weights)
        client = await RudeClient.connect(port)
        try:
            async with asyncio.timeout(LIMIT_S):
                told[await manner(client, chance)] += 1
        except TimeoutError:
            told[f"NO END within {LIMIT_S} s: {manner.__name__}"] += 1
        except (ConnectionResetError, asyncio.IncompleteReadError):
            told["NO ANSWER at all"] += 1
        finally:
            client.close()
        await asyncio.sleep(chance.uniform(0, 2 * PAUSE_S))


async def _whole(client: RudeClient, chance: random.Random) -> str:
    await _ask(client, chance, stream=False)
    return _verdict("whole", await client.read())


async def _streamed(client: RudeClient, chance: random.Random) -> str:
    await _ask(client, chance, stream=True)
    return _verdict("streamed", await client.read())


async def _large(client: RudeClient, chance: random.Random) -> str:
    await _ask(client, chance, stream=chance.random() < 0.5, words=chance.choice((10_000, 200_000)))
    return _verdict("large", await client.read())


async def _slow_reader(client: RudeClient, chance: random.Random) -> str:
    await _ask(client, chance, stream=True)
    await asyncio.sleep(0.5)
    return _verdict("read slowly", await client.read())


async def _leaves_at_once(client: RudeClient, chance: random.Random) -> str:
    await _ask(client, chance, stream=chance.random() < 0.5)
    client.reset()
    return "left at once"


async def _leaves_midstream(client: RudeClient, chance: random.Random) -> str:
    await _ask(client, chance, stream=True)
    answer = await client.read_head()
    client.reset()
    return _verdict("left in the middle", answer)


async def _nonsense(client: RudeClient, chance: random.Random) -> str:
    await client.ask("POST", PATHS["chat"], b'{"model": ')
    answer = await client.read()
    return "nonsense refused" if answer.status == 400 else f"NONSENSE got {answer.status}"


async def _lists_models(client: RudeClient, chance: random.Random) -> str:
    await client.ask("GET", "/v1/models")
    answer = await client.read()
    return "models listed" if answer.status == 200 else f"MODELS got {answer.status}"


MANNERS: dict[Manner, int] = {
    _whole: 40,
    _streamed: 30,
    _large: 3,
    _slow_reader: 3,
    _leaves_at_once: 6,
    _leaves_midstream: 8,
    _nonsense: 5,
    _lists_models: 5,
}


async def _ask(client: RudeClient, chance: random.Random, *, stream: bool, words: int = 50) -> None:
    fields = {
        "model": "m",
        "max_tokens": 100,
        "stream": stream,
        "messages": [{"role": "user", "content": "word " * words}],
    }
    body = json.dumps(fields, separators=(",", ":")).encode()
    await client.ask("POST", PATHS[chance.choice(("chat", "messages"))], body)


def _verdict(what: str, answer: Answer) -> str:
    if answer.status not in EXPECTED:
        return f"UNEXPECTED {answer.status} where {what}"
    if what == "left in the middle":
        return what
    return f"{what}: {answer.status}{'' if answer.whole else ', cut'}"
