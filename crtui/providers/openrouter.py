"""What an OpenRouter key has left: https://openrouter.ai/docs/api-reference/limits."""

from __future__ import annotations

from typing import Final

from crtui.core.inputs import CREDIT, WindowReport
from crtui.core.now import DAY, next_midnight, next_month
from crtui.providers.reading import Json, amount, expect_object, parse, part
from crtui.providers.seen import Seen

_FIRST_MONDAY: Final = 4 * DAY
"""The Unix epoch began on a Thursday."""


def read_openrouter_key(body: bytes, wall: int) -> Seen:
    """``GET /api/v1/key``: the key's credit and the day's free requests.

    ``limit_reset`` names a period; periods end at midnight UTC, weeks with Sunday. The free requests
    are told only where no credit was ever bought: an account with credit goes on without them.
    """
    data = expect_object(parse(body).get("data"))
    windows = [_window(CREDIT, data, "limit_remaining", _period_end(data.get("limit_reset"), wall))]
    free = part(data, "free_model_daily_requests")
    if free and data.get("is_free_tier") is not False:
        windows.append(_window("free-day", free, "remaining", next_midnight(wall)))
    return Seen(None, tuple(window for window in windows if window is not None))


def _window(name: str, row: Json, remaining_key: str, resets_at: int | None) -> WindowReport | None:
    limit, remaining = amount(row.get("limit")), amount(row.get(remaining_key))
    if limit is None and remaining is None:
        return None
    used = None if not limit or remaining is None else max(0.0, 100 * (limit - remaining) / limit)
    return WindowReport(name, "poll", used, remaining, limit, resets_at)


def _period_end(period: object, wall: int) -> int | None:
    match period:
        case "daily":
            return next_midnight(wall)
        case "weekly":
            return ((wall - _FIRST_MONDAY) // (7 * DAY) + 1) * 7 * DAY + _FIRST_MONDAY
        case "monthly":
            return next_month(wall)
        case _:
            return None
