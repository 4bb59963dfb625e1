"""The two modals: a question with a safe answer, and the help."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from crtui.actions import Action
from crtui.tui.keybar import help_lines
from crtui.tui.line import printable
from crtui.tui.orders import Question
from crtui.tui.screens.painted import HEIGHTS
from crtui.tui.widgets.lines import LineView


class ConfirmModal(ModalScreen[bool]):
    """Asks before something that cuts service. ``y`` does it; ``n``, Esc and a bare Enter do not."""

    CSS_PATH = "../styles/modals.tcss"

    VERTICAL_BREAKPOINTS = HEIGHTS
    AUTO_FOCUS = "#no"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "yes", show=False),
        Binding("n,escape,q", "answer(False)", "no", show=False),
        Binding("left,right,tab", "app.focus_next", show=False),
    ]

    def __init__(self, question: Question, no: str) -> None:
        super().__init__()
        self._asked = question
        self._no = no

    def compose(self) -> ComposeResult:
        """The question, what follows from it, and the two answers."""
        with Vertical(id="dialog"):
            yield Static(Content(printable(self._asked.text)), id="question")
            yield Static(Content(printable(self._asked.consequence)), id="consequence")
            with Horizontal(id="answers"):
                yield Button(Content(f"y {self._asked.yes}"), id="yes", compact=True)
                yield Button(Content(f"n {self._no}"), id="no", compact=True)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")

    def action_answer(self, yes: bool) -> None:
        """The answer by its letter."""
        self.dismiss(yes)


class HelpModal(ModalScreen[None]):
    """Every key and every state, from the action table."""

    CSS_PATH = "../styles/modals.tcss"

    VERTICAL_BREAKPOINTS = HEIGHTS
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter", "dismiss", "close", show=False),
        Binding("down,j", "scroll(1)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
        Binding("pagedown,space", "scroll(10)", show=False),
        Binding("pageup", "scroll(-10)", show=False),
    ]

    def __init__(self, actions: tuple[Action, ...]) -> None:
        super().__init__()
        self._actions = actions

    def compose(self) -> ComposeResult:
        """One scrolling list."""
        view = LineView(id="help")
        view.border_title = "Keys"
        view.border_subtitle = "Esc closes"
        yield view

    def on_resize(self) -> None:
        """Lines are fitted to the width."""
        self.call_after_refresh(self._fill)

    def _fill(self) -> None:
        view = self.query_one("#help", LineView)
        view.set_lines(help_lines(self._actions, view.columns))

    def action_scroll(self, rows: int) -> None:
        """Scroll by so many lines."""
        self.query_one("#help", LineView).scroll_relative(y=rows, animate=False, immediate=True)
