"""The windows of a ChatGPT subscription as Codex notes them with each answer's counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from crtui.agents.entry import Limit
from crtui.core.inputs import WindowReport
from crtui.core.now import SECOND
from crtui.text import scrub
from crtui.wire.jsonview import as_count, as_object, as_text
from crtui.wire.windows import MAX_WINDOW_MS, window_name

LOG: Final = "agent log"
ACCOUNT: Final = "codex"
"""The meter of the account as a whole; any other is of one model and never stands for it."""


def limits_of(payload: Mapping[str, object], at: int) -> Iterator[Limit]:
    """The windows of a ``token_count``, each known by its length and never by its slot."""
    told = as_object(payload.get("rate_limits"))
    meter = as_text(told.get("limit_id"))
    scope = "" if meter in ("", ACCOUNT) else "_" + scrub(meter.removeprefix("codex_"), 40)
    for slot in ("primary", "secondary"):
        window = as_object(told.get(slot))
        used, minutes = percent(window.get("used_percent")), as_count(window.get("window_minutes"))
        if used is not None:
            name = (window_name(minutes) or slot) + scope
            report = WindowReport(name, LOG, used, resets_at=_resets_at(window, at))
            yield Limit(at, report)


def percent(value: object) -> float | None:
    """A percentage of use; an epoch or anything else that stands in its place is unknown.

    Claude Code has been seen to put the reset there (anthropics/claude-code#52326).
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 101:
        return None
    return round(float(value), 4)


def reset_after(seconds: object, at: int) -> int | None:
    """The wall milliseconds of a reset told as Unix seconds, if it is one that can be meant."""
    told = as_count(seconds)
    ahead = None if told is None else told * SECOND - at
    return None if ahead is None or not -MAX_WINDOW_MS <= ahead <= MAX_WINDOW_MS else at + ahead


def _resets_at(window: Mapping[str, object], at: int) -> int | None:
    left = as_count(window.get("resets_in_seconds"))  # older builds: from the event's own time on
    if left is not None and "resets_at" not in window:
        return at + left * SECOND if left * SECOND <= MAX_WINDOW_MS else None
    return reset_after(window.get("resets_at"), at)
