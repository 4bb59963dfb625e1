"""A screen over the dashboard that is read from top to bottom."""

from __future__ import annotations

from typing import ClassVar

from textual.widget import Widget

from crtui.tui.frame import Frame
from crtui.tui.screens.painted import PaintedScreen
from crtui.tui.widgets.panel import Panel


class ReaderScreen(PaintedScreen):
    """Scrolls the part named ``PAGE``; Esc and q lead back."""

    CSS_PATH = "../styles/provider.tcss"

    PAGE: ClassVar[str] = "#page"

    def paint(self, frame: Frame) -> None:
        """Show a frame in every panel."""
        super().paint(frame)
        for panel in self.query(Panel):
            panel.fade(frame.stale)
            panel.paint(frame)

    def do_back(self) -> None:
        """Back to where one came from."""
        self.dismiss()

    def do_close(self) -> None:
        """As Esc."""
        self.dismiss()

    def do_up(self) -> None:
        """Scroll up."""
        self._scroll(-1)

    def do_down(self) -> None:
        """Scroll down."""
        self._scroll(1)

    def do_page_up(self) -> None:
        """A page up."""
        self._scroll(1 - self.size.height)

    def do_page_down(self) -> None:
        """A page down."""
        self._scroll(self.size.height - 1)

    def do_top(self) -> None:
        """To the top."""
        self._scroll(-1_000_000)

    def do_bottom(self) -> None:
        """To the end."""
        self._scroll(1_000_000)

    def _scroll(self, rows: int) -> None:
        self.query_one(self.PAGE, Widget).scroll_relative(y=rows, animate=False, immediate=True)
