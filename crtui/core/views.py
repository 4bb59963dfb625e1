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
PullState = Literal["queued", "pulling", "failed"]


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
    """One limit window. ``unconfirmed``: its reset has passed and nothing has been heard since.

    ``lasts``: at its recent pace it is not used up before its reset. Neither that nor when it is used up
    is known before enough has moved.
    """

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
    lasts: bool = False


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
    """USD of the UTC month against the cap. ``spent_usd`` is None while no price is known.

    ``unpriced_requests`` of the month used tokens at a price that is not known: the spend lacks them.
    """

    monthly_usd: float | None
    spent_usd: float | None
    month: str
    unpriced_requests: int = 0


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
    """Totals since the start of the journal. ``cost_usd`` is None while no price is known.

    It lacks what ``unpriced_requests`` cost.
    """

    requests: int
    ok: int
    failed: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd: float | None
    unpriced_requests: int = 0


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
    size_bytes: int | None = None
    """On disk."""
    capabilities: tuple[str, ...] | None = None
    """Those it is known to have, of ``vision``, ``tools``, ``thinking`` and ``embedding``."""


@dataclass(frozen=True, slots=True)
class ServerView:
    """What a server told of itself when it was polled last, whoever its requests are from.

    ``cache_ratio`` is how much of its key-value cache is in use, 0 to 1; ``slots`` how many requests
    it can work on at once; ``asleep``: its model is not in memory until the next request.
    """

    version: str | None = None
    running: int | None = None
    waiting: int | None = None
    slots: int | None = None
    cache_ratio: float | None = None
    asleep: bool | None = None


@dataclass(frozen=True, slots=True)
class LayerView:
    """One file of a model that is being pulled. ``name`` is the beginning of its digest."""

    name: str
    total_bytes: int
    completed_bytes: int


@dataclass(frozen=True, slots=True)
class PullView:
    """A model on its way to a provider, or waiting for it.

    ``step`` is what the server says it does. The bytes are those of the layers named so far, so the
    total may still grow; ``left_ms`` is the time for the rest of them at ``bytes_per_s``. ``retry_at``:
    when a failed one is tried again, None for one that is given up. ``asked``: by a person, not the config.
    """

    model: str
    state: PullState
    asked: bool = False
    step: str = ""
    layers: tuple[LayerView, ...] = ()
    completed_bytes: int | None = None
    total_bytes: int | None = None
    bytes_per_s: float | None = None
    left_ms: int | None = None
    retry_at: Stamp | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class DeclaredView:
    """The models that should be there, against those that are.

    ``missing`` and ``extra`` are None until the server has told its models; ``seen_at`` is when it
    last did, ``error`` why it did not the last time it was asked.
    """

    models: tuple[str, ...]
    missing: tuple[str, ...] | None = None
    extra: tuple[str, ...] | None = None
    seen_at: Stamp | None = None
    error: str = ""


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
    server: ServerView | None = None
    declared: DeclaredView | None = None
    pulls: tuple[PullView, ...] = ()

    @property
    def pulling(self) -> bool:
        """Whether a model is on its way, or waits to be."""
        return any(pull.state != "failed" or pull.retry_at is not None for pull in self.pulls)


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
    """The program itself.

    ``in_flight`` are the clients' requests that are open now, ``requests`` those that were routed since
    it started. Of a history only attempts are known to be open.
    """

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
class AgentBlockView:
    """The tokens of the five hours an agent works in, as its own logs show them; never a limit.

    The projection is where they end at the slower and the faster of its recent paces. ``estimated``:
    start and end are worked out from the answers' times, no official reset is known.
    """

    start: Stamp
    end: Stamp
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    tokens_per_min: float | None = None
    projected_from: int | None = None
    projected_to: int | None = None
    estimated: bool = True

    @property
    def tokens(self) -> int:
        """All tokens of the block so far."""
        return self.input_tokens + self.output_tokens + self.cache_read_tokens + self.cache_write_tokens


@dataclass(frozen=True, slots=True)
class AgentView:
    """A coding agent by the logs it leaves on this machine, whether or not the gateway serves it."""

    name: str
    last_at: Stamp | None
    block: AgentBlockView | None
    today_tokens: int = 0
    windows: tuple[WindowView, ...] = ()
    """Its subscription's windows, as it was told of them itself."""
    files: int = 0
    skipped: int = 0
    """Lines of its logs that could not be understood."""
    reading: bool = False
    """Whether older logs are still to be read."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One instant. ``version`` grows whenever something visible changed.

    ``tokens_per_min`` is the recent rate of all providers together, None if it is unknown.
    """

    at: Stamp
    gateway: GatewayView
    profiles: tuple[ProfileView, ...]
    providers: tuple[ProviderView, ...]
    events: tuple[Event, ...] = ()
    version: int = 0
    schema: int = 1
    forecast: ForecastView | None = None
    agents: tuple[AgentView, ...] = ()
    tokens_per_min: float | None = None
