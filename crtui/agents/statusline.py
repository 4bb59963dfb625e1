"""The limits that Claude Code hands to its status-line command, kept for whoever asks.

The command gets JSON on stdin; since 2.1.80 ``rate_limits.five_hour`` and ``.seven_day`` carry
``used_percentage`` (0 to 100) and ``resets_at`` (Unix seconds), for subscriptions only. They are the
numbers of the last answer, so drawing them again makes them no newer.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import orjson

from crtui.agents.codex_limits import percent, reset_after
from crtui.agents.entry import Limit
from crtui.core.inputs import WindowReport
from crtui.wire.jsonview import as_count, as_list, as_object, as_text, loads

FILE: Final = "statusline.json"
VERSION: Final = 1
SOURCE: Final = "status line"

_WINDOWS: Final = {"five_hour": "5h", "seven_day": "7d"}


def read_status(data: bytes, now: int) -> list[Limit]:
    """The windows in what Claude Code sent at ``now``; none where there are none. Raises ``ValueError``."""
    told = as_object(as_object(loads(data)).get("rate_limits"))
    found: list[Limit] = []
    for key, name in _WINDOWS.items():
        window = as_object(told.get(key))
        used = percent(window.get("used_percentage"))
        if used is not None:
            resets_at = reset_after(window.get("resets_at"), now)
            found.append(Limit(now, WindowReport(name, SOURCE, used, resets_at=resets_at)))
    return found


def merged(new: list[Limit], kept: list[Limit]) -> list[Limit]:
    """The new windows, each with the time at which its numbers were first told."""
    before = {limit.report: limit.at for limit in kept}
    return [Limit(before.get(limit.report, limit.at), limit.report) for limit in new]


def to_bytes(limits: list[Limit]) -> bytes:
    """The windows as the file holds them; an empty list says that there is no subscription any more."""
    rows = [
        {"name": limit.report.name, "at": limit.at, "used": limit.report.used_percent}
        | {"resets_at": limit.report.resets_at}
        for limit in limits
    ]
    return orjson.dumps({"version": VERSION, "windows": rows})


def from_file(folder: Path) -> list[Limit] | None:
    """The windows that are kept in a state directory; None where there are none, or they cannot be read."""
    try:
        data = as_object(loads((folder / FILE).read_bytes()))
    except (OSError, ValueError):
        return None
    if data.get("version") != VERSION:
        return None
    found = [_limit(as_object(row)) for row in as_list(data.get("windows"))]
    return [limit for limit in found if limit is not None]


def _limit(row: Mapping[str, object]) -> Limit | None:
    name, at, used = as_text(row.get("name")), as_count(row.get("at")), percent(row.get("used"))
    if name not in _WINDOWS.values() or at is None or used is None:
        return None
    return Limit(at, WindowReport(name, SOURCE, used, resets_at=as_count(row.get("resets_at"))))
