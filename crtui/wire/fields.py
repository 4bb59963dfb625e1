"""Typed look-ups in one JSON object from outside; every fault names its field."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

from crtui.core.now import unstamp


class BadInputError(ValueError):
    """A line that does not say what it should. The message names the field and what it must be."""


class Fields:
    """Typed look-ups in one line; each fault names its field."""

    def __init__(self, line: Mapping[str, Any], path: str = "") -> None:
        self._line = line
        self._path = path

    def _get(self, key: str, kinds: type | tuple[type, ...], said: str) -> Any:
        value = self._line.get(key)
        if value is None:
            return None
        if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
            raise BadInputError(f"{self._path}{key} must be {said}, not {value!r:.60}")
        return value

    def text(self, key: str) -> str | None:
        """Text, or None."""
        return self._get(key, str, "text")

    def need(self, key: str) -> str:
        """Text that must be there."""
        value = self.text(key)
        if not value:
            raise BadInputError(f"{self._path}{key} is missing")
        return value

    def flag(self, key: str) -> bool | None:
        """True, false or None."""
        return self._get(key, bool, "true or false")

    def number(self, key: str) -> float | None:
        """A finite number, or None."""
        value = self._get(key, (int, float), "a number")
        if value is not None and (not math.isfinite(value) or abs(value) > 1e15):
            raise BadInputError(f"{self._path}{key} must be a finite number")
        return value

    def whole(self, key: str) -> int | None:
        """A whole number, negatives as 0, or None."""
        value = self.number(key)
        return None if value is None else max(0, round(value))

    def one_of(self, key: str, allowed: tuple[str, ...]) -> str | None:
        """One of a fixed set, or None."""
        value = self.text(key)
        if value is not None and value not in allowed:
            raise BadInputError(f"{self._path}{key} must be one of {', '.join(allowed)}, not {value!r}")
        return value

    def inner(self, key: str) -> Fields | None:
        """An object within, or None."""
        value = self._get(key, dict, "an object")
        return None if value is None else Fields(cast("dict[str, Any]", value), f"{self._path}{key}.")

    def rows(self, key: str) -> list[Fields] | None:
        """A list of objects, or None."""
        value = self._get(key, list, "a list")
        if value is None:
            return None
        rows = cast("list[Any]", value)
        for place, row in enumerate(rows):
            if not isinstance(row, dict):
                raise BadInputError(f"{self._path}{key}[{place}] must be an object")
        return [Fields(row, f"{self._path}{key}[{place}].") for place, row in enumerate(rows)]

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of text, empty where there is none."""
        value = self._get(key, list, "a list") or ()
        if not all(isinstance(entry, str) for entry in value):
            raise BadInputError(f"{self._path}{key} must be a list of text")
        return tuple(value)

    def strings(self, key: str) -> dict[str, str]:
        """A map of text with lower-case keys."""
        value = self._get(key, dict, "an object")
        return {str(k).lower(): str(v) for k, v in value.items()} if value else {}

    def time(self, key: str) -> int | None:
        """An RFC 3339 time as wall milliseconds, or None."""
        text = self.text(key)
        try:
            return None if text is None else unstamp(text)
        except ValueError:
            raise BadInputError(f"{self._path}{key} must be an RFC 3339 time, not {text!r}") from None

    def raw(self, key: str) -> Any:
        """Whatever stands there."""
        return self._line.get(key)
