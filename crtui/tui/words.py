"""Events in plain words, short enough for one line beside the provider's name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from typing import Final, cast

from crtui.core.events import Event, EventKind
from crtui.core.now import MINUTE, unstamp
from crtui.tui import fmt
from crtui.tui.line import Role

Writer = Callable[[Event, tzinfo | None], str]

_LOOKS: Final[dict[str, tuple[str, Role]]] = {
    "good": ("●", "good"),
    "warn": ("!", "warn"),
    "bad": ("✖", "bad"),
    "info": (" ", "dim"),
}
QUIET: Final[frozenset[EventKind]] = frozenset({"route.decided", "rule.matched", "poll.ok", "signal.changed"})
"""Kinds that are told so often, or follow so closely from others, that they would hide the rest."""


def look(event: Event) -> tuple[str, Role]:
    """The event's glyph and role."""
    if event.kind == "health.half_open":
        return "◔", "info"
    if event.kind in ("operator.changed", "paid.changed"):
        return "◆", "accent"
    return _LOOKS[event.severity]


def words(event: Event, zone: tzinfo | None) -> str:
    """What happened, without the provider's name."""
    write = _WRITERS.get(event.kind)
    return write(event, zone) if write else event.kind.replace(".", " ")


def wall_of(value: object) -> int | None:
    """A stamp inside an event's data as wall milliseconds; None if there is none."""
    if isinstance(value, int):
        return value
    if not isinstance(value, str):
        return None
    try:
        return unstamp(value)
    except ValueError:
        return None


def _text(event: Event, key: str) -> str:
    value = event.data.get(key)
    return "" if value is None else str(value)


def _number(event: Event, key: str) -> float | None:
    value = event.data.get(key)
    return float(value) if isinstance(value, int | float) else None


def _until(event: Event, zone: tzinfo | None) -> str:
    until = wall_of(event.data.get("until"))
    if until is None:
        return ""
    length = until - event.at
    return (
        f" for {fmt.countdown(length)}" if length < 100 * MINUTE else f" until {when(until, event.at, zone)}"
    )


def when(wall: int, now: int, zone: tzinfo | None) -> str:
    """A time of day, with the date's day count where it is not within the next 24 hours."""
    days = (wall - now) // (24 * 60 * MINUTE)
    return fmt.clock_time(wall, zone, seconds=False) + (f" +{days}d" if days > 0 else "")


def result(event: Event) -> str:
    """How an attempt ended: ``ok 812 tok 2.1s`` or ``429 rate limited``."""
    if event.kind == "attempt.ok":
        tokens = _number(event, "output_tokens")
        took = _number(event, "latency_ms")
        other = _text(event, "substituted")
        limit = _number(event, "output_limit")
        parts = (
            "ok",
            "" if tokens is None else f"{fmt.count(tokens)} tok",
            "" if took is None else seconds(took),
            f"by {other}" if other else "",
            "" if limit is None else f"(max {fmt.count(limit)} tok)",
        )
        return " ".join(part for part in parts if part)
    status = _text(event, "status")
    if status.startswith("2"):
        status = ""  # the failure came after it, in the stream
    kind = _text(event, "error_kind") or _text(event, "class")
    error = _text(event, "error")
    return " ".join(part for part in (status, error or kind) if part) or "failed"


def seconds(ms: float) -> str:
    """A latency that always names its unit."""
    return f"{ms:.0f}ms" if ms < 1000 else fmt.latency(ms)


def _failed(event: Event, _zone: tzinfo | None) -> str:
    ended = result(event)
    if event.kind == "attempt.interrupted":
        return f"broke off after content: {ended}"
    return "the client left early" if event.kind == "attempt.cancelled" else ended


def _health(event: Event, _zone: tzinfo | None) -> str:
    state = _text(event, "to") or "changed"
    if state == "HEALTHY":
        return f"healthy again, was {_text(event, 'from').lower() or 'ill'}"
    reason = _text(event, "why")
    failures = _number(event, "consecutive_failures")
    count = f" after {failures:.0f} failure{'s' if failures != 1 else ''}" if failures else ""
    head = f"{state.lower()}{count}"
    return f"{head}: {reason}" if reason else head


def _half_open(event: Event, _zone: tzinfo | None) -> str:
    trial = _text(event, "trial")
    return (
        "recovery time over, a probe decides"
        if trial == "probe"
        else "recovery time over, next request decides"
    )


def _exhausted(event: Event, zone: tzinfo | None) -> str:
    by_burn = event.data.get("source") == "burn_rate"
    reason = _text(event, "why") or ("day's token budget" if by_burn else "quota exhausted")
    return f"{reason}, out{_until(event, zone)}"


def _available(event: Event, _zone: tzinfo | None) -> str:
    return "quota may be back, one trial request" if event.data.get("trial") else "quota available again"


def _pressured(event: Event, zone: tzinfo | None) -> str:
    return f"out of memory, resting{_until(event, zone)}"


def _memory(event: Event, _zone: tzinfo | None) -> str:
    ratio = _number(event, "ratio")
    return "out of memory reported" if ratio is None else f"memory {ratio:.0%} used"


def _exceeded(event: Event, _zone: tzinfo | None) -> str:
    return f"monthly cap {fmt.usd(_number(event, 'monthly_usd'))} reached"


def _projected(event: Event, zone: tzinfo | None) -> str:
    at = wall_of(event.data.get("exhausts_at"))
    return "at this rate empty " + ("before midnight" if at is None else f"~{when(at, event.at, zone)}")


def _operator(event: Event, zone: tzinfo | None) -> str:
    override = _text(event, "override")
    return "override lifted" if override == "none" else f"{override} by you{_until(event, zone)}"


def _paid(event: Event, _zone: tzinfo | None) -> str:
    return "paid providers allowed" if event.data.get("allow") else "paid providers switched off"


def _chain(event: Event, zone: tzinfo | None) -> str:
    dropped = event.data.get("dropped")
    names = [
        f"{cast('dict[str, object]', d).get('provider')} ({cast('dict[str, object]', d).get('guard')})"
        for d in (cast("list[object]", dropped) if isinstance(dropped, list) else [])
        if isinstance(d, dict)
    ]
    return f"nobody left in profile {_text(event, 'profile')}{_until(event, zone)}: " + ", ".join(names)


def _route(event: Event, _zone: tzinfo | None) -> str:
    order = event.data.get("order")
    names = [str(name) for name in cast("list[object]", order)] if isinstance(order, list) else []
    return f"{_text(event, 'profile')} {_text(event, 'model')} → {' → '.join(names[:3])}".replace("  ", " ")


def _reordered(event: Event, _zone: tzinfo | None) -> str:
    after = event.data.get("to")
    names = [str(name) for name in cast("list[object]", after)] if isinstance(after, list) else []
    return f"profile {_text(event, 'profile')} reordered: {' → '.join(names[:4])}"


def _fixed(text: str, *keys: str) -> Writer:
    def write(event: Event, _zone: tzinfo | None) -> str:
        extra = " ".join(value for value in (_text(event, key) for key in keys) if value)
        return f"{text}: {extra}" if extra else text

    return write


_WRITERS: Final[dict[EventKind, Writer]] = {
    "attempt.ok": _failed,
    "attempt.failed": _failed,
    "attempt.interrupted": _failed,
    "attempt.cancelled": _failed,
    "health.changed": _health,
    "health.half_open": _half_open,
    "quota.exhausted": _exhausted,
    "quota.available": _available,
    "memory.detected": _memory,
    "memory.pressured": _pressured,
    "memory.recovered": _fixed("memory recovered"),
    "budget.exceeded": _exceeded,
    "budget.reset": _fixed("new month, spend cap starts again"),
    "burn.projected": _projected,
    "operator.changed": _operator,
    "paid.changed": _paid,
    "chain.exhausted": _chain,
    "route.decided": _route,
    "adaptive.reordered": _reordered,
    "rule.matched": _fixed("rule matched", "rule"),
    "poll.ok": _fixed("poll ok"),
    "poll.failed": _fixed("poll failed", "error"),
    "signal.changed": _fixed("signal", "to"),
    "model.pull": _fixed("model pull", "model", "status", "error"),
    "config.reloaded": _fixed("config reloaded"),
    "shared.lost": _fixed("shared store lost, going on alone", "error"),
    "shared.joined": _fixed("shared store joined"),
}
