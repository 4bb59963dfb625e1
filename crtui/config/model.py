"""The config's shape and bounds. A ``Config`` that exists can be routed on.

Everything is strict, frozen and closed: no coercion, no unknown key. Seconds stay seconds here
and become milliseconds in ``Config.to_core``. Importing this module costs pydantic (~70 ms).
"""

from __future__ import annotations

from typing import Annotated, Literal, cast

from pydantic import Field, ValidationInfo, field_validator, model_validator

from crtui.config import core_settings, references
from crtui.config.fields import (
    Address,
    BaseUrl,
    Dollars,
    HostName,
    Items,
    KeyPath,
    Listen,
    ModelName,
    Name,
    Pattern,
    Phrase,
    PollSeconds,
    Recovery,
    SharedUrl,
    TextPattern,
    Threshold,
    Timeout,
    Tokens,
    UniqueItems,
    Variable,
    parse_address,
)
from crtui.config.kinds import KINDS, Kind, with_kind_defaults
from crtui.config.screen import Screen
from crtui.config.section import Section
from crtui.core.settings import CoreSettings, HealthAction, MemoryAction, Tactic, Wire


class Gateway(Section):
    """``[gateway]``: where the gateway listens and what it takes."""

    listen: Listen = "127.0.0.1:4747"
    token_env: Variable = "CRTUI_TOKEN"
    allowed_hosts: Items[HostName] = ()
    max_body_mb: Annotated[int, Field(ge=1, le=1024)] = 64
    max_in_flight: Annotated[int, Field(ge=1, le=10_000)] = 256

    @property
    def address(self) -> Address:
        """``listen``, read."""
        return parse_address(self.listen)


class Routing(Section):
    """``[routing]``: what holds for every profile."""

    default_profile: Name = "default"
    allow_paid: bool = False


class Health(Section):
    """``[health]``: defaults that a provider may override."""

    threshold: Threshold = 3
    recovery_s: Recovery = 300
    probe: bool = True


class Agents(Section):
    """``[agents]``: what is read of the coding agents on this machine.

    ``usage_endpoints``: whether their vendors are asked for the subscriptions' limits, with the
    credentials that the agents keep.
    """

    logs: bool = True
    usage_endpoints: bool = False


class Price(Section):
    """USD per million tokens; an absent one is unknown."""

    input: Annotated[float, Field(ge=0, le=1_000_000)] | None = None
    output: Annotated[float, Field(ge=0, le=1_000_000)] | None = None
    cache_read: Annotated[float, Field(ge=0, le=1_000_000)] | None = None
    cache_write: Annotated[float, Field(ge=0, le=1_000_000)] | None = None
    cache_write_1h: Annotated[float, Field(ge=0, le=1_000_000)] | None = None


class Capabilities(Section):
    """What a provider can take; an absent one is unknown and never excludes. ``context`` in tokens."""

    vision: bool | None = None
    tools: bool | None = None
    thinking: bool | None = None
    context: Annotated[int, Field(ge=1, le=10**9)] | None = None


class Provider(Section):
    """One ``[[provider]]``."""

    name: Name
    kind: Kind
    base_url: BaseUrl | None = None
    auth: Literal["key", "client", "none"] = "none"
    api_key_env: Variable | None = None
    api_key_file: KeyPath | None = None
    keyring: bool = False
    wires: Annotated[UniqueItems[Wire], Field(min_length=1)] = ("chat",)
    model: ModelName | None = None
    models: dict[Pattern, ModelName] = Field(default_factory=dict[Pattern, ModelName])
    paid: bool = False
    weight: Annotated[int, Field(ge=0, le=1_000_000)] = 1
    capacity: Annotated[int, Field(ge=1, le=100_000)] | None = None
    tier: Annotated[int, Field(ge=0, le=1_000)] = 0
    connect_timeout_s: Timeout = 5
    first_byte_timeout_s: Timeout = 120
    idle_timeout_s: Timeout = 600
    daily_tokens: Tokens | None = None
    monthly_usd: Dollars | None = None
    price: Price | None = None
    capabilities: Capabilities = Capabilities()
    declare_models: UniqueItems[ModelName] = ()
    pull: bool = False
    merge_system: bool | None = None
    allow_private: bool = False
    subscription: Literal["claude", "codex"] | None = None
    poll_s: PollSeconds = 30
    threshold: Threshold | None = None
    recovery_s: Recovery | None = None
    probe: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, table: object) -> object:
        return with_kind_defaults(cast("dict[str, object]", table)) if isinstance(table, dict) else table

    @field_validator("wires")
    @classmethod
    def _spoken(cls, wires: tuple[Wire, ...], info: ValidationInfo) -> tuple[Wire, ...]:
        kind: Kind | None = info.data.get("kind")
        for wire in wires:
            if kind is not None and wire not in KINDS[kind].speaks:
                spoken = ", ".join(KINDS[kind].speaks)
                raise ValueError(f"has {wire!r}, which {kind} does not speak; use of: {spoken}")
        return wires

    @property
    def subscribed(self) -> str | None:
        """The agent whose subscription serves this provider: by ``subscription``, else by vendor."""
        if self.auth != "client":
            return self.subscription
        return self.subscription or {"anthropic": "claude", "openai": "codex"}.get(self.kind)

    @model_validator(mode="after")
    def _check_auth(self) -> Provider:
        if found := references.auth_problem(self):
            raise references.as_error([found])
        return self


class Profile(Section):
    """One ``[[profile]]``: a chain and how it is ordered."""

    name: Name
    chain: UniqueItems[Name]
    tactic: Tactic = "priority"
    health_action: HealthAction = "demote"
    memory_pressure_action: MemoryAction = "skip"
    memory_pressure_cooldown_s: Annotated[float, Field(ge=10, le=3600)] = 120
    adaptive: bool = False
    affinity_s: Annotated[float, Field(ge=0, le=604_800)] = 1800


class When(Section):
    """A rule's condition: exactly one of these."""

    has_image: Literal[True] | None = None
    has_tools: Literal[True] | None = None
    code_fence_ratio_min: Annotated[float, Field(ge=0, le=1)] | None = None
    content_contains: Phrase | None = None
    content_regex: TextPattern | None = None
    model_pattern: Pattern | None = None
    content_token_count_min: Annotated[int, Field(ge=1, le=10**9)] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> When:
        given = self.model_dump(exclude_none=True)
        if len(given) != 1:
            named = " and ".join(given) or "nothing"
            raise ValueError(f"names {named}; name exactly one condition")
        return self


class Rule(Section):
    """One ``[[rule]]``; the first that matches wins, for requests that name no profile."""

    when: When
    profile: Name


class Shared(Section):
    """``[shared]``: several machines on the same quotas."""

    url: SharedUrl | None = None
    namespace: Name = "default"


class Config(Section):
    """A whole config. ``profiles`` is never empty: without any there is one over all providers."""

    gateway: Gateway = Gateway()
    routing: Routing = Routing()
    health: Health = Health()
    providers: Items[Provider] = Field(default=(), alias="provider")
    profiles: Items[Profile] = Field(default=(), alias="profile", validate_default=True)
    rules: Items[Rule] = Field(default=(), alias="rule")
    shared: Shared = Shared()
    agents: Agents = Agents()
    screen: Screen = Screen()

    @field_validator("profiles")
    @classmethod
    def _at_least_one(cls, profiles: tuple[Profile, ...], info: ValidationInfo) -> tuple[Profile, ...]:
        providers: tuple[Provider, ...] | None = info.data.get("providers")
        if profiles or providers is None:
            return profiles
        names = dict.fromkeys(provider.name for provider in providers)
        return (Profile(name="default", chain=tuple(names)),)

    @model_validator(mode="after")
    def _check_references(self) -> Config:
        if found := references.problems(self):
            raise references.as_error(found)
        return self

    def to_core(self) -> CoreSettings:
        """The part that routing is decided on, defaults filled in, seconds as milliseconds."""
        return core_settings.core_settings(self)

    def to_data(self) -> dict[str, object]:
        """The config as JSON values under its TOML names; ``model_validate`` gives it back.

        What only the screen goes by is left out: this is what traces and the journal keep.
        """
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"screen"})
