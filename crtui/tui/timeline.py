"""The line that says a picture is a recording: where in it we are, how fast, and the keys for that. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Final, Protocol

from crtui.actions import Action
from crtui.core.now import SECOND
from crtui.tui import fmt
from crtui.tui.glyphs import PAUSED, TIMES
from crtui.tui.line import Line, Span, fit, width_of

JUMP_MS: Final = 10 * SECOND
LEAP_MS: Final = 60 * SECOND
_LEAST_BAR: Final = 8
_MOST_BAR: Final = 60


class Playing(Protocol):
    """What moves along the time line; milliseconds since its start."""

    end: int

    @property
    def speed(self) -> float:
        """Recorded time to real time."""
        ...

    @property
    def playing(self) -> bool:
        """Whether it moves."""
        ...

    def position(self) -> int:
        """Where it is."""
        ...


def _key(id: str, keys: tuple[str, ...], shown: str, label: str, help_text: str) -> Action:  # noqa: A002
    return Action(id, keys, shown, label, help_text, "Time")


TIME_KEYS: Final[tuple[Action, ...]] = (
    _key("play", ("space",), "space", "play", "pause, or go on"),
    _key("step", ("full_stop",), ".", "step", "to the next input, and stay there"),
    _key("back", ("left", "left_square_bracket"), "← [", "10 s back", "10 s back"),
    _key("ahead", ("right", "right_square_bracket"), "→ ]", "10 s on", "10 s on"),
    _key("far_back", ("shift+left", "left_curly_bracket"), "⇧← {", "1 min back", "a minute back"),
    _key("far_ahead", ("shift+right", "right_curly_bracket"), "⇧→ }", "1 min on", "a minute on"),
    _key("start", ("home",), "Home", "start", "to the start"),
    _key("finish", ("end",), "End", "end", "to the end"),
    _key("faster", ("plus", "equals_sign"), "+", "faster", "twice as fast"),
    _key("slower", ("minus",), "-", "slower", "half as fast"),
)
_HINTS: Final[Sequence[tuple[str, str]]] = (
    ("space", "play"),
    (".", "step"),
    ("← →", "10 s"),
    ("{ }", "1 min"),
    ("+ -", "speed"),
)


def timeline(at: Playing, wall: int, zone: tzinfo | None, width: int) -> Line:
    """``REPLAY 09:00:12 ━━━╌╌╌ 2× 0:12 of 1:30`` and keys as far as they fit; ``wall`` is what is shown."""
    position, end = at.position(), at.end
    mode = "" if at.playing else f"{PAUSED} "
    head = (Span(" REPLAY ", "accent"), Span(mode, "warn"), Span(fmt.clock_time(wall, zone), "bright"))
    told = f" {at.speed:g}{TIMES}  {_span(position)} of {_span(end)}"
    tail: Line = (Span(told, "text"),)
    room = width - width_of(head) - width_of(tail) - 2
    for key, label in _HINTS:
        more = (*tail, Span("  "), Span(key, "key"), Span(f" {label}", "dim"))
        if room - (width_of(more) - width_of(tail)) < _LEAST_BAR * 2:
            break
        room -= width_of(more) - width_of(tail)
        tail = more
    cells = max(0, min(_MOST_BAR, room))
    full, empty = fmt.bar(position / end if end else 1.0, cells)
    return fit((*head, Span(" "), Span(full, "accent"), Span(empty, "faint"), *tail), width)


def _span(ms: int) -> str:
    minutes, seconds = divmod(ms // SECOND, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
