"""What the app needs of a screen that shows frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from textual import events
from textual.message import Message
from textual.screen import Screen

from crtui.actions import Action, Place, available, in_ascii
from crtui.tui.chart import Plotter
from crtui.tui.frame import Frame
from crtui.tui.keybar import key_bar
from crtui.tui.line import Line, Span, cut, fit
from crtui.tui.widgets.lines import LineView

HEIGHTS = [(0, "-tiny-height"), (3, "-strip"), (10, "-low"), (16, "-short"), (28, "-tall")]
"""From how many lines on a screen has which class."""


class PaintedScreen(Screen[None]):
    """A screen that is painted from frames and has a key bar, in whose place a short answer may stand."""

    @dataclass
    class Said(Message):
        """The answer to a key that changed the view."""

        line: Line

    class Ready(Message):
        """The screen is on top and wants a picture."""

    PLACE: Place = "everywhere"
    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - Textual declares it so
        (0, "-tiny-width"),
        (40, "-narrow"),
        (60, "-medium"),
        (110, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = HEIGHTS

    def __init__(self) -> None:
        super().__init__()
        self.frame: Frame | None = None
        self.flash: Line | None = None
        self.plotter: Plotter | None = None

    def on_screen_resume(self) -> None:
        """On top, for the first time or again."""
        self.post_message(self.Ready())

    def on_resize(self, event: events.Resize) -> None:
        """Lines are fitted to the size; a terminal that is too small is told what is needed."""
        size = event.size
        text = cut(f"too small: needs 40x3, have {size.width}x{size.height}", size.width)
        self.query_one("#small", LineView).set_lines([(Span(text, "warn"),)])
        self.call_after_refresh(self.repaint)

    @property
    def selected(self) -> str | None:
        """The provider that the next key is about."""
        return None

    def rename(self, name: Callable[[str], str]) -> None:
        """Providers are shown under other names from now on."""

    def row_text(self) -> str:
        """What ``y`` copies here."""
        return ""

    def paint(self, frame: Frame) -> None:
        """Show a frame."""
        self.frame = frame
        self.paint_keys()

    def repaint(self) -> None:
        """Show the last frame again, after the view changed."""
        if self.frame is not None:
            self.paint(self.frame)

    def takes(self, key: events.Key) -> bool:
        """Whether a key is text for this screen, whatever it is bound to."""
        return False

    def perform(self, action: Action) -> bool:
        """Do an action that only changes this screen's view; False if it is none of this screen's."""
        handler = getattr(self, f"do_{action.id}", None)
        if handler is None:
            return False
        handler()
        return True

    def paint_keys(self) -> None:
        """The key bar for the selected provider, or the answer to the last key."""
        if self.frame is None:
            return
        bar = self.query_one("#keys", LineView)
        width = bar.columns
        if self.flash is not None:
            bar.set_lines([fit((Span(" "), *self.flash), width)])
            return
        if self.frame.behind is not None:
            from crtui.tui.travel import past_bar

            bar.set_lines([past_bar(self.frame, width)])
            return
        provider = self.frame.provider(self.selected)
        bar.set_lines([key_bar(self._keys(self.frame), width, provider)])

    def _keys(self, frame: Frame) -> Sequence[Action]:
        """Only what makes sense now."""
        actions = available(self.PLACE, read_only=frame.read_only, actions=frame.actions, extra=frame.extra)
        if frame.scene not in ("idle", "busy"):
            actions = tuple(a for a in actions if a.group == "Program" or a.id == "back")
        elif self.selected is None:
            actions = tuple(action for action in actions if not action.needs_provider)
        if frame.paused_ms is not None:
            actions = tuple(replace(a, label="go on") if a.id == "freeze" else a for a in actions)
        return in_ascii(actions) if self.app.has_class("-ascii") else actions
