"""The config of the demo world, in the form of a config file."""

from __future__ import annotations

import math
from typing import Final

from crtui.demo.cast import CAST, Part
from crtui.demo.traffic import CHAT_PROFILE, REVIEW_PROFILE, SIDE_MODEL

SIDE_PROFILE: Final = "side"
BURN_PROVIDER: Final = "openrouter"
BURN_TOKENS_A_MINUTE: Final = 80_000
"""About what ``BURN_PROVIDER`` serves, measured over the first minutes of a demo."""
SAFE_MINUTES: Final = 30
"""For how long the projection of the day's use must stay below the budget."""
HEADROOM: Final = 1.25
"""How much more than measured may be sent in those minutes."""

_EXTRAS: Final[dict[str, dict[str, object]]] = {
    "claude-max": {"capacity": 6},
    "anthropic-api": {
        "paid": True,
        "monthly_usd": 50.0,
        "price": {"input": 3.0, "output": 15.0, "cache_read": 0.3, "cache_write": 3.75},
    },
    "openrouter": {
        "paid": True,
        "models": {"claude-.*": "anthropic/claude-sonnet-4.6", "qwen.*": "qwen/qwen3-coder"},
        "price": {"input": 2.0, "output": 10.0, "cache_read": 0.2, "cache_write": 2.5},
    },
    "vllm-lab": {"model": "qwen3-coder-30b", "capacity": 8, "threshold": 2, "recovery_s": 9},
    "ollama": {
        "model": "qwen3:8b",
        "capacity": 2,
        "declare_models": ["qwen3:8b", "gemma3:4b", "phi4-mini:3.8b"],
        "pull": True,
    },
}


def demo_config(base_urls: dict[str, str], minute_of_day: int) -> dict[str, object]:
    """The config for providers at ``base_urls``, started at that minute of the UTC day."""
    providers = [_provider(part, base_urls[part.name], minute_of_day) for part in CAST]
    return {
        "routing": {"default_profile": "default", "allow_paid": True},
        "provider": providers,
        "profile": _profiles(),
        "rule": [{"when": {"model_pattern": SIDE_MODEL}, "profile": SIDE_PROFILE}],
    }


def daily_tokens(minute_of_day: int) -> int:
    """A day's budget that runs out in an hour or more at the demo's rate, without a projection over it.

    The core projects use over the whole day once a tenth of the budget is spent. Started early in
    the day, that takes a larger budget: used / elapsed x 1440 must stay below it for ``SAFE_MINUTES``.
    """
    never_projected = 24 * 60 * SAFE_MINUTES / (minute_of_day + SAFE_MINUTES)
    below_a_tenth = 10.1 * SAFE_MINUTES
    minutes = max(60.0, HEADROOM * min(never_projected, below_a_tenth))
    return math.ceil(BURN_TOKENS_A_MINUTE * minutes / 100_000) * 100_000


def _provider(part: Part, base_url: str, minute_of_day: int) -> dict[str, object]:
    entry: dict[str, object] = {
        "name": part.name,
        "kind": part.kind,
        "base_url": base_url,
        "wires": list(part.wires),
        "poll_s": 4,
    }
    entry |= {"auth": "none"} if part.key is None else {"auth": "key", "api_key_env": part.key_env}
    if part.name == BURN_PROVIDER:
        entry["daily_tokens"] = daily_tokens(minute_of_day)
    return entry | _EXTRAS[part.name]


def _profiles() -> list[dict[str, object]]:
    names = [part.name for part in CAST]
    return [
        _profile("default", names),
        _profile(REVIEW_PROFILE, ["anthropic-api", "openrouter", "claude-max"]),
        _profile(SIDE_PROFILE, ["openrouter", "ollama", "vllm-lab"], tactic="token_based"),
        _profile(CHAT_PROFILE, ["vllm-lab", "ollama", "openrouter"], adaptive=True),
    ]


def _profile(name: str, chain: list[str], **extra: object) -> dict[str, object]:
    return {"name": name, "chain": chain, "memory_pressure_cooldown_s": 20, "affinity_s": 0} | extra
