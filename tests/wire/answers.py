"""Streams and answers of every wire, as upstreams write them."""

from __future__ import annotations

from typing import Any, cast

import orjson

from crtui.core.settings import Wire
from crtui.wire.codec import StreamReader
from crtui.wire.registry import codec_for


def event(fields: dict[str, Any]) -> bytes:
    """One event of the messages or the responses wire."""
    return f"event: {fields['type']}\n".encode() + chunk(fields)


def chunk(fields: object) -> bytes:
    """One event of the chat wire."""
    return b"data: " + orjson.dumps(fields) + b"\n\n"


def choice(finish_reason: str | None = None, **delta: object) -> bytes:
    """A chunk with one choice."""
    return chunk({"choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]})


def delta(**part: object) -> bytes:
    """A part of a content block."""
    return event({"type": "content_block_delta", "index": 0, "delta": part})


START = event(
    {
        "type": "message_start",
        "message": {"role": "assistant", "content": [], "usage": {"input_tokens": 25, "output_tokens": 1}},
    }
)
PING = event({"type": "ping"})
BLOCK = event({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})
TEXT = delta(type="text_delta", text="Hello")
BLOCK_STOP = event({"type": "content_block_stop", "index": 0})
END = event({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 15}})
STOP = event({"type": "message_stop"})
MESSAGE = START + BLOCK + PING + TEXT + BLOCK_STOP + END + STOP

ROLE = choice(role="assistant", content="")
WORD = choice(content="Hello")
FINISH = choice("stop")
USAGE = chunk({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 3}})
DONE = b"data: [DONE]\n\n"
COMPLETION = ROLE + WORD + FINISH + USAGE + DONE

RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "gpt-5",
    "status": "in_progress",
    "error": None,
    "incomplete_details": None,
    "output": [],
    "usage": None,
}
OUTPUT = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "Hello", "annotations": []}],
}
TOKENS = {
    "input_tokens": 30,
    "input_tokens_details": {"cached_tokens": 5},
    "output_tokens": 15,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 45,
}
ITEM = {"type": "message", "id": "msg_1", "role": "assistant", "status": "in_progress", "content": []}


def ended(status: str = "completed", **fields: Any) -> bytes:
    """The event that ends a response."""
    return event({"type": f"response.{status}", "response": {**RESPONSE, "status": status, **fields}})


CREATED = event({"type": "response.created", "response": RESPONSE}) + event(
    {"type": "response.in_progress", "response": RESPONSE}
)
ADDED = event({"type": "response.output_item.added", "output_index": 0, "item": ITEM}) + event(
    {
        "type": "response.content_part.added",
        "item_id": "msg_1",
        "part": {"type": "output_text", "text": "", "annotations": []},
    }
)
OUTPUT_TEXT = event({"type": "response.output_text.delta", "item_id": "msg_1", "delta": "Hello"})
ITEM_DONE = event({"type": "response.output_item.done", "output_index": 0, "item": OUTPUT})
COMPLETED = ended(output=[OUTPUT], usage=TOKENS)
RESPONSE_STREAM = CREATED + ADDED + OUTPUT_TEXT + ITEM_DONE + COMPLETED


def read(wire: str, *data: bytes, close: bool = False) -> StreamReader:
    """A reader that has seen these bytes."""
    reader = codec_for(cast("Wire", wire)).stream_reader()
    for piece in data:
        reader.feed(piece)
    if close:
        reader.close()
    return reader


def seen(reader: StreamReader) -> tuple[object, ...]:
    """All that a reader tells."""
    told = (reader.content_seen, reader.thinking, reader.complete, reader.broken)
    error = (reader.error, reader.error_status, reader.error_code, reader.error_body)
    return (*told, *error, reader.events, reader.usage, reader.model, reader.output_chars)
