"""What Claude Code's log says when the subscription's session limit is hit: the window's reset.

Two wordings are known: ``Claude AI usage limit reached|<Unix seconds>``, and since 2.1 ``You've hit your
session limit · resets 3pm (America/Bogota)`` (anthropics/claude-code#85572).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from crtui.agents.codex_limits import LOG, reset_after
from crtui.agents.entry import Limit
from crtui.core.inputs import WindowReport
from crtui.core.now import SECOND

API_ERROR: Final = b'"isApiErrorMessage":true'
"""What every row has that tells of a hit."""

_OLD: Final = re.compile(rb"Claude AI usage limit reached\|(\d{9,11})\b")
_NEW: Final = re.compile(
    rb"hit your session limit \S{1,6} resets (1?\d)(?::(\d\d))? ?([ap])m \(([A-Za-z0-9_+/-]{1,40})\)"
)


def limit_hit(line: bytes, at: int) -> Limit | None:
    """The five-hour window that an API error at ``at`` says is used up, with its reset where it is told."""
    if old := _OLD.search(line):
        resets_at = reset_after(int(old[1]), at)
    elif new := _NEW.search(line):
        hour = int(new[1]) % 12 + (12 if new[3] == b"p" else 0)
        resets_at = _next_time(at, hour, int(new[2] or 0), new[4].decode())
    else:
        return None
    return Limit(at, WindowReport("5h", LOG, 100.0, resets_at=resets_at))


def _next_time(at: int, hour: int, minute: int, zone: str) -> int | None:
    """The next such time of day of a zone; None where the zone is not known here, or it is no time."""
    try:
        told = datetime.fromtimestamp(at / SECOND, ZoneInfo(zone))
        reset = told.replace(hour=hour, minute=minute, second=0, microsecond=0)
    except (ValueError, OSError, KeyError):
        return None
    if reset <= told:
        reset += timedelta(days=1)
    return round(reset.timestamp() * 1000)
