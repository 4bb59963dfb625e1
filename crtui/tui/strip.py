"""The screen in three lines, for a small pane of its own: how it stands, what is worst, what was last.

Pure. Where there are more lines than three, they go to more of the newest events.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice

from crtui.tui import fmt
from crtui.tui.empty import empty_lines
from crtui.tui.feed import note_line
from crtui.tui.frame import Frame
from crtui.tui.glyphs import SEPARATOR
from crtui.tui.line import Line, Span, cell_width, fit, plain, spread
from crtui.tui.order import Entry, arrange, entries
from crtui.tui.segments import bar
from crtui.tui.summary import headline
from crtui.tui.upcoming import Upcoming, upcoming
from crtui.tui.why import why
from crtui.tui.words import when


def strip_lines(frame: Frame, width: int, height: int) -> list[Line]:
    """Counts, who serves and the rate; the worst provider and until when; the newest notable events."""
    clock = (Span(fmt.clock_time(frame.clock, frame.zone, seconds=width >= 60), "dim"), Span(" "))
    lines = [bar([segment for segment in headline(frame) if segment.long], width, clock)]
    if frame.snapshot is None or not frame.snapshot.providers:
        said = [line for line in empty_lines(frame, width - 1) if plain(line).strip()]
        return [*lines, *((Span(" "), *line) for line in (said[0], said[-1])[: height - 1])]
    lines.append(_worst(frame, arrange(entries(frame.snapshot), "attention"), width))
    newest = list(islice(reversed(frame.log.notes()), max(0, height - len(lines))))
    names = min(14, max((cell_width(note.provider) for note in newest), default=0))
    lines += [(Span(" "), *note_line(note, width - 1, names, frame.zone)) for note in reversed(newest)]
    return lines[:height]


def _worst(frame: Frame, found: list[Entry], width: int) -> Line:
    """The provider that needs attention most; where none does, the next change of any."""
    entry = found[0]
    if entry.status.group not in ("out", "limited"):
        return fit(_calm(frame, found), width)
    provider, status = entry.provider, entry.status
    head = [Span(f" {status.glyph} {status.word} ", status.role), Span(provider.name, "bright")]
    coming = upcoming(provider, frame.now)
    if coming is not None:
        head += [Span(f"  {_at(frame, coming)}", coming.role)]
    words = why(provider)
    told = (*head, Span(f" {SEPARATOR} {words}" if words else "", "dim"))
    more = Counter(other.status.group for other in found[1:])
    rest = more["out"] + more["limited"]
    return spread(told, (Span(f"+{rest} more ", "warn"),), width) if rest else fit(told, width)


def _calm(frame: Frame, found: list[Entry]) -> Line:
    dated = [
        (coming.at, entry.provider.name, coming)
        for entry in found
        if (coming := upcoming(entry.provider, frame.now)) is not None and coming.verb == "empty"
    ]
    fine = Span(" ● nobody is out or limited", "good")
    if not dated:
        return (fine,)
    _, name, coming = min(dated, key=lambda item: item[:2])
    return (
        fine,
        Span(f" {SEPARATOR} next: ", "dim"),
        Span(name),
        Span(f" {_at(frame, coming)}", coming.role),
    )


def _at(frame: Frame, coming: Upcoming) -> str:
    if coming.at <= frame.now:
        return f"{coming.verb} now"
    return f"{coming.verb} {fmt.countdown(coming.at - frame.now)} ({when(coming.at, frame.now, frame.zone)})"
