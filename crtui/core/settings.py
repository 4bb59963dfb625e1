"""What the core needs to know of the configuration, already checked by ``crtui.config``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

Wire = Literal["messages", "chat", "responses"]
Tactic = Literal[
    "priority", "tier", "random", "token_based", "latency_based", "speed_based", "adaptive", "capacity_based"
]
HealthAction = Literal["off", "warn", "demote", "exclude"]
MemoryAction = Literal["off", "warn", "skip"]


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens; ``None`` is unknown, which charges nothing and is shown as unknown."""

    input: float | None = None
    output: float | None = None
    cache_read: float | None = None
    cache_write: float | None = None
    cache_write_1h: float | None = None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider can take; ``None`` is unknown and never excludes."""

    vision: bool | None = None
    tools: bool | None = None
    thinking: bool | None = None
    context: int | None = None


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """One ``[[provider]]``, with its ``[health]`` defaults filled in."""

    name: str
    kind: str = "openai-compatible"
    wires: tuple[Wire, ...] = ("chat",)
    paid: bool = False
    weight: int = 1
    capacity: int | None = None
    tier: int = 0
    daily_tokens: int | None = None
    monthly_usd: float | None = None
    price: Price | None = None
    capabilities: Capabilities = field(default_factory=Capabilities)
    threshold: int = 3
    recovery_ms: int = 300_000
    free_probe: bool = False
    """Half-open is tried by a free probe; without one, by one real request."""


@dataclass(frozen=True, slots=True)
class ProfileSettings:
    """One ``[[profile]]``: a chain and how it is ordered."""

    name: str
    chain: tuple[str, ...]
    tactic: Tactic = "priority"
    health_action: HealthAction = "demote"
    memory_action: MemoryAction = "skip"
    memory_cooldown_ms: int = 120_000
    adaptive: bool = False
    affinity_ms: int = 1_800_000


class Pattern(Protocol):
    """A regular expression. That no text makes it run long is seen to by whoever makes it."""

    def search(self, text: str, /) -> object:
        """True where some part of the text matches."""


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """One ``[[rule]]``: exactly one matcher and the profile it leads to."""

    matcher: Literal[
        "has_image",
        "has_tools",
        "code_fence_ratio_min",
        "content_contains",
        "content_regex",
        "model_pattern",
        "content_token_count_min",
    ]
    value: str | float | bool | Pattern
    profile: str

    @property
    def name(self) -> str:
        """How the rule is named in events and plans: its matcher and value."""
        return f"{self.matcher}={self.value}"


@dataclass(frozen=True, slots=True)
class CoreSettings:
    """The whole configuration as far as routing is concerned."""

    providers: tuple[ProviderSettings, ...]
    profiles: tuple[ProfileSettings, ...]
    rules: tuple[RuleSettings, ...] = ()
    default_profile: str = "default"
    allow_paid: bool = False
