"""What scripted providers do with an agent: the chat wire's answers, a slow backend and a picky one."""

from __future__ import annotations

import asyncio
from typing import Final

from tests.fakes.upstream import Exchange, Script, Seen, ok_json, status, stream
from tests.gateway.wires import CHAT_END, CHAT_START, COMPLETION, chat_text
from tests.real_servers.tiny_model import SENTENCE as WORDS

__all__ = ["CHAT_BEGUN", "WORDS", "chat_good", "picky", "slow"]

SLOW_S: Final = 28.0
CHAT_BEGUN: Final = (CHAT_START, chat_text("The gate"))


async def chat_good(exchange: Exchange) -> None:
    """An answer in the form that was asked for."""
    message = {"role": "assistant", "content": WORDS}
    whole = {**COMPLETION, "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    streamed = stream(CHAT_START, chat_text(WORDS), CHAT_END)
    await (streamed if exchange.seen.json.get("stream") else ok_json(whole))(exchange)


def slow(good: Script) -> Script:
    """A server that loads its model first: longer than a client hears nothing."""

    async def script(exchange: Exchange) -> None:
        await asyncio.sleep(SLOW_S)
        await good(exchange)

    return script


def picky(good: Script) -> Script:
    """A server whose template takes one system text at the beginning, as llama.cpp's say it."""

    async def script(exchange: Exchange) -> None:
        refused = status(400, {"error": {"code": 400, "message": "System message must be at the beginning."}})
        await (refused if _is_scattered(exchange.seen) else good)(exchange)

    return script


def _is_scattered(seen: Seen) -> bool:
    turns = seen.json.get("messages") or seen.json.get("input") or []
    # The chat wire has no other place for the one text than the first message.
    later = turns[1:] if seen.target.endswith("/chat/completions") else turns
    return any(turn.get("role") in ("system", "developer") for turn in later)
