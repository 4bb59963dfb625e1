"""The one door through which text from outside becomes text for a screen, a log or a journal."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

ELLIPSIS: Final = "…"
MASK: Final = "•••"
MIN_SECRET: Final = 6
"""A shorter secret is left alone: masking it would eat ordinary words."""

_REPLACEMENT: Final = "\ufffd"
_MAX_MARKS: Final = 3
_LOOKED_AT: Final = 4096

# ECMA-48: control strings (DCS, SOS, OSC, PM, APC) with BEL, ST or the end as terminator, then CSI,
# then the short escapes. Every part is a run of one class, so matching never backtracks.
_SEQUENCE: Final = re.compile(
    r"(?:\x1b[PX\]^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*+(?:\x07|\x1b\\|\x9c)?"
    r"|(?:\x1b\[|\x9b)[0-?]*+[ -/]*+[@-~]?"
    r"|\x1b[ -/]*+[0-~]?"
)

# Letters by category, yet drawn as nothing: the Hangul fillers.
_BLANK_LETTERS: Final = frozenset("\u115f\u1160\u3164\uffa0")


def scrub(text: str, limit: int = 200) -> str:
    """Make text from outside safe to show on one line of at most ``limit`` terminal cells.

    Gone are whole escape sequences, control, bidi, tag and zero-width characters; runs of white
    space become one space; lone surrogates and unassigned code points become U+FFFD; what does
    not fit is cut and ends in ``…``. Total, idempotent, and the time taken does not grow with
    the length of ``text``: only its first few thousand characters are looked at.
    """
    head = text[: max(_LOOKED_AT, 8 * limit)]
    cut = len(head) < len(text)
    if head.isascii() and head.isprintable():
        plain = " ".join(head.split())
        if not cut and len(plain) <= limit:
            return plain
    return _fit(_SEQUENCE.sub("", head), limit, cut)


def cell_width(text: str) -> int:
    """How many terminal cells ``text`` takes: wide and full-width 2, combining and control 0."""
    if text.isascii() and text.isprintable():
        return len(text)
    return sum(map(_char_width, text))


def mask_secrets(text: str, secrets: Iterable[str]) -> str:
    """Replace every known secret of at least six characters in ``text`` by ``•••``.

    Mask before scrubbing: a cut could leave half of a secret that is no longer recognised.
    """
    for secret in sorted(set(secrets), key=len, reverse=True):
        if len(secret) >= MIN_SECRET:
            text = text.replace(secret, MASK)
    return text


def mask_bytes(body: bytes, secrets: Iterable[str]) -> bytes:
    """As ``mask_secrets``, in an answer of which parts are to be shown."""
    for secret in sorted(set(secrets), key=len, reverse=True):
        if len(secret) >= MIN_SECRET:
            body = body.replace(secret.encode(), MASK.encode())
    return body


def _fit(text: str, limit: int, cut: bool) -> str:
    """Drop what must not show and stop as soon as ``limit`` cells are full."""
    shown: list[str] = []
    cells = marks = 0
    for char in text:
        safe = _safe_char(char)
        if not safe or (safe == " " and (not shown or shown[-1] == " ")):
            continue
        width = _char_width(safe)
        # Stacked marks would be drawn over the rows above and below.
        marks = 0 if width else marks + 1
        if marks > _MAX_MARKS:
            continue
        shown.append(safe)
        cells += width
        if cells > limit + 1:
            break
    if shown and shown[-1] == " ":
        shown.pop()
        cells -= 1
    if not cut and cells <= limit:
        return "".join(shown)
    return _shorten(shown, limit)


def _shorten(shown: list[str], limit: int) -> str:
    """The longest beginning that leaves room for the ellipsis, which needs one cell itself."""
    if limit < 1:
        return ""
    cells = sum(map(_char_width, shown))
    while shown and cells > limit - 1:
        cells -= _char_width(shown.pop())
    return "".join(shown).rstrip(" ") + ELLIPSIS


def _safe_char(char: str) -> str:
    """What is shown for one character: itself, a space, U+FFFD or nothing."""
    if char.isprintable():
        return "" if char in _BLANK_LETTERS or _is_selector(char) else char
    if char.isspace():
        return " "
    return _REPLACEMENT if unicodedata.category(char) in ("Cs", "Cn") else _private_or_nothing(char)


def _private_or_nothing(char: str) -> str:
    """Private-use glyphs stay, they are what icon fonts use; formats and controls go."""
    return char if unicodedata.category(char) == "Co" else ""


def _is_selector(char: str) -> bool:
    """Whether it is a variation selector: invisible, and changes what terminals think of the width."""
    return (
        "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef" or "\u180b" <= char <= "\u180f"
    )


def _char_width(char: str) -> int:
    if " " <= char <= "~":
        return 1
    if unicodedata.category(char) in ("Mn", "Me", "Cc", "Cf") or "\u1160" <= char <= "\u11ff":
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1
