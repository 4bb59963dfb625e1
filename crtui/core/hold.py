"""A wait that a refusal asked for, and what ends it before its time."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any, get_args

from crtui.core import saved
from crtui.core.views import QuotaSource


@dataclass(frozen=True, slots=True)
class Hold:
    """A provider is held back until a monotonic time.

    ``causes`` are the windows it was refused for; where none is known, no poll can tell that it is over.
    """

    until: int
    source: QuotaSource
    causes: frozenset[str]

    def is_lifted(self, room: Set[str]) -> bool:
        """Whether room in these windows is all it waits for."""
        return bool(self.causes) and self.causes <= room

    def dump(self, code: str, now_mono: int) -> dict[str, object]:
        """The hold under its code as JSON values."""
        left = saved.left(self.until, now_mono)
        return {"code": code, "left": left, "source": self.source, "causes": sorted(self.causes)}

    @classmethod
    def restored(cls, data: Mapping[str, Any], now_mono: int) -> tuple[str, Hold]:
        """Code and hold that ``dump`` described, as seen from a monotonic time."""
        until = now_mono + saved.bounded(saved.take(data, "left", int), "left")
        source = saved.chosen(data, "source", get_args(QuotaSource))
        causes: frozenset[str] = frozenset(saved.values(data, "causes", (str,)))
        return saved.take(data, "code", str), cls(until, source, causes)
