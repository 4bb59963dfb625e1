"""The OpenAI Chat Completions wire."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from crtui.core.inputs import Usage
from crtui.wire.registry import codec_for

from .answers import COMPLETION, DONE, FINISH, ROLE, USAGE, WORD, choice, chunk, read

CODEC = codec_for("chat")
CALL = {"index": 0, "id": "c", "type": "function", "function": {"name": "Read", "arguments": '{"p'}}


@pytest.mark.parametrize(
    ("delta", "chars"),
    [
        ({"content": "日本"}, 2),
        ({"reasoning_content": "hm"}, 2),
        ({"reasoning": "hm"}, 2),
        ({"tool_calls": [CALL]}, 7),
        ({"function_call": {"name": "Read", "arguments": ""}}, 4),
        ({"refusal": "no"}, 2),
        ({"content": [{"type": "text", "text": "abc"}]}, 3),
        ({"role": "assistant", "content": "x", "tool_calls": None}, 1),
        ({"images": [{"image_url": {"url": "data:xx"}}]}, 0),
    ],
)
def test_a_delta_that_says_something_is_content(delta: dict[str, object], chars: int) -> None:
    reader = read("chat", ROLE, choice(**delta))
    assert (reader.content_seen, reader.output_chars) == (True, chars)


@pytest.mark.parametrize(
    "delta",
    [
        {},
        {"role": "assistant"},
        {"role": "assistant", "content": ""},
        {"content": None, "refusal": None, "tool_calls": []},
        {"role": "assistant", "content": "", "provider_specific_fields": {"a": 1}},
    ],
)
@pytest.mark.fault("P27")
def test_a_role_or_an_empty_delta_is_not_content(delta: dict[str, object]) -> None:
    """RELIABILITY P27."""
    assert not read("chat", choice(**delta)).content_seen


def test_content_of_any_choice_counts() -> None:
    """RELIABILITY P39: n > 1."""
    both = {"choices": [{"index": 0, "delta": {"content": ""}}, {"index": 1, "delta": {"content": "x"}}]}
    assert read("chat", chunk(both)).content_seen


@pytest.mark.fault("P20")
def test_a_finish_reason_completes_the_answer_only_when_the_bytes_end() -> None:
    """RELIABILITY P20: the usage and the marker come after it and must still be relayed."""
    reader = read("chat", ROLE, WORD, FINISH)
    assert not reader.complete
    reader.feed(USAGE)
    reader.close()
    assert (reader.complete, reader.usage) == (True, Usage(9, 3))
    assert not read("chat", ROLE, WORD, close=True).complete


@pytest.mark.parametrize("marker", [b"data: [DONE]\n\n", b"data:[DONE]\n\n", b"data: [DONE] \r\n\r\n"])
def test_the_marker_completes_it_at_once(marker: bytes) -> None:
    assert read("chat", ROLE, WORD, marker).complete


@pytest.mark.fault("P33", "S17")
def test_a_finish_without_content_and_output_is_empty_unless_it_was_filtered_or_cut() -> None:
    """RELIABILITY P33, S17."""
    assert "empty" in (read("chat", ROLE, FINISH, DONE).broken or "")
    assert "empty" in (read("chat", ROLE, FINISH, close=True).broken or "")
    assert "empty" in (read("chat", DONE).broken or "")
    assert read("chat", ROLE, FINISH, USAGE, DONE).broken is None
    assert read("chat", ROLE, choice("content_filter"), DONE).broken is None
    assert read("chat", ROLE, choice("length"), DONE).broken is None


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}, Usage(9, 3)),
        (
            {"prompt_tokens": 9, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4}},
            Usage(5, 3, 4),
        ),
        ({"prompt_tokens": 9, "prompt_cache_hit_tokens": 4, "prompt_cache_miss_tokens": 5}, Usage(5, 0, 4)),
        (
            {"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3}},
            Usage(2, 0, 4, 3),
        ),
        ({"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 40}}, Usage(0, 0, 9)),
        (
            {"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 40}},
            Usage(0, 0, 4, 5),
        ),
        ({"prompt_tokens": 9, "prompt_tokens_details": None}, Usage(9, 0)),
        ({"prompt_tokens": 7477, "completion_tokens": 2060, "total_tokens": 11476}, Usage(7477, 3999)),
        (
            {
                "prompt_tokens": 10120,
                "completion_tokens": 1499,
                "total_tokens": 14428,
                "prompt_tokens_details": {"cached_tokens": 128},
                "completion_tokens_details": {"reasoning_tokens": 2809},
            },
            Usage(9992, 4308, 128),
        ),
        ({"prompt_tokens": 6, "total_tokens": 31}, Usage(6, 25)),
        ({"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 2}, Usage(9, 3)),
        ({"completion_tokens": 3, "total_tokens": 12}, Usage(0, 3)),
        ({"prompt_tokens": 9.0, "completion_tokens": -3}, Usage(9, 0)),
        ({"prompt_tokens": "9", "completion_tokens": True}, None),
        ({"prompt_tokens": 2**60}, None),
        ({"prompt_tokens": 1.5}, None),
        ({}, None),
        (None, None),
    ],
)
@pytest.mark.fault("S32")
def test_usage_excludes_what_came_from_the_cache_and_nonsense_is_not_told(
    usage: object, expected: Usage | None
) -> None:
    """RELIABILITY S32."""
    assert read("chat", WORD, chunk({"choices": [], "usage": usage})).usage == expected
    body = orjson.dumps({"choices": [{"message": {"content": "x"}}], "usage": usage})
    assert CODEC.read_answer(body).usage == expected


@pytest.mark.fault("P28")
def test_usage_told_twice_or_growing_is_never_added_up() -> None:
    """RELIABILITY P28."""
    grown = chunk({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 8}})
    assert read("chat", WORD, USAGE, grown, USAGE).usage == Usage(9, 8)


def test_groqs_usage_is_found_in_its_own_place() -> None:
    last = {"choices": [{"delta": {}, "finish_reason": "stop"}], "x_groq": {"usage": {"prompt_tokens": 4}}}
    assert read("chat", WORD, chunk(last)).usage == Usage(4)


@pytest.mark.parametrize(
    ("last", "text", "status"),
    [
        (
            {"error": {"code": 502, "message": "gone"}, "choices": [{"delta": {}, "finish_reason": "error"}]},
            "gone",
            502,
        ),
        (
            {"choices": [{"delta": {}, "finish_reason": "error", "error": {"code": 429, "message": "m"}}]},
            "m",
            429,
        ),
        (
            {"choices": [{"delta": {}, "finish_reason": "error"}]},
            "the upstream ended its answer with an error",
            502,
        ),
    ],
)
def test_openrouters_errors_inside_a_stream_are_known(
    last: dict[str, object], text: str, status: int
) -> None:
    """RELIABILITY P24."""
    reader = read("chat", ROLE, WORD, chunk(last), DONE)
    assert (reader.error, reader.error_status, reader.complete) == (text, status, False)


ANSWER: dict[str, Any] = {
    "object": "chat.completion",
    "error": None,
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2},
}


def test_a_whole_completion_is_valid_with_its_usage() -> None:
    facts = CODEC.read_answer(orjson.dumps(ANSWER))
    assert (facts.valid, facts.usage, facts.error) == (True, Usage(3, 2), None)


@pytest.mark.parametrize(
    ("change", "valid"),
    [
        ({"usage": None}, True),
        ({"choices": None}, False),
        ({"choices": []}, False),
        ({"choices": {}}, False),
        ({"choices": [None]}, False),
        ({"choices": [{"delta": {"content": "x"}}]}, False),
        ({"choices": [{"message": {"content": None, "tool_calls": [CALL]}}], "usage": None}, True),
        ({"choices": [{"message": {"role": "assistant", "content": ""}}]}, True),
        ({"choices": [{"message": {"role": "assistant", "content": ""}}], "usage": None}, False),
        ({"choices": [{"message": {"role": "a"}, "finish_reason": "content_filter"}], "usage": None}, True),
        ({"choices": [{"message": {"role": "a"}, "finish_reason": "length"}], "usage": None}, True),
    ],
)
@pytest.mark.fault("P02", "P33")
def test_an_answer_is_valid_by_its_shape_and_if_it_says_anything(
    change: dict[str, object], valid: bool
) -> None:
    """RELIABILITY P02, P33."""
    assert CODEC.read_answer(orjson.dumps(ANSWER | change)).valid is valid


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b'{"choices"', b"<html>", COMPLETION])
@pytest.mark.fault("P01", "P02", "P31", "P32")
def test_what_is_no_completion_is_not_valid(body: bytes) -> None:
    """RELIABILITY P01, P02, P31, P32."""
    facts = CODEC.read_answer(body)
    assert (facts.valid, facts.usage, facts.error) == (False, None, None)


def test_embeddings_are_a_valid_answer() -> None:
    body = {
        "object": "list",
        "data": [{"embedding": [0.1]}],
        "usage": {"prompt_tokens": 3, "total_tokens": 3},
    }
    facts = CODEC.read_answer(orjson.dumps(body))
    assert (facts.valid, facts.usage) == (True, Usage(3))


@pytest.mark.parametrize(
    ("body", "text", "status"),
    [
        ({"error": {"message": "m", "type": "insufficient_quota"}}, "m", 402),
        ({"choices": [{"error": {"code": 503, "message": "m"}, "finish_reason": "error"}]}, "m", 503),
    ],
)
def test_an_error_inside_a_200_is_told_with_its_status(
    body: dict[str, object], text: str, status: int
) -> None:
    """RELIABILITY P03."""
    facts = CODEC.read_answer(orjson.dumps(body))
    assert (facts.valid, facts.error, facts.status) == (False, text, status)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (402, "insufficient_quota"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (413, "invalid_request_error"),
        (429, "rate_limit_error"),
        (502, "server_error"),
    ],
)
def test_an_error_body_has_openais_form(status: int, kind: str) -> None:
    body = orjson.loads(CODEC.error_body(status, "all out", "quota"))
    assert body == {"error": {"message": "all out", "type": kind, "param": None, "code": "quota"}}
    assert orjson.loads(CODEC.error_body(status, "m"))["error"]["code"] is None


def test_an_error_event_is_read_back_as_that_error_and_ends_no_answer() -> None:
    """RELIABILITY P24."""
    raw = CODEC.error_event("slow: cut\nhere", 429)
    assert raw.startswith(b'data: {"error":{')
    assert b"[DONE]" not in raw
    reader = read("chat", ROLE, WORD, raw, close=True)
    assert (reader.error, reader.error_status, reader.complete) == ("slow: cut here", 429, False)
