"""What befalls each simulated provider, and when. The story is data; reading it is a pure function.

An opening of 90 s shows every transition the dashboard knows within its first minute. After it,
acts of three minutes repeat for ever, each with its own timing drawn from the seed.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from crtui.core.now import SECOND

Mode = Literal["serving", "cutting", "refusing", "loading", "rate_limited", "overloaded", "out_of_memory"]
"""How a provider answers. ``cutting``: serves, but breaks off one stream; ``refusing``: nothing listens."""


@dataclass(frozen=True, slots=True)
class Phase:
    """One stretch of a provider's story, ``seconds`` long.

    ``used`` is how full its limit window is at the start and at the end. ``retry_after_s`` is
    what a rate-limited answer tells; None: until the phase ends.
    """

    mode: Mode
    seconds: float
    used: tuple[float, float] | None = None
    retry_after_s: int | None = None


@dataclass(frozen=True, slots=True)
class Tempo:
    """How fast a provider is: first token (ms), then tokens a second, and the period of its drift."""

    ttft_ms: int
    tokens_per_s: int
    drift_s: int


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a provider behaves at one instant. Times are scenario milliseconds."""

    mode: Mode
    starts_ms: int
    ends_ms: int
    ttft_ms: int
    tokens_per_s: int
    used: float | None = None
    resets_ms: int | None = None
    """When its limit window starts anew: at the end of the next rate-limited phase."""
    retry_after_ms: int | None = None


OPENING_S: Final = 90
ACT_S: Final = 180
DRIFT: Final = 0.3
"""The share by which latency swings slowly up and down."""

OPENING: Final[dict[str, tuple[Phase, ...]]] = {
    "claude-max": (
        Phase("serving", 40, used=(0.71, 0.99)),
        Phase("rate_limited", 32, used=(1.0, 1.0)),
        Phase("serving", 18, used=(0.02, 0.12)),
    ),
    "anthropic-api": (
        Phase("serving", 13, used=(0.55, 0.96)),
        Phase("rate_limited", 17, used=(1.0, 1.0), retry_after_s=20),
        Phase("serving", 14, used=(0.05, 0.2)),
        Phase("cutting", 14, used=(0.2, 0.4)),
        Phase("serving", 32, used=(0.4, 0.3)),
    ),
    "openrouter": (Phase("serving", 90),),
    "vllm-lab": (
        Phase("serving", 8),
        Phase("refusing", 13),
        Phase("loading", 9),
        Phase("serving", 60),
    ),
    "ollama": (
        Phase("serving", 18),
        Phase("out_of_memory", 12),
        Phase("serving", 60),
    ),
}

ACT: Final[dict[str, tuple[Phase, ...]]] = {
    "claude-max": (
        Phase("serving", 95, used=(0.12, 0.99)),
        Phase("rate_limited", 35, used=(1.0, 1.0)),
        Phase("serving", 50, used=(0.02, 0.12)),
    ),
    "anthropic-api": (
        Phase("serving", 60, used=(0.3, 0.97)),
        Phase("rate_limited", 16, used=(1.0, 1.0), retry_after_s=20),
        Phase("serving", 44, used=(0.05, 0.4)),
        Phase("cutting", 15, used=(0.4, 0.5)),
        Phase("serving", 25, used=(0.5, 0.4)),
        Phase("overloaded", 5, used=(0.4, 0.4)),
        Phase("serving", 15, used=(0.4, 0.3)),
    ),
    "openrouter": (Phase("serving", 180),),
    "vllm-lab": (
        Phase("serving", 65),
        Phase("refusing", 15),
        Phase("loading", 10),
        Phase("serving", 90),
    ),
    "ollama": (
        Phase("serving", 105),
        Phase("out_of_memory", 12),
        Phase("serving", 63),
    ),
}

TEMPO: Final[dict[str, Tempo]] = {
    "claude-max": Tempo(ttft_ms=850, tokens_per_s=75, drift_s=53),
    "anthropic-api": Tempo(ttft_ms=650, tokens_per_s=90, drift_s=41),
    "openrouter": Tempo(ttft_ms=1200, tokens_per_s=65, drift_s=67),
    "vllm-lab": Tempo(ttft_ms=280, tokens_per_s=120, drift_s=31),
    "ollama": Tempo(ttft_ms=1600, tokens_per_s=45, drift_s=47),
}


def phase(provider: str, t_ms: int, seed: int = 0) -> Behaviour:
    """How ``provider`` behaves ``t_ms`` after the story began. Raises ``KeyError`` for an unknown one."""
    act, start, end, now = _locate(provider, t_ms, seed)
    tempo = TEMPO[provider]
    return Behaviour(
        mode=now.mode,
        starts_ms=start,
        ends_ms=end,
        ttft_ms=round(tempo.ttft_ms * _drift(tempo.drift_s, t_ms)),
        tokens_per_s=round(tempo.tokens_per_s / _drift(tempo.drift_s * 2, t_ms)),
        used=_between(now.used, (t_ms - start) / (end - start)),
        resets_ms=_window_end(provider, act, t_ms, seed) if now.used else None,
        retry_after_ms=_retry_after(now, end - t_ms),
    )


def _locate(provider: str, t_ms: int, seed: int) -> tuple[int, int, int, Phase]:
    act = 0 if t_ms < OPENING_S * SECOND else 1 + (t_ms - OPENING_S * SECOND) // (ACT_S * SECOND)
    placed = _placed(provider, act, seed)
    start, end, now = next(entry for entry in placed if t_ms < entry[1])
    return act, start, end, now


@lru_cache(maxsize=64)
def _placed(provider: str, act: int, seed: int) -> tuple[tuple[int, int, Phase], ...]:
    """The phases of one act with their start and end in scenario milliseconds; they fill it exactly."""
    phases = OPENING[provider] if act == 0 else ACT[provider]
    begin = 0 if act == 0 else (OPENING_S + (act - 1) * ACT_S) * SECOND
    length = (OPENING_S if act == 0 else ACT_S) * SECOND
    factors = _factors(provider, act, seed)
    stretched = [entry.seconds * factor for entry, factor in zip(phases, factors, strict=True)]
    total, passed, start = sum(stretched), 0.0, begin
    placed: list[tuple[int, int, Phase]] = []
    for entry, seconds in zip(phases, stretched, strict=True):
        passed += seconds
        end = begin + round(length * passed / total)
        placed.append((start, end, entry))
        start = end
    return tuple(placed)


def _factors(provider: str, act: int, seed: int) -> list[float]:
    if act == 0:
        return [1.0] * len(OPENING[provider])
    rng = random.Random(f"{seed}:act {act}:{provider}")
    return [rng.uniform(0.75, 1.3) for _ in ACT[provider]]


def _window_end(provider: str, act: int, t_ms: int, seed: int) -> int | None:
    ends = (
        end
        for later in (act, act + 1)
        for _, end, entry in _placed(provider, later, seed)
        if entry.mode == "rate_limited" and end > t_ms
    )
    return next(ends, None)


def _retry_after(now: Phase, left_ms: int) -> int | None:
    if now.mode != "rate_limited":
        return None
    return left_ms if now.retry_after_s is None else now.retry_after_s * SECOND


def _between(span: tuple[float, float] | None, share: float) -> float | None:
    return None if span is None else span[0] + (span[1] - span[0]) * share


def _drift(period_s: int, t_ms: int) -> float:
    return 1 + DRIFT * math.sin(2 * math.pi * t_ms / (period_s * SECOND))
