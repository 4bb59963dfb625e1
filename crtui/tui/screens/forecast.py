"""The forecast on the whole screen."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from crtui.tui import fmt
from crtui.tui.forecast import ForecastLines
from crtui.tui.frame import Frame
from crtui.tui.keys import bindings
from crtui.tui.line import Line, Span, plain, spread
from crtui.tui.screens.reader import ReaderScreen
from crtui.tui.summary import age_mark
from crtui.tui.widgets.lines import LineView
from crtui.tui.widgets.panel import Panel


class ForecastScreen(ReaderScreen):
    """Who serves when in the next hours, as far as one can tell today."""

    PLACE = "forecast"
    BINDINGS: ClassVar[list[BindingType]] = bindings("forecast")

    def compose(self) -> ComposeResult:
        """A heading, the lanes, the keys."""
        yield Panel(lambda frame, width, _: [_heading(frame, width)], id="heading")
        lanes = ForecastLines()
        yield Panel(lambda frame, width, _: lanes.lines(frame, width, 10_000), id="page")
        yield LineView(id="keys")
        yield LineView(id="small")

    def do_forecast(self) -> None:
        """The same key leads back."""
        self.dismiss()

    def row_text(self) -> str:
        """The lanes as plain text, for the clipboard."""
        return "\n".join(plain(line).rstrip() for line in self.query_one("#page", Panel).lines)


def _heading(frame: Frame, width: int) -> Line:
    told = (Span(" ‹ forecast", "dim"), Span("  if all goes on as in the recent past", "faint"))
    clock = (Span(fmt.clock_time(frame.clock, frame.zone), "dim"), Span(" "))
    return spread(told, age_mark(frame) or clock, width)
