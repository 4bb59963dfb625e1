"""The snapshot: everything a screen or a script may know of one instant, immutable.

The dataclasses mirror the JSON of ``GET /crtui/v1/state`` field by field. Times are wall
milliseconds here and RFC 3339 stamps there (fields marked ``Stamp``). ``None`` is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from crtui.core.events import Event
from crtui.core.plan import Guard

Stamp = Annotated[int, "wall milliseconds; a stamp in JSON"]

Standing = Literal["eligible", "demoted", "excluded"]
HealthState = Literal["HEALTHY", "DEGRADED", "UNHEALTHY"]
QuotaState = Literal["available", "quota_exhausted"]
QuotaSource = Literal["retry_after", "headers", "burn_rate", "subscription", "poll"]
Override = Literal["none", "demoted", "drained", "pinned"]
LaneState = Literal["serving", "waiting", "out"]
SignalStatus = Literal["available", "degraded", "exhausted", "unknown"]


@dataclass(frozen=True, slots=True)
class ReasonView:
    """Why a provider is not plainly eligible."""

    guard: Guard
    code: str
    detail: str = ""
    until: Stamp | None = None


@dataclass(frozen=True, slots=True)
class ErrorView:
    """The last failed attempt or poll."""

    at: Stamp
    status: int | None
    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class HealthView:
    """Three-state health. ``retry_at``: when an UNHEALTHY provider becomes half-open."""

    state: HealthState
    half_open: bool
    consecutive_failures: int
    since: Stamp
    last_error: ErrorView | None = None
    retry_at: Stamp | None = None


@dataclass(frozen=True, slots=True)
class WindowView:
    """One limit window. ``unconfirmed``: its reset has passed and nothing has been heard since."""

    name: str
    source: str
    observed_at: Stamp
    used_percent: float | None = None
    remaining: float | None = None
    limit: float | None = None
    resets_at: Stamp | None = None
    unconfirmed: bool = False
    exhausts_from: Stamp | None = None
    exhausts_to: Stamp | None = None


@dataclass(frozen=True, slots=True)
class QuotaView:
    """Whether there is quota left, until when not, and every known window."""

    state: QuotaState
    retry_after: Stamp | None
    source: QuotaSource | None
    windows: tuple[WindowView, ...] = ()
    trial: bool = False
    """The time has passed; one request is let through to find out."""


@dataclass(frozen=True, slots=True)
class BurnView:
    """Tokens of the UTC day against the day's budget. ``tokens_per_min`` is the recent rate."""

    budget_tokens: int | None
    used_tokens: int
    tokens_per_min: float | None
    projected_tokens: int | None
    exhausts_at: Stamp | None
    resets_at: Stamp


@dataclass(frozen=True, slots=True)
class BudgetView:
    """USD of the UTC month against the cap. ``spent_usd`` is None while no price is known."""

    monthly_usd: float | None
    spent_usd: float | None
    month: str


@dataclass(frozen=True, slots=True)
class MemoryView:
    """Memory-pressure cooldown, and what polls saw of memory."""

    pressured: bool
    until: Stamp | None
    used_bytes: int | None = None
    total_bytes: int | None = None
    ratio: float | None = None


@dataclass(frozen=True, slots=True)
class LatencyView:
    """The last 100 successful attempts. ``recent_ms`` is oldest first, at most 60."""

    samples: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    ttft_p50_ms: float | None
    tokens_per_s: float | None
    recent_ms: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class OperatorView:
    """The operator's override and until when it holds (None: until lifted)."""

    override: Override
    until: Stamp | None = None


@dataclass(frozen=True, slots=True)
class UsageView:
    """Totals since the start of the journal. ``cost_usd`` is None while no price is known."""

    requests: int
    ok: int
    failed: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class SignalView:
    """What was last heard from the provider itself; ``fresh`` for five minutes."""

    status: SignalStatus
    recorded_at: Stamp | None
    fresh: bool


@dataclass(frozen=True, slots=True)
class ModelView:
    """A model the provider has."""

    name: str
    loaded: bool | None = None
    context: int | None = None
    vram_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class ProviderView:
    """One row of the dashboard."""

    name: str
    kind: str
    wires: tuple[str, ...]
    paid: bool
    standing: Standing
    reasons: tuple[ReasonView, ...]
    health: HealthView
    quota: QuotaView
    burn: BurnView
    budget: BudgetView
    memory: MemoryView
    latency: LatencyView
    operator: OperatorView
    usage: UsageView
    signal: SignalView
    models: tuple[ModelView, ...] = ()
    in_flight: int = 0
    last_attempt_at: Stamp | None = None


@dataclass(frozen=True, slots=True)
class DroppedView:
    """A provider that a profile passes over right now."""

    provider: str
    guard: Guard
    code: str
    until: Stamp | None = None


@dataclass(frozen=True, slots=True)
class ProfileView:
    """A chain as configured, and the order a request would be tried in right now."""

    name: str
    tactic: str
    chain: tuple[str, ...]
    order: tuple[str, ...]
    dropped: tuple[DroppedView, ...]


@dataclass(frozen=True, slots=True)
class GatewayView:
    """The program itself."""

    version: str
    url: str
    started_at: Stamp
    in_flight: int = 0
    requests: int = 0
    allow_paid: bool = False
    draining: bool = False
    default_profile: str = "default"
    notices: tuple[str, ...] = ()
    """Standing conditions a person should know of, one short line each (e.g. not saving)."""


@dataclass(frozen=True, slots=True)
class SegmentView:
    """A stretch of time in which a provider's part stays the same. ``guard`` and ``code``: why it is out."""

    start: Stamp
    end: Stamp
    state: LaneState
    guard: Guard | None = None
    code: str = ""


@dataclass(frozen=True, slots=True)
class LaneView:
    """What is to come of one provider. ``tokens_per_min`` is the recent rate, None without traffic."""

    provider: str
    tokens_per_min: float | None
    segments: tuple[SegmentView, ...]


@dataclass(frozen=True, slots=True)
class OutlookView:
    """When a profile's chain runs dry, and when a provider of it is back.

    Both None: not up to the horizon. ``dry_until`` None: not back by then.
    """

    profile: str
    dry_at: Stamp | None = None
    dry_until: Stamp | None = None


@dataclass(frozen=True, slots=True)
class ForecastView:
    """The next hours at recent rates, from ``start`` to ``end``, without a gap in any lane."""

    start: Stamp
    end: Stamp
    lanes: tuple[LaneView, ...]
    profiles: tuple[OutlookView, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One instant. ``version`` grows whenever something visible changed."""

    at: Stamp
    gateway: GatewayView
    profiles: tuple[ProfileView, ...]
    providers: tuple[ProviderView, ...]
    events: tuple[Event, ...] = ()
    version: int = 0
    schema: int = 1
    forecast: ForecastView | None = None
