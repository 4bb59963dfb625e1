"""The Responses wire: what is read of requests and answers, and how errors are written."""

from __future__ import annotations

import orjson
import pytest

from crtui.core.inputs import Usage
from crtui.core.plan import Content
from crtui.wire.codec import BadBodyError
from crtui.wire.responses import ResponsesCodec

from .answers import (
    ADDED,
    COMPLETED,
    CREATED,
    DONE,
    ITEM_DONE,
    OUTPUT,
    OUTPUT_TEXT,
    RESPONSE,
    TOKENS,
    ended,
    event,
    read,
)

CODEC = ResponsesCodec()
CALL = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "close_agent", "arguments": ""}


def added(**item: object) -> bytes:
    return event({"type": "response.output_item.added", "output_index": 0, "item": item})


def delta(kind: str, text: str = "abc") -> bytes:
    return event({"type": f"response.{kind}.delta", "item_id": "x", "delta": text})


def test_the_request_tells_model_stream_and_the_agents_session() -> None:
    body = orjson.dumps({"model": "gpt-5", "stream": True, "prompt_cache_key": "s-1", "input": "hi"})
    told = CODEC.read_request(body)
    assert (told.model, told.stream, told.session) == ("gpt-5", True, "s-1")
    assert orjson.loads(CODEC.with_model(body, "other")) == orjson.loads(body) | {"model": "other"}


def test_a_body_that_is_no_object_is_refused() -> None:
    with pytest.raises(BadBodyError):
        CODEC.read_request(b"[]")


def test_content_is_read_from_instructions_and_items_or_from_one_text() -> None:
    items = [
        {"role": "developer", "content": [{"type": "input_text", "text": "be kind"}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]},
        {"type": "function_call", "name": "view_image", "arguments": "{}"},
        {"type": "function_call_output", "output": [{"type": "input_image", "image_url": "data:x"}]},
    ]
    told = CODEC.read_content(orjson.dumps({"instructions": "sys", "input": items, "tools": [{}]}))
    assert told == Content(image=True, latest_image=False, tools=True, latest_text="hello", chars=15)
    assert CODEC.read_content(b'{"input":"hello"}') == Content(latest_text="hello", chars=5)


@pytest.mark.parametrize(
    ("piece", "chars"),
    [
        (OUTPUT_TEXT, 5),
        (delta("reasoning_summary_text"), 3),
        (delta("reasoning_text"), 3),
        (delta("refusal"), 3),
        (delta("function_call_arguments"), 3),
        (delta("custom_tool_call_input"), 3),
        (added(**CALL), 0),
        (added(type="web_search_call", id="ws_1"), 0),
        (ITEM_DONE, 5),
    ],
)
def test_what_a_reader_would_miss_is_content(piece: bytes, chars: int) -> None:
    reader = read("responses", CREATED, piece)
    assert (reader.content_seen, reader.output_chars) == (True, chars)


@pytest.mark.parametrize(
    "piece", [ADDED, added(type="reasoning", summary=[]), delta("output_text", ""), DONE]
)
def test_handshake_frames_are_no_content(piece: bytes) -> None:
    """RELIABILITY P27."""
    reader = read("responses", CREATED, piece)
    assert (reader.content_seen, reader.complete, reader.broken) == (False, False, None)


def test_an_items_text_counts_once() -> None:
    assert read("responses", CREATED, OUTPUT_TEXT, ITEM_DONE, COMPLETED).output_chars == 5
    assert read("responses", CREATED, COMPLETED).output_chars == 5


def test_cached_tokens_are_taken_out_of_the_input() -> None:
    assert read("responses", COMPLETED).usage == Usage(25, 15, 5)


@pytest.mark.parametrize("status", ["completed", "incomplete"])
def test_both_of_its_ends_complete_an_answer(status: str) -> None:
    reader = read("responses", CREATED, OUTPUT_TEXT, ended(status, usage=TOKENS))
    assert (reader.complete, reader.error, reader.broken) == (True, None, None)


def test_chats_marker_ends_nothing() -> None:
    """RELIABILITY P21."""
    assert not read("responses", CREATED, OUTPUT_TEXT, DONE, close=True).complete


def test_an_end_without_content_and_output_is_empty_unless_it_was_filtered_or_cut() -> None:
    """RELIABILITY P33."""
    assert "empty" in (read("responses", ended()).broken or "")
    for reason in ("content_filter", "max_output_tokens"):
        incomplete = ended("incomplete", incomplete_details={"reason": reason})
        assert read("responses", incomplete).broken is None


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"code": "rate_limit_exceeded", "message": "slow"}, ("slow", 429, "rate_limit_exceeded")),
        ({"code": "context_length_exceeded", "message": "long"}, ("long", 400, "context_length_exceeded")),
        ({"code": "server_is_overloaded", "message": "busy"}, ("busy", 529, "server_is_overloaded")),
        ({"code": "insufficient_quota", "message": "paid out"}, ("paid out", 402, "insufficient_quota")),
        ({"code": "odd", "message": "what"}, ("what", 502, "odd")),
        (None, ("an error without a message", 502, "")),
    ],
)
def test_a_failed_response_is_an_error_with_its_code(error: object, expected: tuple[object, ...]) -> None:
    reader = read("responses", CREATED, ended("failed", error=error))
    assert (reader.error, reader.error_status, reader.error_code) == expected
    assert not reader.complete
    facts = CODEC.read_answer(orjson.dumps({**RESPONSE, "status": "failed", "error": error}))
    assert (facts.valid, facts.error, facts.status, facts.code) == (False, *expected)


def test_the_error_event_stands_alone_too() -> None:
    written = event({"type": "error", "code": "rate_limit_exceeded", "message": "slow", "param": None})
    reader = read("responses", CREATED, written)
    assert (reader.error, reader.error_status) == ("slow", 429)


@pytest.mark.parametrize(
    ("fields", "valid"),
    [
        ({"status": "completed", "output": [OUTPUT]}, True),
        ({"status": "completed", "output": [], "usage": TOKENS}, True),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, True),
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, True),
        ({"status": "queued"}, True),
        ({"status": "completed"}, False),
        ({"status": "completed", "output": "text"}, False),
    ],
)
def test_an_answer_is_a_response_with_something_in_it(fields: dict[str, object], valid: bool) -> None:
    assert CODEC.read_answer(orjson.dumps({**RESPONSE, **fields})).valid is valid
    assert not CODEC.read_answer(b"{oops").valid


def test_our_own_error_event_is_read_back_as_what_it_says() -> None:
    for code, status in (("context_length_exceeded", 400), (None, 429), (None, 502)):
        reader = read("responses", CREATED, CODEC.error_event("a: broke", status, code))
        assert (reader.error, reader.complete) == ("a: broke", False)
    assert (reader.error_status, reader.error_code) == (500, "server_error")
    told = orjson.loads(CODEC.error_body(400, "too long", "context_length_exceeded"))
    assert told["error"]["code"] == "context_length_exceeded"


def test_a_limit_not_worth_waiting_for_is_the_one_that_codex_gives_up_at() -> None:
    told = orjson.loads(CODEC.error_body(429, "a waits until 09:00", "rate_limited", 1_795_000_000))
    assert told["error"] == {
        "message": "a waits until 09:00",
        "type": "usage_limit_reached",
        "param": None,
        "code": "rate_limited",
        "resets_at": 1_795_000_000,
    }
