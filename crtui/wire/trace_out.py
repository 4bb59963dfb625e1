"""Inputs as trace lines: the way out. ``crtui.wire.trace_in`` reads them back.

Every line's shape is declared, and written by msgspec in one pass: a busy gateway writes thousands
a second on a thread that requests have to wait for. What is unknown or empty is left out.
"""

from __future__ import annotations

import msgspec

from crtui.core.inputs import (
    Attempt,
    Began,
    Charge,
    Command,
    Hearsay,
    Input,
    Limits,
    MemoryReport,
    Poll,
    Pull,
    Usage,
    WindowReport,
)
from crtui.core.money import usd
from crtui.core.now import stamp
from crtui.core.plan import Ask, Content
from crtui.wire import trace_lines


class _Memory(msgspec.Struct, gc=False):
    used_bytes: int
    total_bytes: int


class _Model(msgspec.Struct, gc=False):
    name: str
    loaded: bool | None
    context: int | None
    vram_bytes: int | None


class _Content(msgspec.Struct, gc=False):
    """Sizes and flags only: what a person wrote is never recorded."""

    image: bool
    latest_image: bool
    tools: bool
    chars: int


class _Line(msgspec.Struct, omit_defaults=True, tag_field="input"):
    """A line; its kind comes first."""


class _Route(_Line, tag="route"):
    wire: str
    id: str = ""
    profile: str | None = None
    model: str | None = None
    session: str | None = None
    rule: str | None = None
    owners: tuple[str, ...] = ()
    content: _Content | None = None


class _Poll(_Line, tag="poll"):
    provider: str
    ok: bool
    error: str = ""
    windows: list[trace_lines.Window] = []
    models: list[_Model] | None = None
    memory: _Memory | None = None
    took_ms: int = 0


class _Hearsay(_Line, tag="hearsay"):
    provider: str
    windows: list[trace_lines.Window]


class _Begin(_Line, tag="begin"):
    provider: str
    ticket: int
    profile: str | None = None


class _Charge(_Line, tag="charge"):
    provider: str
    usage: trace_lines.Usage


class _Command(_Line, tag="command"):
    command: str
    provider: str = ""
    for_s: float | None = None
    allow: bool | None = None
    model: str = ""


class _Pull(_Line, tag="pull"):
    provider: str
    model: str
    status: str
    error: str = ""


class _Tick(_Line, tag="tick"):
    pass


_ENCODER = msgspec.json.Encoder()


def encode(item: Input | Ask) -> bytes:
    """An input as a trace line, a JSON object without its ``t``."""
    return _ENCODER.encode(_line(item))


def timed(ms: int, line: bytes) -> bytes:
    """Such a line with its ``t``, that many milliseconds after the start, and a line feed."""
    return b'{"t":%b,%b\n' % (repr(ms / 1000).encode(), line[1:])


def _line(item: Input | Ask) -> _Line | trace_lines.Attempt:
    if isinstance(item, Attempt):
        return _attempt(item)
    if isinstance(item, Began):
        return _Begin(item.provider, item.ticket, item.profile or None)
    if isinstance(item, Ask):
        return _route(item)
    if isinstance(item, Poll):
        return _poll(item)
    if isinstance(item, Hearsay):
        return _Hearsay(item.provider, [_window(window) for window in item.windows])
    if isinstance(item, Charge):
        return _Charge(item.provider, _usage(item.usage))
    if isinstance(item, Command):
        for_s = None if item.for_ms is None else item.for_ms / 1000
        allow = item.allow if item.command == "paid" else None
        return _Command(item.command, item.provider, for_s, allow, item.model)
    if isinstance(item, Pull):
        return _Pull(item.provider, item.model, item.status, item.error)
    return _Tick()


def _attempt(item: Attempt) -> trace_lines.Attempt:
    usage, limits = item.usage, item.limits
    told = limits.windows or limits.retry_after_ms is not None
    return trace_lines.Attempt(
        input="attempt",
        provider=item.provider,
        ok=item.ok,
        ticket=item.ticket,
        status=item.status,
        error_kind=item.error_kind,
        error=item.error or item.message,
        wire=item.wire,
        profile=item.profile or None,
        model=item.model or None,
        session=item.session or None,
        request=item.request or None,
        latency_ms=item.latency_ms,
        ttft_ms=item.ttft_ms,
        output_ms=item.output_ms,
        midstream=item.midstream,
        usage_estimated=item.usage_estimated,
        answered=item.answered,
        output_limit=item.output_limit,
        usage=None if usage is None else _usage(usage),
        limits=_limits(limits) if told else None,
    )


def _usage(usage: Usage) -> trace_lines.Usage:
    fresh, output, read, write, write_1h, cost = usage
    return trace_lines.Usage(fresh, output, read, write, write_1h, None if cost is None else usd(cost))


def _limits(limits: Limits) -> trace_lines.Limits:
    return trace_lines.Limits(limits.retry_after_ms, tuple([_window(window) for window in limits.windows]))


def _window(told: WindowReport) -> trace_lines.Window:
    resets = None if told.resets_at is None else stamp(told.resets_at)
    return trace_lines.Window(told.name, told.source, told.used_percent, told.remaining, told.limit, resets)


def _route(ask: Ask) -> _Route:
    return _Route(
        wire=ask.wire,
        id=ask.id,
        profile=ask.profile or None,
        model=ask.model or None,
        session=ask.session or None,
        rule=ask.rule or None,
        owners=ask.owners,
        content=None if ask.content is None else _content(ask.content),
    )


def _content(seen: Content) -> _Content:
    return _Content(seen.image, seen.latest_image, seen.tools, seen.chars)


def _poll(item: Poll) -> _Poll:
    models = item.models
    return _Poll(
        provider=item.provider,
        ok=item.ok,
        error=item.error,
        windows=[_window(window) for window in item.windows],
        models=None
        if models is None
        else [_Model(m.name, m.loaded, m.context, m.vram_bytes) for m in models],
        memory=None if item.memory is None else _memory(item.memory),
        took_ms=item.took_ms,
    )


def _memory(seen: MemoryReport) -> _Memory:
    return _Memory(seen.used, seen.total)
