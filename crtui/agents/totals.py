"""What the cache adds up to: by day, agent and model, and the running block of each agent."""

from __future__ import annotations

import sqlite3
from typing import Final, NamedTuple

from crtui.agents.blocks import Block, last_block
from crtui.agents.entry import Agent
from crtui.core.inputs import Usage
from crtui.core.now import DAY
from crtui.core.trend import WindowTrend

AGENTS: Final[tuple[Agent, ...]] = ("claude", "codex", "gemini", "opencode")
LOOKED_BACK_MS: Final = 8 * DAY
"""How far back the chain of blocks is followed; some night of eight days has five hours without work."""

_SUMS: Final = "sum(input), sum(output), sum(cache_read), sum(cache_write)"
_DAYS: Final = """
SELECT date(at / 1000, 'unixepoch', {zone}) AS day, agent, name, {sums}
FROM answers JOIN models ON models.id = model WHERE at >= ?
GROUP BY day, agent, name ORDER BY day, agent, name
"""
_ANSWERS: Final = """
SELECT at, input, output, cache_read, cache_write FROM answers WHERE agent = ? AND at >= ? ORDER BY at
"""
_READINGS: Final = "SELECT at, used FROM readings WHERE agent = ? AND name = ? AND at >= ? ORDER BY at"
_TODAY: Final = """
SELECT coalesce(sum(input + output + cache_read + cache_write), 0) FROM answers WHERE agent = ?
AND at >= 1000 * CAST(strftime('%s', ? / 1000, 'unixepoch', 'localtime', 'start of day', 'utc') AS INTEGER)
"""


class DayTotal(NamedTuple):
    """Tokens of one day, agent and model."""

    day: str
    agent: str
    model: str
    usage: Usage


class LimitSeen(NamedTuple):
    """A subscription's window as its agent last told it. Times are wall milliseconds."""

    name: str
    at: int
    used: float | None
    resets_at: int | None
    source: str


class FilesRead(NamedTuple):
    """How many logs of an agent are known, and how many of their lines could not be understood."""

    files: int = 0
    skipped: int = 0


def day_totals(db: sqlite3.Connection, since: int = 0, *, utc: bool = False) -> list[DayTotal]:
    """The totals of each day of this machine's zone (or UTC) with answers from ``since`` on."""
    sql = _DAYS.format(zone="'+0 seconds'" if utc else "'localtime'", sums=_SUMS)
    return [
        DayTotal(day, agent, model, Usage(*sums)) for day, agent, model, *sums in db.execute(sql, (since,))
    ]


def current_block(
    db: sqlite3.Connection, agent: Agent, now: int, since: int = 0, *, official: bool = False
) -> Block | None:
    """The newest block. ``since``: where one is known to begin, or with ``official`` a window does."""
    answers = db.execute(_ANSWERS, (agent, max(since, now - LOOKED_BACK_MS)))
    return last_block(answers, now, since if official else None)


def limits_seen(db: sqlite3.Connection, agent: Agent) -> list[LimitSeen]:
    """The windows its logs tell of, shortest name first."""
    rows = db.execute("SELECT name, at, used, resets_at, source FROM limits WHERE agent = ?", (agent,))
    return sorted((LimitSeen(*row) for row in rows), key=lambda limit: (len(limit.name), limit.name))


def trend_of(db: sqlite3.Connection, agent: Agent, name: str, now: int) -> WindowTrend:
    """How a window has filled of late, with wall milliseconds for times."""
    trend = WindowTrend()
    for at, used in db.execute(_READINGS, (agent, name, now - LOOKED_BACK_MS)):
        trend.add(used, at)
    return trend


def files_read(db: sqlite3.Connection) -> dict[str, FilesRead]:
    """The logs by agent."""
    rows = db.execute("SELECT agent, count(*), sum(skipped) FROM files GROUP BY agent")
    return {agent: FilesRead(count, skipped) for agent, count, skipped in rows}


def last_at(db: sqlite3.Connection, agent: Agent) -> int | None:
    """When the agent's newest answer came; None without any."""
    return db.execute("SELECT max(at) FROM answers WHERE agent = ?", (agent,)).fetchone()[0]


def tokens_today(db: sqlite3.Connection, agent: Agent, now: int) -> int:
    """All tokens since midnight in this machine's zone."""
    return int(db.execute(_TODAY, (agent, now)).fetchone()[0])
