"""Columns of a table, and which of them fit into a width. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from crtui.tui.line import Align, Span, cell

T = TypeVar("T")
GAP = 1


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """One column. The lower its ``priority``, the longer it stays as the screen narrows.

    ``grows``: takes what width is left, from ``width`` up to ``most``.
    """

    key: str
    title: str
    width: int
    priority: int
    write: Callable[[T], Span]
    align: Align = "left"
    grows: bool = False
    most: int = 200

    def cell(self, item: T) -> Span:
        """The item's text in exactly this column's width."""
        span = self.write(item)
        return Span(cell(span.text, self.width, self.align), span.role)


def choose(columns: Sequence[Column[T]], width: int) -> list[Column[T]]:
    """The most important columns that fit, in their given order, the growing ones widened to fill."""
    chosen: list[Column[T]] = []
    room = width
    for column in sorted(columns, key=lambda column: column.priority):
        need = column.width + (GAP if chosen else 0)
        if need > room:
            break
        chosen.append(column)
        room -= need
    chosen.sort(key=columns.index)
    for index, column in enumerate(chosen):
        if column.grows:
            extra = min(room, column.most - column.width)
            chosen[index] = replace(column, width=column.width + extra)
            room -= extra
    return chosen
