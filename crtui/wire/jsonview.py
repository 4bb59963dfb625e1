"""JSON from outside, looked at and never passed on: parsing that forgives, access that cannot fail."""

from __future__ import annotations

import re
from typing import Final, cast

import orjson

MAX_COUNT: Final = 2**53
"""Counts beyond what a double holds exactly are nonsense."""

# Half of a surrogate pair, where a client cut a string in the middle of an emoji. The first
# branch eats whole pairs, the last any other escape, so that an escaped backslash is no start.
_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_HALF: Final = re.compile(rb"\\u[dD][89a-fA-F]")


def loads(data: bytes) -> object:
    """Parse JSON. Raises ``ValueError`` for anything else, nesting bombs and NaN included.

    Lone surrogates and bytes that are not UTF-8 are replaced, as they only matter to the reader
    of the original bytes.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        fixed = _repaired(data)
        if fixed == data:
            raise
        return orjson.loads(fixed)


def as_object(value: object) -> dict[str, object]:
    """The value if it is a JSON object, else an empty one."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def as_list(value: object) -> list[object]:
    """The value if it is a JSON array, else an empty one."""
    return cast("list[object]", value) if isinstance(value, list) else []


def as_text(value: object) -> str:
    """The value if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def as_count(value: object) -> int | None:
    """The value if it can be a count of tokens, else None: no strings, signs, fractions or 10^300."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_COUNT:
        return None
    return value


def _repaired(data: bytes) -> bytes:
    """The same bytes, at the same offsets, with what no parser takes replaced."""
    text = data.decode("utf-8", "surrogateescape").encode("utf-8", "replace")
    return _ESCAPE.sub(_whole, text) if _HALF.search(text) else text


def _whole(match: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if match[1] else match[0]
