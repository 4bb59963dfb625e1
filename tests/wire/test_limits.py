"""What answers say about limits, provider by provider, from captured header forms."""

from __future__ import annotations

import time

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crtui.core.inputs import Limits, WindowReport
from crtui.core.now import DAY, MINUTE
from crtui.wire.headers import recorded_headers
from crtui.wire.limits import MAX_WAIT_MS, read_limits

from .props import json_values, seeded

WALL = 1_795_165_200_000  # 2026-11-20T09:00:00Z
NOW_S = WALL // 1000
HTTP_DATE = "Fri, 20 Nov 2026 09:00:00 GMT"


def limits(
    headers: dict[str, str] | None = None, body: str | bytes = b"", status: int | None = 429
) -> Limits:
    return read_limits(headers or {}, body, status, WALL)


def wait(
    headers: dict[str, str] | None = None, body: str | bytes = b"", status: int | None = 429
) -> int | None:
    return limits(headers, body, status).retry_after_ms


def windows(headers: dict[str, str], status: int = 200) -> dict[str, WindowReport]:
    return {window.name: window for window in limits(headers, status=status).windows}


@pytest.mark.parametrize(
    ("headers", "ms"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7_000),
        ({"Retry-After": "0.5"}, 500),
        ({"retry-after": "Fri, 20 Nov 2026 09:00:30 GMT"}, 30_000),
        ({"retry-after": "Friday, 20-Nov-26 09:00:30 GMT"}, 30_000),
        ({"retry-after": "2026-11-20T09:00:30Z"}, 30_000),
        ({"retry-after": "Fri, 20 Nov 2026 09:10:30 GMT", "date": "Fri, 20 Nov 2026 09:10:00 GMT"}, 30_000),
        ({"retry-after-ms": "1500"}, 1_500),
        ({"retry-after-ms": "1500", "retry-after": "1"}, 1_500),
        ({"retry-after-ms": "1500", "retry-after": "2"}, 2_000),
        ({"retry-after-ms": "-1", "retry-after": "2"}, 2_000),
        ({"retry-after": "7, 9"}, 9_000),
        ({"retry-after": "7, nonsense"}, 7_000),
        ({"Retry-After": "7", "retry-after": "9"}, 9_000),
        ({"retry-after": str(40 * DAY)}, MAX_WAIT_MS),
        ({"retry-after": "99999999999"}, MAX_WAIT_MS),
        ({"retry-after": "-7"}, None),
        ({"retry-after": "0"}, None),
        ({"retry-after": "Thu, 19 Nov 2026 09:00:00 GMT"}, None),
    ],
)
@pytest.mark.fault("S01", "S03", "S04", "S06", "S08")
def test_the_longest_valid_wait_of_the_headers_wins_and_none_is_over_31_days(
    headers: dict[str, str], ms: int | None
) -> None:
    """RELIABILITY S01-S09."""
    assert wait(headers) == ms


GEMINI = {
    "error": {
        "code": 429,
        "message": "You exceeded your current quota. Please retry in 26.5s.",
        "status": "RESOURCE_EXHAUSTED",
        "details": [
            {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaValue": "10"}]},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "26s"},
        ],
    }
}


@pytest.mark.parametrize(
    ("body", "ms"),
    [
        (GEMINI, 26_500),
        ([GEMINI], 26_500),
        ({"error": {"message": orjson.dumps(GEMINI).decode()}}, 26_500),
        ({"error": {"details": [{"retryDelay": "0.5s"}]}}, 500),
        ({"error": {"details": [{"retryDelay": "900ms"}]}}, 900),
        ({"error": {"details": [{"metadata": {"quotaResetDelay": "2h3m0.5s"}}]}}, 7_380_500),
        ({"error": {"type": "usage_limit_reached", "resets_at": NOW_S + 600}}, 600_000),
        (
            {"error": {"type": "usage_limit_reached", "resets_at": NOW_S + 600, "resets_in_seconds": 5}},
            600_000,
        ),
        ({"error": {"type": "usage_limit_reached", "resets_at": None, "resets_in_seconds": 90}}, 90_000),
        ({"error": {"message": "Rate limit reached ... Please try again in 5.289s. Visit"}}, 5_289),
        ({"error": {"message": "Please try again in 6m0s."}}, 360_000),
        ({"error": {"message": "try again in 20 seconds"}}, 20_000),
        ({"error": {"message": "Try Again After 2 Minutes please"}}, 120_000),
        ({"error": {"message": "try again in 250 milliseconds"}}, 250),
        ({"error": {"message": "try again in 3 hours"}}, 10_800_000),
        (
            {
                "type": "error",
                "error": {
                    "type": "invalid_request_error",
                    "message": "You have reached your specified API usage limits. "
                    "You will regain access on 2026-11-21 at 10:30 UTC.",
                },
            },
            91_800_000,
        ),
        ({"error": {"message": "You will regain access on 2026-13-41 at 99:99 UTC."}}, None),
        ({"error": {"message": "You will regain access on 2026-11-01 at 00:00 UTC."}}, None),
        ({"error": {"message": "try again later"}}, None),
        ({"error": {"message": "try again in a moment"}}, None),
        ({"error": {"metadata": {"headers": {"Retry-After": 30}}}}, 30_000),
        ({"error": "plain"}, None),
        ({"error": {"resets_at": True, "resets_in_seconds": -3, "details": 7}}, None),
    ],
)
def test_waits_told_in_an_errors_body_are_read(body: object, ms: int | None) -> None:
    """Gemini's RetryInfo (also wrapped), Codex's two fields, OpenRouter's copied headers, plain words."""
    raw = orjson.dumps(body)
    assert wait(body=raw) == ms
    assert wait(body=raw.decode()) == ms
    assert wait(body=raw, status=200) == ms, "an error inside a 200"


def test_words_are_read_from_bodies_that_are_not_json() -> None:
    assert wait(body=b"slow down, try again in 12s") == 12_000


@pytest.mark.fault("S08")
def test_the_longest_of_headers_and_body_wins() -> None:
    """RELIABILITY S08."""
    assert wait({"retry-after": "1"}, b"try again in 12s") == 12_000
    assert wait({"retry-after": "60"}, b"try again in 12s") == 60_000


def test_a_success_asks_for_no_wait() -> None:
    assert wait({"retry-after": "7"}, status=200) is None
    assert wait({"retry-after": "7"}, status=None) == 7_000


def test_anthropic_key_windows_have_rfc3339_resets() -> None:
    told = windows(
        {
            "anthropic-ratelimit-requests-limit": "50",
            "anthropic-ratelimit-requests-remaining": "49",
            "anthropic-ratelimit-requests-reset": "2026-11-20T09:00:01Z",
            "Anthropic-Ratelimit-Input-Tokens-Limit": "40000",
            "anthropic-ratelimit-input-tokens-remaining": "0",
            "anthropic-ratelimit-input-tokens-reset": "2026-11-20T09:01:00Z",
            "anthropic-ratelimit-output-tokens-remaining": "8000",
            "anthropic-ratelimit-tokens-remaining": "48000",
        }
    )
    assert told["requests"] == WindowReport("requests", "headers", None, 49, 50, WALL + 1_000)
    assert told["input-tokens"] == WindowReport("input-tokens", "headers", None, 0, 40_000, WALL + 60_000)
    assert told["input-tokens"].spent
    assert set(told) == {"requests", "input-tokens", "output-tokens", "tokens"}


def test_claude_subscription_windows_are_fractions_of_the_account() -> None:
    told = windows(
        {
            "anthropic-ratelimit-unified-status": "allowed",
            "anthropic-ratelimit-unified-representative-claim": "five_hour",
            "anthropic-ratelimit-unified-5h-status": "allowed",
            "anthropic-ratelimit-unified-5h-utilization": "0.57",
            "anthropic-ratelimit-unified-5h-reset": str(NOW_S + 3600),
            "anthropic-ratelimit-unified-7d-utilization": "0.008",
            "anthropic-ratelimit-unified-7d-reset": str(NOW_S + 86_400),
            "anthropic-ratelimit-unified-7d_opus-utilization": "1.01",
            "anthropic-ratelimit-unified-7d_opus-status": "rejected",
            "anthropic-ratelimit-unified-overage-utilization": "0.3",
        }
    )
    assert told["5h"] == WindowReport("5h", "subscription", 57.0, resets_at=WALL + 3_600_000)
    assert told["7d"].used_percent == 0.8
    assert not told["7d_opus"].spent, "the answer was served, so this window does not stop the account"
    assert set(told) == {"5h", "7d", "7d_opus"}


def test_a_claude_subscription_that_refuses_tells_which_window_and_until_when() -> None:
    headers = {
        "anthropic-ratelimit-unified-status": "rejected",
        "anthropic-ratelimit-unified-reset": str(NOW_S + 1800),
        "anthropic-ratelimit-unified-5h-status": "rejected",
        "anthropic-ratelimit-unified-5h-utilization": "0.996",
        "anthropic-ratelimit-unified-5h-reset": str(NOW_S + 1800),
        "anthropic-ratelimit-unified-7d-status": "allowed_warning",
        "anthropic-ratelimit-unified-7d-utilization": "1.0",
        "anthropic-ratelimit-unified-7d-reset": str(NOW_S + 86_400),
    }
    told = windows(headers, status=429)
    assert (told["5h"].used_percent, told["5h"].spent) == (100.0, True)
    assert not told["7d"].spent
    assert wait(headers) == 1_800_000


@pytest.mark.parametrize(
    ("headers", "report"),
    [
        pytest.param(
            {"limit-requests": "60", "remaining-requests": "59", "reset-requests": "1s"},
            WindowReport("requests", "headers", None, 59, 60, WALL + 1_000),
            id="openai",
        ),
        pytest.param(
            {"limit-tokens": "6000", "remaining-tokens": "5600", "reset-tokens": "7.66s"},
            WindowReport("tokens", "headers", None, 5600, 6000, WALL + 7_660),
            id="groq",
        ),
        pytest.param(
            {"limit-tokens_usage_based": "6", "remaining-tokens_usage_based": "5"},
            WindowReport("tokens_usage_based", "headers", None, 5, 6),
            id="openai variant",
        ),
        pytest.param(
            {"remaining-requests": "9", "reset-requests": "12"},
            WindowReport("requests", "headers", None, 9, None, WALL + 12_000),
            id="azure",
        ),
        pytest.param(
            {"limit-req-minute": "30", "remaining-req-minute": "0"},
            WindowReport("requests-minute", "headers", None, 0, 30, WALL + MINUTE),
            id="mistral",
        ),
        pytest.param(
            {"remaining-requests-day": "100", "reset-requests-day": "33011.382867"},
            WindowReport("requests-day", "headers", None, 100, None, WALL + 33_011_383),
            id="cerebras",
        ),
        pytest.param(
            {"limit": "20", "remaining": "0", "reset": str(WALL + 60_000)},
            WindowReport("requests", "headers", None, 0, 20, WALL + 60_000),
            id="openrouter",
        ),
        pytest.param(
            {"remaining-tokens-1h": "5", "reset-tokens-1h": "60"},
            WindowReport("tokens-1h", "headers", None, 5, None, WALL + 60_000),
            id="nous",
        ),
    ],
)
def test_x_ratelimit_windows_of_every_family(headers: dict[str, str], report: WindowReport) -> None:
    assert limits({f"X-RateLimit-{name}": value for name, value in headers.items()}, status=200).windows == (
        report,
    )


@pytest.mark.parametrize(
    ("limit", "remaining", "expected"),
    [
        ("10", "12", (10, 10)),
        ("0", "0", (0, 0)),
        ("-1", "-1", None),
        ("unlimited", "unlimited", None),
        ("10", "-1", (10, None)),
        ("nan", "5", (None, 5)),
        ("10, 10;w=60", "5", (None, 5)),
        ("٣", "1e5", None),
        ("9" * 400, "5", (None, 5)),
    ],
)
@pytest.mark.fault("S23")
def test_counts_that_make_no_sense_are_unknown_or_clamped(
    limit: str, remaining: str, expected: tuple[float | None, float | None] | None
) -> None:
    """RELIABILITY S23: -1 and "unlimited" are unknown and not infinite; 0 is out."""
    told = windows({"x-ratelimit-limit-requests": limit, "x-ratelimit-remaining-requests": remaining})
    assert [(window.limit, window.remaining) for window in told.values()] == ([expected] if expected else [])


@pytest.mark.parametrize("reset", ["2026-11-20T08:59:00Z", str(NOW_S + 41 * 86_400), "soon", "-5", "0", "0s"])
@pytest.mark.fault("S22")
def test_a_reset_that_is_not_ahead_is_no_reset_and_its_window_holds_nothing_up(reset: str) -> None:
    """RELIABILITY S22, Q6."""
    told = windows({"x-ratelimit-remaining-a": "5", "x-ratelimit-reset-a": reset})
    assert told["a"] == WindowReport("a", "headers", remaining=5)
    assert windows({"x-ratelimit-remaining-a": "0", "x-ratelimit-reset-a": reset}) == {}


@pytest.mark.fault("P44")
def test_repeated_answers_name_the_same_instant_unless_the_clocks_are_clearly_apart() -> None:
    """RELIABILITY P44: a skew of seconds is left alone, one of minutes is taken out."""
    headers = {"x-ratelimit-remaining": "5", "x-ratelimit-reset": "2026-11-20T10:00:00Z"}
    near = windows(headers | {"date": "Fri, 20 Nov 2026 09:04:59 GMT"})
    far = windows(headers | {"date": "Fri, 20 Nov 2026 09:30:00 GMT"})
    absurd = windows(headers | {"date": "Thu, 01 Jan 1970 00:00:00 GMT"})
    assert near["requests"].resets_at == absurd["requests"].resets_at == WALL + 60 * MINUTE
    assert far["requests"].resets_at == WALL + 30 * MINUTE


def test_codex_windows_are_named_by_their_length_and_other_meters_stay_apart() -> None:
    told = windows(
        {
            "x-codex-primary-used-percent": "41.5",
            "x-codex-primary-window-minutes": "300",
            "x-codex-primary-reset-at": str(NOW_S + 600),
            "x-codex-secondary-used-percent": "100",
            "x-codex-secondary-window-minutes": "10080",
            "x-codex-secondary-reset-after-seconds": "3600",
            "x-codex-bengalfox-primary-used-percent": "7",
            "x-codex-bengalfox-primary-window-minutes": "300",
            "x-codex-primary-over-secondary-limit-percent": "12",
            "x-codex-credits-has-credits": "false",
        }
    )
    assert told["5h"] == WindowReport("5h", "subscription", 41.5, resets_at=WALL + 600_000)
    assert told["7d"] == WindowReport("7d", "subscription", 100.0, resets_at=WALL + 3_600_000)
    assert told["5h_bengalfox"].used_percent == 7
    assert len(told) == 3


@pytest.mark.parametrize(
    ("minutes", "name"), [("43200", "30d"), ("45", "45m"), ("90", "90m"), ("", "primary")]
)
def test_a_codex_window_of_another_length_has_a_name_of_its_own(minutes: str, name: str) -> None:
    headers = {"x-codex-primary-used-percent": "1", "x-codex-primary-window-minutes": minutes}
    assert list(windows(headers)) == [name]


def test_a_percentage_that_cannot_be_one_is_not_reported() -> None:
    assert windows({"x-codex-primary-used-percent": str(NOW_S)}) == {}


def test_openrouters_headers_inside_the_body_give_its_window() -> None:
    told = {"X-RateLimit-Limit": "50", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": WALL + 90_000}
    body = orjson.dumps({"error": {"code": 429, "metadata": {"headers": told}}})
    assert limits(body=body).windows == (WindowReport("requests", "headers", None, 0, 50, WALL + 90_000),)


header_names = st.sampled_from(
    [
        "retry-after",
        "Retry-After-Ms",
        "date",
        "x-ratelimit-reset",
        "x-ratelimit-remaining-tokens",
        "x-other",
        "anthropic-ratelimit-unified-5h-reset",
        "anthropic-ratelimit-unified-5h-utilization",
        "anthropic-ratelimit-unified-status",
        "x-codex-primary-used-percent",
        "x-codex-primary-reset-at",
    ]
)
header_values = (
    st.sampled_from(
        ["7", "0", "-1", "1.5", "rejected", HTTP_DATE, "2026-11-20T10:00:00Z", str(NOW_S + 60), "1m"]
    )
    | st.text(max_size=30)
    | st.text("0123456789.-smhTZ:,", max_size=300)
)
bodies = (
    st.binary(max_size=60)
    | st.text(max_size=60)
    | json_values.map(orjson.dumps)
    | json_values.map(
        lambda value: orjson.dumps({"error": {"message": value, "details": [value], "resets_at": value}})
    )
)


@seeded
@given(st.dictionaries(header_names, header_values), bodies, st.sampled_from([None, 200, 429, 503]))
def test_no_answer_raises_and_all_that_is_told_makes_sense(
    headers: dict[str, str], body: bytes | str, status: int | None
) -> None:
    """RELIABILITY C2, S03-S07, S22, S23: total, and in bounds."""
    told = limits(headers, body, status)
    assert told.retry_after_ms is None or 0 < told.retry_after_ms <= MAX_WAIT_MS
    for window in told.windows:
        assert window.resets_at is None or WALL < window.resets_at <= WALL + 40 * DAY
        assert window.remaining is None or window.remaining >= 0
        assert window.used_percent is None or 0 <= window.used_percent <= 1000


@seeded
@given(st.dictionaries(header_names, header_values))
def test_the_recorded_headers_hold_all_that_the_limits_are_read_from(headers: dict[str, str]) -> None:
    """A trace with recorded headers replays to the same limits."""
    raw = [(name.encode(), value.encode("utf-8", "replace")) for name, value in headers.items()]
    kept = recorded_headers(raw)
    sent = {name: value for name, value in headers.items() if kept.get(name.lower()) == value}
    assert limits(kept) == limits(sent)


@pytest.mark.parametrize(
    "piece", [b"try again in ", b"try again in 1", b"1h", b"try again in 1h1h1h1h1h", b"["]
)
@pytest.mark.fault("K27")
def test_a_body_made_to_slow_a_pattern_down_is_read_in_no_time(piece: bytes) -> None:
    """RELIABILITY K27, P36: only the first 64 KiB are looked at, by patterns that do not backtrack."""
    body = piece * (4_000_000 // len(piece))

    def run() -> float:
        start = time.perf_counter()
        assert wait(body=body) is None
        return time.perf_counter() - start

    # A pattern that backtracks would take minutes; the bound is far from both.
    assert min(run() for _ in range(5)) < 1
