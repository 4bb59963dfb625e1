"""Another tool's values, looked at: each as what it should be, or None."""

from __future__ import annotations

from typing import Any, cast

Data = dict[str, Any]


def table(value: object) -> Data:
    """A table whose keys are text, else an empty one."""
    if not isinstance(value, dict):
        return {}
    return {key: inner for key, inner in cast("dict[object, Any]", value).items() if isinstance(key, str)}


def tables(value: object) -> list[Data]:
    """A list's tables."""
    return [found for row in items(value) if (found := table(row))]


def items(value: object) -> list[Any]:
    """A list, else an empty one."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def words(value: object) -> list[str]:
    """The texts of a list."""
    return [item for item in items(value) if isinstance(item, str)]


def word(value: object) -> str | None:
    """A text that is not empty."""
    return value.strip() or None if isinstance(value, str) else None


def number(value: object) -> float | None:
    """A number that is not negative; text is read, as in ``"3e-06"``."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1e15:
        return None
    return value


def count(value: object) -> int | None:
    """A whole number that is not negative."""
    found = number(value)
    return None if found is None else int(found)


def flag(value: object) -> bool | None:
    """True or false."""
    return value if isinstance(value, bool) else None


def others(data: Data, *known: str) -> list[str]:
    """The keys that are not known, of those that say anything."""
    return [key for key, value in data.items() if key not in known and value not in (None, "", [], {}, False)]
