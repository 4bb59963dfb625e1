"""Every non-ASCII character the screen draws itself, and what stands for it on plain terminals.

Lines are always built with the characters below. On a terminal that cannot show them one
translation, character by character, is applied where lines become cells, so widths never change.
"""

from __future__ import annotations

from typing import Final

NEXT: Final = "▶"
PAUSED: Final = "❚❚"
ARROW: Final = "→"
SEPARATOR: Final = "·"
NONE: Final = "–"
TIMES: Final = "×"
AT_LEAST: Final = "≥"
SPARKS: Final = "▁▂▃▄▅▆▇"
BLOCKS: Final = " ▁▂▃▄▅▆▇█"
BAR_FULL: Final = "━"
BAR_EMPTY: Final = "╌"
LANE_SERVING: Final = "▆"
LANE_WAITING: Final = "░"
LANE_OUT: Final = "·"
LANE_BACK: Final = "↑"

_PLAIN: Final = {
    "▶": ">",
    "❚": "|",
    "→": ">",
    "←": "<",
    "·": "-",
    "–": "-",
    "×": "x",
    "≥": ">",
    "…": "~",
    "⏎": "<",
    "↑": "^",
    "↓": "v",
    "‹": "<",
    "●": "+",
    "◆": "*",
    "◐": "~",
    "◔": "?",
    "◌": ".",
    "◇": "$",
    "▒": "m",
    "░": ".",
    "▼": "v",
    "✖": "x",
    "○": "o",
    "─": "-",
    "│": "|",
    "┤": "|",
    "└": "+",
    "━": "=",
    "╌": ".",
    "▁": "_",
    "▂": "_",
    "▃": "-",
    "▄": "-",
    "▅": "=",
    "▆": "=",
    "▇": "#",
    "█": "#",
}
_TABLE: Final = str.maketrans(_PLAIN)
_CHARTED: Final = "▀▌▐▖▗▘▙▚▛▜▝▞▟"
"""What plotext draws lines with besides; never on a plain terminal."""
DRAWN: Final = frozenset(_PLAIN) | frozenset(_CHARTED)
"""All of them; each takes one cell."""


def plain_ascii(text: str) -> str:
    """The text in printable ASCII, one character for one; what has no stand-in becomes ``?``."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if " " <= c <= "~" else "?" for c in text.translate(_TABLE))
