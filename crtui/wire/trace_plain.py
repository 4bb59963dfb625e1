"""Attempts of trace lines in which every value is as it should be: nearly all of a long history.

A line with anything unusual in it is left to the careful reading of ``crtui.wire.trace_in``, which
gives the same attempt several times slower, or names the fault.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, get_args

from crtui.core.inputs import NO_LIMITS, Attempt, ErrorKind, Usage
from crtui.core.settings import Wire
from crtui.text import scrub
from crtui.wire.faults import error_text
from crtui.wire.limits import read_limits

MAX_ERROR_CELLS: Final = 2_000
SHORT_ERROR: Final = 4_096
LARGEST: Final = 10**15

_TYPES: Final[dict[str, type]] = {
    "input": str,
    "provider": str,
    "ok": bool,
    "ticket": int,
    "status": int,
    "error_kind": str,
    "error": str,
    "wire": str,
    "profile": str,
    "model": str,
    "session": str,
    "request": str,
    "latency_ms": int,
    "ttft_ms": int,
    "output_ms": int,
    "usage": dict,
    "headers": dict,
}
_DIGIT: Final = re.compile("[0-9]")
"""Whatever a body says of limits, it says in numbers."""
_WIRES: Final = frozenset((*get_args(Wire), None))
_ERROR_KINDS: Final = frozenset((*get_args(ErrorKind), None))


def plain_attempt(line: Mapping[str, Any], wall: int) -> Attempt | None:
    """The attempt that a line without its ``t`` tells; None where it needs a closer look."""
    if not _is_plain(tuple(line), tuple(map(type, line.values()))):
        return None
    get = line.get
    ticket, status = get("ticket", 0), get("status")
    latency, ttft, output = get("latency_ms"), get("ttft_ms"), get("output_ms")
    if (
        not 0 <= ticket <= LARGEST
        or (status is not None and not 0 <= status <= LARGEST)
        or (latency is not None and not 0 <= latency <= LARGEST)
        or (ttft is not None and not 0 <= ttft <= LARGEST)
        or (output is not None and not 0 <= output <= LARGEST)
    ):
        return None
    ok, provider, wire, error_kind = get("ok"), get("provider"), get("wire"), get("error_kind")
    if ok is None or not provider or wire not in _WIRES or error_kind not in _ERROR_KINDS:
        return None
    usage = get("usage")
    if usage is not None and (usage := _usage(usage)) is None:
        return None
    raw, limits = get("error", ""), NO_LIMITS
    error, message = error_words(raw) if raw else ("", "")
    if "headers" in line or _DIGIT.search(raw):
        headers = {str(name): str(value) for name, value in line.get("headers", {}).items()}
        limits = read_limits(headers, raw, status, wall)
    return Attempt(
        provider,
        ok,
        ticket,
        status,
        error_kind,
        error,
        message,
        wire,
        get("profile"),
        safe(get("model")),
        get("session"),
        get("request"),
        latency,
        ttft,
        output,
        limits=limits,
        usage=usage,
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


@lru_cache(maxsize=1024)
def _is_plain(keys: tuple[str, ...], types: tuple[type, ...]) -> bool:
    """Whether these keys are known and have the types they should. A history has a few shapes."""
    return all(kind is _TYPES.get(key) for key, kind in zip(keys, types, strict=True))


def _usage(counts: Mapping[str, Any]) -> Usage | None:
    get = counts.get
    sent, got, read, write = get("input", 0), get("output", 0), get("cache_read", 0), get("cache_write", 0)
    if not (type(sent) is type(got) is type(read) is type(write) is int):
        return None
    if sent < 0 or got < 0 or read < 0 or write < 0 or sent + got + read + write > LARGEST:
        return None
    return Usage(sent, got, read, write)
