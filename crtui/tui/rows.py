"""The provider table: from a snapshot to rows of text. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from crtui.tui import fmt
from crtui.tui.columns import GAP, Column, choose
from crtui.tui.glyphs import NEXT, NONE
from crtui.tui.line import Line, Role, Span, cell, cell_width, cut
from crtui.tui.meters import binding
from crtui.tui.order import Entry, Sort
from crtui.tui.upcoming import upcoming
from crtui.tui.why import why

_SPARK_CELLS: Final = 12
_NUMBERS: Final = ("p50", "spark", "p99", "errors")
_SORT_TITLES: Final[dict[Sort, str]] = {
    "attention": "state",
    "name": "provider",
    "left": "left",
    "latency": "p50",
    "errors": "errors",
}


@dataclass(frozen=True, slots=True)
class Table:
    """What the table shows: a header, and one line for each provider named in ``names``."""

    header: Line
    names: tuple[str, ...]
    lines: tuple[Line, ...]


def table(shown: Sequence[Entry], width: int, now: int, sort: Sort, *, reverse: bool = False) -> Table:
    """The rows of the given entries in their order, fitted to ``width`` cells."""
    columns = choose(_columns(shown, now), width)
    return Table(
        _header(columns, width, sort, reverse=reverse),
        tuple(entry.provider.name for entry in shown),
        tuple(_row(entry, columns, width) for entry in shown),
    )


def _columns(shown: Sequence[Entry], now: int) -> list[Column[Entry]]:
    longest = max((cell_width(entry.provider.name) for entry in shown), default=8)
    name_width = min(max(longest, 8), 20)
    return [
        Column("mark", "", 1, 0, _mark),
        Column("state", "STATE", 7, 1, _state),
        Column("provider", "PROVIDER", min(name_width, 14), 2, _name, grows=True, most=name_width),
        Column("left", "LEFT", 4, 4, _left, "right"),
        Column("next", "NEXT", 13, 3, _next_at(now), "right"),
        Column("p50", "P50", 5, 5, _p50, "right"),
        Column("spark", "LATENCY", _SPARK_CELLS, 6, _spark),
        Column("p99", "P99", 5, 7, _p99, "right"),
        Column("errors", "ERR%", 4, 8, _errors, "right"),
        Column("why", "WHY", 16, 9, _why, grows=True),
    ]


def _header(columns: Sequence[Column[Entry]], width: int, sort: Sort, *, reverse: bool) -> Line:
    spans: list[Span] = []
    for column in columns:
        if spans:
            spans.append(Span(" " * GAP))
        sorted_by = column.key == _SORT_TITLES.get(sort)
        title = column.title + (("↑" if reverse else "↓") if sorted_by else "")
        spans.append(Span(cell(title, column.width, column.align), "bright" if sorted_by else "head"))
    return tuple(spans)


def _row(entry: Entry, columns: Sequence[Column[Entry]], width: int) -> Line:
    spans: list[Span] = []
    tail = _tail(entry, columns)
    for column in columns:
        if tail and column.key in _NUMBERS:
            break
        if spans:
            spans.append(Span(" " * GAP))
        spans.append(column.cell(entry))
    if tail:
        room = width - sum(cell_width(span.text) for span in spans) - 2 * GAP
        spans += [Span(" " * 2 * GAP), Span(cut(tail, room), "dim")]
    return tuple(spans)


def _tail(entry: Entry, columns: Sequence[Column[Entry]]) -> str:
    """Where no column for it fits, the reason takes the place of the numbers of one that does not serve."""
    keys = {column.key for column in columns}
    if "why" in keys or "spark" not in keys or entry.status.group == "ok":
        return ""
    return "" if entry.provider.standing == "eligible" else why(entry.provider)


def _mark(entry: Entry) -> Span:
    return Span(NEXT if entry.serves_next else " ", "accent")


def _state(entry: Entry) -> Span:
    return Span(f"{entry.status.glyph} {entry.status.word}", entry.status.role)


def _name(entry: Entry) -> Span:
    role: Role = "text"
    if entry.serves_next:
        role = "bright"
    elif entry.status.group == "parked":
        role = "dim"
    return Span(entry.provider.name, role)


def _left(entry: Entry) -> Span:
    meter = binding(entry.provider)
    if meter is None or meter.left is None or meter.unconfirmed:
        return Span(NONE, "faint")
    return Span(fmt.percent(meter.left), left_role(meter.left))


def left_role(left: float) -> Role:
    """How alarming it is to have this many percent left."""
    if left < 1:
        return "bad"
    return "warn" if left < 15 else "text"


def _next_at(now: int) -> Callable[[Entry], Span]:
    def write(entry: Entry) -> Span:
        coming = upcoming(entry.provider, now)
        if coming is None:
            return Span(NONE, "faint")
        return Span(f"{coming.verb:<5}{fmt.countdown(coming.at - now):>7}", coming.role)

    return write


def _number(text: str, role: Role = "text") -> Span:
    return Span(text, "faint" if text == NONE else role)


def _p50(entry: Entry) -> Span:
    return _number(fmt.latency(entry.provider.latency.p50_ms))


def _p99(entry: Entry) -> Span:
    return _number(fmt.latency(entry.provider.latency.p99_ms), "dim")


def _spark(entry: Entry) -> Span:
    values = entry.provider.latency.recent_ms
    return Span(fmt.spark(values[-_SPARK_CELLS * 2 :], _SPARK_CELLS), "chart")


def _errors(entry: Entry) -> Span:
    usage = entry.provider.usage
    share = 100 * usage.failed / usage.requests if usage.requests else 0.0
    role: Role = "bad" if share >= 10 else "warn" if share >= 2 else "dim"
    return _number(fmt.error_rate(usage.failed, usage.requests), role)


def _why(entry: Entry) -> Span:
    return Span(why(entry.provider), "warn" if entry.status.group == "limited" else "dim")
