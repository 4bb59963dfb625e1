"""Dumped values, read back: what cannot have been written by a dump is refused, never repaired.

Monotonic deadlines are dumped as the milliseconds left and moments of the past as their age, so
that they mean the same on another machine's clock. Wall times and counts are dumped as they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar, cast

from crtui.core.now import DAY

T = TypeVar("T")

LONGEST_MS: Final = 366 * 1000 * DAY
"""No wait, age or wall time is a millennium or more, so all of them can be shown as dates."""

Kinds = tuple[type, ...]
NUMBER: Final[Kinds] = (int, float)
NOTHING: Final = type(None)


class BadDumpError(ValueError):
    """A dump that no core wrote. The message names the value that gave it away."""


def take(data: Mapping[str, Any], key: str, kind: type[T]) -> T:
    """The value under a key, which must be there and of exactly that type."""
    return cast("T", _checked(data[key], (kind,), key))


def maybe(data: Mapping[str, Any], key: str, kind: type[T]) -> T | None:
    """The value under a key, which must be of exactly that type, or null."""
    return cast("T | None", _checked(data[key], (kind, NOTHING), key))


def number(data: Mapping[str, Any], key: str) -> float | None:
    """A finite number, or null."""
    return cast("float | None", _checked(data[key], (*NUMBER, NOTHING), key))


def chosen(data: Mapping[str, Any], key: str, options: Sequence[T]) -> T:
    """One of a fixed set of values."""
    value = data[key]
    if value not in options:
        raise BadDumpError(f"{key}: {value!r:.60} is none of {options}")
    return value


def inner(data: Mapping[str, Any], key: str) -> dict[str, Any]:
    """An object within."""
    return cast("dict[str, Any]", take(data, key, dict))


def values(data: Mapping[str, Any], key: str, kinds: Kinds) -> list[Any]:
    """A list whose items are each of one of the types."""
    return [_checked(value, kinds, key) for value in cast("list[Any]", take(data, key, list))]


def rows(data: Mapping[str, Any], key: str, *columns: Kinds) -> list[list[Any]]:
    """A list of rows, with the types each column may have."""
    found: list[list[Any]] = []
    for row in values(data, key, (list,)):
        if len(row) != len(columns):
            raise BadDumpError(f"{key}: a row of {len(row)}, not {len(columns)}")
        found.append([_checked(value, kinds, key) for value, kinds in zip(row, columns, strict=True)])
    return found


def left(deadline: int | None, mono: int) -> int | None:
    """How a deadline is dumped."""
    return None if deadline is None else deadline - mono


def deadline(data: Mapping[str, Any], key: str, mono: int) -> int | None:
    """A deadline of which ``left`` was dumped, as seen from the dump's own instant."""
    wait = _span(data, key)
    return None if wait is None else mono + wait


def moment(data: Mapping[str, Any], key: str, mono: int) -> int | None:
    """A moment of which the age was dumped."""
    age = _span(data, key)
    return None if age is None else mono - age


def lease(data: Mapping[str, Any], key: str, mono: int) -> tuple[int | None, int]:
    """The ticket (None: no trial runs) and the deadline of a trial, which was dumped with what was left."""
    if data[key] is None:
        return None, 0
    ticket, wait = values(data, key, (int,))
    return ticket, mono + bounded(wait, key)


def instant(data: Mapping[str, Any], key: str) -> int:
    """A wall time that must be there."""
    if (ms := bounded(take(data, key, int), key)) < 0:
        raise BadDumpError(f"{key}: {ms} ms is before the epoch")
    return ms


def wall(data: Mapping[str, Any], key: str) -> int | None:
    """A wall time, or null."""
    return None if data[key] is None else instant(data, key)


def bounded(ms: int, key: str) -> int:
    """A time that can be shown as a date from wherever it is counted."""
    if not -LONGEST_MS < ms < LONGEST_MS:
        raise BadDumpError(f"{key}: {ms} ms is no time")
    return ms


def _span(data: Mapping[str, Any], key: str) -> int | None:
    ms = maybe(data, key, int)
    return None if ms is None else bounded(ms, key)


def _checked(value: Any, kinds: Kinds, key: str) -> Any:
    kind = value.__class__
    if kind not in kinds or (kind is float and not math.isfinite(value)):
        raise BadDumpError(f"{key}: {value!r:.60} is not of {'/'.join(k.__name__ for k in kinds)}")
    return value
