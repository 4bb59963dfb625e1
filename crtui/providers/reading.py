"""Reading JSON from outside: what is absent, odd or negative is unknown, never 0."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, cast

import orjson

from crtui.text import scrub

_MOST: Final = 10**15
"""No window, memory or credit is larger; NaN is not smaller either."""

Json = Mapping[str, object]


class ProbeError(ValueError):
    """An answer that is not of the kind's form. The message is one safe line."""


def parse(body: bytes) -> Json:
    """A body that has to be a JSON object. Raises ``ProbeError``."""
    return as_object(_loads(body))


def parse_rows(body: bytes) -> list[Json]:
    """A body that has to be a JSON list of objects. Raises ``ProbeError``."""
    value = _loads(body)
    if not isinstance(value, list):
        raise ProbeError("the answer has another form; are base_url and kind right?")
    return [as_object(row) for row in cast("list[object]", value)]


def rows(answer: Json, key: str) -> list[Json]:
    """The objects of a list in an object; null is an empty one. Raises ``ProbeError``."""
    # Some servers write null for an empty list; a missing list is another program's answer.
    found = answer.get(key, ...)
    if not isinstance(found, list | None):
        raise ProbeError("the answer holds no model list; are base_url and kind right?")
    return [cast("Json", row) for row in cast("list[object]", found or []) if isinstance(row, dict)]


def as_object(value: object) -> Json:
    """A value that has to be an object. Raises ``ProbeError``."""
    if not isinstance(value, dict):
        raise ProbeError("the answer has another form; are base_url and kind right?")
    return cast("Json", value)


def part(row: Json, key: str) -> Json:
    """An object within an object, empty where there is none."""
    found = row.get(key)
    return cast("Json", found) if isinstance(found, dict) else {}


def items(row: Json, key: str) -> list[object]:
    """A list within an object, empty where there is none."""
    found = row.get(key)
    return cast("list[object]", found) if isinstance(found, list) else []


def text(row: Json, key: str) -> str | None:
    """A text made safe to show; an empty one is unknown."""
    found = row.get(key)
    return scrub(found) or None if isinstance(found, str) else None


def amount(value: object) -> float | None:
    """A quantity. What is overdrawn counts as nothing left; what no account holds is unknown."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _MOST:
        return None
    return max(0.0, float(value))


def whole(value: object) -> int | None:
    """A count of 0 or more."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST:
        return None
    return int(value)


def first(read: Callable[[object], int | None], *values: object) -> int | None:
    """The first value that says something, and not 0."""
    return next((number for value in values if (number := read(value))), None)


def error_message(body: bytes) -> str:
    """The words of an error answer in any of the usual envelopes, or nothing. Not yet safe to show."""
    try:
        error = parse(body).get("error")
    except ProbeError:
        return ""
    if isinstance(error, dict):
        error = cast("Json", error).get("message")
    return error if isinstance(error, str) else ""


def _loads(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise ProbeError("the answer is not JSON; is base_url right?") from None
