"""From a profile's chain to a plan: drop, order, demote, then the session's, pinned and owners first.

Dropping asks, in this order: wire, capability, paid, operator, budget and burn, quota, memory,
health. The first guard that excludes is the reason; nothing is dropped without one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from crtui.core.capability import missing
from crtui.core.now import Now, stamp
from crtui.core.plan import Ask, Dropped, Guard, Plan
from crtui.core.provider import ProviderState
from crtui.core.settings import ProfileSettings
from crtui.core.tactics import order
from crtui.core.verdict import Told

Reorder = Callable[[tuple[str, ...]], tuple[str, ...]]


@dataclass(slots=True)
class Sorting:
    """What ordering needs beside the providers: who serves now, whose session it is, and chance."""

    rng: random.Random
    current: str | None = None
    session_provider: str | None = None
    adaptive: Reorder | None = None


def decide(
    profile: ProfileSettings,
    ask: Ask,
    providers: Mapping[str, ProviderState],
    now: Now,
    sorting: Sorting,
    *,
    allow_paid: bool,
    any_wire: bool = False,
    rule: str | None = None,
) -> Plan:
    """The plan for one request, which fell under ``rule``.

    With ``any_wire`` the wire is not asked after (the snapshot's view).
    """
    kept: list[ProviderState] = []
    dropped: list[Dropped] = []
    resting: list[ProviderState] = []
    by_others = False
    for name in profile.chain:
        state = providers.get(name)
        if state is None:
            dropped.append(Dropped(name, "chain", "unknown"))
            continue
        lacking = None if any_wire else _unfit(state, ask)
        if lacking is not None:
            dropped.append(Dropped(name, *lacking))
            continue
        if state.settings.paid and not allow_paid:
            dropped.append(Dropped(name, "paid", "gated", detail="costs money; allow with $"))
            continue
        verdict = None if state.clear else state.exclusion(profile, now)
        if verdict is None:
            kept.append(state)
            continue
        dropped.append(verdict.dropped(name, now))
        if verdict.guard == "health":
            resting.append(state)
        else:
            by_others = True
    last_resort = not kept and bool(resting) and not by_others
    if last_resort:
        names = {state.name for state in resting}
        dropped = [drop for drop in dropped if drop.provider not in names]
        order = _owners_first(tuple(s.name for s in resting), ask)
        return Plan(ask.id, profile.name, order, tuple(dropped), rule, last_resort=True)
    order = _owners_first(_ordered(profile, kept, sorting, now), ask)
    return Plan(ask.id, profile.name, order, tuple(dropped), rule)


def told_of(plan: Plan, ask: Ask) -> Told:
    """The event that tells whom a request goes to, or why to nobody."""
    data: dict[str, object] = {"request": plan.id, "profile": plan.profile, "wire": ask.wire}
    if ask.model is not None:
        data["model"] = ask.model
    if plan.order:
        data["order"] = list(plan.order)
        return ("route.decided", data)
    untils = [drop.until for drop in plan.dropped if drop.until is not None]
    data["until"] = stamp(min(untils)) if untils else None
    data["dropped"] = [{"provider": d.provider, "guard": d.guard, "code": d.code} for d in plan.dropped]
    return ("chain.exhausted", data)


def _owners_first(names: tuple[str, ...], ask: Ask) -> tuple[str, ...]:
    return tuple(sorted(names, key=lambda name: name not in ask.owners)) if ask.owners else names


def _unfit(state: ProviderState, ask: Ask) -> tuple[Guard, str] | None:
    if ask.wire not in state.settings.wires:
        return ("wire", f"no_{ask.wire}")
    lacking = missing(state.settings.capabilities, ask) if ask.content is not None else None
    return None if lacking is None else ("capability", lacking)


def _ordered(
    profile: ProfileSettings, kept: list[ProviderState], sorting: Sorting, now: Now
) -> tuple[str, ...]:
    if profile.tactic == "priority":
        names = tuple([state.name for state in kept])
    else:
        candidates = [state.candidate(now) for state in kept]
        names = order(profile.tactic, candidates, current=sorting.current, rng=sorting.rng)
    if sorting.adaptive is not None:
        names = sorting.adaptive(names)
    troubled = {state.name: state for state in kept if not state.clear}
    if troubled:
        names = _demoted_last(profile, names, troubled)
    if sorting.session_provider in names and sorting.session_provider not in _demoted(profile, troubled):
        names = _first(names, [sorting.session_provider])
    pinned = sorted(
        (s for s in troubled.values() if s.operator.override == "pinned"), key=lambda s: -s.operator.pinned_at
    )
    return _first(names, [s.name for s in pinned]) if pinned else names


def _demoted(profile: ProfileSettings, troubled: Mapping[str, ProviderState]) -> dict[str, int]:
    """How far back each demoted provider goes: 1 for health, 2 for the operator."""
    ranks = {name: state.demotion(profile) for name, state in troubled.items()}
    return {name: rank for name, rank in ranks.items() if rank}


def _demoted_last(
    profile: ProfileSettings, names: tuple[str, ...], troubled: Mapping[str, ProviderState]
) -> tuple[str, ...]:
    ranks = _demoted(profile, troubled)
    return tuple(sorted(names, key=lambda name: ranks.get(name, 0))) if ranks else names


def _first(names: tuple[str, ...], leaders: list[str]) -> tuple[str, ...]:
    return (*[n for n in leaders if n in names], *[n for n in names if n not in leaders])
