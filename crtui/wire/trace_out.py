"""Inputs as trace lines: the way out. ``crtui.wire.trace_in`` reads them back."""

from __future__ import annotations

from crtui.core.inputs import Attempt, Began, Charge, Command, Input, Poll, Pull, Usage, WindowReport
from crtui.core.money import usd
from crtui.core.now import stamp
from crtui.core.plan import Ask


def encode(item: Input | Ask) -> dict[str, object]:
    """An input as a trace line without its ``t``; what is unknown or empty is left out.

    An attempt's limits are written as they were read, not the headers they were read from.
    """
    if isinstance(item, Ask):
        return _encode_route(item)
    if isinstance(item, Attempt):
        return _encode_attempt(item)
    if isinstance(item, Poll):
        return _encode_poll(item)
    if isinstance(item, Began):
        return _line("begin", provider=item.provider, ticket=item.ticket, profile=item.profile)
    if isinstance(item, Charge):
        return _line("charge", provider=item.provider, usage=_encode_usage(item.usage))
    if isinstance(item, Command):
        for_s = None if item.for_ms is None else item.for_ms / 1000
        allow = item.allow if item.command == "paid" else None
        return _line(
            "command",
            command=item.command,
            provider=item.provider,
            for_s=for_s,
            allow=allow,
            model=item.model,
        )
    if isinstance(item, Pull):
        return _line("pull", provider=item.provider, model=item.model, status=item.status, error=item.error)
    return _line("tick")


def _line(kind: str, **fields: object) -> dict[str, object]:
    return {"input": kind, **{k: v for k, v in fields.items() if v is not None and v not in ("", {}, [])}}


def _encode_route(ask: Ask) -> dict[str, object]:
    """Sizes and flags only: what a person wrote is never recorded."""
    content = ask.content
    digest = None
    if content is not None:
        digest = {
            "image": content.image,
            "latest_image": content.latest_image,
            "tools": content.tools,
            "chars": content.chars,
        }
    return _line(
        "route",
        id=ask.id,
        wire=ask.wire,
        profile=ask.profile,
        model=ask.model,
        session=ask.session,
        rule=ask.rule,
        owners=list(ask.owners),
        content=digest,
    )


def _encode_attempt(item: Attempt) -> dict[str, object]:
    usage = item.usage
    line = _line(
        "attempt",
        provider=item.provider,
        ok=item.ok,
        ticket=item.ticket or None,
        status=item.status,
        error_kind=item.error_kind,
        error=item.error or item.message,
        wire=item.wire,
        profile=item.profile,
        model=item.model,
        session=item.session,
        request=item.request,
        latency_ms=item.latency_ms,
        ttft_ms=item.ttft_ms,
        output_ms=item.output_ms,
        midstream=item.midstream or None,
        usage_estimated=item.usage_estimated or None,
    )
    if usage is not None:
        line["usage"] = _encode_usage(usage)
    if item.limits.windows or item.limits.retry_after_ms is not None:
        line["limits"] = {
            "retry_after_ms": item.limits.retry_after_ms,
            "windows": [_encode_window(window) for window in item.limits.windows],
        }
    return line


def _encode_usage(usage: Usage) -> dict[str, object]:
    line: dict[str, object] = {
        "input": usage.input,
        "output": usage.output,
        "cache_read": usage.cache_read,
        "cache_write": usage.cache_write,
    }
    if usage.cache_write_1h:
        line["cache_write_1h"] = usage.cache_write_1h
    if usage.cost is not None:
        line["cost_usd"] = usd(usage.cost)
    return line


def _encode_poll(item: Poll) -> dict[str, object]:
    models = item.models
    return _line(
        "poll",
        provider=item.provider,
        ok=item.ok,
        error=item.error,
        windows=[_encode_window(window) for window in item.windows],
        models=None
        if models is None
        else [
            {"name": m.name, "loaded": m.loaded, "context": m.context, "vram_bytes": m.vram_bytes}
            for m in models
        ],
        memory=None
        if item.memory is None
        else {"used_bytes": item.memory.used, "total_bytes": item.memory.total},
    )


def _encode_window(window: WindowReport) -> dict[str, object]:
    return {
        "name": window.name,
        "source": window.source,
        "used_percent": window.used_percent,
        "remaining": window.remaining,
        "limit": window.limit,
        "resets_at": None if window.resets_at is None else stamp(window.resets_at),
    }
