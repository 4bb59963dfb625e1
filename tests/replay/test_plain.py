"""The quick reading of plain lines gives what the careful one gives."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crtui.wire import trace_in
from crtui.wire.fields import BadInputError, Fields
from crtui.wire.trace_plain import plain_attempt, read_plain

BODIES = (
    '{"error":{"message":"try again in 5s"}}',
    '{"error":{"type":"usage_limit_reached","resets_in_seconds":90}}',
    '{"error":{"details":[{"retryDelay":"26s"}]}}',
    '{"error":{"metadata":{"headers":{"X-RateLimit-Remaining":"0","X-RateLimit-Reset":"1795165260000"}}}}',
    '{"error":{"metadata":{"headers":{"retry-after":"soon"}},"message":"try again in a minute"}}',
    "try again later",
)
WALL = 1_795_165_200_000
odd = st.sampled_from([None, True, -1, 0, 1.5, 10**16, "", "x", [], {}])
count = st.one_of(st.integers(0, 10**6), odd)
text = st.one_of(st.sampled_from(["", "m", "a\x1b[31mb", "überlang" * 50]), odd)
usage = st.dictionaries(st.sampled_from(["input", "output", "cache_read", "cache_write", "more"]), count)
when = st.one_of(st.sampled_from(["2026-11-20T10:00:00Z", "2026-02-30T00:00:00Z", "soon"]), odd)
amount = st.one_of(st.sampled_from([1.5, -3, 1e3, 10**16, -1e16]), odd)
window = st.fixed_dictionaries(
    {"name": st.one_of(st.sampled_from(["5h", "tokens"]), odd)},
    optional={
        "source": text,
        "used_percent": amount,
        "remaining": amount,
        "limit": amount,
        "resets_at": when,
        "observed_at": when,
    },
)
limits = st.fixed_dictionaries(
    {}, optional={"retry_after_ms": count, "windows": st.one_of(st.lists(window, max_size=3), odd)}
)
line = st.fixed_dictionaries(
    {"input": st.just("attempt"), "provider": text, "ok": st.one_of(st.booleans(), odd)},
    optional={
        "ticket": count,
        "status": st.one_of(st.sampled_from([200, 429, 500]), odd),
        "error_kind": st.one_of(st.sampled_from(["connect", "client", "nonsense"]), odd),
        "error": st.one_of(st.sampled_from(BODIES), text),
        "headers": st.one_of(st.just({"Retry-After": "20", "x-ratelimit-remaining-requests": 0}), odd),
        "wire": st.one_of(st.sampled_from(["chat", "messages"]), odd),
        "profile": text,
        "model": text,
        "answered": text,
        "output_limit": count,
        "session": text,
        "request": text,
        "latency_ms": count,
        "ttft_ms": count,
        "output_ms": count,
        "midstream": odd,
        "usage": st.one_of(usage, odd),
        "limits": st.one_of(limits, odd),
        "unknown": odd,
    },
)


@given(line)
@settings(max_examples=600, deadline=None)
def test_a_plain_line_is_the_same_attempt_read_quickly_or_carefully(given_line):
    quick = read_plain(orjson.dumps(given_line))
    if quick is None:
        return
    try:
        careful = trace_in._attempt(Fields(given_line), WALL)
    except BadInputError as fault:
        raise AssertionError(f"read quickly though {fault}") from fault

    assert plain_attempt(quick, WALL) == careful


def test_an_ordinary_line_is_read_quickly():
    plain = {
        "input": "attempt",
        "provider": "a",
        "ok": True,
        "status": 200,
        "latency_ms": 12,
        "usage": {"input": 3},
    }

    assert read_plain(orjson.dumps(plain)) is not None
    assert read_plain(orjson.dumps({**plain, "latency_ms": -12})) is None
    assert read_plain(orjson.dumps({**plain, "input": "tick"})) is None
    assert read_plain(orjson.dumps({"provider": "a", "ok": True})) is None
    assert read_plain(b'{"input": "attempt"') is None
    assert read_plain(b'{"input":"attempt","provider":"a","ok":true,"model":"\xff"}') is None


@pytest.mark.parametrize(
    ("window", "quick"),
    [
        ({"name": "5h", "resets_at": "2026-11-20T10:00:00Z", "used_percent": 41}, True),
        ({"name": "5h"}, True),
        ({"name": ""}, False),
        ({"name": "5h", "source": ""}, False),
        ({"name": "5h", "resets_at": "2026-02-30T10:00:00Z"}, False),
        ({"name": "5h", "limit": 10**16}, False),
        ({"name": "5h", "observed_at": "2026-11-20T10:00:00Z"}, False),
    ],
)
def test_a_window_is_read_quickly_if_it_is_as_it_should_be(window, quick):
    told = {"input": "attempt", "provider": "a", "ok": True, "limits": {"windows": [window]}}

    assert (read_plain(orjson.dumps(told)) is not None) == quick
