"""The event feed: merges the event tails of successive snapshots, numbered, bounded, with honest gaps."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Final

from crtui.core.events import Event
from crtui.tui import fmt
from crtui.tui.line import ELLIPSIS, Line, Role, Span, cell, cell_width, fit, width_of, wrap
from crtui.tui.words import QUIET, look, words

_KEPT: Final = 400
_NARROW: Final = 60
_INDENT: Final = 8


@dataclass(frozen=True, slots=True)
class Note:
    """One line of the feed. ``count`` > 1: the same thing so many times in a row, last told at ``at``."""

    at: int
    provider: str
    text: str
    glyph: str
    role: Role
    event: Event | None
    count: int = 1


class EventLog:
    """The newest events seen, oldest first. Everything and the notable ones are kept apart.

    A busy minute of plain successes cannot push the one outage out of the list.
    """

    def __init__(self, zone: tzinfo | None = None) -> None:
        self._zone = zone
        self._last = 0
        self._all: deque[Note] = deque(maxlen=_KEPT)
        self._notable: deque[Note] = deque(maxlen=_KEPT)
        self.version = 0

    @property
    def last_seq(self) -> int:
        """The number of the newest event taken in, 0 before the first."""
        return self._last

    def notes(self, *, everything: bool = False) -> Sequence[Note]:
        """The feed's lines, oldest first."""
        return self._all if everything else self._notable

    def of(self, provider: str) -> Iterator[Note]:
        """The lines of one provider, newest first."""
        return (note for note in reversed(self._all) if note.provider == provider)

    def changes_of(self, provider: str) -> Iterator[Note]:
        """The notable lines of one provider, newest first."""
        return (note for note in reversed(self._notable) if note.provider == provider)

    def mapped(self, change: Callable[[Note], Note]) -> EventLog:
        """The same feed with every line changed."""
        made = EventLog(self._zone)
        made._last, made.version = self._last, self.version
        made._all.extend(map(change, self._all))
        made._notable.extend(map(change, self._notable))
        return made

    def take(self, events: Sequence[Event]) -> None:
        """Merge a snapshot's event tail. What lies between the last tail and this one is counted."""
        if not events:
            if self._last:
                self._restart()
            return
        if events[-1].seq < self._last:
            self._restart()
        fresh = [event for event in events if event.seq > self._last]
        if not fresh:
            return
        missed = fresh[0].seq - self._last - 1
        if self._last and missed > 0:
            self._gap(missed, fresh[0].at)
        for event in fresh:
            self._add(event)
        self._last = fresh[-1].seq
        self.version += 1

    def _restart(self) -> None:
        """The numbers began anew: another gateway process answers now."""
        self._last = 0
        self._all.clear()
        self._notable.clear()
        self.version += 1

    def _gap(self, missed: int, at: int) -> None:
        note = Note(at, "", f"… {missed} more", " ", "faint", None)
        self._all.append(note)
        self._notable.append(note)

    def _add(self, event: Event) -> None:
        glyph, role = look(event)
        note = Note(event.at, event.provider or "", words(event, self._zone), glyph, role, event)
        _append(self._all, note)
        if event.kind == "attempt.ok":
            self._tally(note)
        elif event.kind not in QUIET and event.data.get("action") != "skip":
            # Memory words that lead to a rest are told by the rest itself.
            _append(self._notable, note)

    def _tally(self, note: Note) -> None:
        """Count a success on to its provider's line since the last notable event, or begin one.

        So the feed shows who serves now, and a busy minute takes one line a provider.
        """
        for place in range(len(self._notable) - 1, -1, -1):
            earlier = self._notable[place]
            if earlier.event is None or earlier.event.kind != "attempt.ok":
                break
            if earlier.provider == note.provider:
                del self._notable[place]
                note = replace(note, count=earlier.count + 1)
                break
        self._notable.append(note)


def _append(notes: deque[Note], note: Note) -> None:
    """Add a line, or count it on to the last one if that says the same."""
    last = notes[-1] if notes else None
    same = last is not None and (last.provider, last.text, last.glyph) == (
        note.provider,
        note.text,
        note.glyph,
    )
    if last is not None and same and note.glyph.strip():
        notes[-1] = replace(note, count=last.count + 1)
    else:
        notes.append(note)


class FeedLines:
    """The feed as lines. A note is written once for a width: most stay from picture to picture."""

    def __init__(self) -> None:
        self._shape = (0, 0)
        self._known: dict[int, tuple[Note, list[Line]]] = {}

    def lines(self, notes: Iterable[Note], width: int, zone: tzinfo | None) -> list[Line]:
        """Each note in lines of at most ``width`` cells; narrow ones drop the seconds and shorten names."""
        shown = list(notes)
        longest = max((cell_width(name) for name in {note.provider for note in shown}), default=0)
        name_width = min(longest, 14 if width >= _NARROW else 13)
        known = self._known if self._shape == (width, name_width) else {}
        self._shape = (width, name_width)
        self._known = {
            id(note): known.get(id(note)) or (note, _note_lines(note, width, name_width, zone))
            for note in shown
        }
        return [line for _, lines in self._known.values() for line in lines]


class FeedPanel:
    """The lines of a log; the same ones for as long as nothing is added to it."""

    def __init__(self) -> None:
        self._written = FeedLines()
        self._of: tuple[object, ...] = ()
        self._lines: list[Line] = []

    def lines(self, log: EventLog, width: int, zone: tzinfo | None, *, everything: bool) -> list[Line]:
        """As ``FeedLines``: of everything, or of what is notable."""
        of = (log, log.version, width, zone, everything)
        if of != self._of:
            self._of = of
            self._lines = self._written.lines(log.notes(everything=everything), width, zone)
        return self._lines


def _note_lines(note: Note, width: int, name_width: int, zone: tzinfo | None) -> list[Line]:
    """One line; where it is narrow, trouble that does not fit goes on in a second one."""
    head = _head(note, width, name_width, zone)
    if width >= _NARROW or note.role not in ("warn", "bad") or width - width_of(head) < _INDENT:
        return [note_line(note, width, name_width, zone)]
    first = wrap(note.text, max(1, width - width_of(head)), 2)[0]
    rest = note.text[len(first) :].strip()
    if not rest or first.endswith(ELLIPSIS):
        return [note_line(note, width, name_width, zone)]
    last = fit((Span(" " * _INDENT), Span(rest, _text_role(note))), width - cell_width(_times(note)))
    return [(*head, Span(first, _text_role(note))), (*last, Span(_times(note), "bright"))]


def note_line(note: Note, width: int, name_width: int, zone: tzinfo | None) -> Line:
    """One line: time, glyph, provider, what happened."""
    head, times = _head(note, width, name_width, zone), _times(note)
    room = max(1, width - width_of(head) - cell_width(times))
    body = fit((Span(note.text, _text_role(note)),), room)
    return fit((*head, *body, *([Span(times, "bright")] if times else [])), width)


def _head(note: Note, width: int, name_width: int, zone: tzinfo | None) -> Line:
    time = fmt.clock_time(note.at, zone, seconds=width >= _NARROW)
    name = f"{cell(note.provider, name_width)} " if name_width else ""
    return (Span(f"{time} ", "faint"), Span(f"{note.glyph} ", note.role), Span(name))


def _times(note: Note) -> str:
    return f" ×{note.count}" if note.count > 1 else ""


def _text_role(note: Note) -> Role:
    return "bright" if note.role == "bad" else "text" if note.role == "warn" else "dim"
