"""A bar of facts that gives up the least important ones first as it gets narrower. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crtui.tui.line import EMPTY, Line, Span, fit, spread, width_of

_GAP = 3


@dataclass(frozen=True, slots=True)
class Segment:
    """One fact in a bar. The lower its ``priority``, the longer it stays; ``short`` is tried before."""

    priority: int
    long: Line
    short: Line = EMPTY


def bar(segments: Sequence[Segment], width: int, right: Line = EMPTY) -> Line:
    """The segments that fit into ``width`` cells, in their order, with ``right`` at the far end."""
    room = width - width_of(right) - 2
    shown: dict[int, Line] = {index: segment.long for index, segment in enumerate(segments)}
    by_loss = sorted(shown, key=lambda index: -segments[index].priority)
    gap = _GAP if width >= 60 else 2
    for index in by_loss:
        if _total(shown, gap) <= room:
            break
        if segments[index].short:
            shown[index] = segments[index].short
        elif len(shown) > 1:
            del shown[index]
    for index in by_loss:
        if _total(shown, gap) <= room or len(shown) == 1:
            break
        shown.pop(index, None)
    for index in reversed(by_loss):
        line = segments[index].short or segments[index].long
        if index not in shown and _total(shown, gap) + gap + width_of(line) <= room:
            shown[index] = line
    spans: list[Span] = [Span(" ")]
    for place, index in enumerate(sorted(shown)):
        spans += [*([Span(" " * gap)] if place else []), *shown[index]]
    return spread(spans, right, width) if right else fit(spans, width)


def _total(shown: dict[int, Line], gap: int) -> int:
    return sum(width_of(line) for line in shown.values()) + gap * max(0, len(shown) - 1)
