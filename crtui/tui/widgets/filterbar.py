"""The one-line filter above the key bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from crtui.tui.line import Span
from crtui.tui.widgets.lines import LineView

MAX_TEXT: Final = 200
"""A paste beyond it is cut: a filter has to be looked for in every row of every picture."""


class FilterBar(Horizontal):
    """An input that filters while one types. Enter keeps the filter, Esc clears it."""

    @dataclass
    class Changed(Message):
        """The text changed, with every key."""

        text: str

    class Closed(Message):
        """Typing is over; the filter may still hold."""

    def compose(self) -> ComposeResult:
        """A slash, the input, and how many rows are left."""
        yield LineView(id="filter-slash")
        field = Input(id="filter-text", max_length=MAX_TEXT, compact=True, select_on_focus=False)
        field.cursor_blink = False
        yield field
        yield LineView(id="filter-count")

    def on_mount(self) -> None:
        """The slash never changes."""
        self.query_one("#filter-slash", LineView).set_lines([(Span(" /", "key"),)])

    @property
    def text(self) -> str:
        """What is typed."""
        return self.query_one(Input).value

    def open(self) -> None:
        """Take the keys."""
        self.query_one(Input).focus()

    def take(self, key: events.Key) -> bool:
        """Type a key that was on its way to another part when the bar opened; False if it came here first.

        A character that the input had before is not passed on by it.
        """
        field = self.query_one(Input)
        if field.has_focus and not key.is_printable:
            return False
        field.post_message(events.Key(key.key, key.character))
        return True

    def clear(self) -> None:
        """No filter."""
        self.query_one(Input).value = ""

    def count(self, shown: int, of: int) -> None:
        """Tell how many rows pass."""
        self.query_one("#filter-count", LineView).set_lines([(Span(f"{shown}/{of} ", "dim"),)])

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter at once."""
        event.stop()
        self.post_message(self.Changed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter: keep the filter, give the keys back."""
        event.stop()
        self.post_message(self.Closed())

    def on_key(self, event: events.Key) -> None:
        """Esc: no filter, and give the keys back."""
        if event.key == "escape":
            event.stop()
            event.prevent_default()
            self.clear()
            self.post_message(self.Closed())
