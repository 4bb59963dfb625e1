"""The app as far as it shows pictures: takes the newest one from the gallery, hands it to the screens.

What only a key or the config needs is imported by its function: the first frame waits for every
import above it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.screen import Screen
from textual.timer import Timer

from crtui.clock import Clock
from crtui.tui.chart import Plotter
from crtui.tui.frame import Frame
from crtui.tui.gallery import Gallery
from crtui.tui.hygiene import ascii_wanted, color_choice
from crtui.tui.keys import keymap
from crtui.tui.line import ROLES, Line, Span
from crtui.tui.pace import Pace
from crtui.tui.plot import load_plotter
from crtui.tui.screens.dashboard import DashboardScreen
from crtui.tui.screens.painted import PaintedScreen
from crtui.tui.settings import CALM_HZ, ScreenSettings
from crtui.tui.shell import TerminalApp
from crtui.tui.themes import CHOICES, THEMES, stand_ins

if TYPE_CHECKING:
    from crtui.core.views import Snapshot
    from crtui.engine.link import Link
    from crtui.tui.hooks import Hooks
    from crtui.tui.notify import Told
    from crtui.tui.travel import History
    from crtui.tui.traveller import Traveller

_FLASH_S = 4.0
_SLOW_HZ = 1.0


class PaintingApp(TerminalApp):
    """Screens on any link, painted at a pace.

    Args:
        link: Where pictures come from and commands go.
        clock: What countdowns are measured by.
        others: Further gateways, each in a tab of its own.
        ascii: Draw with ASCII only; also chosen where the terminal needs it.
        read_only: Refuse every command, whatever the link would say.
        hz: Pictures taken a second; 0 is none, then only ``tick`` takes one.
        no_color: As a non-empty ``NO_COLOR``.
        owns_gateway: Quitting also ends the gateway, so ask while requests run.
        zone: The zone that times are shown in; None is the machine's.
        plot: Whether to load plotext for the charts once the first picture stands.
        strip: Show three lines, as on a terminal that has no room for more.
        folder: Where exports and screenshots are saved; None is where crtui was started.
        history: Opens the past; None where there is none to go to.
        settings: What the config says, if it is known already; else it comes by ``use``.
    """

    TITLE = "crtui"
    CSS_PATH: ClassVar[list[str]] = [  # type: ignore[assignment]  # Textual's is wider, and not a ClassVar
        "styles/tokens.tcss",
        "styles/dashboard.tcss",
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"role--{role}" for role in (*ROLES, "cursor")}

    def __init__(
        self,
        link: Link,
        clock: Clock,
        *,
        others: Sequence[Link] = (),
        ascii: bool = False,  # noqa: A002 - the option's name
        read_only: bool = False,
        hz: float = 4.0,
        no_color: bool = False,
        owns_gateway: bool = True,
        zone: tzinfo | None = None,
        plot: bool = True,
        strip: bool = False,
        folder: Path | None = None,
        history: History | None = None,
        settings: ScreenSettings | None = None,
    ) -> None:
        with color_choice(without=no_color) as without:
            super().__init__(ansi_color=True if without else None)
        self.on_first_frame: Callable[[], None] | None = None
        """Called once, when the first picture stands: the time for what would have delayed it."""
        self.animation_level = "none"
        self.plotter: Plotter | None = None
        self._clock = clock
        self._gallery = Gallery((link, *others), clock, zone=zone, read_only=read_only)
        self._mask = self._gallery.mask
        self._zone = zone
        self._history = history
        self._traveller: Traveller | None = None
        self._settings = settings or ScreenSettings()
        self._hooks: Hooks | None = None
        self._hz = hz
        self._blurred = False
        self._timer: Timer | None = None
        self._pace = Pace()
        self._owns_gateway = owns_gateway
        self._plot = plot
        self._folder = folder
        self._flashed_at = 0
        self._painted: tuple[Snapshot | None, tuple[object, ...]] = (None, ())
        self._shown = False
        self._opening = ExitStack()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name
        self.set_class(ascii or ascii_wanted(), "-ascii")
        self.set_class(strip, "-strip-only")
        self.set_class(bool(others), "-fleet")

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own colour names, for themes that do not know them."""
        return stand_ins(self.current_theme)

    def get_default_screen(self) -> Screen[None]:
        """The dashboard is at the bottom of the stack."""
        self._dashboard = DashboardScreen(self._clock, self._frame())
        return self._dashboard

    def on_mount(self) -> None:
        """Start taking pictures, and make sure that the terminal is given back."""
        self._opening.enter_context(self.batch_update())
        self.watch_terminal()
        self.use(self._settings)

    def on_unmount(self) -> None:
        """Nothing of the past is kept open."""
        if self._traveller is not None:
            self._traveller.close()

    def use(self, settings: ScreenSettings) -> None:
        """Go by what a person has chosen; on the app's own thread."""
        self._settings = settings
        if settings.theme is not None:
            self.theme = CHOICES[settings.theme]
        if settings.hz is not None:
            self._hz = settings.hz
        self._repace()
        self.set_class(settings.reduced_motion, "-calm")
        if settings.keys:
            from crtui.keymap import remapped

            self._gallery.actions = remapped(settings.keys)
            self.set_keymap(keymap([a for a in self._gallery.actions if a.id in settings.keys]))
        if settings.on_event:
            from crtui.tui.hooks import Hooks

            self._hooks = Hooks(settings.on_event, self.tell_from_thread, secrets=settings.secrets)

    def use_from_thread(self, settings: ScreenSettings) -> None:
        """As ``use``, from any thread and without waiting: the config has been read."""
        self.soon(lambda: (self.use(settings), self.tick(force=True)))

    def tell_from_thread(self, *notices: str) -> None:
        """Put up notices that stay, from any thread and without waiting."""
        self.soon(lambda: [self._gallery.tell(notice) for notice in notices])

    def on_app_blur(self) -> None:
        """Nobody looks: one picture a second is enough."""
        self._blurred = True
        self._repace()

    def on_app_focus(self) -> None:
        """Somebody looks again."""
        self._blurred = False
        self._repace()
        self.tick()

    def _repace(self) -> None:
        """Draw as often as is of use: what stands still, or what nobody looks at, only now and then."""
        hz = min(self._hz, CALM_HZ) if self._settings.reduced_motion else self._hz
        if self._blurred or self._gallery.here.frames.frozen:
            hz = min(hz, _SLOW_HZ)
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_interval(1 / hz, self._timed_tick) if hz > 0 else None

    def _timed_tick(self) -> None:
        if self._pace.due(calm=self._blurred):
            self.tick()
        else:
            # A snapshot carries no more than the newest events, and news do not wait.
            self._gallery.here.frames.listen()
            self._tell_news()

    @property
    def _link(self) -> Link:
        return self._gallery.here.link

    def _frame(self) -> Frame:
        return self._gallery.frame()

    def _open(self) -> None:
        """Every part has its size and its lines: draw them, at once and only once."""
        self._opening.close()
        self.screen.refresh()
        self.call_after_refresh(self._first_frame)

    async def _first_frame(self) -> None:
        self._pace = Pace()
        if self.on_first_frame is not None:
            self.on_first_frame()
        await self._dashboard.furnish()

    def _load_plotter(self) -> None:
        plotter = load_plotter()
        self.soon(lambda: self._use_plotter(plotter))

    def _use_plotter(self, plotter: Plotter | None) -> None:
        self.plotter = plotter
        self.tick(force=True)

    def tick(self, *, force: bool = False) -> None:
        """Take the newest picture and show it, unless nothing that is shown can have changed."""
        frame = self._frame()
        self._tell_news()
        self._drop_flash()
        retry = frame.link.retry_in_s
        wait = None if retry is None else math.ceil(retry)
        seconds = (frame.clock // 1000, None if frame.behind is None else frame.behind // 1000)
        paused = (frame.paused_ms is None, frame.missed_events)
        key = (seconds, frame.link.state, wait, paused, frame.fleet, frame.notices)
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

    def _tell_news(self) -> None:
        """Ring, write, run what was asked for: of every gateway, whatever is shown."""
        for one in self._gallery.stations:
            told, refused = one.news(), one.refusal()
            if told is not None:
                self._tell(told)
            if refused is not None:
                self.say((Span("not done: ", "bad"), Span(refused, "dim")))

    def _tell(self, told: Told) -> None:
        from crtui.tui.notify import sequence

        written = sequence(told, self._settings.notify)
        if written and self._driver is not None:
            self._driver.write(written)
        if self._hooks is not None:
            for turn in told.turns:
                self._hooks.run(turn)

    def _visible(self) -> list[PaintedScreen]:
        """The painted screen on top; modals let it shine through."""
        shown = [screen for screen in self.screen_stack if isinstance(screen, PaintedScreen)]
        return [screen for screen in shown[-1:] if screen.is_mounted]

    @property
    def _top(self) -> PaintedScreen:
        return self._visible()[0]

    def say(self, line: Line | None) -> None:
        """Answer a key in the key bar's place for a few seconds; None takes an answer away."""
        self._flashed_at = self._clock.now().mono
        self._top.flash = None if line is None else self._mask.line(line)
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
