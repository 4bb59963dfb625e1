"""Where keys that change something become commands: refused, asked about first, or sent; and taken back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from crtui.actions import Action
from crtui.clock import Clock
from crtui.tui.glyphs import SEPARATOR
from crtui.tui.line import Line, Span, width_of
from crtui.tui.orders import Question, answer, command_for, question, refusal, undo_of
from crtui.tui.whatif import foretold

if TYPE_CHECKING:
    from crtui.core.inputs import Command, CommandName
    from crtui.core.views import ProviderView
    from crtui.engine.link import Link

_UNDOABLE: Final[frozenset[CommandName]] = frozenset({"demote", "drain", "pin", "release"})
_NARROW: Final = 60
"""Narrower answers leave out the provider's name: the cursor is on it."""
_GAP: Final = Span(f" {SEPARATOR} ", "faint")


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing is sent; ``told`` says why."""

    told: Line


@dataclass(frozen=True, slots=True)
class Order:
    """A command that may be sent, after a yes if there is something to ask."""

    command: Command
    question: Question | None = None


class OrderDesk:
    """Judges by the newest snapshot, also while the picture is frozen. State is never painted ahead of it."""

    def __init__(self, link: Link, clock: Clock) -> None:
        self._link = link
        self._clock = clock
        self._undo: Command | None = None

    def prepare(self, action: Action, selected: str | None, *, read_only: bool) -> Order | Refused:
        """What an action's key means now for the selected provider."""
        latest = self._link.latest
        if self._link.status.state != "live" or latest is None:
            return self._not_connected(action)
        if read_only:
            return Refused((Span("read-only: ", "warn"), Span(f"{action.label} is switched off here", "dim")))
        if action.id == "undo":
            return Order(self._undo) if self._undo else Refused((Span("nothing to undo", "dim"),))
        provider = self._provider(selected)
        if provider is None and action.needs_provider:
            return Refused((Span("no provider is selected", "dim"),))
        if (why := refusal(action, provider)) is not None:
            return Refused((Span(why, "dim"),))
        command = command_for(action, provider, latest)
        return Order(command, question(command, latest))

    def send(self, command: Command, width: int = 80, *, undo: str = "u") -> Line:
        """Hand the command over; returns the answer to show: what was ordered, what comes of it, the undo.

        ``undo`` is its key.
        """
        latest, provider = self._link.latest, self._provider(command.provider)
        self._link.send(command)
        told: Line = (Span(answer(command, short=width < _NARROW), "bright"),)
        if latest is not None and provider is not None and command.command in _UNDOABLE:
            self._undo = undo_of(provider, self._clock.now().wall)
            back: Line = (_GAP, Span(undo, "key"), Span(" undo", "dim"))
            then = foretold(command, latest, width - width_of((*told, _GAP, *back)))
            return (*told, *((_GAP, *then) if then else ()), *back)
        if self._undo is not None and command.provider in ("", self._undo.provider):
            self._undo = None
        return told

    def forget(self) -> None:
        """The last order changed nothing after all."""
        self._undo = None

    def _provider(self, name: str | None) -> ProviderView | None:
        latest = self._link.latest
        return next((p for p in latest.providers if p.name == name), None) if latest is not None else None

    def _not_connected(self, action: Action) -> Refused:
        if action.id == "reset":
            self._link.retry_now()
            return Refused((Span("trying again now", "dim"),))
        return Refused((Span("not connected: ", "bad"), Span("nothing was sent", "dim")))
