"""A line of styled text: the one thing every part of the screen is made of.

A span names a *role* (what its text means), never a colour; the style sheet gives roles their looks.
Spans compare by value, so two lines are equal exactly when they look the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple, get_args

from crtui.text import cell_width

Role = Literal[
    "text", "dim", "faint", "bright", "good", "warn", "bad", "info", "chart", "accent", "key", "head"
]
ROLES: Final[tuple[Role, ...]] = get_args(Role)

Align = Literal["left", "right"]

ELLIPSIS: Final = "…"


class Span(NamedTuple):
    """A run of text with one meaning."""

    text: str
    role: Role = "text"


Line = tuple[Span, ...]
EMPTY: Final[Line] = ()


def width_of(line: Iterable[Span]) -> int:
    """The terminal cells a line takes."""
    return sum(cell_width(span.text) for span in line)


def plain(line: Iterable[Span]) -> str:
    """A line's text without its roles."""
    return "".join(span.text for span in line)


def cut(text: str, width: int) -> str:
    """The text if it fits into ``width`` cells, else its beginning ending in ``…``."""
    if text.isascii() and len(text) <= width:
        return text
    if cell_width(text) <= width:
        return text
    if width <= 0:
        return ""
    end = min(len(text), width)
    while end and cell_width(text[:end]) > width - 1:
        end -= 1
    return text[:end].rstrip() + ELLIPSIS


def cell(text: str, width: int, align: Align = "left") -> str:
    """The text in exactly ``width`` cells: cut or padded."""
    shown = cut(text, width)
    gap = " " * (width - cell_width(shown))
    return gap + shown if align == "right" else shown + gap


def fit(line: Iterable[Span], width: int) -> Line:
    """The line in at most ``width`` cells; what is cut ends in ``…``."""
    spans = tuple(line)
    if width_of(spans) <= width:
        return spans
    out: list[Span] = []
    room = width
    for index, span in enumerate(spans):
        taken = cell_width(span.text)
        rest = width_of(spans[index + 1 :])
        if taken > room or (taken == room and rest):
            out.append(Span(cut(span.text + (ELLIPSIS if taken == room else ""), room), span.role))
            break
        out.append(span)
        room -= taken
    return tuple(span for span in out if span.text)


def spread(left: Iterable[Span], right: Iterable[Span], width: int) -> Line:
    """Two parts at the two ends of ``width`` cells; the left one is cut if they would touch."""
    end = tuple(right)
    start = fit(left, max(0, width - width_of(end) - 1))
    gap = width - width_of(start) - width_of(end)
    return (*start, Span(" " * max(0, gap)), *end)
