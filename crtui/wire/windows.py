"""Limit windows as response headers tell them, one reader for each family of names.

Every field that makes no sense is left out; what one header family does not say stays unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from crtui.core.inputs import WindowReport
from crtui.core.now import DAY, MINUTE
from crtui.wire.resets import parse_instant, parse_reset, parse_wait

MAX_WINDOW_MS: Final = 40 * DAY
"""A reset further off than this is nonsense."""

CLOCK_SKEW_MS: Final = 5 * MINUTE
"""From this difference on, the answer's ``Date`` is believed rather than our clock."""

_STILL_SERVED: Final = 99.9
_MAX_PERCENT: Final = 1000
_NUMBER: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,20})?")

# Each family's names; `name` is the window, `field` what is told of it.
_ANTHROPIC: Final = re.compile(
    r"anthropic-ratelimit-(?P<name>(?:(?:input-|output-)?tokens|requests))-(?P<field>limit|remaining|reset)"
)
_X_RATELIMIT: Final = re.compile(
    r"x-ratelimit-(?P<field>limit|remaining|reset)(?:-(?P<name>[a-z0-9_-]{1,40}))?"
)
_UNIFIED: Final = re.compile(
    r"anthropic-ratelimit-unified-(?P<name>[0-9]{1,3}[hd](?:_[a-z0-9_]{1,20})?)-(?P<field>utilization|reset|status)"
)
_CODEX: Final = re.compile(
    r"x-codex-(?P<name>(?:[a-z0-9-]{1,30}-)?(?:primary|secondary))"
    r"-(?P<field>used-percent|window-minutes|reset-at|reset-after-seconds)"
)


@dataclass(frozen=True, slots=True)
class Instants:
    """When an answer came: ``wall_ms`` by our clock, ``date_ms`` by its own ``Date`` header."""

    wall_ms: int
    date_ms: int | None = None

    def wait(self, text: str) -> int | None:
        """Milliseconds from now that ``text`` asks for, in any form."""
        return parse_reset(text, wall_ms=self.wall_ms, date_ms=self.date_ms)

    def at(self, text: str) -> int | None:
        """The wall time by our clock that ``text`` names, in any form; None if it is not one.

        An instant stays as it is told, so that repeated answers name the same one, unless the
        two clocks are clearly apart.
        """
        wait = parse_wait(text)
        if wait is not None:
            return self.wall_ms + wait
        instant = parse_instant(text, wall_ms=self.wall_ms)
        return None if instant is None else instant - self._skew

    @property
    def _skew(self) -> int:
        skew = 0 if self.date_ms is None else self.date_ms - self.wall_ms
        return skew if CLOCK_SKEW_MS < abs(skew) <= DAY else 0


def read_windows(headers: Mapping[str, str], now: Instants) -> tuple[WindowReport, ...]:
    """Every window the headers (names in lower case) tell of, each family in order of mention."""
    found = [
        *_counted(_grouped(headers, _ANTHROPIC), now),
        *_counted(_grouped(headers, _X_RATELIMIT), now),
        *_unified(headers, now),
        *_codex(_grouped(headers, _CODEX), now),
    ]
    return tuple(window for window in found if window and _says_something(window))


def _grouped(headers: Mapping[str, str], family: re.Pattern[str]) -> dict[str, dict[str, str]]:
    """The fields each window of a family has, by the window's name."""
    groups: dict[str, dict[str, str]] = {}
    for header, value in headers.items():
        if match := family.fullmatch(header):
            groups.setdefault(match["name"] or "requests", {})[match["field"]] = value
    return groups


def _counted(groups: dict[str, dict[str, str]], now: Instants) -> Iterator[WindowReport | None]:
    """Windows with a limit, what remains of it and a reset: Anthropic's keys, OpenAI and its many kin."""
    for name, told in groups.items():
        limit = _number(told.get("limit", ""))
        remaining = _number(told.get("remaining", ""))
        if limit is not None and remaining is not None:
            remaining = min(remaining, limit)
        # Mistral calls requests "req" and tells no reset; a window of a minute is over in a minute.
        name = "requests" + name.removeprefix("req") if name.startswith("req-") else name
        reset = told.get("reset") or ("60s" if name.endswith("-minute") else "")
        yield _timed(WindowReport(name, "headers", remaining=remaining, limit=limit), reset, now)


def _unified(headers: Mapping[str, str], now: Instants) -> Iterator[WindowReport | None]:
    """Windows of a Claude subscription: a fraction that may exceed 1, and a verdict.

    Only a window that refuses counts as spent: one beyond its limit still serves while overage
    pays for it, and a scoped one (``7d_opus``) says nothing of other models.
    """
    served = headers.get("anthropic-ratelimit-unified-status", "").startswith("allowed")
    for name, told in _grouped(headers, _UNIFIED).items():
        fraction = _number(told.get("utilization", ""))
        used = None if fraction is None else _percent(fraction * 100)
        verdict = "allowed" if served else told.get("status", "")
        if verdict == "rejected":
            used = max(used or 0.0, 100.0)
        elif verdict.startswith("allowed") and used is not None:
            used = min(used, _STILL_SERVED)
        yield _timed(WindowReport(name, "subscription", used_percent=used), told.get("reset", ""), now)


def _codex(groups: dict[str, dict[str, str]], now: Instants) -> Iterator[WindowReport | None]:
    """Windows of a ChatGPT subscription, known by their length and never by their slot."""
    for slot, told in groups.items():
        used = _number(told.get("used-percent", ""))
        meter, _, place = slot.rpartition("-")
        name = window_name(_number(told.get("window-minutes", ""))) or place
        report = WindowReport(
            f"{name}_{meter}" if meter else name,
            "subscription",
            used_percent=None if used is None else _percent(used),
        )
        yield _timed(report, told.get("reset-at") or told.get("reset-after-seconds", ""), now)


def window_name(minutes: float | None) -> str:
    """The name of a window of that length: ``5h``, ``7d``, ``45m``; empty if the length is unknown."""
    if not minutes:
        return ""
    for unit, size in (("d", 1440), ("h", 60)):
        if minutes % size == 0:
            return f"{minutes / size:.0f}{unit}"
    return f"{minutes:.0f}m"


def _timed(report: WindowReport, reset: str, now: Instants) -> WindowReport | None:
    """The report with its reset, or None for a spent window whose reset is told but not ahead:
    it cannot hold anything up."""
    at = now.at(reset)
    if at is not None and not now.wall_ms < at <= now.wall_ms + MAX_WINDOW_MS:
        at = None
    if reset and at is None and report.spent:
        return None
    return replace(report, resets_at=at)


def _says_something(report: WindowReport) -> bool:
    return not report.used_percent is report.remaining is report.limit is None


def _percent(value: float) -> float | None:
    return round(value, 4) if value <= _MAX_PERCENT else None


def _number(text: str) -> float | None:
    """A plain number; signs (-1 is unlimited or unknown), units and words are no number."""
    text = text.strip(" \t")
    return float(text) if _NUMBER.fullmatch(text) else None
