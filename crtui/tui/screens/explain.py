"""The plan of a profile, candidate by candidate."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from crtui.tui.explain import explain_heading, explain_lines
from crtui.tui.keys import bindings
from crtui.tui.line import plain
from crtui.tui.screens.reader import ReaderScreen
from crtui.tui.widgets.lines import LineView
from crtui.tui.widgets.panel import Panel


class ExplainScreen(ReaderScreen):
    """Why routing does what it does now. Begins with the default profile."""

    PLACE = "explain"
    BINDINGS: ClassVar[list[BindingType]] = bindings("explain")

    def __init__(self) -> None:
        super().__init__()
        self._step = 0

    def compose(self) -> ComposeResult:
        """The heading, the candidates, the keys."""
        yield Panel(lambda frame, width, _: explain_heading(frame, self._step, width), id="heading")
        yield Panel(lambda frame, width, _: explain_lines(frame, self._step, width), id="page")
        yield LineView(id="keys")
        yield LineView(id="small")

    def do_explain(self) -> None:
        """The same key leads back."""
        self.dismiss()

    def do_profile_next(self) -> None:
        """The next profile."""
        self._turn(1)

    def do_profile_previous(self) -> None:
        """The profile before."""
        self._turn(-1)

    def row_text(self) -> str:
        """The plan as plain text, for the clipboard."""
        lines = [line for panel in self.query(Panel) for line in panel.lines]
        return "\n".join(plain(line).rstrip() for line in lines).strip()

    def _turn(self, by: int) -> None:
        self._step += by
        self._scroll(-1_000_000)
        self.repaint()
