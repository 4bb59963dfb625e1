"""What an answer's headers and error body say about limits, for every provider family.

One reading for all: a wait (``Retry-After`` and its kin, in headers or in the body) and windows.
Nothing here raises, whatever arrives; nonsense counts as not said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from crtui.core.inputs import Limits
from crtui.core.now import DAY
from crtui.wire.faults import LOOKED_AT
from crtui.wire.headers import is_limit
from crtui.wire.jsonview import as_list, as_object, as_text, loads
from crtui.wire.resets import parse_instant, parse_ms, parse_reset, parse_wait, until_pacific_midnight
from crtui.wire.windows import Instants, read_windows

__all__ = ["MAX_WAIT_MS", "parse_ms", "parse_reset", "parse_wait", "read_limits"]

MAX_WAIT_MS: Final = 31 * DAY
"""A longer wait is cut to this."""

# "Please try again in 5.289s" (Groq, OpenAI), "Please retry in 26.5s" (Gemini), "in 20 seconds".
_IN_WORDS: Final = re.compile(
    r"(?:try again|retry) (?:in|after) "
    r"(?:([0-9]{1,9}(?:\.[0-9]{1,12})?) ?(milliseconds?|seconds?|secs?|minutes?|mins?|hours?|days?)\b"
    r"|((?:[0-9]{1,9}(?:\.[0-9]{1,12})?(?:ms|s|m|h|d)){1,5})\b)",
    re.IGNORECASE,
)
# "You will regain access on 2026-12-01 at 00:00 UTC" (Anthropic).
_ACCESS_AT: Final = re.compile(r"regain access on ([0-9]{4}-[0-9]{2}-[0-9]{2}) at ([0-9]{2}:[0-9]{2}) UTC")
_WORD_UNIT: Final = {"mil": "ms", "sec": "s", "min": "m", "hou": "h", "day": "d"}


def read_limits(headers: Mapping[str, str], body: str | bytes, status: int | None, wall_ms: int) -> Limits:
    """Read every known limit header and the body of an error; waits only where it was one.

    ``headers`` may be in any case. ``body`` is that of an error, empty for a success. ``status``
    None means that an error came without one. ``wall_ms`` is when the answer came.
    """
    lower = _wanted(headers)
    failed = status is None or status >= 400 or bool(body)
    error = _error_object(body) if body else {}
    # OpenRouter repeats the limit headers of its own refusals inside the body.
    lower = _headers_in_body(error) | lower
    now = Instants(wall_ms, parse_instant(lower.get("date", ""), wall_ms=wall_ms))
    waits: list[int | None] = []
    if failed:
        text = _text(body)
        waits = [*_header_waits(lower, now), *_body_waits(error, now), _wait_in_words(text)]
        waits += [now.wait(f"{day}T{time}:00Z") for day, time in _ACCESS_AT.findall(text)]
    longest = max((wait for wait in waits if wait is not None), default=None)
    windows = read_windows(lower, now)
    return Limits(None if longest is None else min(longest, MAX_WAIT_MS), windows)


def _wanted(headers: Mapping[str, str]) -> dict[str, str]:
    """The limit headers, names in lower case; one that came twice is joined by a comma."""
    lower: dict[str, str] = {}
    for name, value in headers.items():
        if is_limit(key := name.lower()):
            lower[key] = f"{lower[key]}, {value}" if key in lower else value
    return lower


def _header_waits(headers: Mapping[str, str], now: Instants) -> Iterator[int | None]:
    """Waits told by headers; one that came twice has been joined by a comma, and each part counts."""
    after = headers.get("retry-after", "")
    yield now.wait(after)
    for part in after.split(","):
        yield now.wait(part)
    for part in headers.get("retry-after-ms", "").split(","):
        yield parse_ms(part)
    if headers.get("anthropic-ratelimit-unified-status") == "rejected":
        yield now.wait(headers.get("anthropic-ratelimit-unified-reset", ""))


def _body_waits(error: Mapping[str, object], now: Instants) -> Iterator[int | None]:
    """Waits told by an error object: Codex's two fields, Google's RetryInfo, ErrorInfo and QuotaFailure."""
    yield now.wait(_number_text(error.get("resets_at"))) or parse_wait(
        _number_text(error.get("resets_in_seconds"))
    )
    for detail in map(as_object, as_list(error.get("details"))):
        yield parse_wait(as_text(detail.get("retryDelay")))
        yield parse_wait(as_text(as_object(detail.get("metadata")).get("quotaResetDelay")))
        quotas = (as_text(as_object(one).get("quotaId")) for one in as_list(detail.get("violations")))
        if any("perday" in quota.lower() for quota in quotas):
            # Beside it stands a delay of seconds, which is that of a quota by the minute.
            yield until_pacific_midnight(now.wall_ms)


def _text(body: str | bytes) -> str:
    head = body[:LOOKED_AT]
    return head.decode("utf-8", "replace") if isinstance(head, bytes) else head


def _wait_in_words(text: str) -> int | None:
    match = _IN_WORDS.search(text)
    if not match:
        return None
    number, word, duration = match.groups()
    return parse_wait(duration.lower() if duration else number + _WORD_UNIT[word[:3].lower()])


def _error_object(body: str | bytes, depth: int = 3) -> dict[str, object]:
    """The ``error`` object of a body, also from inside a one-element list or a JSON string."""
    head = body[:LOOKED_AT]
    try:
        value = loads(head if isinstance(head, bytes) else head.encode("utf-8", "replace"))
    except ValueError:
        return {}
    value = next(iter(as_list(value)), value)
    error = as_object(as_object(value).get("error")) or as_object(value)
    inner = as_text(error.get("message"))
    if depth and inner.lstrip()[:1] in ("{", "["):
        return _error_object(inner, depth - 1) or error
    return error


def _headers_in_body(error: Mapping[str, object]) -> dict[str, str]:
    told = as_object(as_object(error.get("metadata")).get("headers"))
    return {name.lower(): text for name, value in told.items() if (text := _number_text(value))}


def _number_text(value: object) -> str:
    """A number or string of a JSON body in the form a header would have."""
    if isinstance(value, bool):
        return ""
    return str(value) if isinstance(value, (int, float, str)) else ""
