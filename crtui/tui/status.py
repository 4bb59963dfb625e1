"""What state a provider is in, in one glyph and one word, and how it weighs against others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from crtui.tui.line import Role

if TYPE_CHECKING:
    from crtui.core.plan import Guard
    from crtui.core.views import ProviderView, ReasonView

Group = Literal["out", "limited", "ok", "parked"]
GROUPS: Final[tuple[Group, ...]] = ("out", "limited", "ok", "parked")


@dataclass(frozen=True, slots=True)
class Status:
    """A state as shown. ``meaning`` is its line in the help."""

    glyph: str
    word: str
    role: Role
    group: Group
    meaning: str


OK: Final = Status("●", "OK", "good", "ok", "serves")
PIN: Final = Status("◆", "PIN", "accent", "ok", "serves first: pinned by you")
WARN: Final = Status("◐", "WARN", "warn", "limited", "serves, but fails or is slow")
PROBE: Final = Status("◔", "PROB", "info", "limited", "one trial decides whether it is back")
COOL: Final = Status("◌", "COOL", "warn", "limited", "rate limited, waits as told")
QUOTA: Final = Status("◇", "QUOT", "bad", "out", "a window's or the day's quota is used up")
CAP: Final = Status("◇", "CAP", "bad", "out", "the month's spend cap is reached")
MEMORY: Final = Status("▒", "MEM", "warn", "limited", "its machine is out of memory, cooling down")
DOWN: Final = Status("✖", "DOWN", "bad", "out", "failed too often in a row")
AUTH: Final = Status("✖", "AUTH", "bad", "out", "its key is missing or refused")
DEMOTED: Final = Status("▼", "DEMO", "dim", "parked", "demoted by you: tried last")
DRAINED: Final = Status("▼", "DRAIN", "dim", "parked", "drained by you: no new requests")
PAID: Final = Status("–", "PAID", "dim", "parked", "costs money, and paid ones are switched off")
OFF: Final = Status("–", "OFF", "faint", "parked", "in no profile's chain")
OUT: Final = Status("✖", "OUT", "bad", "out", "excluded")

ALL: Final = (OK, PIN, WARN, PROBE, COOL, QUOTA, CAP, MEMORY, DOWN, AUTH, DEMOTED, DRAINED, PAID, OFF)

_EXCLUDED: Final[dict[Guard, Status]] = {
    "operator": DRAINED,
    "auth": AUTH,
    "paid": PAID,
    "budget": CAP,
    "burn": QUOTA,
    "quota": QUOTA,
    "memory": MEMORY,
    "health": DOWN,
}
_GRAVITY: Final[tuple[Guard, ...]] = (
    "operator",
    "auth",
    "paid",
    "budget",
    "burn",
    "quota",
    "memory",
    "health",
)


def status_of(provider: ProviderView, *, chained: bool = True) -> Status:
    """The provider's state. ``chained``: whether any profile's chain holds it."""
    if not chained:
        return OFF
    if provider.standing == "excluded":
        return _excluded(provider)
    if provider.health.half_open or provider.quota.trial:
        return PROBE
    if provider.health.state == "UNHEALTHY":
        return DOWN
    if provider.operator.override == "demoted":
        return DEMOTED
    if provider.health.state == "DEGRADED" or provider.standing == "demoted":
        return WARN
    return PIN if provider.operator.override == "pinned" else OK


def blocking(provider: ProviderView) -> list[ReasonView]:
    """The reasons that really keep an excluded provider out; the others are remarks that come along."""
    return [reason for reason in provider.reasons if _blocks(provider, reason.guard)]


def _blocks(provider: ProviderView, guard: Guard) -> bool:
    match guard:
        case "operator":
            return provider.operator.override == "drained"
        case "quota":
            return provider.quota.state == "quota_exhausted" or provider.quota.trial
        case "memory":
            return provider.memory.pressured
        case "health":
            return provider.health.state == "UNHEALTHY"
        case _:
            return True


def _excluded(provider: ProviderView) -> Status:
    guards = {reason.guard for reason in blocking(provider)}
    guard: Guard | None = next((g for g in _GRAVITY if g in guards), None)
    if guard == "quota" and provider.quota.source == "retry_after":
        return COOL
    if (guard == "quota" and provider.quota.trial) or (guard == "health" and provider.health.half_open):
        return PROBE
    return _EXCLUDED[guard] if guard else OUT
