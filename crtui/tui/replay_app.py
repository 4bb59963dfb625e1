"""The dashboard on a recording: the same screens, a time line under them, and keys to move along it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Final, Protocol

from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import Input

from crtui.actions import in_ascii
from crtui.clock import Clock
from crtui.engine.link import Link
from crtui.tui.app import CrtuiApp
from crtui.tui.screens.modals import HelpModal
from crtui.tui.screens.painted import PaintedScreen
from crtui.tui.timeline import JUMP_MS, LEAP_MS, TIME_KEYS, Playing, timeline
from crtui.tui.widgets.lines import LineView


class Deck(Playing, Protocol):
    """The time line with its controls."""

    def toggle(self) -> None:
        """Pause, or go on."""
        ...

    def seek(self, ms: int) -> None:
        """Jump to a time."""
        ...

    def jump(self, ms: int) -> None:
        """Jump by so much."""
        ...

    def faster(self, factor: float) -> None:
        """Multiply the speed."""
        ...


class RecordedLink(Link, Protocol):
    """A link whose pictures are of a recording."""

    def wake(self) -> None:
        """The time line has been moved."""
        ...

    def step(self) -> None:
        """Go to the next input, and stay there."""
        ...


_MOVES: Final[dict[str, Callable[[Deck], None]]] = {
    "play": lambda deck: deck.toggle(),
    "back": lambda deck: deck.jump(-JUMP_MS),
    "ahead": lambda deck: deck.jump(JUMP_MS),
    "far_back": lambda deck: deck.jump(-LEAP_MS),
    "far_ahead": lambda deck: deck.jump(LEAP_MS),
    "start": lambda deck: deck.seek(0),
    "finish": lambda deck: deck.seek(deck.end),
    "faster": lambda deck: deck.faster(2.0),
    "slower": lambda deck: deck.faster(0.5),
}


class ReplayApp(CrtuiApp):
    """The dashboard on a recording. ``clock`` shows the recording's time; every command is refused."""

    CSS = "#timeline { height: 1; overflow: hidden; background: $surface; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key, f"app.time('{action.id}', '{key}')", action.label, show=False, priority=True)
        for action in TIME_KEYS
        for key in action.keys
    ]

    def __init__(self, link: RecordedLink, clock: Clock, deck: Deck, **options: Any) -> None:
        """As ``CrtuiApp``; ``deck`` is what the keys move."""
        super().__init__(link, clock, read_only=True, owns_gateway=False, **options)
        self._replay = link
        self._deck = deck

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The keys of time are letters to somebody who types; dialogs and inner screens have their own."""
        if action != "time":
            return super().check_action(action, parameters)
        screen = self.screen
        if not isinstance(screen, PaintedScreen) or isinstance(self.focused, Input):
            return False
        here = self._gallery.available(screen.PLACE)
        own = (found for found in here if found.place != "everywhere" and found.group != "History")
        return not any(parameters[1] in found.keys for found in own)

    def action_time(self, move: str, _key: str = "") -> None:
        """Move along the time line."""
        if move == "step":
            self._replay.step()
        else:
            _MOVES[move](self._deck)
            self._replay.wake()
        self.tick(force=True)

    def tick(self, *, force: bool = False) -> None:
        """As ever, and the time line with it."""
        super().tick(force=force)
        for screen in self._visible():
            found = screen.query("#timeline")
            if screen.frame is not None and found:
                line = found.only_one(LineView)
                line.set_lines([timeline(self._deck, screen.frame.now, screen.frame.zone, line.columns)])

    @on(PaintedScreen.Ready)
    async def _screen_shown(self) -> None:
        for screen in self._visible():
            if not screen.query("#timeline"):
                await screen.mount(LineView(id="timeline"))
        self.call_after_refresh(self.tick, force=True)

    def do_freeze(self) -> None:
        """A recording is held still by its time line."""
        self.action_time("play")

    def do_help(self) -> None:
        """Every key; those of time first."""
        taken = {key for action in TIME_KEYS for key in action.keys}
        others = self._gallery.available(self._top.PLACE)
        actions = (*TIME_KEYS, *(action for action in others if not taken & set(action.keys)))
        self.push_screen(HelpModal(in_ascii(actions) if self.has_class("-ascii") else actions))
