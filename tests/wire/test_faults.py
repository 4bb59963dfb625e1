"""Reading errors of every shape known, and any other bytes."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crtui.text import cell_width
from crtui.wire.faults import Fault, error_text, read_fault, with_note

from .props import json_values, seeded


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "Overloaded"),
        (
            {"error": {"message": "No such model", "type": "invalid_request_error", "code": None}},
            "No such model",
        ),
        ({"error": "model requires more system memory"}, "model requires more system memory"),
        ({"detail": "Not Found"}, "Not Found"),
        ({"detail": [{"loc": ["body"], "msg": "field required", "type": "missing"}]}, "field required"),
        ({"detail": {"error": {"message": "inner"}}}, "inner"),
        ({"message": "Unauthorized"}, "Unauthorized"),
        ({"errors": [{"message": "first"}, {"message": "second"}]}, "first"),
        ([{"error": {"code": 429, "message": "quota"}}], "quota"),
        ({"error": {"message": '{"error": {"message": "wrapped", "code": 503}}'}}, "wrapped"),
        ({"error": {"message": "{broken"}}, "{broken"),
        ({"object": "error", "message": "vLLM says", "code": 400}, "vLLM says"),
        (
            {
                "error": {
                    "message": "Provider returned error",
                    "metadata": {"raw": '{"error":{"message":"why"}}'},
                }
            },
            "Provider returned error: why",
        ),
        ({"error": {"type": "usage_limit_reached"}}, "usage_limit_reached"),
        ({"error": {"code": 7}}, '{"error":{"code":7}}'),
        ({"error": {"message": "bad \x1b[31mred\x1b[0m\nmodel"}}, "bad red model"),
        ({}, "{}"),
    ],
)
def test_the_inner_message_of_every_json_shape_is_found(body: object, text: str) -> None:
    assert error_text(orjson.dumps(body)) == text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", ""),
        (b"upstream connect error\r\n", "upstream connect error"),
        (b"<html><head><title>502 Bad Gateway &amp; co</title></head><body>x</body>", "502 Bad Gateway & co"),
        (b"<html><body>no title</body></html>", "<html><body>no title</body></html>"),
        (b"\xff\xfe\x00", "\ufffd\ufffd"),
        (b'{"error":{"message":"cut', '{"error":{"message":"cut'),
        (b'{"error":{"message":"half \\ud83d pair"}}', "half \ufffd pair"),
    ],
)
@pytest.mark.fault("N29")
def test_what_is_not_json_is_shown_as_text(body: bytes, text: str) -> None:
    """RELIABILITY P36."""
    assert error_text(body) == text


def test_a_long_text_is_cut_to_300_cells_and_a_huge_body_is_not_read_through() -> None:
    assert cell_width(error_text(b"x" * 1_000_000)) == 300
    assert cell_width(error_text(orjson.dumps({"error": {"message": "日" * 1_000}}))) <= 300
    assert error_text(b"<title" * 1_000_000).startswith("<title<title")


@pytest.mark.fault("P04")
def test_deep_nesting_ends() -> None:
    """RELIABILITY P04."""
    body = b'{"error":' * 900 + b'"deep"' + b"}" * 900
    assert error_text(body).startswith('{"error":{"error":')
    assert error_text(b'{"error":' * 100_000).startswith('{"error":')


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ({"type": "error", "error": {"type": "overloaded_error", "message": "m"}}, 529),
        ({"type": "error", "error": {"type": "api_error", "message": "m"}}, 500),
        ({"error": {"type": "rate_limit_error"}}, 429),
        ({"error": {"type": "authentication_error"}}, 401),
        ({"error": {"type": "invalid_request_error", "code": "invalid_api_key"}}, 401),
        ({"error": {"type": "insufficient_quota", "code": "insufficient_quota"}}, 402),
        ({"error": {"type": "invalid_request_error", "code": "context_length_exceeded"}}, 400),
        ({"error": {"type": "exceed_context_size_error", "code": 400}}, 400),
        ({"error": {"type": "usage_limit_reached"}}, 429),
        ({"error": {"code": 503, "status": "UNAVAILABLE"}}, 503),
        ({"error": {"status": "RESOURCE_EXHAUSTED"}}, 429),
        ({"error": {"code": "429"}}, 429),
        ({"error": {"code": "1302"}}, 429),
        ({"error": {"code": 1302}}, 429),
        ({"error": {"code": 200}}, 502),
        ({"error": {"code": True}}, 502),
        ({"error": {"code": 99999}}, 502),
        ({"object": "error", "message": "m", "type": "BadRequestError", "code": 400}, 400),
        ([{"error": {"code": 429}}], 429),
        ({"error": "text"}, 502),
        ({"error": {}, "type": "error"}, 502),
        ({"error": ["x"]}, 502),
    ],
)
@pytest.mark.fault("P03")
def test_an_in_band_error_amounts_to_the_status_it_carries_or_means(value: object, status: int) -> None:
    """RELIABILITY P03, P23, P25."""
    fault = read_fault(value)
    assert fault is not None
    assert fault.status == status
    assert fault.text


@pytest.mark.parametrize(
    "value",
    [None, 1, "error", [], [1], {}, {"error": None}, {"error": ""}, {"error": {}}, {"type": "message"}],
)
def test_what_is_no_error_is_none(value: object) -> None:
    assert read_fault(value) is None


def test_an_error_without_a_message_still_has_a_text() -> None:
    assert read_fault({"error": True}) == Fault("an error without a message", 502)


@seeded
@given(st.binary(max_size=200) | json_values.map(orjson.dumps))
@pytest.mark.fault("K15")
def test_no_body_raises_and_every_text_is_one_safe_line(body: bytes) -> None:
    """RELIABILITY K15."""
    text = error_text(body)
    assert cell_width(text) <= 300
    assert "\n" not in text
    assert "\x1b" not in text


@settings(seeded, max_examples=60)
@given(json_values, st.sampled_from(["error", "object", "type", "message", "detail"]))
def test_no_json_raises_and_every_status_is_an_error(value: object, key: str) -> None:
    for shape in (value, {key: value}, {"error": {key: value}}, {"error": {"code": value, "type": value}}):
        fault = read_fault(shape)
        assert fault is None or (400 <= fault.status <= 599 and fault.text)


def test_a_note_is_added_to_the_message_and_nothing_else_changes() -> None:
    error = b'{"type":"error","error":{"type":"not_found_error","message":"model: m"},"request_id":"r"}'
    assert with_note(error, " (a is out)") == error.replace(b"model: m", b"model: m (a is out)")


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"error":"plain"}', b'[{"error":{"message":"m"}}]', b"7"])
def test_where_an_error_has_no_message_in_the_usual_place_none_is_made_up(body: bytes) -> None:
    assert with_note(body, " (a is out)") is None
