"""Quota and burn in lines: a meter, when it refills, whether it lasts until then. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from typing import TYPE_CHECKING, Final

from crtui.tui import fmt
from crtui.tui.agent_lines import agent_name, block_lines, own_windows, short_line, shown_agents
from crtui.tui.glyphs import NONE, SEPARATOR, TIMES
from crtui.tui.line import EMPTY, Line, Role, Span, cell, cell_width, fit, width_of
from crtui.tui.meters import Meter, binding, meters_of, window_meter
from crtui.tui.rows import left_role
from crtui.tui.words import when

if TYPE_CHECKING:
    from crtui.core.views import AgentView, BudgetView, ProviderView, Snapshot

    Found = tuple[ProviderView, Meter]
    """A provider with a limit, and the scarcest of its limits."""

_METER: Final = 8
_AGENT_LABEL: Final = 10
_ROOM: Final = 48
"""Cells in which a meter whose label stands under its agent's name also says when it is empty."""
_NO_LIMIT: Final = ("No limit known. One shows here as soon", "as an answer or a poll tells it.")


def quota_panel(snapshot: Snapshot, width: int, height: int, now: int, zone: tzinfo | None) -> list[Line]:
    """Every provider's limits, the scarcest provider first, then the agents at work here.

    As much of each is told as the height allows.
    """
    found = [(p, meter) for p in snapshot.providers if (meter := binding(p)) is not None]
    agents = shown_agents(snapshot, now)
    found.sort(key=lambda item: 101.0 if item[1].left is None else item[1].left)
    forms = _agents(agents, snapshot, width, now, zone)
    fewest = len(found) + sum(len(meters_of(provider)) for provider, _ in found)
    kept = next((len(form) for form in forms[1:] if fewest + len(form) <= height), len(agents))
    lines = _form(found, height - kept)(found, width, now, zone) if found else []
    lines += next((form for form in forms if len(lines) + len(form) <= height), forms[-1])
    return lines or [fit((Span("No provider has told a limit, and no budget is set.", "dim"),), width)]


def _agents(
    agents: list[AgentView], snapshot: Snapshot, width: int, now: int, zone: tzinfo | None
) -> tuple[list[Line], list[Line], list[Line]]:
    """All agents, with those of their windows that no provider shows: in full, in short, without windows."""
    full: list[Line] = []
    short: list[Line] = []
    least: list[Line] = []
    for agent in agents:
        meters = [window_meter(window) for window in own_windows(agent, snapshot)]
        body = block_lines(agent, width - 1, now, zone) + _meter_lines(meters, width - 1, now, zone)
        full.append(fit((Span(agent_name(agent), "bright"),), width))
        full += [fit((Span(" "), *line), width) for line in body]
        least.append(short_line(agent, width, now))
        labels = _AGENT_LABEL
        if width < _ROOM:
            labels = max((cell_width(meter.label) for meter in meters), default=0)
        short += [least[-1], *(_meter_line(meter, labels, width, now, zone) for meter in meters)]
    return full, short, least


def _form(found: list[Found], height: int) -> Callable[[list[Found], int, int, tzinfo | None], list[Line]]:
    """The fullest form that the height has room for."""
    names, meters = len(found), sum(len(meters_of(provider)) for provider, _ in found)
    if names + 2 * meters <= height:
        return _all_in_full
    if names + meters <= height:
        return _all_in_short
    return _scarcest_in_full if 2 * names <= height else _scarcest_in_short


def _all_in_full(found: list[Found], width: int, now: int, zone: tzinfo | None) -> list[Line]:
    lines: list[Line] = []
    for provider, _ in found:
        lines.append(fit((Span(provider.name, "bright"),), width))
        lines += [fit((Span(" "), *line), width) for line in window_lines(provider, width - 1, now, zone)]
    return lines


def _all_in_short(found: list[Found], width: int, now: int, zone: tzinfo | None) -> list[Line]:
    meters = [(provider, meters_of(provider)) for provider, _ in found]
    labels = min(14, max(cell_width(meter.label) for _, rows in meters for meter in rows))
    lines: list[Line] = []
    for (provider, rows), (_, scarcest) in zip(meters, found, strict=True):
        lines.append(fit((Span(provider.name, "bright"),), width))
        for meter in rows:
            role: Role = "text" if meter == scarcest else "dim"
            lines.append(_meter_line(meter, labels, width, now, zone, role))
    return lines


def _meter_line(
    meter: Meter, labels: int, width: int, now: int, zone: tzinfo | None, role: Role = "dim"
) -> Line:
    """A limit in one line, its label in so many cells."""
    label = Span(f" {cell(meter.label, labels)} ", role)
    told = outlook(meter, now, zone, exact=width >= 60)
    return fit((label, *_gauge(meter, now), *_clock(meter, now), *told), width)


def _scarcest_in_full(found: list[Found], width: int, now: int, zone: tzinfo | None) -> list[Line]:
    names = _name_width(found)
    lines: list[Line] = []
    for provider, meter in found:
        head = Span(f"{cell(provider.name, names)} ")
        lines.append(fit((head, *_gauge(meter, now), *_refill(meter, now)), width))
        lines.append((Span(" " * (names + 1)), *_told(meter, now, zone, width - names - 1)))
    return lines


def _scarcest_in_short(found: list[Found], width: int, now: int, zone: tzinfo | None) -> list[Line]:
    names = _name_width(found)
    lines: list[Line] = []
    for provider, meter in found:
        told = outlook(meter, now, zone, exact=width >= 60)
        head = Span(f"{cell(provider.name, names)} ")
        lines.append(fit((head, *_gauge(meter, now), *_clock(meter, now), *told), width))
    return lines


def _name_width(found: list[Found]) -> int:
    return min(14, max(cell_width(provider.name) for provider, _ in found))


def window_lines(provider: ProviderView, width: int, now: int, zone: tzinfo | None) -> list[Line]:
    """All limits of one provider, two lines each: the meter, and where the number comes from."""
    found = meters_of(provider)
    if not found:
        return [fit((Span(text, "dim"),), width) for text in _NO_LIMIT]
    return _meter_lines(found, width, now, zone)


def _meter_lines(found: list[Meter], width: int, now: int, zone: tzinfo | None) -> list[Line]:
    lines: list[Line] = []
    label_width = min(12, max((cell_width(meter.label) for meter in found), default=0))
    for meter in found:
        head = Span(f"{cell(meter.label, label_width)} ")
        lines.append(fit((head, *_gauge(meter, now), *_refill(meter, now)), width))
        told = _told(meter, now, zone, width - label_width - 1)
        lines.append((Span(" " * (label_width + 1)), *told))
    return lines


def burn_lines(
    provider: ProviderView, width: int, now: int, zone: tzinfo | None, *, money: bool = True
) -> list[Line]:
    """Rate, the day's tokens and where they lead, when a limit runs dry, money, and the totals."""
    burn, usage, budget = provider.burn, provider.usage, provider.budget
    worst = next((meter for meter in meters_of(provider) if meter.short()), None)
    lines: list[Line] = [
        _fact("rate", f"{fmt.count(burn.tokens_per_min)} tok/min", "lately"),
        _fact("today", f"{fmt.count(burn.used_tokens)} tokens", _goal(provider)),
    ]
    if worst is not None:
        lines.append((Span(f"{worst.label:<9}", "dim"), *outlook(worst, now, zone)))
    tokens = f"{fmt.count(usage.input_tokens)} in, {fmt.count(usage.output_tokens)} out"
    lines += [
        *(_money_lines(budget) if money else []),
        _fact("tokens", tokens, f", {fmt.count(usage.cache_read_tokens)} cached"),
        _fact("requests", fmt.count(usage.requests), f", {fmt.count(usage.failed)} failed"),
    ]
    return [fit(line, width) for line in lines]


def _money_lines(budget: BudgetView) -> list[Line]:
    """The month's spend, and for how many requests it is not known what they cost."""
    cap = f"of {fmt.usd(budget.monthly_usd)} " if budget.monthly_usd else ""
    unpriced = budget.unpriced_requests
    spent = _fact("spent", fmt.usd(budget.spent_usd, unpriced=unpriced), f"{cap}in {budget.month}")
    if not unpriced or (budget.spent_usd is None and not budget.monthly_usd):
        return [spent]
    note = "" if budget.spent_usd is None else ", not in what is spent"
    requests = "1 request" if unpriced == 1 else f"{fmt.count(unpriced)} requests"
    return [spent, _fact("unpriced", requests, note)]


def outlook(meter: Meter, now: int, zone: tzinfo | None, *, exact: bool = True) -> Line:
    """Whether the limit lasts: ``empty ~14:20 (14:05–14:40)``, ``ok to reset``, or what is not known.

    Before anything is known of its recent pace, the pace since it was last refilled speaks for it.
    """
    if meter.unconfirmed:
        return (Span("reset passed, unconfirmed", "dim"),)
    if meter.left == 0:
        return (Span("used up", "bad"),)
    if meter.unpriced:
        return (Span(f"{fmt.count(meter.unpriced)} unpriced", "warn"),)
    if meter.left is None:
        return (Span("not known", "faint"),)
    if not meter.short() or meter.empty_from is None:
        return (_lasting(meter, now),)
    last = meter.empty_to if meter.empty_to is not None else meter.empty_from
    middle = when((meter.empty_from + last) // 2, now, zone)
    if not exact or last == meter.empty_from:
        return (Span(f"empty ~{middle}", "warn"),)
    ends = (
        f"{fmt.clock_time(meter.empty_from, zone, seconds=False)}–{fmt.clock_time(last, zone, seconds=False)}"
    )
    return (Span(f"empty ~{middle}", "warn"), Span(f" ({ends})", "dim"))


def _lasting(meter: Meter, now: int) -> Span:
    if meter.resets_at is None:
        return Span("ok", "dim")
    if meter.lasts:
        return Span("ok to reset", "good")
    pace = meter.pace(now)
    if pace is None:
        return Span("no trend", "faint")
    return Span("too fast", "warn") if pace > 1 else Span("ok so far", "good")


def _gauge(meter: Meter, now: int) -> Line:
    if meter.left is None or meter.unconfirmed:
        return (Span(fmt.bar(0, _METER)[1], "faint"), Span(f" {NONE:>4} ", "faint"))
    full, empty = fmt.bar(meter.left / 100, _METER)
    role: Role = left_role(meter.left)
    return (
        Span(full, "good" if role == "text" else role),
        Span(empty, "faint"),
        Span(f" {fmt.percent(meter.left):>4} ", role),
    )


def _clock(meter: Meter, now: int) -> Line:
    if meter.unpriced:  # what is said of it next needs the room, and a month has no countdown
        return EMPTY
    if meter.resets_at is None or meter.unconfirmed:
        return (Span(f"{'':>6} "),)
    return (Span(f"{fmt.countdown(meter.resets_at - now):>6} ", "dim"),)


def _refill(meter: Meter, now: int) -> Line:
    """When it is full again, and the amount where the provider tells one."""
    parts: list[Span] = []
    if meter.resets_at is not None and not meter.unconfirmed:
        parts.append(Span(f"resets {fmt.countdown(meter.resets_at - now)}", "dim"))
    if meter.used is not None and meter.limit is not None:
        used = fmt.usd(meter.used, unpriced=meter.unpriced) if meter.money else fmt.count(meter.used)
        limit = fmt.usd(meter.limit) if meter.money else fmt.count(meter.limit)
        parts.append(Span(f"{' ' if parts else ''}{used}/{limit}", "faint"))
    return tuple(parts) or EMPTY


def _told(meter: Meter, now: int, zone: tzinfo | None, width: int) -> Line:
    """The outlook, the pace and where the number comes from: as much of it as fits."""
    source = f" {SEPARATOR} {meter.source.replace('_', ' ')}"
    if meter.observed_at is not None:
        source += f" {fmt.age(now - meter.observed_at)} ago"
    pace = meter.pace(now)
    with_pace = "" if pace is None else f" {SEPARATOR} pace {pace:.1f}{TIMES}"
    exact, short = outlook(meter, now, zone), outlook(meter, now, zone, exact=False)
    forms: list[Line] = [
        (*exact, Span(with_pace + source, "faint")),
        (*exact, Span(source, "faint")),
        (*short, Span(source, "faint")),
        (*short, Span(source.removesuffix(" ago"), "faint")),
    ]
    return next((form for form in forms if width_of(form) <= width), fit(short, width))


def _goal(provider: ProviderView) -> str:
    burn = provider.burn
    if not burn.budget_tokens:
        return ""
    return f"of {fmt.count(burn.budget_tokens)}, {fmt.count(burn.projected_tokens)} by midnight UTC"


def _fact(label: str, value: str, note: str = "") -> Line:
    return (
        Span(f"{label:<9}", "dim"),
        Span(value),
        Span(note if note.startswith(",") else f" {note}", "faint"),
    )
