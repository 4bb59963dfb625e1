"""A whole answer, told as the short stream that was asked for.

Some servers answer a streaming request with one JSON document. What it says is good, so the client
gets it in the form it can read. Each function takes a parsed answer of its wire.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import orjson

from crtui.wire.jsonview import as_list, as_object

Fields = dict[str, object]

_DELTAS: Final = {"text": "text_delta", "thinking": "thinking_delta"}


def messages_stream(message: Fields) -> bytes:
    """A message of Anthropic's as its events."""
    return b"".join(_message_events(message))


def chat_stream(completion: Fields) -> bytes:
    """A completion of OpenAI's as two chunks and the end marker."""
    common = {key: value for key, value in completion.items() if key not in ("choices", "usage", "object")}
    common["object"] = "chat.completion.chunk"
    choices = [as_object(choice) for choice in as_list(completion.get("choices"))]
    said = [{"index": c.get("index", 0), "delta": _delta(c), "finish_reason": None} for c in choices]
    ends: list[Fields] = [
        {"index": c.get("index", 0), "delta": {}, "finish_reason": c.get("finish_reason") or "stop"}
        for c in choices
    ]
    last = {**common, "choices": ends, "usage": completion.get("usage")}
    return _data({**common, "choices": said}) + _data(last) + b"data: [DONE]\n\n"


def responses_stream(response: Fields) -> bytes:
    """A response of OpenAI's as its events."""
    numbered = enumerate(_response_events(response))
    return b"".join(_event({**event, "sequence_number": number}) for number, event in numbered)


def _message_events(message: Fields) -> Iterator[bytes]:
    stop = {key: message.get(key) for key in ("stop_reason", "stop_sequence")}
    start: Fields = {**message, "content": [], "stop_reason": None, "stop_sequence": None}
    yield _event({"type": "message_start", "message": start})
    for index, block in enumerate(map(as_object, as_list(message.get("content")))):
        opening, deltas = _parts(block)
        yield _event({"type": "content_block_start", "index": index, "content_block": opening})
        for delta in deltas:
            yield _event({"type": "content_block_delta", "index": index, "delta": delta})
        yield _event({"type": "content_block_stop", "index": index})
    yield _event({"type": "message_delta", "delta": stop, "usage": message.get("usage")})
    yield _event({"type": "message_stop"})


def _parts(block: Fields) -> tuple[Fields, list[Fields]]:
    """How a content block begins, and what is added to it; an unknown one comes as it is, at once."""
    kind = block.get("type")
    if kind == "tool_use":
        written = orjson.dumps(block.get("input", {})).decode()
        return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": written}]
    if not isinstance(kind, str) or kind not in _DELTAS:
        return block, []
    deltas: list[Fields] = [{"type": _DELTAS[kind], kind: block.get(kind)}]
    if signature := block.get("signature"):
        deltas.append({"type": "signature_delta", "signature": signature})
    return {"type": kind, kind: ""}, deltas


def _delta(choice: Fields) -> Fields:
    message = dict(as_object(choice.get("message")))
    calls = as_list(message.get("tool_calls"))
    if calls:
        message["tool_calls"] = [{"index": i, **as_object(call)} for i, call in enumerate(calls)]
    return message


def _response_events(response: Fields) -> Iterator[Fields]:
    begun: Fields = {**response, "status": "in_progress", "output": [], "usage": None}
    yield {"type": "response.created", "response": begun}
    for index, item in enumerate(map(as_object, as_list(response.get("output")))):
        place: Fields = {"output_index": index}
        message = item.get("type") == "message"
        added: Fields = {**item, "status": "in_progress", "content": []} if message else item
        yield {"type": "response.output_item.added", "item": added, **place}
        if message:
            yield from _text_events(item, {"item_id": item.get("id"), **place})
        yield {"type": "response.output_item.done", "item": item, **place}
    end = "incomplete" if response.get("status") == "incomplete" else "completed"
    yield {"type": f"response.{end}", "response": response}


def _text_events(item: Fields, place: Fields) -> Iterator[Fields]:
    for index, part in enumerate(map(as_object, as_list(item.get("content")))):
        if part.get("type") != "output_text":
            continue
        at: Fields = {**place, "content_index": index}
        text = part.get("text")
        yield {"type": "response.content_part.added", "part": {**part, "text": ""}, **at}
        yield {"type": "response.output_text.delta", "delta": text, "logprobs": [], **at}
        yield {"type": "response.output_text.done", "text": text, "logprobs": [], **at}
        yield {"type": "response.content_part.done", "part": part, **at}


def _event(fields: Fields) -> bytes:
    return f"event: {fields['type']}\n".encode() + _data(fields)


def _data(fields: Fields) -> bytes:
    return b"data: " + orjson.dumps(fields) + b"\n\n"
