"""The Anthropic Messages wire."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from crtui.core.inputs import Usage
from crtui.wire.registry import codec_for

from .answers import BLOCK, END, MESSAGE, START, STOP, TEXT, delta, event, read

CODEC = codec_for("messages")


@pytest.mark.parametrize(
    ("part", "chars"),
    [
        ({"type": "text_delta", "text": "日本"}, 2),
        ({"type": "thinking_delta", "thinking": "hm"}, 2),
        ({"type": "input_json_delta", "partial_json": '{"a'}, 3),
        ({"type": "signature_delta", "signature": "EqQB"}, 0),
        ({"type": "citations_delta", "citation": {"cited_text": "x"}}, 0),
    ],
)
def test_a_delta_that_says_something_is_content(part: dict[str, object], chars: int) -> None:
    reader = read("messages", START, BLOCK, delta(**part))
    assert (reader.content_seen, reader.output_chars) == (True, chars)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "text_delta", "text": ""},
        {"type": "input_json_delta", "partial_json": ""},
        {"type": "thinking_delta"},
    ],
)
def test_an_empty_delta_is_not_content(part: dict[str, object]) -> None:
    """RELIABILITY P27."""
    assert not read("messages", START, BLOCK, delta(**part)).content_seen


@pytest.mark.parametrize(
    ("block", "content"),
    [
        ({"type": "text", "text": ""}, False),
        ({"type": "thinking", "thinking": "", "signature": ""}, False),
        ({"type": "text", "text": "at once"}, True),
        ({"type": "tool_use", "id": "t", "name": "Read", "input": {}}, True),
        ({"type": "server_tool_use", "id": "t", "name": "web_search", "input": {}}, True),
        ({"type": "redacted_thinking", "data": "x"}, True),
    ],
)
def test_a_block_of_text_begins_empty_and_a_tools_block_is_content(
    block: dict[str, object], content: bool
) -> None:
    reader = read(
        "messages", START, event({"type": "content_block_start", "index": 0, "content_block": block})
    )
    assert reader.content_seen is content


@pytest.mark.fault("P28")
def test_usage_is_the_starts_with_what_the_end_names() -> None:
    """RELIABILITY P28: reports repeat and are corrected, they never add up."""
    start = {
        "input_tokens": 25,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 7,
        "output_tokens": 1,
    }
    end = {"input_tokens": 30, "cache_read_input_tokens": 100, "output_tokens": 15}
    reader = read(
        "messages",
        event({"type": "message_start", "message": {"usage": start}}),
        TEXT,
        event({"type": "message_delta", "delta": {}, "usage": end}),
        event({"type": "message_delta", "delta": {}, "usage": end}),
    )
    assert reader.usage == Usage(30, 15, 100, 7)
    estimated = event({"type": "message_start", "message": {"usage": {"input_tokens": 9000}}})
    last = event({"type": "message_delta", "delta": {}, "usage": {"input_tokens": 6000, "output_tokens": 5}})
    assert read("messages", estimated, TEXT, last).usage == Usage(6000, 5)
    assert read("messages", TEXT).usage is None


def test_an_event_without_a_type_is_known_by_its_name() -> None:
    reader = read("messages", START, TEXT, b"event: message_stop\ndata: {}\n\n")
    assert reader.complete


def test_a_done_marker_of_another_wire_ends_nothing() -> None:
    assert not read("messages", START, TEXT, END, b"data: [DONE]\n\n", close=True).complete


@pytest.mark.fault("P33", "S17")
def test_a_message_finished_without_content_is_empty_unless_it_has_output_or_refuses_or_was_cut() -> None:
    """RELIABILITY P33, S17."""

    def finished(stop_reason: str, output: int) -> str | None:
        start = event(
            {"type": "message_start", "message": {"usage": {"input_tokens": 5, "output_tokens": 0}}}
        )
        end = {
            "type": "message_delta",
            "delta": {"stop_reason": stop_reason},
            "usage": {"output_tokens": output},
        }
        reader = read("messages", start, BLOCK, event(end), STOP)
        assert reader.complete
        return reader.broken

    assert "empty" in (finished("end_turn", 0) or "")
    assert finished("end_turn", 3) is None
    assert finished("refusal", 0) is None
    assert finished("max_tokens", 0) is None


ANSWER: dict[str, Any] = {
    "type": "message",
    "role": "assistant",
    "content": [{"type": "text", "text": "hi"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 3, "output_tokens": 2, "cache_read_input_tokens": 5},
}


def test_a_whole_message_is_valid_with_its_usage() -> None:
    facts = CODEC.read_answer(orjson.dumps(ANSWER))
    assert (facts.valid, facts.usage, facts.error) == (True, Usage(3, 2, 5, 0), None)


@pytest.mark.parametrize(
    ("change", "valid"),
    [
        ({"content": []}, True),
        ({"content": [], "usage": None}, False),
        ({"content": [], "usage": {"output_tokens": 0}}, False),
        ({"content": [], "usage": None, "stop_reason": "refusal"}, True),
        ({"content": [], "usage": None, "stop_reason": "max_tokens"}, True),
        ({"content": None}, False),
        ({"content": "text"}, False),
        ({"usage": None}, True),
        ({"usage": {"input_tokens": -1, "output_tokens": "2"}}, True),
    ],
)
def test_an_answer_is_valid_by_its_shape_and_if_it_says_anything(
    change: dict[str, object], valid: bool
) -> None:
    """RELIABILITY P02, P33."""
    assert CODEC.read_answer(orjson.dumps(ANSWER | change)).valid is valid


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"content"',
        b'{"type":"message"}',
        b"<html>",
        MESSAGE,
        b'{"input_tokens":"7"}',
    ],
)
@pytest.mark.fault("P01", "P02", "P31", "P32")
def test_what_is_no_message_is_not_valid(body: bytes) -> None:
    """RELIABILITY P01, P02, P31, P32."""
    facts = CODEC.read_answer(body)
    assert (facts.valid, facts.usage, facts.error) == (False, None, None)


def test_a_token_count_is_a_valid_answer_that_used_nothing() -> None:
    facts = CODEC.read_answer(b'{"input_tokens":2095}')
    assert (facts.valid, facts.usage) == (True, None)


def test_an_error_inside_a_200_is_told_with_its_status() -> None:
    """RELIABILITY P03."""
    facts = CODEC.read_answer(b'{"type":"error","error":{"type":"overloaded_error","message":"busy"}}')
    assert (facts.valid, facts.error, facts.status) == (False, "busy", 529)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (402, "billing_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (413, "request_too_large"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (502, "api_error"),
        (503, "api_error"),
        (504, "timeout_error"),
        (529, "overloaded_error"),
        (405, "invalid_request_error"),
    ],
)
def test_an_error_body_has_anthropics_form(status: int, kind: str) -> None:
    body = orjson.loads(CODEC.error_body(status, 'all "out"', "quota"))
    assert body == {"type": "error", "error": {"type": kind, "message": 'all "out"'}}


def test_an_error_event_is_read_back_as_that_error_and_ends_no_answer() -> None:
    """RELIABILITY P24."""
    raw = CODEC.error_event("slow: cut\nhere", 529)
    assert raw.startswith(b"event: error\ndata: {")
    assert raw.endswith(b"}\n\n")
    reader = read("messages", START, BLOCK, TEXT, raw, close=True)
    assert (reader.error, reader.error_status, reader.complete) == ("slow: cut here", 529, False)
