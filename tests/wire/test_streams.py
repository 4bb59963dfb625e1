"""What holds for the stream readers of every wire."""

from __future__ import annotations

from typing import cast

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crtui.core.settings import Wire
from crtui.wire.registry import codec_for

from .answers import (
    ADDED,
    BLOCK,
    COMPLETED,
    COMPLETION,
    CREATED,
    DONE,
    END,
    FINISH,
    ITEM_DONE,
    MESSAGE,
    OUTPUT,
    OUTPUT_TEXT,
    PING,
    RESPONSE_STREAM,
    ROLE,
    START,
    STOP,
    TEXT,
    USAGE,
    WORD,
    chunk,
    event,
    read,
    seen,
)
from .props import cut_places, pieces, seeded

WIRES = ["messages", "chat", "responses"]
NAMED = {
    "messages": [
        event({"type": "message_start", "message": {"model": "real-1", "usage": {"input_tokens": 1}}}),
        TEXT,
        STOP,
    ],
    # Azure's first chunk is about the prompt and names none.
    "chat": [
        chunk({"model": "", "choices": []}),
        chunk({"model": "real-1", "choices": [{"delta": {"content": "x"}}]}),
        chunk({"model": "other", "choices": [{"delta": {}, "finish_reason": "stop"}]}),
    ],
    "responses": [
        event({"type": "response.created", "response": {"model": "real-1"}}),
        OUTPUT_TEXT,
        COMPLETED,
    ],
}
ERROR = b'{"error":{"type":"rate_limit_error","message":"slow down"}}'
WHOLE = {"messages": MESSAGE, "chat": COMPLETION, "responses": RESPONSE_STREAM}
HANDSHAKE = {"messages": START + PING + BLOCK, "chat": ROLE, "responses": CREATED + ADDED}
CONTENT = {"messages": TEXT, "chat": WORD, "responses": OUTPUT_TEXT}

any_stream = st.lists(
    st.sampled_from([START, PING, BLOCK, TEXT, END, STOP, ROLE, WORD, FINISH, USAGE, DONE])
    | st.sampled_from([CREATED, ADDED, OUTPUT_TEXT, ITEM_DONE, COMPLETED])
    | st.sampled_from(
        [b"data: " + ERROR + b"\n\n", b"event: error\ndata: x\n\n", ERROR + b"\n", ERROR, b"<html>"]
    )
    | st.sampled_from(
        [b"data: x\n\n", b"data: 1\n\n", b": c\n\n", b"\n", b"{}", b"{\n", b"data: {", b"\xff", b"\r"]
    ),
    max_size=8,
).map(b"".join)


@pytest.mark.parametrize("wire", WIRES)
@settings(seeded, max_examples=300)
@given(stream=any_stream, cuts=cut_places)
@pytest.mark.fault("P15")
def test_a_split_anywhere_tells_the_same(wire: str, stream: bytes, cuts: list[int]) -> None:
    """RELIABILITY W1, P15."""
    whole, cut = read(wire, stream), read(wire, *pieces(stream, cuts))
    assert seen(cut) == seen(whole)
    whole.close()
    cut.close()
    assert seen(cut) == seen(whole)


@pytest.mark.parametrize("wire", WIRES)
@seeded
@given(stream=any_stream | st.binary(max_size=200))
def test_every_stream_ends_as_whole_or_cut_or_failed_or_broken(wire: str, stream: bytes) -> None:
    """RELIABILITY W6, W4: nothing raises; an error has its status and text; closing twice changes nothing."""
    reader = read(wire, stream, close=True)
    assert (reader.error is None) == (reader.error_status is None)
    assert reader.error != ""
    assert not (reader.error and reader.broken)
    assert reader.events or reader.error or reader.broken
    before = seen(reader)
    reader.close()
    reader.feed(stream)
    assert seen(reader) == before


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.fault("P22")
def test_a_whole_stream_is_complete_at_its_marker_and_deaf_to_what_follows(wire: str) -> None:
    """RELIABILITY P22, W4."""
    reader = read(wire, WHOLE[wire])
    before = seen(reader)
    assert (reader.complete, reader.content_seen, reader.error, reader.broken) == (True, True, None, None)
    reader.feed(b"data: " + ERROR + b"\n\n" + CONTENT[wire])
    reader.close()
    assert seen(reader) == before


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.fault("P27")
def test_a_handshake_is_no_content_and_the_first_word_is(wire: str) -> None:
    """RELIABILITY P27."""
    reader = read(wire, HANDSHAKE[wire])
    assert (reader.content_seen, reader.output_chars) == (False, 0)
    assert reader.events > 0
    reader.feed(CONTENT[wire])
    assert (reader.content_seen, reader.output_chars) == (True, 5)


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.fault("P21")
def test_a_stream_that_just_ends_is_not_complete(wire: str) -> None:
    """RELIABILITY P21."""
    reader = read(wire, HANDSHAKE[wire], CONTENT[wire], close=True)
    assert (reader.complete, reader.error, reader.broken) == (False, None, None)


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(
    "written", [b"data: %b\n\n", b"event: error\ndata: %b\n\n", b"%b\n", b"%b", b"\n\n%b\n\n"]
)
@pytest.mark.parametrize("after_content", [False, True])
@pytest.mark.fault("P23", "P24", "P25", "P30")
def test_an_error_is_known_however_it_is_written(wire: str, written: bytes, after_content: bool) -> None:
    """RELIABILITY P23, P24, P25, P30."""
    before = HANDSHAKE[wire] + CONTENT[wire] if after_content else b""
    reader = read(wire, before, written % ERROR, close=True)
    assert (reader.error, reader.error_status) == ("slow down", 429)
    assert (reader.complete, reader.content_seen) == (False, after_content)


@pytest.mark.parametrize("wire", WIRES)
def test_an_error_that_stands_alone_on_a_line_is_known_before_the_bytes_end(wire: str) -> None:
    assert read(wire, ERROR + b"\n").error == "slow down"


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(
    ("stream", "text", "status"),
    [
        (b'{\n  "error": {\n    "message": "pretty",\n    "code": 503\n  }\n}\n', "pretty", 503),
        (b'[{"error": {"code": 429, "message": "list"}}]', "list", 429),
        (b'data: {"type":"error","error":{"type":"overloaded_error","message":"o"}}\n\n', "o", 529),
        (b'event: error\ndata: {"type":"overloaded_error","message":"o"}\n\n', "o", 529),
        (b"event: error\ndata: plain words\n\n", "plain words", 502),
        (b"event: error\ndata:\n\n", "an error without a message", 502),
        (
            b'data: {"error":"model requires more system memory"}\n\n',
            "model requires more system memory",
            502,
        ),
        (b'data: {"object":"error","message":"vllm","code":400}\n\n', "vllm", 400),
        (b'data: {"error":{"message":"a\\u001b[31mb\\nc","code":500}}\n\n', "ab c", 500),
        (b'data: {"error":{"message":"unfinished","code":500}}', "unfinished", 500),
    ],
)
@pytest.mark.fault("K15", "P25")
def test_the_errors_text_is_safe_and_its_status_known(
    wire: str, stream: bytes, text: str, status: int
) -> None:
    """RELIABILITY P03, P25, K15."""
    reader = read(wire, stream, close=True)
    assert (reader.error, reader.error_status) == (text, status)


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(
    ("stream", "words"),
    [
        (b"", "empty stream"),
        (b" \n\n", "empty stream"),
        (b": ping\n\n", "not an event stream"),
        (b"upstream connect error", "not an event stream: upstream connect error"),
        (b"\x1f\x8b\x08\x00", "not an event stream"),
        (b"  <!doctype html><title>Login</title>", "HTML page"),
        (b'{"choices":[{"message":{"content":"x"}}]}', "whole JSON answer"),
        (b'{\n"content": []\n}', "whole JSON answer"),
        (b"[1]", "whole JSON answer"),
        (b"data: a\n\n", "events are not JSON"),
    ],
)
@pytest.mark.fault("P30", "P32")
def test_what_is_no_stream_of_this_wire_is_named(wire: str, stream: bytes, words: str) -> None:
    """RELIABILITY P30, P32, P01."""
    reader = read(wire, stream, close=True)
    assert words in (reader.broken or "")
    assert (reader.complete, reader.content_seen, reader.error) == (False, False, None)


@pytest.mark.parametrize("wire", WIRES)
def test_a_whole_answer_on_one_line_is_known_before_the_bytes_end(wire: str) -> None:
    """RELIABILITY P30."""
    assert "whole JSON answer" in (read(wire, b'{"content":[],"choices":[]}\n').broken or "")
    assert read(wire, HANDSHAKE[wire], b'{"content":[]}\n').broken is None


@pytest.mark.parametrize("wire", WIRES)
def test_a_page_is_known_from_its_first_byte(wire: str) -> None:
    assert "HTML page" in (read(wire, b"\xef\xbb\xbf", b"\n <").broken or "")


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.fault("P46")
def test_one_unreadable_event_is_passed_over_and_three_in_a_row_are_not(wire: str) -> None:
    """RELIABILITY P46."""
    bad = b"data: {oops\n\n"
    reader = read(wire, HANDSHAKE[wire] + bad + CONTENT[wire] + bad + bad)
    assert (reader.broken, reader.content_seen) == (None, True)
    reader.feed(bad)
    assert "not JSON" in (reader.broken or "")


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(
    "value", [b"1", b"null", b"[]", b'"x"', b"{}", b'{"choices":7,"delta":[]}', b'{"type":[]}']
)
@pytest.mark.fault("P02")
def test_json_of_a_strange_shape_is_an_event_without_meaning(wire: str, value: bytes) -> None:
    """RELIABILITY P02."""
    reader = read(wire, HANDSHAKE[wire], b"data: " + value + b"\n\n", CONTENT[wire])
    assert (reader.broken, reader.error, reader.output_chars) == (None, None, 5)


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.fault("P18")
def test_an_event_beyond_4_mib_breaks_the_stream(wire: str) -> None:
    """RELIABILITY P18."""
    reader = read(wire, HANDSHAKE[wire], b"data: ", *[b"x" * 1_048_576] * 4)
    assert "4 MiB" in (reader.broken or "")


@pytest.mark.parametrize("wire", WIRES)
def test_an_error_stands_whatever_the_same_bytes_hold_after_it(wire: str) -> None:
    """RELIABILITY W4: never two endings."""
    reader = read(wire, b"data: " + ERROR + b"\n\ndata: " + b"x" * 5_000_000)
    assert (reader.error, reader.broken) == ("slow down", None)


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.fault("P26")
def test_a_last_event_without_its_blank_line_counts_only_if_it_ends_the_answer(wire: str) -> None:
    """RELIABILITY P26."""
    whole = read(wire, WHOLE[wire].removesuffix(b"\n\n"), close=True)
    assert whole.complete
    cut = read(wire, HANDSHAKE[wire], CONTENT[wire].removesuffix(b"\n\n"), close=True)
    assert (cut.complete, cut.content_seen, cut.output_chars) == (False, False, 0)
    torn = read(wire, HANDSHAKE[wire] + CONTENT[wire], b'data: {"cut', close=True)
    assert (torn.complete, torn.broken) == (False, None)


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.fault("P16")
def test_bad_utf_8_and_half_surrogates_change_only_our_view(wire: str) -> None:
    """RELIABILITY P16."""
    text = CONTENT[wire].replace(b"Hello", b"\xff\\ud83d")
    reader = read(wire, HANDSHAKE[wire], text)
    assert (reader.broken, reader.output_chars) == (None, 2)


@pytest.mark.parametrize("wire", WIRES)
def test_the_model_that_answers_is_known_from_its_first_name_on(wire: str) -> None:
    named = NAMED[wire]
    assert read(wire, *named).model == "real-1"
    assert read(wire, *named[:2]).model == "real-1"
    assert read(wire, CONTENT[wire]).model is None


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("model", ["real-1", "", None, 5, ["x"]])
def test_a_whole_answer_names_its_model_or_none(wire: str, model: object) -> None:
    bodies = {
        "messages": {"content": [{"type": "text", "text": "x"}]},
        "chat": {"choices": [{"message": {"content": "x"}}]},
        "responses": {"output": [OUTPUT]},
    }
    facts = codec_for(cast("Wire", wire)).read_answer(orjson.dumps({**bodies[wire], "model": model}))
    assert (facts.valid, facts.model) == (True, "real-1" if model == "real-1" else None)
