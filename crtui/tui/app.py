"""The app: turns keys into commands and changes of view.

What only a key needs is imported by its function: the first frame waits for every import above it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import SystemCommand
from textual.binding import BindingType
from textual.screen import Screen

from crtui.actions import BY_ID, Action, in_ascii, key_of
from crtui.tui.keys import bindings
from crtui.tui.line import Line, Span
from crtui.tui.painting import PaintingApp
from crtui.tui.screens.dashboard import DashboardScreen
from crtui.tui.screens.painted import PaintedScreen
from crtui.tui.themes import THEMES
from crtui.tui.widgets.table import ProviderTable

if TYPE_CHECKING:
    from crtui.core.inputs import Command
    from crtui.tui.desk import OrderDesk
    from crtui.tui.orders import Question


class CrtuiApp(PaintingApp):
    """The dashboard on any link. ``run`` belongs on the main thread."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("everywhere", "past")

    @on(ProviderTable.Opened)
    def _opened(self) -> None:
        self.do_open()

    def on_key(self, event: events.Key) -> None:
        """Keys that came in one piece (a paste, a slow line) were sent on before the first of them acted."""
        if isinstance(self.screen, PaintedScreen) and self.screen.takes(event):
            event.prevent_default()

    def action_perform(self, action_id: str) -> None:
        """Do an action of the table: a command to the gateway, or a change of view."""
        action = BY_ID[action_id]
        if action.writes:
            self._order(action)
        elif action.group == "History":
            self.action_travel(action_id)
        elif not self._top.perform(action):
            getattr(self, f"do_{action.id}")()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The keys of the past mean something else in the present."""
        if action == "travel":
            return self._gallery.past is not None and isinstance(self.screen, PaintedScreen)
        return super().check_action(action, parameters)

    def action_travel(self, name: str) -> None:
        """Go through history, or back to the present."""
        from crtui.tui.traveller import Traveller

        if self._traveller is None:
            self._traveller = Traveller(
                self._gallery,
                self._history,
                self._clock,
                self._zone,
                say=self.say,
                run=self.run_worker,
                soon=self.soon,
                show=partial(self.tick, force=True),
            )
        if name == "live":
            self._traveller.live()
        else:
            self._traveller.step(name, self._gallery.actions)

    def _order(self, action: Action) -> None:
        frame = self._frame()
        if frame.behind is not None:
            from crtui.tui.travel import refusal

            self.say(refusal(frame))
            return
        from crtui.tui.desk import Refused

        selected, desk = self._mask.real(self._top.selected), self._gallery.here.desk
        prepared = desk.prepare(action, selected, read_only=frame.read_only)
        if isinstance(prepared, Refused):
            self.say(prepared.told)
        elif prepared.question is None:
            self._send(desk, prepared.command)
        else:
            self._ask(prepared.question, "keep as it is", partial(self._send, desk, prepared.command))

    def _send(self, desk: OrderDesk, command: Command) -> None:
        undo = key_of("undo", self._gallery.actions)
        self.say(desk.send(command, self.size.width - 2, undo=undo))

    def _ask(self, asked: Question, no: str, then: Callable[[], None]) -> None:
        from crtui.tui.orders import Question
        from crtui.tui.screens.modals import ConfirmModal

        def decided(yes: bool | None) -> None:
            if yes:
                then()

        shown = Question(self._mask.text(asked.text), self._mask.text(asked.consequence), asked.yes)
        self.push_screen(ConfirmModal(shown, no), decided)

    def do_open(self) -> None:
        """Open the selected provider."""
        name = self._top.selected
        if name is None:
            return
        from crtui.tui.screens.provider import ProviderScreen

        self.push_screen(ProviderScreen(name))

    def do_explain(self) -> None:
        """The plan, candidate by candidate."""
        from crtui.tui.screens.explain import ExplainScreen

        self.push_screen(ExplainScreen())

    def do_forecast(self) -> None:
        """The next hours."""
        from crtui.tui.screens.forecast import ForecastScreen

        self.push_screen(ForecastScreen())

    def do_freeze(self) -> None:
        """Hold the picture, or go on. The past stands still by itself."""
        if self._gallery.past is not None:
            self.say((Span("the past stands still already", "dim"),))
            return
        self._gallery.here.frames.toggle()
        self._repace()
        self.tick(force=True)

    def do_gateway_next(self) -> None:
        """The next gateway."""
        self._switch(1)

    def do_gateway_previous(self) -> None:
        """The one before."""
        self._switch(-1)

    def _switch(self, by: int) -> None:
        self._gallery.switch(by)
        self._repace()
        self.tick(force=True)

    def do_copy(self) -> None:
        """Copy the base URL while there is nothing else, the selected row otherwise."""
        from crtui.tui.keepsakes import row_or_url

        latest, frame = self._link.latest, self._frame()
        url = latest.gateway.url if latest else self._link.status.url
        self._take_along(*row_or_url(frame, self._top.row_text(), url))

    def do_json(self) -> None:
        """Copy the selected provider as JSON."""
        from crtui.tui.keepsakes import as_json

        made = as_json(self._frame(), self._top.selected)
        if made is None:
            self.say((Span("no provider is selected", "dim"),))
        else:
            self._take_along(*made)

    def _take_along(self, text: str, told: Line) -> None:
        self.copy_to_clipboard(text)
        self.say(told)

    def do_export(self) -> None:
        """Save the rows that the table shows."""
        from crtui.tui.export import csv_text, jsonl_text

        screen = self._top
        if isinstance(screen, DashboardScreen) and screen.frame is not None:
            shown, now = screen.rows_shown(), screen.frame.now
            self._save({".csv": csv_text(shown, now), ".jsonl": jsonl_text(shown)})

    def do_svg(self) -> None:
        """Save the screen as it is drawn."""
        self._save({".svg": self.export_screenshot(title="crtui")})

    def _save(self, files: dict[str, str]) -> None:
        from crtui.tui.keepsakes import saved

        self.say(saved(files, self._folder or Path.cwd(), self._frame()))

    def do_privacy(self) -> None:
        """Hide what a screenshot should not show, or show it again."""
        name = self._mask.toggle(self._link.latest)
        for screen in self.screen_stack:
            if isinstance(screen, PaintedScreen):
                screen.rename(name)
        self.tick(force=True)
        hidden = "names, money and addresses are hidden" if self._mask.on else "everything is shown again"
        key = key_of("privacy", self._gallery.actions)
        self.say((Span(hidden, "bright"), Span(f"  {key}", "key"), Span(" undo", "dim")))

    def do_theme(self) -> None:
        """The next of crtui's own themes."""
        names = [theme.name for theme in THEMES]
        at = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(at + 1) % len(names)]
        self.say((Span("theme ", "dim"), Span(self.theme.removeprefix("crtui-"), "bright")))

    def do_help(self) -> None:
        """Every key."""
        from crtui.tui.screens.modals import HelpModal

        actions = self._gallery.available(self._top.PLACE)
        self.push_screen(HelpModal(in_ascii(actions) if self.has_class("-ascii") else actions))

    def do_palette(self) -> None:
        """Every command by name."""
        self.action_command_palette()

    def do_quit(self) -> None:
        """Quit, after asking if that would cut requests."""
        from crtui.tui.orders import quitting
        from crtui.tui.screens.modals import ConfirmModal

        latest = self._gallery.present.link.latest
        running = latest.gateway.in_flight if latest is not None and self._owns_gateway else 0
        if not running or isinstance(self.screen, ConfirmModal):
            self.leave()
            return
        self._ask(quitting(running), "stay", self.leave)

    async def action_quit(self) -> None:
        """As the key: asks while requests run."""
        self.do_quit()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: every action by name, and the themes."""
        for action in self._gallery.available(self._top.PLACE):
            if action.group != "Move" and action.id != "palette":
                yield SystemCommand(action.label, action.help, partial(self.action_perform, action.id))
        yield SystemCommand("all themes", "choose the colours from a list", self.action_change_theme)
