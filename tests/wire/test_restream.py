"""A whole answer told as a stream is a stream of that wire, and says the same."""

from __future__ import annotations

from typing import Any, cast

import orjson
import pytest

from crtui.core.inputs import Usage
from crtui.core.settings import Wire
from crtui.wire.codec import StreamReader
from crtui.wire.registry import codec_for

from .answers import OUTPUT, RESPONSE, TOKENS
from .test_client_libraries import ask_anthropic, ask_openai

CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "text", "text": "Hello"},
        {"type": "tool_use", "id": "t1", "name": "look", "input": {"path": "/tmp"}},
        {"type": "redacted_thinking", "data": "xx"},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 9, "output_tokens": 3},
}
COMPLETION: dict[str, Any] = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello", "tool_calls": [CALL]},
            "finish_reason": "tool_calls",
        }
    ],
    "usage": {"prompt_tokens": 9, "completion_tokens": 3},
}
FUNCTION = {"type": "function_call", "id": "f1", "call_id": "c1", "name": "look", "arguments": "{}"}
ANSWERS: dict[str, dict[str, Any]] = {
    "messages": MESSAGE,
    "chat": COMPLETION,
    "responses": {**RESPONSE, "status": "completed", "output": [OUTPUT, FUNCTION], "usage": TOKENS},
}


def streamed(wire: str, answer: dict[str, Any]) -> tuple[bytes, StreamReader]:
    codec = codec_for(cast("Wire", wire))
    body = orjson.dumps(answer)
    assert codec.read_answer(body).valid
    stream, reader = codec.as_stream(body), codec.stream_reader()
    reader.feed(stream)
    return stream, reader


@pytest.mark.parametrize("wire", ANSWERS)
def test_it_is_complete_with_content_and_usage(wire: str) -> None:
    """RELIABILITY P30."""
    _, reader = streamed(wire, ANSWERS[wire])
    assert (reader.complete, reader.content_seen, reader.broken, reader.error) == (True, True, None, None)
    assert reader.usage == (Usage(25, 15, 5) if wire == "responses" else Usage(9, 3))


def test_anthropics_library_puts_the_message_together_again() -> None:
    stream, _ = streamed("messages", MESSAGE)
    events = cast("list[Any]", ask_anthropic(200, stream, "text/event-stream"))
    deltas = [event.delta for event in events if event.type == "content_block_delta"]
    assert [delta.type for delta in deltas] == [
        "thinking_delta",
        "signature_delta",
        "text_delta",
        "input_json_delta",
    ]
    assert orjson.loads(deltas[-1].partial_json) == {"path": "/tmp"}
    assert [event.delta.stop_reason for event in events if event.type == "message_delta"] == ["tool_use"]


def test_openais_library_reads_text_tools_and_the_end() -> None:
    stream, _ = streamed("chat", COMPLETION)
    said, end = (
        chunk.choices[0] for chunk in cast("list[Any]", ask_openai(200, stream, "text/event-stream"))
    )
    assert said.delta.content == "Hello"
    assert (said.delta.tool_calls[0].index, said.delta.tool_calls[0].function.name) == (0, "look")
    assert end.finish_reason == "tool_calls"


def test_a_response_has_its_items_texts_and_its_own_end() -> None:
    stream, _ = streamed("responses", ANSWERS["responses"])
    events = [orjson.loads(line[6:]) for line in stream.split(b"\n") if line.startswith(b"data: ")]
    kinds = [event["type"].removeprefix("response.") for event in events]
    assert kinds == [
        "created",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "output_item.done",
        "completed",
    ]
    assert [event["sequence_number"] for event in events] == list(range(10))
    assert [event["item"] for event in events if event["type"].endswith("item.done")] == [OUTPUT, FUNCTION]
    cut, _ = streamed("responses", {**ANSWERS["responses"], "status": "incomplete"})
    assert b"event: response.incomplete" in cut
