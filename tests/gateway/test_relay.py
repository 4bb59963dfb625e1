"""Only whole events are passed on, and nothing is lost or changed by that."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crtui.gateway.relay import WholeEvents

ENDS = (b"\n\n", b"\r\n\r\n", b"\r\r", b"\n\r\n")
EVENTS = st.lists(
    st.tuples(
        st.binary(max_size=20).filter(lambda b: b"\n" not in b and b"\r" not in b), st.sampled_from(ENDS)
    )
)


@given(EVENTS, st.binary(max_size=10), st.lists(st.integers(min_value=0, max_value=400)))
def test_however_bytes_are_split_they_come_out_the_same_and_cut_between_events(
    events: list[tuple[bytes, bytes]], rest: bytes, cuts: list[int]
) -> None:
    data = b"".join(b"data: " + text + end for text, end in events) + rest
    whole = WholeEvents()
    passed = b""
    at = 0
    for cut in [*sorted(cuts), len(data)]:
        piece = whole.upto(data[at:cut])
        passed += piece
        at = max(at, cut)
        assert not passed or passed.endswith(ENDS)
        assert data.startswith(passed)
    assert passed + whole.all(b"") == data


@given(st.lists(st.sampled_from([b"data: x\n\n", b": ping\r\n\r\n", b"\r\r"]), min_size=1))
def test_a_whole_event_is_never_held_back(events: list[bytes]) -> None:
    whole = WholeEvents()
    assert [whole.upto(event) for event in events] == events
