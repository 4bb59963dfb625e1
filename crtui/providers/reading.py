"""Reading JSON from outside: what is absent, odd or negative is unknown, never 0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from crtui.text import scrub
from crtui.wire.jsonview import as_count, as_list, as_object, loads

_MOST: Final = 10**15
"""No credit is larger; NaN is not smaller either."""

Json = Mapping[str, object]


class ProbeError(ValueError):
    """An answer that is not of the kind's form. The message is one safe line."""


def parse(body: bytes) -> Json:
    """A body that has to be a JSON object. Raises ``ProbeError``."""
    return expect_object(_loads(body))


def parse_rows(body: bytes) -> list[Json]:
    """A body that has to be a JSON list of objects. Raises ``ProbeError``."""
    value = _loads(body)
    if not isinstance(value, list):
        raise ProbeError("the answer has another form; are base_url and kind right?")
    return [expect_object(row) for row in cast("list[object]", value)]


def rows(answer: Json, key: str) -> list[Json]:
    """The objects of a list in an object; null is an empty one. Raises ``ProbeError``."""
    # Some servers write null for an empty list; a missing list is another program's answer.
    if not isinstance(answer.get(key, ...), list | None):
        raise ProbeError("the answer holds no model list; are base_url and kind right?")
    return [row for row in map(as_object, as_list(answer[key])) if row]


def expect_object(value: object) -> Json:
    """A value that has to be an object. Raises ``ProbeError``."""
    if not isinstance(value, dict):
        raise ProbeError("the answer has another form; are base_url and kind right?")
    return cast("Json", value)


def part(row: Json, key: str) -> Json:
    """An object within an object, empty where there is none."""
    return as_object(row.get(key))


def items(row: Json, key: str) -> list[object]:
    """A list within an object, empty where there is none."""
    return as_list(row.get(key))


def text(row: Json, key: str) -> str | None:
    """A text made safe to show; an empty one is unknown."""
    found = row.get(key)
    return scrub(found) or None if isinstance(found, str) else None


def amount(value: object) -> float | None:
    """A quantity. What is overdrawn counts as nothing left; what no account holds is unknown."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _MOST:
        return None
    return max(0.0, float(value))


def first_count(*values: object) -> int | None:
    """The first count that says something, and not 0."""
    return next((number for value in values if (number := as_count(value))), None)


def _loads(body: bytes) -> object:
    try:
        return loads(body)
    except ValueError:
        raise ProbeError("the answer is not JSON; is base_url right?") from None
