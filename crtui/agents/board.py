"""What the screen and scripts see of the agents: each one's running block, windows and files."""

from __future__ import annotations

from typing import Final

from crtui.agents.blocks import LENGTH_MS, Block
from crtui.agents.entry import Agent
from crtui.agents.ledger import Ledger
from crtui.agents.totals import (
    AGENTS,
    FilesRead,
    LimitSeen,
    current_block,
    files_read,
    last_at,
    limits_seen,
    tokens_today,
    trend_of,
)
from crtui.core.trend import Ends, WindowTrend
from crtui.core.views import AgentBlockView, AgentView, WindowView

_NO_FILES: Final = FilesRead()


class Board:
    """The agents' views out of the cache. What cannot have changed is not added up again."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._starts: dict[Agent, int] = {}

    def views(self, now: int, *, reading: bool = False) -> tuple[AgentView, ...]:
        """One view for each agent of which there is a log or a window. Raises ``sqlite3.Error``."""
        changed, self._ledger.oldest_change = self._ledger.oldest_change, None
        if changed is not None:
            self._starts = {agent: start for agent, start in self._starts.items() if start <= changed}
        files = files_read(self._ledger.db)
        found = [self._view(agent, files.get(agent, _NO_FILES), now, reading=reading) for agent in AGENTS]
        return tuple(view for view in found if view.files or view.windows)

    def _view(self, agent: Agent, read: FilesRead, now: int, *, reading: bool) -> AgentView:
        db = self._ledger.db
        limits, used = limits_seen(db, agent), last_at(db, agent)
        windows = tuple(
            _window_view(limit, trend_of(db, agent, limit.name, now), now, used) for limit in limits
        )
        if not read.files:
            return AgentView(agent, None, None, windows=windows)
        block = self._block(agent, limits, now)
        running = block is not None and block.active(now)
        return AgentView(
            agent,
            used,
            _block_view(block, now) if block is not None and running else None,
            tokens_today(db, agent, now),
            windows,
            read.files,
            read.skipped,
            reading,
        )

    def _block(self, agent: Agent, limits: list[LimitSeen], now: int) -> Block | None:
        """The newest block: that of the official window while it runs, and none from before its reset."""
        db = self._ledger.db
        reset = next((limit.resets_at for limit in limits if limit.name == "5h"), None) or 0
        if now < reset <= now + LENGTH_MS:
            return current_block(db, agent, now, reset - LENGTH_MS, official=True)
        known = self._starts.get(agent, 0)
        block = current_block(db, agent, now, max(known, reset if reset <= now else 0))
        if block is not None:
            self._starts[agent] = block.start
        return block


def _block_view(block: Block, now: int) -> AgentBlockView:
    ends = block.projection(now)
    return AgentBlockView(
        block.start,
        block.end,
        block.usage.input,
        block.usage.output,
        block.usage.cache_read,
        block.usage.cache_write,
        block.per_minute,
        None if ends is None else ends[0],
        None if ends is None else ends[1],
        block.estimated,
    )


def _window_view(limit: LimitSeen, trend: WindowTrend, now: int, used: int | None) -> WindowView:
    passed = limit.resets_at is not None and limit.resets_at <= now
    ends = Ends() if passed else trend.forecast(now, limit.resets_at, limit.at, used)
    return WindowView(
        limit.name,
        limit.source,
        limit.at,
        used_percent=None if passed else limit.used,
        resets_at=limit.resets_at,
        unconfirmed=passed,
        exhausts_from=ends.soon,
        exhausts_to=ends.late,
        lasts=ends.lasts,
    )
