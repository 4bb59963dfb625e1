"""The provider table: rows under a cursor that follows its provider, not its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual import events
from textual.message import Message

from crtui.tui.rows import Table
from crtui.tui.widgets.lines import LineView


class ProviderTable(LineView, can_focus=True, inherit_bindings=False):
    """One line a provider. The cursor is a provider's name; moving rows take it along."""

    @dataclass
    class Selected(Message):
        """The cursor went to another provider."""

        provider: str

    @dataclass
    class Opened(Message):
        """A provider was clicked that was already selected."""

        provider: str

    class Resized(Message):
        """The rows have another width or number to fill, or others have come into sight."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._names: tuple[str, ...] = ()
        self._cursor: str | None = None

    @property
    def cursor_row(self) -> int | None:
        """Where the provider under the cursor is now."""
        return self._names.index(self._cursor) if self._cursor in self._names else None

    @property
    def selected(self) -> str | None:
        """The provider under the cursor, None while there is no row."""
        return self._cursor if self._cursor in self._names else None

    def show(self, table: Table, first: str | None = None) -> None:
        """Show these rows; the cursor stays on its provider, or goes to the nearest row if that is gone.

        ``first`` is where it starts. While there is no row, the cursor is kept for when there is one again.
        """
        was = self.cursor_row
        self._names = table.names
        self.set_lines(table.lines)
        if self._cursor is None and first in self._names:
            self.select(first)
        elif self._names and self._cursor not in self._names:
            self.select(self._names[min(was or 0, len(self._names) - 1)])
        elif was != self.cursor_row:
            self._relight(was)

    def move(self, rows: int) -> None:
        """Move the cursor by so many rows, stopping at the ends."""
        if self._names:
            at = self.cursor_row or 0
            self.select(self._names[max(0, min(len(self._names) - 1, at + rows))])

    def select(self, name: str) -> None:
        """Put the cursor on a provider."""
        was, self._cursor = self.cursor_row, name
        self._relight(was)
        self.post_message(self.Selected(name))

    def rename(self, name: Callable[[str], str]) -> None:
        """The rows to come have other names; the cursor stays with its provider."""
        self._names = tuple(map(name, self._names))
        self._cursor = None if self._cursor is None else name(self._cursor)

    def _relight(self, was: int | None) -> None:
        for row in {was, self.cursor_row} - {None}:
            self.redraw_row(row or 0)
        self._reveal()

    def _reveal(self) -> None:
        row, top = self.cursor_row, self.scroll_offset.y
        if row is None or not self.rows:
            return
        if row < top:
            self.scroll_to(y=row, animate=False, immediate=True)
        elif row >= top + self.rows:
            self.scroll_to(y=row - self.rows + 1, animate=False, immediate=True)

    def on_resize(self, _event: events.Resize) -> None:
        """A smaller table must not lose its cursor."""
        self._reveal()
        self.post_message(self.Resized())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Rows out of sight may be old."""
        super().watch_scroll_y(old_value, new_value)
        self.post_message(self.Resized())

    def on_click(self, event: events.Click) -> None:
        """The first click selects, a click on what is selected opens."""
        offset = event.get_content_offset(self)
        row = -1 if offset is None else offset.y + self.scroll_offset.y
        if not 0 <= row < len(self._names):
            return
        name = self._names[row]
        if name == self._cursor:
            self.post_message(self.Opened(name))
        else:
            self.select(name)
