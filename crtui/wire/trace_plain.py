"""Attempts of trace lines in which every value is as it should be: nearly all of a long history.

Their shape is that of ``crtui.wire.trace_lines``, read and checked in one pass by msgspec. A line
with anything unusual in it is left to the careful reading of ``crtui.wire.trace_in``, which gives
the same attempt several times slower, or names the fault.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import msgspec

from crtui.core.inputs import NO_LIMITS, Attempt, Limits, Usage, WindowReport
from crtui.core.money import pico
from crtui.core.now import unstamp
from crtui.text import scrub
from crtui.wire import trace_lines
from crtui.wire.faults import error_text
from crtui.wire.limits import read_limits

MAX_ERROR_CELLS: Final = 2_000
SHORT_ERROR: Final = 4_096
_DIGIT: Final = re.compile("[0-9]")
"""Whatever a body says of limits, it says in numbers."""

_DECODER: Final = msgspec.json.Decoder(trace_lines.Attempt)


def read_plain(raw: bytes | str) -> trace_lines.Attempt | None:
    """A line of JSON that tells an attempt as it should; None where it needs a closer look."""
    try:
        line = _DECODER.decode(raw)
        if line.limits is not None:
            for window in line.limits.windows:
                _instant(window.resets_at)
    except ValueError:  # as msgspec's faults are, and those of bad UTF-8 and times
        return None
    return line


def plain_attempt(line: trace_lines.Attempt, wall: int) -> Attempt:
    """The attempt that a plain line tells, ended at ``wall``."""
    raw, usage, model, answered = line.error, line.usage, line.model, line.answered
    error, message = error_words(raw) if raw else ("", "")
    limits = NO_LIMITS
    if line.limits is not None:
        limits = _limits(line.limits)
    elif line.headers is not None or (raw and _DIGIT.search(raw)):
        limits = read_limits(line.headers or {}, raw, line.status, wall)
    return Attempt(
        line.provider,
        line.ok,
        line.ticket,
        line.status,
        line.error_kind,
        error,
        message,
        line.wire,
        line.profile,
        None if model is None else safe(model),
        line.session,
        line.request,
        line.latency_ms,
        line.ttft_ms,
        line.output_ms,
        line.midstream,
        limits,
        None if usage is None else _usage(usage),
        line.usage_estimated,
        None if answered is None else safe(answered),
        line.output_limit,
    )


def _limits(told: trace_lines.Limits) -> Limits:
    return Limits(told.retry_after_ms, tuple([_window(window) for window in told.windows]))


def _window(told: trace_lines.Window) -> WindowReport:
    resets_at = _instant(told.resets_at)
    return WindowReport(told.name, told.source, told.used_percent, told.remaining, told.limit, resets_at)


@lru_cache(maxsize=1024)
def _instant(text: str | None) -> int | None:
    """A time, looked at twice on its way. Raises ``ValueError``."""
    return None if text is None else unstamp(text)


def _usage(told: trace_lines.Usage) -> Usage:
    return Usage(
        told.input,
        told.output,
        told.cache_read,
        told.cache_write,
        told.cache_write_1h,
        None if told.cost_usd is None else pico(told.cost_usd),
    )


@lru_cache(maxsize=1024)
def safe(text: str | None) -> str | None:
    """A name made safe for display. A history repeats its models."""
    return None if text is None else scrub(text)


def error_words(raw: str) -> tuple[str, str]:
    """An error body as the core looks at it, and the message in it. A history repeats its errors."""
    return _short_error(raw) if len(raw) <= SHORT_ERROR else _any_error(raw)


def _any_error(raw: str) -> tuple[str, str]:
    return scrub(raw, MAX_ERROR_CELLS), error_text(raw.encode("utf-8", "replace"))


_short_error: Final = lru_cache(maxsize=256)(_any_error)
