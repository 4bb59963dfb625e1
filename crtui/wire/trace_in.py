"""The trace format: one input of the core a line, as JSON. This is the way in.

``t`` is seconds since the trace's start; the caller turns it into a ``Now``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast, get_args

import orjson

from crtui.core.inputs import (
    ABOUT_ALL,
    Attempt,
    Began,
    Charge,
    Command,
    CommandName,
    ErrorKind,
    Hearsay,
    Input,
    Limits,
    MemoryReport,
    ModelReport,
    Poll,
    Pull,
    PullStatus,
    Tick,
    Usage,
    WindowReport,
)
from crtui.core.money import MOST, pico
from crtui.core.plan import Ask, Content
from crtui.core.settings import Wire
from crtui.text import scrub
from crtui.wire.codec import BadBodyError
from crtui.wire.fields import BadInputError, Fields
from crtui.wire.limits import read_limits
from crtui.wire.registry import codec_for
from crtui.wire.trace_plain import error_words, safe

_WIRES: Final = get_args(Wire)
_COMMANDS: Final = get_args(CommandName)
_KINDS: Final = get_args(ErrorKind)
_PULLS: Final = get_args(PullStatus)
_COUNTS: Final = ("input", "output", "cache_read", "cache_write", "cache_write_1h")


def decode(line: Mapping[str, Any], wall: int) -> Input | Ask:
    """One parsed trace line as an input (``route`` as an ``Ask``) that happens at ``wall``.

    Raises ``BadInputError``.
    """
    fields = Fields(line)
    kind = fields.text("input")
    reader = _READERS.get(kind or "")
    if reader is None:
        raise BadInputError(f"input must be one of {', '.join(_READERS)}, not {kind!r}")
    return reader(fields, wall)


def _attempt(fields: Fields, wall: int) -> Attempt:
    ok = fields.flag("ok")
    if ok is None:
        raise BadInputError("ok is missing")
    status = fields.whole("status")
    raw_error = fields.text("error") or ""
    error, message = error_words(raw_error) if raw_error else ("", "")
    usage = fields.inner("usage")
    return Attempt(
        fields.need("provider"),
        ok,
        ticket=fields.whole("ticket") or 0,
        status=status,
        error_kind=cast("ErrorKind | None", fields.one_of("error_kind", _KINDS)),
        error=error,
        message=message,
        wire=cast("Wire | None", fields.one_of("wire", _WIRES)),
        profile=fields.text("profile"),
        model=safe(fields.text("model")),
        session=fields.text("session"),
        request=fields.text("request"),
        latency_ms=fields.whole("latency_ms"),
        ttft_ms=fields.whole("ttft_ms"),
        output_ms=fields.whole("output_ms"),
        midstream=fields.flag("midstream") or False,
        limits=_limits(fields, raw_error, status, wall),
        usage=None if usage is None else _usage(usage),
        usage_estimated=fields.flag("usage_estimated") or False,
        answered=safe(fields.text("answered")),
        output_limit=fields.whole("output_limit"),
    )


def _limits(fields: Fields, error: str, status: int | None, wall: int) -> Limits:
    written = fields.inner("limits")
    if written is not None:
        return Limits(written.whole("retry_after_ms"), _windows(written))
    return read_limits(fields.strings("headers"), error, status, wall)


def _usage(fields: Fields) -> Usage:
    told = Usage(*(fields.whole(key) or 0 for key in _COUNTS))
    cost = fields.number("cost_usd")
    return told if cost is None else told._replace(cost=min(MOST, max(0, pico(cost))))


def _charge(fields: Fields, wall: int) -> Charge:
    usage = fields.inner("usage")
    if usage is None:
        raise BadInputError("usage is missing")
    return Charge(fields.need("provider"), _usage(usage))


def _windows(fields: Fields) -> tuple[WindowReport, ...]:
    return tuple(
        WindowReport(
            row.need("name"),
            row.text("source") or "poll",
            row.number("used_percent"),
            row.number("remaining"),
            row.number("limit"),
            row.time("resets_at"),
        )
        for row in fields.rows("windows") or ()
    )


def _poll(fields: Fields, wall: int) -> Poll:
    ok = fields.flag("ok")
    if ok is None:
        raise BadInputError("ok is missing")
    models = fields.rows("models")
    memory = fields.inner("memory")
    used = total = None
    if memory is not None:
        used, total = memory.whole("used_bytes"), memory.whole("total_bytes")
    return Poll(
        fields.need("provider"),
        ok,
        scrub(fields.text("error") or ""),
        None
        if models is None
        else tuple(
            ModelReport(
                scrub(row.need("name")), row.flag("loaded"), row.whole("context"), row.whole("vram_bytes")
            )
            for row in models
        ),
        _windows(fields),
        None if used is None or total is None else MemoryReport(used, total),
        fields.whole("took_ms") or 0,
    )


def _hearsay(fields: Fields, wall: int) -> Hearsay:
    return Hearsay(fields.need("provider"), _windows(fields))


def _command(fields: Fields, wall: int) -> Command:
    name = cast("CommandName | None", fields.one_of("command", _COMMANDS))
    if name is None:
        raise BadInputError(f"command is missing; one of {', '.join(_COMMANDS)}")
    for_s = fields.number("for_s")
    if for_s is not None and for_s <= 0:
        raise BadInputError("for_s must be above 0")
    return Command(
        name,
        "" if name in ABOUT_ALL else fields.need("provider"),
        None if for_s is None else round(for_s * 1000),
        fields.flag("allow") or False,
        scrub(fields.text("model") or ""),
    )


def _pull(fields: Fields, wall: int) -> Pull:
    status = cast("PullStatus | None", fields.one_of("status", _PULLS))
    if status is None:
        raise BadInputError(f"status is missing; one of {', '.join(_PULLS)}")
    model, error = scrub(fields.need("model")), scrub(fields.text("error") or "")
    return Pull(fields.need("provider"), model, status, error)


def _begin(fields: Fields, wall: int) -> Began:
    return Began(fields.need("provider"), fields.whole("ticket") or 0, fields.text("profile"))


def _tick(fields: Fields, wall: int) -> Tick:
    return Tick()


def _route(fields: Fields, wall: int) -> Ask:
    wire = cast("Wire | None", fields.one_of("wire", _WIRES))
    if wire is None:
        raise BadInputError(f"wire is missing; one of {', '.join(_WIRES)}")
    headers = fields.strings("headers")
    model, session, content = fields.text("model"), fields.text("session"), _content(fields.inner("content"))
    body = fields.raw("body")
    if body is not None:
        codec = codec_for(wire)
        raw = body.encode("utf-8", "replace") if isinstance(body, str) else orjson.dumps(body)
        try:
            facts = codec.read_request(raw)
        except BadBodyError as fault:
            raise BadInputError(f"body: {fault}") from fault
        model = model if model is not None else facts.model
        session = session if session is not None else facts.session
        content = codec.read_content(raw)
    return Ask(
        wire,
        fields.text("id") or "",
        fields.text("profile") or headers.get("x-crtui-profile"),
        safe(model),
        session or headers.get("x-claude-code-session-id") or headers.get("session-id"),
        content,
        fields.text("rule"),
        fields.texts("owners"),
    )


def _content(fields: Fields | None) -> Content | None:
    if fields is None:
        return None
    return Content(
        fields.flag("image") or False,
        fields.flag("latest_image") or False,
        fields.flag("tools") or False,
        fields.text("latest_text") or "",
        fields.whole("chars") or 0,
    )


_READERS: Final[dict[str, Callable[[Fields, int], Input | Ask]]] = {
    "attempt": _attempt,
    "route": _route,
    "charge": _charge,
    "poll": _poll,
    "hearsay": _hearsay,
    "command": _command,
    "pull": _pull,
    "begin": _begin,
    "tick": _tick,
}
