"""A line of styled text: the one thing every part of the screen is made of.

A span names a *role* (what its text means), never a colour; the style sheet gives roles their looks.
Spans compare by value, so two lines are equal exactly when they look the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, Literal, NamedTuple, get_args

import crtui.text
from crtui.tui.glyphs import DRAWN

Role = Literal[
    "text", "dim", "faint", "bright", "good", "warn", "bad", "info", "chart", "accent", "key", "head", "past"
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


def printable(text: str) -> str:
    """The text without what a terminal would obey, in as many cells: the last door before the screen.

    Text from outside is made safe where it comes in; this holds where one of those doors is missing.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(c) for c in text)


def _shown(char: str) -> str:
    # The emoji selector makes a terminal draw the character before it wider than it counts here.
    return char if char.isprintable() and char != "\ufe0f" else "?" * cell_width(char)


def cell_width(text: str) -> int:
    """The terminal cells a text takes. The same few texts are measured again with every picture."""
    if text.isascii():
        return len(text) if text.isprintable() else _measured(text)
    # Every sparkline is new, but for its characters: those the screen draws itself take one cell each.
    return len(text) if _OWN.issuperset(text) else _measured(text)


_OWN: Final = frozenset(map(chr, range(0x20, 0x7F))) | DRAWN
_measured = lru_cache(maxsize=2048)(crtui.text.cell_width)


def width_of(line: Iterable[Span]) -> int:
    """The terminal cells a line takes."""
    return sum([cell_width(span.text) for span in line])


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


def wrap(text: str, width: int, rows: int) -> list[str]:
    """The text broken between words into at most ``rows`` lines of ``width`` cells; the last one is cut."""
    lines: list[str] = []
    rest = text
    while len(lines) < rows - 1 and cell_width(rest) > width:
        end = _break(rest, width)
        lines.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return [*lines, cut(rest, width)] if rest or not lines else lines


def _break(text: str, width: int) -> int:
    """Where to break: after the last space that fits, in the middle of a word where there is none."""
    end = 0
    while end < len(text) and cell_width(text[: end + 1]) <= width:
        end += 1
    space = text.rfind(" ", 0, end + 1)
    return space if space > 0 else max(1, end)
