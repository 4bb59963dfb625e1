"""The provider table: from a snapshot to rows of text. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from crtui.tui import fmt
from crtui.tui.columns import GAP, Column, choose
from crtui.tui.glyphs import NEXT, NONE
from crtui.tui.line import Line, Role, Span, cell, cell_width, cut
from crtui.tui.meters import binding
from crtui.tui.order import Entry, Sort
from crtui.tui.upcoming import upcoming
from crtui.tui.why import why

_Cells = tuple[list[Span | None], str]
_GAP: Final = Span(" " * GAP)
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
    """What the table shows: a header, and one line for each provider named in ``names``.

    ``sorts``: the cells of the header, from and to, that stand for an order.
    """

    header: Line
    names: tuple[str, ...]
    lines: tuple[Line, ...]
    sorts: tuple[tuple[int, int, Sort], ...] = ()


class TableLines:
    """The table from picture to picture: of a row that stays as it is, only the countdown is written anew."""

    def __init__(self) -> None:
        self._shape: list[tuple[str, int]] = []
        self._known: dict[str, _Row] = {}

    def table(
        self,
        shown: Sequence[Entry],
        width: int,
        now: int,
        sort: Sort,
        *,
        reverse: bool = False,
        seen: range | None = None,
    ) -> Table:
        """The rows of the given entries in their order, fitted to ``width`` cells.

        Rows outside ``seen`` are not written again once they have been.
        """
        columns = choose(_columns(shown, now), width)
        shape = [(column.key, column.width) for column in columns]
        known, self._known = (self._known if shape == self._shape else {}), {}
        self._shape = shape
        for place, entry in enumerate(shown):
            row = known.get(entry.provider.name)
            if row is None or seen is None or place in seen:
                row = _written(row, entry, columns, width)
            self._known[entry.provider.name] = row
        return Table(
            _header(columns, width, sort, reverse=reverse),
            tuple(self._known),
            tuple(row.line for row in self._known.values()),
            tuple(_sorts(columns)),
        )


class _Row(NamedTuple):
    entry: Entry
    cells: _Cells
    line: Line


def _written(before: _Row | None, entry: Entry, columns: Sequence[Column[Entry]], width: int) -> _Row:
    cells = before.cells if before is not None and _same(before.entry, entry) else _cells(entry, columns)
    line = _row(entry, cells, columns, width)
    return _Row(entry, cells, before.line if before is not None and before.line == line else line)


def table(shown: Sequence[Entry], width: int, now: int, sort: Sort, *, reverse: bool = False) -> Table:
    """One picture of the table."""
    return TableLines().table(shown, width, now, sort, reverse=reverse)


def _same(one: Entry, two: Entry) -> bool:
    """Whether nothing but time has passed. The views are large, and kept while nothing changes in them."""
    return (
        one.provider is two.provider
        and one.status is two.status
        and (one.serves_next, one.recent) == (two.serves_next, two.recent)
    )


def _sorts(columns: Sequence[Column[Entry]]) -> Iterator[tuple[int, int, Sort]]:
    by_column: dict[str, Sort] = {key: sort for sort, key in _SORT_TITLES.items()}
    at = 0
    for column in columns:
        if column.key in by_column:
            yield at, at + column.width, by_column[column.key]
        at += column.width + GAP


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
        Column("errors", "ERR 5m", 6, 8, _errors, "right"),
        Column("why", "WHY", 30, 9, _why, grows=True),
    ]


def _header(columns: Sequence[Column[Entry]], width: int, sort: Sort, *, reverse: bool) -> Line:
    spans: list[Span] = []
    for column in columns:
        if spans:
            spans.append(Span(" " * GAP))
        sorted_by = column.key == _SORT_TITLES.get(sort)
        title = column.title
        if sorted_by:
            title = title[: column.width - 1] + ("↑" if reverse else "↓")
        spans.append(Span(cell(title, column.width, column.align), "bright" if sorted_by else "head"))
    return tuple(spans)


def _cells(entry: Entry, columns: Sequence[Column[Entry]]) -> _Cells:
    """The row's cells and its tail; the place of the countdown is left empty."""
    tail = _tail(entry, columns)
    shown = [column for column in columns if not (tail and column.key in _NUMBERS)]
    return [None if column.key == "next" else column.cell(entry) for column in shown], tail


def _row(entry: Entry, cells: _Cells, columns: Sequence[Column[Entry]], width: int) -> Line:
    written, tail = cells
    spans: list[Span] = []
    for column, span in zip(columns, written, strict=False):
        if spans:
            spans.append(_GAP)
        spans.append(column.cell(entry) if span is None else span)
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
    requests, failed = entry.recent
    share = 100 * failed / requests if requests else 0.0
    role: Role = "bad" if share >= 10 else "warn" if share >= 2 else "dim"
    rate = fmt.error_rate(failed, requests)
    return _number(rate if rate == NONE else f"{rate}%", role)


def _why(entry: Entry) -> Span:
    return Span(why(entry.provider), "warn" if entry.status.group == "limited" else "dim")
