"""Requests and answers of the two wires, as real clients and providers write them."""

from __future__ import annotations

import json
from typing import Any

from tests.fakes.upstream import sse


def message_request(**changes: Any) -> bytes:
    fields = {
        "model": "claude-sonnet-4-6",
        "max_tokens": 64,
        "messages": [{"role": "user", "content": "hello"}],
    }
    return json.dumps(fields | changes).encode()


def chat_request(**changes: Any) -> bytes:
    fields = {"model": "gpt-5", "messages": [{"role": "user", "content": "hello"}]}
    return json.dumps(fields | changes).encode()


MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-6",
    "content": [{"type": "text", "text": "Hi there"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 12, "output_tokens": 3, "cache_read_input_tokens": 5},
}
COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-5",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Hi there"}, "finish_reason": "stop"}
    ],
    "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15},
}


def _event(kind: str, **fields: Any) -> bytes:
    return sse(kind, {"type": kind, **fields})


MESSAGE_START = _event(
    "message_start",
    message={
        **MESSAGE,
        "content": [],
        "stop_reason": None,
        "usage": {"input_tokens": 12, "output_tokens": 1},
    },
) + _event("content_block_start", index=0, content_block={"type": "text", "text": ""})
PING = _event("ping")
MESSAGE_END = (
    _event("content_block_stop", index=0)
    + _event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 3})
    + _event("message_stop")
)


def message_text(text: str) -> bytes:
    return _event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})


def message_tool(part: str, start: bool = False) -> bytes:
    if start:
        block = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
        return _event("content_block_start", index=1, content_block=block)
    return _event("content_block_delta", index=1, delta={"type": "input_json_delta", "partial_json": part})


def chat_chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
    return sse(
        None,
        {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "gpt-5",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        },
    )


CHAT_START = chat_chunk({"role": "assistant", "content": ""})
CHAT_USAGE = sse(
    None,
    {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-5",
        "choices": [],
        "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15},
    },
)
CHAT_DONE = b"data: [DONE]\n\n"
CHAT_END = chat_chunk({}, "stop") + CHAT_USAGE + CHAT_DONE


def chat_text(text: str) -> bytes:
    return chat_chunk({"content": text})
