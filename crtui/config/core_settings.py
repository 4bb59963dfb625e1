"""From the config a person writes to the settings the core decides on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crtui.config.kinds import KINDS, Kind
from crtui.core.settings import (
    Capabilities,
    CoreSettings,
    Price,
    ProfileSettings,
    ProviderSettings,
    RuleSettings,
)
from crtui.patterns import Pattern

if TYPE_CHECKING:
    from crtui.config.model import Config, Health, Profile, Provider, Rule


def core_settings(config: Config) -> CoreSettings:
    """The part of a config that routing is decided on. Seconds become whole milliseconds."""
    return CoreSettings(
        providers=tuple(_provider(provider, config.health) for provider in config.providers),
        profiles=tuple(_profile(profile) for profile in config.profiles),
        rules=tuple(_rule(rule) for rule in config.rules),
        default_profile=config.routing.default_profile,
        allow_paid=config.routing.allow_paid,
    )


def _provider(given: Provider, health: Health) -> ProviderSettings:
    return ProviderSettings(
        name=given.name,
        kind=given.kind,
        wires=given.wires,
        paid=given.paid,
        weight=given.weight,
        capacity=given.capacity,
        tier=given.tier,
        daily_tokens=given.daily_tokens or None,
        monthly_usd=given.monthly_usd,
        price=Price(**given.price.model_dump()) if given.price is not None else None,
        capabilities=Capabilities(**given.capabilities.model_dump()),
        threshold=health.threshold if given.threshold is None else given.threshold,
        recovery_ms=_ms(health.recovery_s if given.recovery_s is None else given.recovery_s),
        free_probe=(health.probe if given.probe is None else given.probe)
        and can_probe(given.kind, given.auth),
    )


def can_probe(kind: Kind, auth: str) -> bool:
    """Whether a free probe can prove anything: where only callers hold a key, a cloud's cannot."""
    return auth != "client" or KINDS[kind].local


def _profile(given: Profile) -> ProfileSettings:
    return ProfileSettings(
        name=given.name,
        chain=given.chain,
        tactic=given.tactic,
        health_action=given.health_action,
        memory_action=given.memory_pressure_action,
        memory_cooldown_ms=_ms(given.memory_pressure_cooldown_s),
        adaptive=given.adaptive,
        affinity_ms=_ms(given.affinity_s),
    )


def _rule(given: Rule) -> RuleSettings:
    [(matcher, value)] = given.when.model_dump(exclude_none=True).items()
    if matcher == "content_regex":
        value = Pattern(value)
    # The fields of ``When`` are the matchers by name.
    return RuleSettings(matcher, value, given.profile)  # type: ignore[arg-type]


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
