"""How a profile's tactic orders the providers that are left: whom to try first, who follows.

Every tactic but ``priority`` works inside one tier, lower tiers first. Ties keep the chain's order.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf, log
from operator import attrgetter
from typing import Final

from crtui.core.settings import Tactic

TOKENS_BEFORE_SWITCH: Final = 10_000
LATENCY_GOOD_MS: Final = 2_000.0
LATENCY_UNKNOWN_MS: Final = 4_000.0
SPEED_GOOD: Final = 50.0
SPEED_UNKNOWN: Final = 25.0
SPEED_SAMPLES: Final = 5
UNKNOWN_SCORE: Final = 0.5


CHANCE: Final[frozenset[Tactic]] = frozenset(("tier", "random", "capacity_based"))
"""The tactics that draw from the random generator."""


@dataclass(frozen=True)
class Candidate:
    """What the tactics look at in one provider. It outlives many plans, so what follows from it is kept.

    Latency is in milliseconds, speed in output tokens per second; ``window_tokens`` is what it
    used in the current tumbling window. ``None`` is unknown.
    """

    name: str
    tier: int
    weight: int
    capacity: int | None
    in_flight: int
    window_tokens: int
    mean_latency_ms: float | None
    speed_samples: int
    mean_speed: float | None

    @cached_property
    def free(self) -> float | None:
        """The share of its capacity that is free, 0..1."""
        if self.capacity is None:
            return None
        return max(0.0, (self.capacity - self.in_flight) / self.capacity) if self.capacity > 0 else 0.0

    @cached_property
    def score(self) -> float:
        """0..1: weighted sum of latency, unspent tokens, speed and free capacity, each 0..1."""
        latency, speed, free = self.mean_latency_ms, self.mean_speed, self.free
        quick = UNKNOWN_SCORE if latency is None else max(0.0, 1 - latency / LATENCY_GOOD_MS)
        unspent = max(0.0, 1 - self.window_tokens / TOKENS_BEFORE_SWITCH)
        fluent = UNKNOWN_SCORE if speed is None else min(1.0, speed / (2 * SPEED_GOOD))
        spare = UNKNOWN_SCORE if free is None else free
        return 0.40 * quick + 0.25 * unspent + 0.25 * fluent + 0.10 * spare


def order(
    tactic: Tactic, candidates: Sequence[Candidate], *, current: str | None, rng: random.Random
) -> tuple[str, ...]:
    """The candidates' names, first the one the tactic picks, then its fallbacks in its own order.

    ``current`` is who the profile's last request went to; ``rng`` decides what is left to chance.
    """
    if tactic == "priority":
        return tuple([candidate.name for candidate in candidates])
    arrange = _ARRANGE[tactic]
    names: list[str] = []
    for tier in _tiers(candidates):
        names += [candidate.name for candidate in arrange(tier, current, rng)]
    return tuple(names)


def _tiers(candidates: Sequence[Candidate]) -> list[list[Candidate]]:
    tiers: dict[int, list[Candidate]] = {}
    for candidate in candidates:
        tiers.setdefault(candidate.tier, []).append(candidate)
    return [tiers[tier] for tier in sorted(tiers)]


def _shuffled(
    pool: list[Candidate], weight: Callable[[Candidate], float], rng: random.Random
) -> list[Candidate]:
    """A weighted shuffle: each place is drawn by weight from those not yet placed.

    Weight 0 comes after everything else; if all are 0, all are alike. It is a race of
    exponential arrival times, which costs one draw a candidate (Efraimidis and Spirakis, 2006).
    """
    weights = [max(0.0, weight(candidate)) for candidate in pool]
    if not any(weights):
        weights = [1.0] * len(pool)
    # As ``rng.expovariate`` does it, without a call for each.
    draw = rng.random
    arrivals = [-log(1.0 - draw()) / share if share else inf for share in weights]
    return [pool[place] for place in sorted(range(len(pool)), key=arrivals.__getitem__)]


def _random(pool: list[Candidate], current: str | None, rng: random.Random) -> list[Candidate]:
    return _shuffled(pool, lambda candidate: candidate.weight, rng)


def _capacity_based(pool: list[Candidate], current: str | None, rng: random.Random) -> list[Candidate]:
    return _shuffled(pool, lambda candidate: 1.0 if candidate.free is None else candidate.free, rng)


def _token_based(pool: list[Candidate], current: str | None, rng: random.Random) -> list[Candidate]:
    def key(candidate: Candidate) -> tuple[bool, int]:
        stays = candidate.name == current and candidate.window_tokens < TOKENS_BEFORE_SWITCH
        return not stays, candidate.window_tokens

    return sorted(pool, key=key)


def _latency_based(pool: list[Candidate], current: str | None, rng: random.Random) -> list[Candidate]:
    def key(candidate: Candidate) -> tuple[bool, float]:
        mean = LATENCY_UNKNOWN_MS if candidate.mean_latency_ms is None else candidate.mean_latency_ms
        return not (candidate.name == current and mean < LATENCY_GOOD_MS), mean

    return sorted(pool, key=key)


def _speed_based(pool: list[Candidate], current: str | None, rng: random.Random) -> list[Candidate]:
    def key(candidate: Candidate) -> float:
        known = candidate.mean_speed if candidate.speed_samples >= SPEED_SAMPLES else None
        return -(SPEED_UNKNOWN if known is None else known)

    return sorted(pool, key=key)


def _adaptive(pool: list[Candidate], current: str | None, rng: random.Random) -> list[Candidate]:
    return sorted(pool, key=attrgetter("score"), reverse=True)


_ARRANGE: Final[dict[Tactic, Callable[[list[Candidate], str | None, random.Random], list[Candidate]]]] = {
    "tier": _random,
    "random": _random,
    "token_based": _token_based,
    "latency_based": _latency_based,
    "speed_based": _speed_based,
    "adaptive": _adaptive,
    "capacity_based": _capacity_based,
}
