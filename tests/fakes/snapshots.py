"""Snapshots for tests of the screen: a fixed busy one, and the situations around it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from crtui.core.events import Event
from crtui.core.now import DAY, HOUR, MINUTE, SECOND, stamp
from crtui.core.views import (
    AgentBlockView,
    AgentView,
    BudgetView,
    BurnView,
    DroppedView,
    ErrorView,
    ForecastView,
    GatewayView,
    HealthView,
    LaneView,
    LatencyView,
    MemoryView,
    ModelView,
    OperatorView,
    OutlookView,
    ProfileView,
    ProviderView,
    QuotaView,
    ReasonView,
    SegmentView,
    SignalView,
    Snapshot,
    UsageView,
    WindowView,
)

NOW = 1_795_183_402_000
"""2026-11-20 14:03:22 UTC."""

URL = "http://127.0.0.1:4747"


def wave(base: float, swing: float, seed: int, count: int = 60) -> tuple[int, ...]:
    """A latency history that looks real and never changes."""
    return tuple(
        round(base + swing * (math.sin(i / 4 + seed) + 0.6 * math.sin(i / 1.7 + 2 * seed)))
        for i in range(count)
    )


def latency(base: float = 640, swing: float = 160, seed: int = 1) -> LatencyView:
    """A latency view round ``base`` milliseconds."""
    values = wave(base, swing, seed)
    return LatencyView(100, base, base * 2.4, base * 3.1, base * 0.45, 62.0, values)


NO_LATENCY = LatencyView(0, None, None, None, None, None)


def window(
    name: str = "5h",
    used: float | None = 67.0,
    resets_in: int | None = 2 * HOUR + 14 * MINUTE,
    *,
    source: str = "headers",
    age: int = 12 * SECOND,
    empty: tuple[int, int] | None = None,
    **more: Any,
) -> WindowView:
    """A limit window; ``empty`` are times from now."""
    return WindowView(
        name,
        source,
        NOW - age,
        used_percent=used,
        resets_at=None if resets_in is None else NOW + resets_in,
        exhausts_from=None if empty is None else NOW + empty[0],
        exhausts_to=None if empty is None else NOW + empty[1],
        **more,
    )


def provider(name: str = "anthropic", **changes: Any) -> ProviderView:
    """A healthy provider without limits; any field may be given another value."""
    plain = ProviderView(
        name=name,
        kind="openai-compatible",
        wires=("chat",),
        paid=False,
        standing="eligible",
        reasons=(),
        health=HealthView("HEALTHY", False, 0, NOW - 3 * HOUR),
        quota=QuotaView("available", None, None),
        burn=BurnView(None, 0, None, None, None, NOW + 9 * HOUR + 56 * MINUTE),
        budget=BudgetView(None, None, "2026-11"),
        memory=MemoryView(False, None),
        latency=latency(),
        operator=OperatorView("none"),
        usage=UsageView(420, 419, 1, 812_000, 96_000, 1_400_000, 88_000, 1.92),
        signal=SignalView("available", NOW - 12 * SECOND, True),
    )
    return replace(plain, **changes)


def limited(name: str, *windows: WindowView, **changes: Any) -> ProviderView:
    """A provider with limit windows."""
    return provider(name, quota=QuotaView("available", None, None, windows), **changes)


def exhausted(name: str, until: int, source: Any, detail: str, *windows: WindowView) -> ProviderView:
    """A provider that waits for its quota."""
    return provider(
        name,
        standing="excluded",
        reasons=(ReasonView("quota", "exhausted", detail, NOW + until),),
        quota=QuotaView("quota_exhausted", NOW + until, source, windows),
        latency=NO_LATENCY,
        usage=UsageView(0, 0, 0, 0, 0, 0, 0, None),
    )


def unhealthy(name: str, retry_in: int, message: str = "connect timed out", **changes: Any) -> ProviderView:
    """A provider that failed too often."""
    error = ErrorView(NOW - 40 * SECOND, None, "connect", message)
    return provider(
        name,
        standing="demoted",
        reasons=(ReasonView("health", "unhealthy", f"6 failures in a row: {message}", NOW + retry_in),),
        health=HealthView("UNHEALTHY", False, 6, NOW - 90 * SECOND, error, NOW + retry_in),
        latency=NO_LATENCY,
        usage=UsageView(6, 0, 6, 0, 0, 0, 0, None),
        **changes,
    )


def overridden(name: str, override: Any, until: int | None = None, **changes: Any) -> ProviderView:
    """A provider under an operator's override."""
    standing = {"demoted": "demoted", "drained": "excluded", "pinned": "eligible"}[override]
    at = None if until is None else NOW + until
    return provider(
        name,
        standing=standing,
        reasons=(ReasonView("operator", override, f"{override} by you", at),),
        operator=OperatorView(override, at),
        **changes,
    )


def degraded(name: str, **changes: Any) -> ProviderView:
    """A provider that failed a few times in a row and still serves."""
    detail = "3 failures in a row: 500 internal server error"
    error = ErrorView(NOW - 20 * SECOND, 500, "fault", "internal server error")
    return provider(
        name,
        reasons=(ReasonView("health", "degraded", detail),),
        health=HealthView("DEGRADED", False, 3, NOW - 49 * SECOND, error),
        usage=UsageView(310, 287, 23, 402_000, 51_000, 0, 0, 0.71),
        **changes,
    )


def half_open(name: str) -> ProviderView:
    """A provider on trial."""
    return provider(
        name,
        standing="demoted",
        reasons=(ReasonView("health", "half_open", "one request is let through as a trial"),),
        health=HealthView("UNHEALTHY", True, 6, NOW - 6 * MINUTE, None, NOW),
    )


def out_of_memory(name: str) -> ProviderView:
    """A local server that said it has no memory left."""
    return provider(
        name,
        kind="ollama",
        standing="excluded",
        reasons=(ReasonView("memory", "pressured", "out of memory", NOW + 95 * SECOND),),
        memory=MemoryView(True, NOW + 95 * SECOND, 29 << 30, 32 << 30, 0.91),
        latency=NO_LATENCY,
        models=(ModelView("qwen3-coder:32b", False, 32_768, 21 << 30),),
    )


def _busy_providers() -> tuple[ProviderView, ...]:
    day = BurnView(2_000_000, 640_000, 6_200.0, 1_094_000, None, NOW + 9 * HOUR + 56 * MINUTE)
    fast = BurnView(500_000, 310_000, 5_100.0, 780_000, NOW + 38 * MINUTE, NOW + 9 * HOUR + 56 * MINUTE)
    return (
        limited(
            "anthropic-max",
            window("5h", 67.0, empty=(77 * MINUTE, 2 * HOUR + 37 * MINUTE)),
            window("weekly", 41.0, 3 * DAY + 4 * HOUR),
            kind="anthropic",
            wires=("messages",),
            in_flight=2,
            burn=BurnView(None, 2_310_000, 41_300.0, None, None, NOW + 9 * HOUR + 56 * MINUTE),
            models=(
                ModelView("claude-opus-4-5", None, 200_000),
                ModelView("claude-haiku-4-5", None, 200_000),
            ),
        ),
        limited(
            "anthropic-api",
            window("requests", None, 16 * MINUTE + 10 * SECOND, remaining=2000, limit=4000),
            kind="anthropic",
            wires=("messages",),
            paid=True,
            budget=BudgetView(50.0, 14.8, "2026-11"),
            latency=latency(396, 70, 2),
        ),
        degraded(
            "openai-plus",
            latency=latency(704, 240, 3),
            quota=QuotaView("available", None, None, (window("3h", 90.0, 4 * MINUTE * 60),)),
        ),
        limited(
            "openrouter",
            window("credits", 7.0, None),
            paid=True,
            latency=latency(1240, 380, 4),
            budget=BudgetView(25.0, 6.2, "2026-11"),
        ),
        exhausted(
            "groq",
            2 * HOUR + 53 * MINUTE,
            "headers",
            "tokens window spent",
            window("tokens", 100.0, 2 * HOUR + 53 * MINUTE),
        ),
        limited("gemini-cli", window("daily", 47.0, 6 * HOUR), kind="gemini", latency=latency(1310, 300, 5)),
        exhausted(
            "cerebras", 42 * SECOND, "retry_after", "rate limited", window("minute", 65.0, 42 * SECOND)
        ),
        half_open("nvidia-nim"),
        out_of_memory("ollama-32b"),
        provider(
            "ollama-7b",
            kind="ollama",
            latency=latency(875, 210, 6),
            burn=day,
            models=(ModelView("qwen3:8b", True, 32_768, 6 << 30),),
        ),
        provider("lmstudio", kind="lmstudio", latency=latency(1520, 500, 7), burn=fast),
        overridden("mistral", "demoted"),
        unhealthy("deepinfra", 3 * MINUTE + 30 * SECOND),
        provider("together", latency=NO_LATENCY, usage=UsageView(0, 0, 0, 0, 0, 0, 0, None)),
    )


def events() -> tuple[Event, ...]:
    """What led to the busy snapshot, newest last."""

    def at(ago: int) -> int:
        return NOW - ago * SECOND

    return (
        Event(101, at(97), "memory.detected", "ollama-32b", {"action": "skip"}),
        Event(102, at(97), "memory.pressured", "ollama-32b", {"until": stamp(NOW + 95 * SECOND)}),
        Event(
            103,
            at(90),
            "attempt.ok",
            "anthropic-max",
            {"model": "claude-opus-4-5", "latency_ms": 4400, "output_tokens": 1900},
        ),
        Event(
            104,
            at(78),
            "attempt.failed",
            "cerebras",
            {"status": 429, "error": "rate limit exceeded", "class": "rate_limit", "model": "llama-4-70b"},
        ),
        Event(
            105,
            at(78),
            "quota.exhausted",
            "cerebras",
            {"until": stamp(NOW + 42 * SECOND), "source": "retry_after", "why": "rate limited"},
        ),
        Event(
            106,
            at(71),
            "quota.exhausted",
            "groq",
            {"until": stamp(NOW + 2 * HOUR + 53 * MINUTE), "source": "headers", "why": "tokens window spent"},
        ),
        Event(
            107,
            at(49),
            "health.changed",
            "openai-plus",
            {
                "from": "HEALTHY",
                "to": "DEGRADED",
                "consecutive_failures": 3,
                "why": "500 internal server error",
            },
        ),
        Event(
            108,
            at(44),
            "route.decided",
            None,
            {"profile": "default", "model": "claude-opus-4-5", "order": ["anthropic-max", "anthropic-api"]},
        ),
        Event(
            109,
            at(42),
            "attempt.ok",
            "anthropic-max",
            {"model": "claude-opus-4-5", "latency_ms": 2100, "output_tokens": 812},
        ),
        Event(110, at(35), "health.half_open", "nvidia-nim", {"trial": "request"}),
        Event(
            111,
            at(28),
            "attempt.failed",
            "deepinfra",
            {"error_kind": "connect", "error": "connect timed out", "class": "fault"},
        ),
        Event(
            112,
            at(28),
            "attempt.failed",
            "deepinfra",
            {"error_kind": "connect", "error": "connect timed out", "class": "fault"},
        ),
        Event(
            113,
            at(28),
            "health.changed",
            "deepinfra",
            {"from": "DEGRADED", "to": "UNHEALTHY", "consecutive_failures": 6, "why": "connect timed out"},
        ),
        Event(114, at(21), "operator.changed", "mistral", {"override": "demoted", "until": None}),
        Event(115, at(14), "quota.available", "gemini-cli", {"trial": False}),
        Event(
            116,
            at(7),
            "attempt.failed",
            "anthropic-max",
            {"status": 529, "error": "overloaded", "class": "overload", "model": "claude-haiku-4-5"},
        ),
        Event(
            117,
            at(3),
            "attempt.ok",
            "anthropic-max",
            {"model": "claude-opus-4-5", "latency_ms": 2100, "output_tokens": 640},
        ),
    )


def snapshot(*providers: ProviderView, **gateway: Any) -> Snapshot:
    """A snapshot of these providers, all of them in the default profile's chain."""
    names = tuple(p.name for p in providers)
    standing = {p.name: p.standing for p in providers}
    order = tuple(n for n in names if standing[n] == "eligible") + tuple(
        n for n in names if standing[n] == "demoted"
    )
    dropped = tuple(
        DroppedView(p.name, p.reasons[0].guard, p.reasons[0].code, p.reasons[0].until)
        for p in providers
        if p.standing == "excluded" and p.reasons
    )
    door = GatewayView("0.1.0", URL, NOW - 2 * HOUR, **{"in_flight": 0, "requests": 1204, **gateway})
    profile = ProfileView("default", "priority", names, order, dropped)
    rates = [p.burn.tokens_per_min for p in providers if p.burn.tokens_per_min is not None]
    return Snapshot(NOW, door, (profile,), providers, tokens_per_min=sum(rates) if rates else None)


def busy() -> Snapshot:
    """Fourteen providers in every state, as on an ordinary bad day."""
    made = snapshot(*_busy_providers(), in_flight=3)
    profile = replace(made.profiles[0], chain=made.profiles[0].chain[:-1], order=made.profiles[0].order[:-1])
    chain = tuple(name for name in made.profiles[0].chain if name != "together")
    order = tuple(name for name in made.profiles[0].order if name != "together")
    profile = replace(profile, chain=chain, order=order)
    return replace(made, profiles=(profile,), events=events(), version=7)


def lane(name: str, *parts: tuple[str, int], rate: float | None = 4100.0) -> LaneView:
    """A lane of consecutive stretches: state, and the minutes it lasts."""
    segments: list[SegmentView] = []
    start = NOW
    for state, minutes in parts:
        end = start + minutes * MINUTE
        segments.append(SegmentView(start, end, state, "quota" if state == "out" else None))  # type: ignore[arg-type]
        start = end
    return LaneView(name, rate if parts[0][0] == "serving" else None, tuple(segments))


def forecast(*lanes: LaneView, dry: tuple[int, int | None] | None = None) -> ForecastView:
    """Five hours of these lanes; ``dry`` is when nobody is left, in minutes from now."""
    at, until = dry or (None, None)
    outlook = OutlookView(
        "default",
        None if at is None else NOW + at * MINUTE,
        None if until is None else NOW + until * MINUTE,
    )
    return ForecastView(NOW, NOW + 5 * HOUR, lanes, (outlook,))


def foreseen() -> Snapshot:
    """Six providers of which none is left for a while this afternoon."""
    names = ("anthropic-max", "anthropic-api", "groq", "cerebras", "ollama-7b", "mistral")
    providers = {p.name: p for p in _busy_providers()}
    coming = forecast(
        lane(names[0], ("serving", 97), ("out", 60), ("serving", 143)),
        lane(names[1], ("waiting", 97), ("serving", 35), ("out", 168)),
        lane(names[2], ("out", 173), ("waiting", 127)),
        lane(names[3], ("out", 1), ("waiting", 131), ("out", 40), ("waiting", 128)),
        lane(names[4], ("waiting", 97), ("out", 203)),
        lane(names[5], ("waiting", 132), ("out", 168)),
        dry=(132, 157),
    )
    made = snapshot(*(providers[name] for name in names), in_flight=2)
    return replace(made, events=events(), forecast=coming)


def agent(name: str = "claude", *windows: WindowView, **changes: Any) -> AgentView:
    """A coding agent in the middle of a block that ends in two and a quarter hours."""
    end = NOW + 2 * HOUR + 15 * MINUTE
    block = AgentBlockView(
        end - 5 * HOUR, end, 61_000, 48_000, 1_020_000, 71_000, 7_300.0, 2_100_000, 2_900_000
    )
    plain = AgentView(name, NOW - 12 * SECOND, block, 1_900_000, windows, 14)
    return replace(plain, **changes)


def no_traffic() -> Snapshot:
    """Configured, and not a request yet."""
    idle = UsageView(0, 0, 0, 0, 0, 0, 0, None)
    names = ("anthropic", "openrouter", "ollama")
    return snapshot(*(provider(n, latency=NO_LATENCY, usage=idle) for n in names), requests=0)


def no_providers() -> Snapshot:
    """A gateway without a provider."""
    return Snapshot(NOW, GatewayView("0.1.0", URL, NOW), (), ())


def earlier(later: Snapshot) -> Snapshot:
    """The same gateway four minutes before: nothing had been asked yet, and nothing had happened."""
    idle = UsageView(0, 0, 0, 0, 0, 0, 0, None)
    return replace(
        later,
        at=later.at - 4 * MINUTE,
        providers=tuple(replace(p, usage=idle) for p in later.providers),
        events=(),
    )


def recent(snapshot: Snapshot) -> dict[str, tuple[int, int]]:
    """Requests and failures as if all of them had been in the last minutes."""
    return {p.name: (p.usage.requests, p.usage.failed) for p in snapshot.providers}


def many(count: int) -> Snapshot:
    """So many healthy providers with history."""
    return snapshot(
        *(
            limited(f"provider-{i:02d}", window(used=float(i % 97)), latency=latency(seed=i))
            for i in range(count)
        )
    )
