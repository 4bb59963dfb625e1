"""Attempts of trace lines in which every value is as it should be: nearly all of a long history.

Their shape is declared, and read and checked in one pass by msgspec. A line with anything unusual
in it is left to the careful reading of ``crtui.wire.trace_in``, which gives the same attempt several
times slower, or names the fault.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, Final, Literal

import msgspec

from crtui.core.inputs import NO_LIMITS, Attempt, ErrorKind, Usage
from crtui.core.money import MOST, PICO, pico
from crtui.core.settings import Wire
from crtui.text import scrub
from crtui.wire.faults import error_text
from crtui.wire.limits import read_limits

MAX_ERROR_CELLS: Final = 2_000
SHORT_ERROR: Final = 4_096
NO_TIME: Final = -1.0
_DIGIT: Final = re.compile("[0-9]")
"""Whatever a body says of limits, it says in numbers."""

_Count = Annotated[int, msgspec.Meta(ge=0, le=10**15)]


class PlainUsage(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """The ``usage`` of such a line."""

    input: _Count = 0
    output: _Count = 0
    cache_read: _Count = 0
    cache_write: _Count = 0
    cache_write_1h: _Count = 0
    cost_usd: Annotated[float, msgspec.Meta(ge=0, le=MOST / PICO)] | None = None


class PlainLine(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Such a line. ``t`` is ``NO_TIME`` where there is none, as in the journal."""

    input: Literal["attempt"]
    provider: Annotated[str, msgspec.Meta(min_length=1)]
    ok: bool
    t: float = NO_TIME
    ticket: _Count = 0
    status: _Count | None = None
    error_kind: ErrorKind | None = None
    error: str = ""
    wire: Wire | None = None
    profile: str | None = None
    model: str | None = None
    session: str | None = None
    request: str | None = None
    latency_ms: _Count | None = None
    ttft_ms: _Count | None = None
    output_ms: _Count | None = None
    midstream: bool = False
    usage: PlainUsage | None = None
    usage_estimated: bool = False
    answered: str | None = None
    output_limit: _Count | None = None
    headers: dict[str, str] | None = None


_DECODER: Final = msgspec.json.Decoder(PlainLine)


def read_plain(raw: bytes | str) -> PlainLine | None:
    """A line of JSON that tells an attempt as it should; None where it needs a closer look."""
    try:
        return _DECODER.decode(raw)
    except (msgspec.MsgspecError, UnicodeError):
        return None


def plain_attempt(line: PlainLine, wall: int) -> Attempt:
    """The attempt that a plain line tells, ended at ``wall``."""
    raw, usage, model, answered = line.error, line.usage, line.model, line.answered
    error, message = error_words(raw) if raw else ("", "")
    limits = NO_LIMITS
    if line.headers is not None or (raw and _DIGIT.search(raw)):
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


def _usage(told: PlainUsage) -> Usage:
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
