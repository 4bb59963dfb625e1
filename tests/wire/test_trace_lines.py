"""An attempt's line is what it was, and what a gateway writes is read the quick way."""

from __future__ import annotations

from typing import get_args

import orjson
from hypothesis import given
from hypothesis import strategies as st

from crtui.core.inputs import NO_LIMITS, Attempt, ErrorKind, Limits, Usage, WindowReport
from crtui.core.money import MOST
from crtui.core.settings import Wire
from crtui.wire.limits import read_limits
from crtui.wire.trace_in import decode
from crtui.wire.trace_out import encode
from crtui.wire.trace_plain import error_words, plain_attempt, read_plain

WALL = 1_795_165_200_000
BODIES = ("", "no", "try again in 5s", '{"error":{"message":"slow down","resets_in_seconds":90}}')

counts = st.integers(0, 10**9)
names = st.none() | st.sampled_from(["m", "claude-sonnet-4-6", "überlang"])
amounts = st.none() | st.integers(-5, 10**9) | st.floats(-1e9, 1e9)
windows = st.builds(
    WindowReport,
    st.sampled_from(["5h", "tokens"]),
    st.sampled_from(["headers", "poll"]),
    amounts,
    amounts,
    amounts,
    st.none() | st.integers(WALL - 10**9, WALL + 10**11),
)
usages = st.builds(Usage, counts, counts, counts, counts, counts, st.none() | st.integers(0, MOST))
limits = st.builds(Limits, st.none() | counts, st.lists(windows, max_size=4).map(tuple))


def as_live(attempt: Attempt, body: str) -> Attempt:
    """With an error's body, and where nothing else was told of limits, what that tells."""
    error, message = error_words(body)
    told = attempt.limits if attempt.limits != NO_LIMITS else read_limits({}, body, attempt.status, WALL)
    return attempt._replace(error=error, message=message, limits=told)


attempts = st.builds(
    as_live,
    st.builds(
        Attempt,
        st.sampled_from(["a", "b"]),
        st.booleans(),
        ticket=counts,
        status=st.none() | st.integers(100, 599),
        error_kind=st.none() | st.sampled_from(get_args(ErrorKind)),
        wire=st.none() | st.sampled_from(get_args(Wire)),
        profile=names,
        model=names,
        session=names,
        request=names,
        latency_ms=st.none() | counts,
        ttft_ms=st.none() | counts,
        output_ms=st.none() | counts,
        midstream=st.booleans(),
        limits=limits,
        usage=st.none() | usages,
        usage_estimated=st.booleans(),
        answered=names,
        output_limit=st.none() | counts,
    ),
    st.sampled_from(BODIES),
)


@given(attempts)
def test_whatever_is_written_is_read_the_quick_way_and_is_the_same_attempt(attempt: Attempt) -> None:
    line = encode(attempt)
    plain = read_plain(line)

    assert plain is not None
    assert plain_attempt(plain, WALL) == attempt == decode(orjson.loads(line), WALL)


def test_a_line_is_written_as_it_always_was() -> None:
    window = WindowReport("5h", "headers", 41.5, None, 100, WALL)
    attempt = Attempt("a", False, 7, 429, "reset", "slow down", wire="messages", profile="default", model="m")
    timed = attempt._replace(session="s", request="r", latency_ms=12, ttft_ms=0, output_ms=3, midstream=True)
    whole = timed._replace(
        limits=Limits(None, (window,)),
        usage=Usage(1, 0, 2, 0),
        usage_estimated=True,
        answered="n",
        output_limit=9,
    )

    assert encode(whole).decode() == (
        '{"input":"attempt","provider":"a","ok":false,"ticket":7,"status":429,"error_kind":"reset",'
        '"error":"slow down","wire":"messages","profile":"default","model":"m","session":"s","request":"r",'
        '"latency_ms":12,"ttft_ms":0,"output_ms":3,"midstream":true,"usage_estimated":true,"answered":"n",'
        '"output_limit":9,"usage":{"input":1,"output":0,"cache_read":2,"cache_write":0},'
        '"limits":{"retry_after_ms":null,"windows":[{"name":"5h","source":"headers","used_percent":41.5,'
        '"remaining":null,"limit":100,"resets_at":"2026-11-20T09:00:00.000Z"}]}}'
    )
