"""On which line of a TOML text each key stands; ``tomllib`` keeps no positions.

The text is known to be valid TOML 1.0 (https://toml.io/en/v1.0.0), so this only has to tell keys,
strings, brackets and comments apart.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

KeyPath = tuple[str | int, ...]

MAX_DEPTH: Final = 8
"""No key of the config lies deeper; what does is found at its ancestor."""

_BLANK: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY_PART: Final = re.compile(r"""[ \t]*([A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')[ \t]*""")
_STRING: Final = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}'
    r"|'''(?:[^']|'(?!''))*'{3,5}"
    r'|"(?:[^"\\]|\\.)*"'
    r"|'[^']*'",
    re.DOTALL,
)
_SCALAR: Final = re.compile(r"[^,\]}\n#]*")


def line_of(text: str, path: Sequence[str | int]) -> int | None:
    """The 1-based line of a key path, else that of its nearest ancestor that is written down.

    Tables of an array of tables are counted from 0, as are the items of an array.
    None where nothing of the path is in the text.
    """
    lines = _lines(text)
    for length in range(len(path), 0, -1):
        if (line := lines.get(tuple(path[:length]))) is not None:
            return line
    return None


@lru_cache(maxsize=1)
def _lines(text: str) -> Mapping[KeyPath, int]:
    # Kept, for a text with many faults is asked about many times.
    try:
        return _Scan(text.replace("\r\n", "\n")).lines
    except RecursionError:
        return {}


class _Scan:
    """One pass over the text. ``lines`` maps each key path to the line it first stands on."""

    def __init__(self, text: str) -> None:
        self.lines: dict[KeyPath, int] = {}
        self._text = text
        self._at = 0
        self._breaks = [i for i, char in enumerate(text) if char == "\n"]
        self._tables: dict[KeyPath, int] = {}
        self._run()

    def _run(self) -> None:
        here: KeyPath = ()
        self._skip()
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                here = self._header()
            else:
                self._pair(here)
            self._skip()

    def _skip(self) -> None:
        self._at = _end(_BLANK, self._text, self._at)

    def _note(self, path: KeyPath, at: int) -> None:
        self.lines.setdefault(path, bisect_right(self._breaks, at - 1) + 1)

    def _header(self) -> KeyPath:
        start = self._at
        array = self._text.startswith("[[", start)
        self._at += 2 if array else 1
        *outer, last = self._keys()
        self._at += 2 if array else 1
        path = (*self._through(outer), last)
        if array:
            self._tables[path] = self._tables.get(path, -1) + 1
            self._note(path, start)
        path = self._through([last], path[:-1])
        self._note(path, start)
        return path

    def _through(self, keys: list[str], base: KeyPath = ()) -> KeyPath:
        """Follow keys from ``base``, at an array of tables into its newest table."""
        for key in keys:
            base = (*base, key)
            if base in self._tables:
                base = (*base, self._tables[base])
        return base

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while match := _KEY_PART.match(self._text, self._at):
            raw = match[1]
            keys.append(tomllib.loads(f"k={raw}")["k"] if raw[0] in "\"'" else raw)
            self._at = match.end()
            if not self._text.startswith(".", self._at):
                break
            self._at += 1
        return keys[:MAX_DEPTH]

    def _pair(self, base: KeyPath) -> None:
        start = self._at
        keys = self._keys()
        for length in range(1, len(keys) + 1):
            self._note((*base, *keys[:length]), start)
        self._at += 1
        self._value((*base, *keys)[:MAX_DEPTH])

    def _value(self, path: KeyPath) -> None:
        self._skip()
        match self._text[self._at]:
            case "[":
                self._items(path)
            case "{":
                self._inline_table(path)
            case '"' | "'":
                self._at = _end(_STRING, self._text, self._at)
            case _:
                self._at = _end(_SCALAR, self._text, self._at)

    def _items(self, path: KeyPath) -> None:
        index = 0
        self._at += 1
        self._skip()
        while self._text[self._at] != "]":
            item = (*path, index)[:MAX_DEPTH]
            self._note(item, self._at)
            self._value(item)
            self._next_item()
            index += 1
        self._at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        self._skip()
        while self._text[self._at] != "}":
            self._pair(path)
            self._next_item()
        self._at += 1

    def _next_item(self) -> None:
        self._skip()
        if self._text[self._at] == ",":
            self._at += 1
            self._skip()


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at + 1
