"""What happens to a provider next, and when: one countdown merged from every clock it is under."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from crtui.tui.line import Role
from crtui.tui.meters import binding, meters_of
from crtui.tui.status import blocking

if TYPE_CHECKING:
    from crtui.core.plan import Guard
    from crtui.core.views import ProviderView

Verb = Literal["retry", "reset", "probe", "trial", "empty", "ends"]

_VERB: Final[dict[Guard, Verb]] = {
    "quota": "retry",
    "memory": "retry",
    "budget": "reset",
    "burn": "reset",
    "health": "probe",
    "operator": "ends",
}


@dataclass(frozen=True, slots=True)
class Upcoming:
    """The next thing that happens by itself, at a wall time in milliseconds."""

    verb: Verb
    at: int
    role: Role


def upcoming(provider: ProviderView, now: int) -> Upcoming | None:
    """The change that matters next: the way back for one that is out, else running dry, else a refill."""
    if provider.standing == "excluded":
        return _way_back(provider)
    if provider.health.half_open or provider.quota.trial:
        return Upcoming("trial", now, "info")
    health = provider.health
    if health.state == "UNHEALTHY" and health.retry_at is not None:
        return Upcoming("probe", health.retry_at, "info")
    return _runs_dry(provider) or _override_ends(provider) or _refill(provider)


def _way_back(provider: ProviderView) -> Upcoming | None:
    """Out until the *last* of the reasons ends; a reason without an end has none to show."""
    dated: list[tuple[int, Verb]] = []
    for reason in blocking(provider):
        until = reason.until
        if until is None and reason.guard == "health":
            until = provider.health.retry_at
        if until is None:
            return None
        verb = _VERB.get(reason.guard, "retry")
        if reason.guard == "quota" and provider.quota.source != "retry_after":
            verb = "reset"
        dated.append((until, verb))
    if not dated:
        return None
    at, verb = max(dated)
    return Upcoming(verb, at, "info" if verb == "probe" else "text")


def _runs_dry(provider: ProviderView) -> Upcoming | None:
    times = [m.empty_from for m in meters_of(provider) if m.short() and m.empty_from is not None]
    return Upcoming("empty", min(times), "warn") if times else None


def _override_ends(provider: ProviderView) -> Upcoming | None:
    until = provider.operator.until
    return None if until is None else Upcoming("ends", until, "text")


def _refill(provider: ProviderView) -> Upcoming | None:
    meter = binding(provider)
    if meter is None or meter.resets_at is None or meter.unconfirmed:
        return None
    return Upcoming("reset", meter.resets_at, "dim")
