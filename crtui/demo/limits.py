"""The rate-limit headers a simulated provider sends.

Forms: a subscription's ``anthropic-ratelimit-unified-*`` (a fraction used, Unix seconds) and an
API key's ``anthropic-ratelimit-*`` (counts left, RFC 3339).
"""

from __future__ import annotations

import math
from typing import Final

from crtui.core.now import DAY, MINUTE, SECOND, stamp
from crtui.demo.cast import LimitStyle
from crtui.demo.scenario import Behaviour

WARN_AT: Final = 0.8
WEEK_USED: Final = 0.43
"""The seven-day window's share at the start of the story; it grows too slowly to matter."""
REQUESTS_A_MINUTE: Final = 1_000
INPUT_TOKENS_A_MINUTE: Final = 400_000


def headers(style: LimitStyle, now: Behaviour, t_ms: int, wall_ms: int) -> dict[str, str]:
    """The headers of an answer given ``t_ms`` into the story, at ``wall_ms`` by the clock."""
    out: dict[str, str] = {}
    if now.retry_after_ms is not None:
        out["retry-after"] = str(math.ceil(now.retry_after_ms / SECOND))
    if now.used is None or style == "none":
        return out
    if style == "unified":
        return out | _unified(now, now.used, t_ms, wall_ms)
    return out | _per_minute(now, now.used, wall_ms)


def _unified(now: Behaviour, used: float, t_ms: int, wall_ms: int) -> dict[str, str]:
    start = wall_ms - t_ms
    five_hours = _unix(start + (now.resets_ms or now.ends_ms))
    status = "rejected" if now.mode == "rate_limited" else "allowed_warning" if used >= WARN_AT else "allowed"
    week = WEEK_USED + t_ms / (2 * DAY)
    windows = {
        "status": status,
        "reset": five_hours,
        "representative-claim": "five_hour",
        "5h-status": status,
        "5h-utilization": f"{used:.2f}",
        "5h-reset": five_hours,
        "7d-status": "allowed",
        "7d-utilization": f"{min(week, 0.79):.2f}",
        "7d-reset": _unix(start + 3 * DAY),
    }
    return {f"anthropic-ratelimit-unified-{name}": value for name, value in windows.items()}


def _per_minute(now: Behaviour, used: float, wall_ms: int) -> dict[str, str]:
    until = wall_ms + now.retry_after_ms if now.retry_after_ms else (wall_ms // MINUTE + 1) * MINUTE
    tokens_left = round(INPUT_TOKENS_A_MINUTE * (1 - used), -3)
    windows = {
        "requests-limit": REQUESTS_A_MINUTE,
        "requests-remaining": round(REQUESTS_A_MINUTE * (1 - used / 2)),
        "requests-reset": stamp(until),
        "input-tokens-limit": INPUT_TOKENS_A_MINUTE,
        "input-tokens-remaining": round(tokens_left),
        "input-tokens-reset": stamp(until),
    }
    return {f"anthropic-ratelimit-{name}": str(value) for name, value in windows.items()}


def _unix(wall_ms: int) -> str:
    return str(math.ceil(wall_ms / SECOND))
