"""The header of the provider table: a click on a column sorts by it."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.message import Message

from crtui.tui.order import Sort
from crtui.tui.rows import Table
from crtui.tui.widgets.lines import LineView


class TableHeader(LineView, inherit_bindings=False):
    """One line. It knows where the columns are that an order goes by."""

    @dataclass
    class Clicked(Message):
        """A column was clicked."""

        sort: Sort

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._sorts: tuple[tuple[int, int, Sort], ...] = ()

    def show(self, table: Table) -> None:
        """Show the header of these rows."""
        self._sorts = table.sorts
        self.set_lines([table.header])

    def on_click(self, event: events.Click) -> None:
        """Tell which order the column under the pointer stands for, if any."""
        offset = event.get_content_offset(self)
        for start, end, sort in self._sorts:
            if offset is not None and start <= offset.x < end:
                self.post_message(self.Clicked(sort))
