"""What scripted providers answer to Claude Code and Codex, and what a picky local backend refuses."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from tests.fakes.upstream import Exchange, Script, ok_json, status, stream
from tests.gateway.wires import MESSAGE, MESSAGE_END, MESSAGE_START, message_text
from tests.wire.answers import ADDED, CREATED, OUTPUT, TOKENS, ended, event

SLOW_S: Final = 28.0
WORDS = "The gateway works."
_ITEM = {**OUTPUT, "content": [{"type": "output_text", "text": WORDS, "annotations": []}]}

CLAUDE_BEGUN = (MESSAGE_START, message_text("The gate"))
CLAUDE = (MESSAGE_START, message_text(WORDS), MESSAGE_END)
CODEX_BEGUN = (
    CREATED,
    ADDED,
    event({"type": "response.output_text.delta", "item_id": "msg_1", "delta": "The gate"}),
)
CODEX = (
    CREATED,
    ADDED,
    event({"type": "response.output_text.delta", "item_id": "msg_1", "delta": WORDS}),
    event({"type": "response.output_item.done", "output_index": 0, "item": _ITEM}),
    ended(output=[_ITEM], usage=TOKENS),
)


async def claude_good(exchange: Exchange) -> None:
    """A whole message where Claude Code asks again without streaming, as it does after an error."""
    whole = {**MESSAGE, "content": [{"type": "text", "text": WORDS}]}
    await (stream(*CLAUDE) if exchange.seen.json.get("stream") else ok_json(whole))(exchange)


def claude_tool(name: str, arguments: str) -> Script:
    """Claude asks for a tool."""
    block = {"type": "tool_use", "id": "toolu_1", "name": name, "input": {}}
    delta = {"type": "input_json_delta", "partial_json": arguments}
    start = MESSAGE_START.partition(b"event: content_block_start")[0]
    return stream(
        start,
        event({"type": "content_block_start", "index": 0, "content_block": block}),
        event({"type": "content_block_delta", "index": 0, "delta": delta}),
        MESSAGE_END.replace(b'"end_turn"', b'"tool_use"'),
    )


def codex_tool(name: str, arguments: str) -> Script:
    """Codex's model asks for a tool."""
    call = {"type": "function_call", "id": "f1", "call_id": "c1", "name": name, "arguments": arguments}
    return stream(
        CREATED,
        event({"type": "response.output_item.added", "output_index": 0, "item": call}),
        event({"type": "response.output_item.done", "output_index": 0, "item": call}),
        ended(output=[call], usage=TOKENS),
    )


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
        await (refused if _is_scattered(exchange.seen.json) else good)(exchange)

    return script


def _is_scattered(body: dict[str, Any]) -> bool:
    turns = body.get("messages") or body.get("input") or []
    return any(turn.get("role") in ("system", "developer") for turn in turns)
