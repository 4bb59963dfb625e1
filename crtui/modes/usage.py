"""``crtui usage``: what the agents' logs on this machine add up to, by day, agent and model."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
from collections.abc import Iterable
from typing import Final

import orjson

from crtui.agents.board import Board
from crtui.agents.ledger import Ledger
from crtui.agents.sources import changed_files, sources_of
from crtui.agents.table import open_cache
from crtui.agents.totals import DayTotal, day_totals
from crtui.clock import SystemClock
from crtui.core.encode import agent_json
from crtui.core.inputs import Usage
from crtui.core.now import DAY, stamp
from crtui.core.views import AgentView
from crtui.engine.state_dir import StateDir
from crtui.errors import CrtuiError
from crtui.modes.options import Options
from crtui.modes.text import span

_COLUMNS: Final = ("date", "agent", "model", "input", "output", "cache read", "cache write", "total")
_TEXTS: Final = 3


def usage(options: Options, *, days: int | None, utc: bool, as_json: bool) -> int:
    """Read what is new in the logs and print the totals. Exit 0. Raises ``CrtuiError``."""
    state, now = StateDir(options.state_path), SystemClock().now().wall
    if state.notice is not None:
        print(f"crtui: {state.notice}; the logs are read anew each time", file=sys.stderr)
    sources = sources_of(os.environ)
    try:
        with contextlib.closing(open_cache(None if state.notice else state.path)) as db:
            ledger = Ledger(db)
            for source, file in changed_files(sources, ledger):
                ledger.read(source, file)
            since = 0 if days is None else now - days * DAY
            totals, agents = day_totals(db, since, utc=utc), Board(ledger).views(now)
    except sqlite3.Error as fault:
        raise CrtuiError(f"the cache of agents' logs: {fault}; choose another with --state-dir") from fault
    print(_json(totals, agents, now) if as_json else "\n".join(_table(totals, agents, now)))
    return 0


def _json(totals: list[DayTotal], agents: Iterable[AgentView], now: int) -> str:
    days = [{"date": t.day, "agent": t.agent, "model": t.model, **_counts(t.usage)} for t in totals]
    data = {
        "schema": 1,
        "at": stamp(now),
        "days": days,
        "totals": _counts(_sum(totals)),
        "agents": [agent_json(agent) for agent in agents],
    }
    return orjson.dumps(data, option=orjson.OPT_INDENT_2).decode()


def _counts(usage: Usage) -> dict[str, int]:
    return {
        "input_tokens": usage.input,
        "output_tokens": usage.output,
        "cache_read_tokens": usage.cache_read,
        "cache_write_tokens": usage.cache_write,
        "total_tokens": usage.total,
    }


def _sum(totals: Iterable[DayTotal]) -> Usage:
    whole = Usage()
    for total in totals:
        whole = whole.plus(total.usage)
    return whole


def _table(totals: list[DayTotal], agents: Iterable[AgentView], now: int) -> list[str]:
    if not totals:
        return ["no agent has left a log here (Claude Code, Codex, Gemini CLI, opencode)"]
    rows = [_COLUMNS, *(_row(t.day, t.agent, t.model, t.usage) for t in totals)]
    rows.append(_row("total", "", "", _sum(totals)))
    widths = [max(len(row[place]) for row in rows) for place in range(len(_COLUMNS))]
    lines = [_line(row, widths) for row in rows]
    return [*lines[:-1], "-" * max(map(len, lines)), lines[-1], *_blocks(agents, now)]


def _row(day: str, agent: str, model: str, usage: Usage) -> tuple[str, ...]:
    counts = (usage.input, usage.output, usage.cache_read, usage.cache_write, usage.total)
    return (day, agent, model, *(f"{count:,}" for count in counts))


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    texts = [text.ljust(width) for text, width in zip(row[:_TEXTS], widths, strict=False)]
    counts = [text.rjust(width) for text, width in zip(row[_TEXTS:], widths[_TEXTS:], strict=True)]
    return "  ".join([*texts, *counts]).rstrip()


def _blocks(agents: Iterable[AgentView], now: int) -> Iterable[str]:
    """A line for each agent that works in a block now, and one for lines that were not understood."""
    for agent in agents:
        block = agent.block
        if block is not None:
            words = f"{agent.name}: 5 h block, {block.tokens:,} tokens, ends in {span(block.end - now)}"
            if block.tokens_per_min is not None:
                words += f", {block.tokens_per_min:,.0f} a minute"
            if block.projected_from is not None:
                words += f", {block.projected_from:,} to {block.projected_to:,} by then"
            yield words
        if agent.skipped:
            lines = "1 line" if agent.skipped == 1 else f"{agent.skipped:,} lines"
            yield f"{agent.name}: {lines} of its logs could not be understood"
