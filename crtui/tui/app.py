"""The app: takes the newest picture from the link, hands it to the screens, turns keys into commands.

What only a key needs is imported by its function: the first frame waits for every import above it.
"""

from __future__ import annotations

import asyncio
import math
import traceback
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import tzinfo
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.screen import Screen
from textual.timer import Timer

from crtui.clock import Clock
from crtui.tui.actions import BY_ID, Action, available, in_ascii
from crtui.tui.chart import Plotter
from crtui.tui.desk import OrderDesk, Refused
from crtui.tui.frames import FrameSource
from crtui.tui.hygiene import ExitReason, ascii_wanted, color_choice, on_signals, tty_gone
from crtui.tui.keys import bindings
from crtui.tui.line import ROLES, Line, Span, printable
from crtui.tui.notify import Announcer, Notify
from crtui.tui.orders import Question, quitting
from crtui.tui.plot import load_plotter
from crtui.tui.privacy import Mask
from crtui.tui.screens.dashboard import DashboardScreen
from crtui.tui.screens.modals import ConfirmModal, HelpModal
from crtui.tui.screens.painted import PaintedScreen
from crtui.tui.themes import THEMES, stand_ins
from crtui.tui.widgets.table import ProviderTable

if TYPE_CHECKING:
    from crtui.core.inputs import Command
    from crtui.core.views import Snapshot
    from crtui.engine.link import Link

_FLASH_S = 4.0
_TTY_CHECK_S = 2.0
_BLURRED_HZ = 1.0
_CRASHED = 70


class CrtuiApp(App[None]):
    """The dashboard on any link. ``run`` belongs on the main thread.

    Args:
        link: Where pictures come from and commands go.
        clock: What countdowns are measured by.
        ascii: Draw with ASCII only; also chosen where the terminal needs it.
        read_only: Refuse every command, whatever the link would say.
        hz: Pictures taken a second; 0 is none, then only ``tick`` takes one.
        no_color: As a non-empty ``NO_COLOR``.
        owns_gateway: Quitting also ends the gateway, so ask while requests run.
        zone: The zone that times are shown in; None is the machine's.
        plot: Whether to load plotext for the charts once the first picture stands.
        strip: Show three lines, as on a terminal that has no room for more.
        folder: Where exports and screenshots are saved; None is where crtui was started.
        notify: ``bell`` rings when nobody serves any more; ``osc9`` tells of every provider that goes
            out, runs empty or is back, as a notification of the desktop; ``off`` does neither.
    """

    TITLE = "crtui"
    CSS_PATH: ClassVar[list[str]] = [  # type: ignore[assignment]
        "styles/tokens.tcss",
        "styles/dashboard.tcss",
    ]
    BINDINGS: ClassVar[list[BindingType]] = bindings("everywhere")
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"role--{role}" for role in (*ROLES, "cursor")}

    def __init__(
        self,
        link: Link,
        clock: Clock,
        *,
        ascii: bool = False,  # noqa: A002 - the option's name
        read_only: bool = False,
        hz: float = 4.0,
        no_color: bool = False,
        owns_gateway: bool = True,
        zone: tzinfo | None = None,
        plot: bool = True,
        strip: bool = False,
        folder: Path | None = None,
        notify: Notify = "bell",
    ) -> None:
        with color_choice(without=no_color) as without:
            super().__init__(ansi_color=True if without else None)
        self.exit_reason: ExitReason = "quit"
        self.on_first_frame: Callable[[], None] | None = None
        """Called once, when the first picture stands: the time for what would have delayed it."""
        self.crash_text = ""
        """The traceback of a crash, for a log; it never reaches the terminal."""
        self.animation_level = "none"
        self.plotter: Plotter | None = None
        self._link = link
        self._clock = clock
        self._frames = FrameSource(link, clock, zone=zone, read_only=read_only)
        self._hz = hz
        self._timer: Timer | None = None
        self._owns_gateway = owns_gateway
        self._plot = plot
        self._desk = OrderDesk(link, clock)
        self._mask = Mask()
        self._folder = folder
        self._announcer = Announcer(notify)
        self._flashed_at = 0
        self._painted: tuple[Snapshot | None, tuple[object, ...]] = (None, ())
        self._loop_here: asyncio.AbstractEventLoop | None = None
        self._shown = False
        self._opening = ExitStack()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name
        self.set_class(ascii or ascii_wanted(), "-ascii")
        self.set_class(strip, "-strip-only")

    @property
    def return_code(self) -> int | None:
        """The exit status; 70 after a crash of the screen itself."""
        return _CRASHED if self.exit_reason == "crash" else super().return_code

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own colour names, for themes that do not know them."""
        return stand_ins(self.current_theme)

    def get_default_screen(self) -> Screen[None]:
        """The dashboard is at the bottom of the stack."""
        return DashboardScreen(self._clock, self._mask.frame(self._frames.take()))

    def on_mount(self) -> None:
        """Start taking pictures, and make sure that the terminal is given back."""
        self._opening.enter_context(self.batch_update())
        self._set_rate(self._hz)
        if not self.is_headless:
            on_signals(self.leave)
            self.set_interval(_TTY_CHECK_S, self._check_tty)
        self._loop_here = asyncio.get_running_loop()

    def on_app_blur(self) -> None:
        """Nobody looks: one picture a second is enough."""
        self._set_rate(min(self._hz, _BLURRED_HZ))

    def on_app_focus(self) -> None:
        """Somebody looks again."""
        self._set_rate(self._hz)
        self.tick()

    def _set_rate(self, hz: float) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_interval(1 / hz, self.tick) if hz > 0 else None

    def _open(self) -> None:
        """Every part has its size and its lines: draw them, at once and only once."""
        self._opening.close()
        self.screen.refresh()
        self.call_after_refresh(self._first_frame)

    def _first_frame(self) -> None:
        if self.on_first_frame is not None:
            self.on_first_frame()

    def _load_plotter(self) -> None:
        plotter = load_plotter()
        if self._loop_here is not None:
            self._loop_here.call_soon_threadsafe(self._use_plotter, plotter)

    def _use_plotter(self, plotter: Plotter | None) -> None:
        self.plotter = plotter
        self.tick(force=True)

    def tick(self, *, force: bool = False) -> None:
        """Take the newest picture and show it, unless nothing that is shown can have changed."""
        frame = self._mask.frame(self._frames.take())
        self._announce()
        self._drop_flash()
        retry = frame.link.retry_in_s
        wait = None if retry is None else math.ceil(retry)
        key = (frame.clock // 1000, frame.link.state, wait, frame.paused_ms is None, frame.missed_events)
        if frame.snapshot is self._painted[0] and key == self._painted[1] and not force:
            return
        if self._plot and frame.snapshot is not None and not self.has_class("-ascii"):
            # Not before there is something to draw: the gateway starts at the same time.
            self._plot = False
            self.run_worker(self._load_plotter, thread=True, exit_on_error=False)
        self._painted = (frame.snapshot, key)
        for screen in self._visible():
            screen.plotter = self.plotter
            screen.paint(frame)

    def _announce(self) -> None:
        """By the newest picture, also while the one that is shown is held still."""
        latest, driver = self._link.latest, self._driver
        told = self._announcer.take(latest) if latest is not None else ""
        if told and driver is not None:
            driver.write(told)

    def _visible(self) -> list[PaintedScreen]:
        """The painted screen on top; modals let it shine through."""
        shown = [screen for screen in self.screen_stack if isinstance(screen, PaintedScreen)]
        return [screen for screen in shown[-1:] if screen.is_mounted]

    def leave(self, reason: ExitReason = "quit") -> None:
        """End the program, restoring the terminal."""
        self.exit_reason = reason
        self.exit()

    def leave_from_thread(self) -> None:
        """As ``leave``, from any thread and without waiting: the gateway has ended under the screen."""
        loop = self._loop_here
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self.leave, "gateway")

    def _check_tty(self) -> None:
        if tty_gone():
            self.leave("tty")

    def _fatal_error(self) -> None:
        """A crash ends the app with one line; locals in a traceback could hold what nobody should see."""
        self.exit_reason = "crash"
        self.crash_text = traceback.format_exc()
        kind = self.crash_text.strip().splitlines()[-1].split(":")[0]
        self._exit_renderables.append(
            Text(f"crtui: the screen failed ({kind}); this is a bug, please report it")
        )
        self._close_messages_no_wait()

    @property
    def _top(self) -> PaintedScreen:
        return self._visible()[0]

    def say(self, line: Line) -> None:
        """Answer a key in the key bar's place for a few seconds."""
        self._flashed_at = self._clock.now().mono
        self._top.flash = self._mask.line(line)
        self._top.paint_keys()

    def _drop_flash(self) -> None:
        passed = self._clock.real_seconds(self._clock.now().mono - self._flashed_at)
        for screen in self._visible():
            if screen.flash is not None and passed >= _FLASH_S:
                screen.flash = None
                screen.paint_keys()

    @on(PaintedScreen.Ready)
    def _screen_ready(self) -> None:
        self.tick(force=True)
        if not self._shown:
            self._shown = True
            self.call_after_refresh(self._open)

    @on(PaintedScreen.Said)
    def _said(self, event: PaintedScreen.Said) -> None:
        self.say(event.line)

    @on(ProviderTable.Opened)
    def _opened(self) -> None:
        self.do_open()

    def action_perform(self, action_id: str) -> None:
        """Do an action of the table: a command to the gateway, or a change of view."""
        action = BY_ID[action_id]
        if action.writes:
            self._order(action)
        elif not self._top.perform(action):
            getattr(self, f"do_{action.id}")()

    def _order(self, action: Action) -> None:
        read_only = self._frames.take().read_only
        prepared = self._desk.prepare(action, self._mask.real(self._top.selected), read_only=read_only)
        if isinstance(prepared, Refused):
            self.say(prepared.told)
        elif prepared.question is None:
            self._send(prepared.command)
        else:
            self._ask(prepared.question, "keep as it is", partial(self._send, prepared.command))

    def _send(self, command: Command) -> None:
        self.say(self._desk.send(command, self.size.width - 2))

    def _ask(self, asked: Question, no: str, then: Callable[[], None]) -> None:
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
        """Hold the picture, or go on."""
        self._frames.toggle()
        self.tick(force=True)

    def do_copy(self) -> None:
        """Copy the base URL while there is nothing else, the selected row otherwise."""
        latest = self._link.latest
        frame = self._mask.frame(self._frames.take())
        rows = self._top.row_text().splitlines() if frame.scene == "busy" else []
        text = "\n".join(map(printable, rows)) or (latest.gateway.url if latest else self._link.status.url)
        self.copy_to_clipboard(text)
        self.say((Span("copied ", "dim"), Span(text.splitlines()[0], "bright")))

    def do_json(self) -> None:
        """Copy the selected provider as JSON."""
        from crtui.tui.export import json_line

        provider = self._mask.frame(self._frames.take()).provider(self._top.selected)
        if provider is None:
            self.say((Span("no provider is selected", "dim"),))
            return
        self.copy_to_clipboard(json_line(provider))
        self.say((Span("copied ", "dim"), Span(f"{provider.name} as JSON", "bright")))

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
        from crtui.tui.outfile import write_new

        folder, frame = self._folder or Path.cwd(), self._frames.take()
        try:
            saved = [write_new(folder, end, text, frame.clock, frame.zone) for end, text in files.items()]
        except OSError as fault:
            told = f"not saved: {fault.strerror or fault}; start crtui in a folder you may write to"
            self.say((Span(told, "bad"),))
            return
        names = " and ".join(path.name for path in saved)
        where = "" if self._mask.on else f" in {folder}"
        self.say((Span("saved ", "dim"), Span(names, "bright"), Span(where, "dim")))

    def do_privacy(self) -> None:
        """Hide what a screenshot should not show, or show it again."""
        name = self._mask.toggle(self._link.latest)
        for screen in self.screen_stack:
            if isinstance(screen, PaintedScreen):
                screen.rename(name)
        self.tick(force=True)
        hidden = "names, money and addresses are hidden" if self._mask.on else "everything is shown again"
        self.say((Span(hidden, "bright"), Span("  P", "key"), Span(" undo", "dim")))

    def do_theme(self) -> None:
        """The next of crtui's own themes."""
        names = [theme.name for theme in THEMES]
        at = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(at + 1) % len(names)]

    def do_help(self) -> None:
        """Every key."""
        read_only = self._frames.take().read_only
        actions = available(self._top.PLACE, read_only=read_only)
        self.push_screen(HelpModal(in_ascii(actions) if self.has_class("-ascii") else actions))

    def do_palette(self) -> None:
        """Every command by name."""
        self.action_command_palette()

    def do_quit(self) -> None:
        """Quit, after asking if that would cut requests."""
        latest = self._link.latest
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
        read_only = self._frames.take().read_only
        for action in available(self._top.PLACE, read_only=read_only):
            if action.group != "Move" and action.id != "palette":
                yield SystemCommand(action.label, action.help, partial(self.action_perform, action.id))
        yield SystemCommand("Theme", "choose the colours", self.action_change_theme)
