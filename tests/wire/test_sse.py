"""Server-sent events, against the standard's own rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crtui.wire.sse import MAX_EVENT, SseDecoder, SseEvent

from .props import cut_places, pieces, seeded

stream_bytes = st.lists(
    st.sampled_from(
        [
            b"data",
            b"event",
            b"id",
            b"retry",
            b":",
            b": ",
            b"\n",
            b"\r",
            b"\r\n",
            b"\n\n",
            b"x",
            b'{"a":1}',
            b"\xef\xbb\xbf",
            "\u2028é".encode(),
            b"\x0b\x0c\x85",
            b"\x00",
            b"\xff",
            b"data: hi\n\n",
        ]
    ),
    max_size=40,
).map(b"".join)


def decode(data: bytes) -> list[SseEvent]:
    decoder = SseDecoder()
    return decoder.feed(data) + decoder.flush()


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: a\n\n", [SseEvent(b"a")]),
        (b"data:a\n\n", [SseEvent(b"a")]),
        (b"data:  a\n\n", [SseEvent(b" a")]),
        (b"data: a\ndata: b\n\n", [SseEvent(b"a\nb")]),
        (b"data\ndata\n\n", [SseEvent(b"\n")]),
        (b"data:\n\n", [SseEvent(b"")]),
        (b"data: a\r\rdata: b\r\n\r\n", [SseEvent(b"a"), SseEvent(b"b")]),
        (b"event: x\ndata: a\n\ndata: b\n\n", [SseEvent(b"a", "x"), SseEvent(b"b")]),
        (b"event: lost\n\ndata: b\n\n", [SseEvent(b"b")]),
        (b"id: 7\ndata: a\n\ndata: b\n\n", [SseEvent(b"a", id="7"), SseEvent(b"b", id="7")]),
        (b"id: 7\nid: 8\0\ndata: a\n\n", [SseEvent(b"a", id="7")]),
        (b": comment\nretry: 10\nfoo: bar\nfoo\ndata: a\n\n", [SseEvent(b"a")]),
        (b"\xef\xbb\xbfdata: a\n\n", [SseEvent(b"a")]),
        (b"data: \xef\xbb\xbfa\n\n", [SseEvent(b"\xef\xbb\xbfa")]),
        (b"\n\xef\xbb\xbfdata: a\n\n", []),
        (
            "data: a\u2028b\u2029c\u0085d\x0be\x0cf\n\n".encode(),
            [SseEvent("a\u2028b\u2029c\u0085d\x0be\x0cf".encode())],
        ),
        (b"event: \xff\ndata: \xff\n\n", [SseEvent(b"\xff", "\ufffd")]),
        (b"\n\n\n", []),
        (b"", []),
        (b'{"error":1}\n\n', []),
    ],
)
@pytest.mark.fault("P12", "P13", "P14", "P16", "P17")
def test_events_are_those_of_the_standard(stream: bytes, events: list[SseEvent]) -> None:
    """RELIABILITY P12-P14, P16, P17: joined data, one BOM, comments, bad UTF-8, what ends no line."""
    assert SseDecoder().feed(stream) == events


@seeded
@given(stream_bytes, cut_places)
@pytest.mark.fault("P11", "P15")
def test_a_split_anywhere_gives_the_same_events(stream: bytes, cuts: list[int]) -> None:
    """RELIABILITY W1, P11, P15."""
    decoder = SseDecoder()
    out = [event for piece in pieces(stream, cuts) for event in decoder.feed(piece)]
    assert out + decoder.flush() == decode(stream)


@seeded
@given(stream_bytes, cut_places, st.integers(1, 30))
@pytest.mark.fault("P18")
def test_the_size_limit_trips_at_the_same_event_however_split(
    stream: bytes, cuts: list[int], cap: int
) -> None:
    """RELIABILITY W1 with P18."""
    whole, cut = SseDecoder(max_event=cap), SseDecoder(max_event=cap)
    expected = whole.feed(stream) + whole.flush()
    out = [event for piece in pieces(stream, cuts) for event in cut.feed(piece)]
    assert (out + cut.flush(), cut.overflowed) == (expected, whole.overflowed)


@seeded
@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=30), min_size=1
    )
)
def test_an_encoded_event_decodes_to_itself(lines: list[str]) -> None:
    """RELIABILITY W2."""
    encoded = "".join(f"data: {line}\n" for line in lines).encode() + b"\n"
    assert SseDecoder().feed(encoded) == [SseEvent("\n".join(lines).encode())]


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r"])
@pytest.mark.fault("P26")
def test_flush_gives_the_event_that_lacks_its_blank_line_once(ending: bytes) -> None:
    """RELIABILITY P26, W1."""
    decoder = SseDecoder()
    assert decoder.feed(b"data: [DONE]" + ending) == []
    assert decoder.flush() == [SseEvent(b"[DONE]")]
    assert decoder.flush() == []


@pytest.mark.parametrize("shape", [b"data: %b", b"x" * 40 + b"%b", b": %b", b"data: x\ndata: %b"])
@pytest.mark.fault("P18")
def test_an_event_or_line_beyond_4_mib_ends_decoding_with_bounded_memory(shape: bytes) -> None:
    """RELIABILITY P18, W3: fed in pieces, no more than the cap and one piece is ever held."""
    decoder, piece = SseDecoder(), b"y" * 65_536
    assert decoder.feed(b"data: before\n\n" + shape % b"") == [SseEvent(b"before")]
    fed = 0
    while not decoder.overflowed:
        assert decoder.feed(piece) == []
        fed += len(piece)
    assert MAX_EVENT - len(piece) < fed <= MAX_EVENT + len(piece)
    assert decoder.feed(b"\n\ndata: after\n\n") + decoder.flush() == []


def test_many_short_lines_of_one_event_count_together() -> None:
    """RELIABILITY P18, W3."""
    decoder = SseDecoder(max_event=100)
    assert decoder.feed(b"data: 12345\n" * 10) == []
    assert not decoder.overflowed
    decoder.feed(b"data: 12345\n" * 10)
    assert decoder.overflowed


@pytest.mark.fault("P11")
def test_a_cr_ends_its_event_without_waiting_for_what_follows() -> None:
    """RELIABILITY P11: an LF in the next piece belongs to the CR and is no blank line."""
    decoder = SseDecoder()
    assert decoder.feed(b"data: a\r\r") == [SseEvent(b"a")]
    assert decoder.feed(b"\ndata: b\r") == []
    assert decoder.feed(b"\ndata: c\n\n") == [SseEvent(b"b\nc")]


@pytest.mark.fault("P25")
def test_a_line_of_bare_json_is_handed_out_only_where_asked_for() -> None:
    """RELIABILITY P25: an error written into a stream without a field name."""
    stream = b'data: a\n\n{"error":"x"}\n\n'
    assert SseDecoder().feed(stream) == [SseEvent(b"a")]
    assert SseDecoder(bare_json=True).feed(stream) == [SseEvent(b"a"), SseEvent(b'{"error":"x"}', bare=True)]
