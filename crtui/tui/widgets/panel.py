"""A widget whose lines are a pure function of the frame and its own size."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import events
from textual.content import Content

from crtui.tui.frame import Frame
from crtui.tui.line import Line, printable
from crtui.tui.widgets.lines import LineView

Source = Callable[[Frame, int, int], Sequence[Line]]
"""Frame, width and height to lines."""


class Panel(LineView):
    """Shows what its source makes of the newest frame; asks it again when the size changes."""

    def __init__(
        self,
        source: Source,
        *,
        title: str = "",
        follow: bool = False,
        id: str | None = None,  # noqa: A002 - Textual's name
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._source = source
        self._follow = follow
        self._at_end = follow
        self._frame: Frame | None = None
        self._title = ""
        self.retitle(title)
        self.can_focus = bool(title)

    def retitle(self, title: str) -> None:
        """Write another title on the border. It is text, not markup."""
        if title != self._title:
            self._title = title
            self.border_title = Content(printable(title))

    def paint(self, frame: Frame) -> None:
        """Take the newest frame and show it, unless hidden."""
        self._frame = frame
        self._rebuild()

    def on_resize(self, _event: events.Resize) -> None:
        """Lines are cut to the width, so a new size needs new lines."""
        self._rebuild()

    def _rebuild(self) -> None:
        if self._frame is None or not self.columns or not self.rows:
            return
        self.set_lines(self._source(self._frame, self.columns, self.rows))
        if self._at_end and self.max_scroll_y > self.scroll_offset.y:
            self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Stay at the end for as long as the reader does."""
        super().watch_scroll_y(old_value, new_value)
        if self._follow:
            self._at_end = new_value >= self.max_scroll_y
