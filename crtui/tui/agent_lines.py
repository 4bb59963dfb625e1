"""A coding agent by its own logs, in lines: the block it works in, its pace and where that leads. Pure."""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING, Final

from crtui.core.now import DAY
from crtui.tui import fmt
from crtui.tui.glyphs import SEPARATOR
from crtui.tui.line import Line, Span, cell, fit, width_of

if TYPE_CHECKING:
    from crtui.core.views import AgentBlockView, AgentView, Snapshot, WindowView

_NAMES: Final = {"claude": "Claude Code", "codex": "Codex", "gemini": "Gemini CLI"}
_VENDORS: Final = {"claude": "anthropic", "codex": "openai"}
"""The kind of provider whose windows an agent's subscription is."""
_NAME: Final = 11


def shown_agents(snapshot: Snapshot, now: int) -> list[AgentView]:
    """The agents worth a line: at work today, or with a window that is known."""
    return [a for a in snapshot.agents if a.windows or (a.last_at is not None and now - a.last_at < DAY)]


def own_windows(agent: AgentView, snapshot: Snapshot) -> list[WindowView]:
    """The agent's windows of which no provider of its vendor tells something as new."""
    vendor = _VENDORS.get(agent.name)
    told = {
        window.name: window.observed_at
        for provider in snapshot.providers
        if provider.kind == vendor
        for window in provider.quota.windows
    }
    return [window for window in agent.windows if told.get(window.name, 0) < window.observed_at]


def agent_name(agent: AgentView) -> str:
    """What people call it."""
    return _NAMES.get(agent.name, agent.name)


def short_line(agent: AgentView, width: int, now: int) -> Line:
    """All of it in one line: tokens of the block, when it ends, and where it leads."""
    head = Span(f"{cell(agent_name(agent), _NAME)} ")
    if agent.block is None:
        return fit((head, _idle(agent, now)), width)
    ends = Span(f"{fmt.countdown(agent.block.end - now):>6}", "dim")
    tokens = Span(f"{fmt.count(agent.block.tokens):>6} tok")
    goal = _goal(agent.block)
    return fit((head, tokens, ends, *((Span(f"  {goal}", "dim"),) if goal else ())), width)


def block_lines(agent: AgentView, width: int, now: int, zone: tzinfo | None) -> list[Line]:
    """The block in two lines: what it took and its pace, then where it leads and how old that is."""
    block = agent.block
    if block is None:
        return [fit((_idle(agent, now),), width)]
    head = (
        Span("5h block "),
        Span(f"{fmt.count(block.tokens)} tok", "bright"),
        Span(f"  ends {'~' if block.estimated else ''}{fmt.countdown(block.end - now)}", "dim"),
        Span("" if block.tokens_per_min is None else f"  {fmt.count(block.tokens_per_min)}/min", "dim"),
    )
    return [fit(head, width), _told(agent, block, width, now, zone)]


def _told(agent: AgentView, block: AgentBlockView, width: int, now: int, zone: tzinfo | None) -> Line:
    goal = _goal(block)
    by = f"{goal} by {fmt.clock_time(block.end, zone, seconds=False)}" if goal else "no projection yet"
    source = f" {SEPARATOR} {_source(agent, now)}"
    extra = f" {SEPARATOR} {agent.skipped} bad lines" if agent.skipped else ""
    forms: list[Line] = [
        (Span(by), Span(source + extra, "faint")),
        (Span(by), Span(source, "faint")),
        (Span(goal or "no projection yet"), Span(source, "faint")),
    ]
    return next((form for form in forms if width_of(form) <= width), fit(forms[-1], width))


def _goal(block: AgentBlockView) -> str:
    """The tokens at the block's end, as a range."""
    if block.projected_from is None:
        return ""
    low, high = fmt.count(block.projected_from), fmt.count(block.projected_to)
    return low if low == high else f"{low}–{high}"


def _idle(agent: AgentView, now: int) -> Span:
    words = "not at work" if agent.last_at is None else f"last {fmt.age(now - agent.last_at)} ago"
    return Span(f"{words}, {fmt.count(agent.today_tokens)} tok today", "dim")


def _source(agent: AgentView, now: int) -> str:
    age = "" if agent.last_at is None else f" {fmt.age(now - agent.last_at)} ago"
    return f"logs{age}, still reading" if agent.reading else f"logs{age}"
