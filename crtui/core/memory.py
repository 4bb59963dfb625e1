"""Memory pressure: a local server that ran out of memory rests for a while.

Only the words of an error's *body* count, whatever its status.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from crtui.core import saved
from crtui.core.inputs import MemoryReport
from crtui.core.now import Now, stamp
from crtui.core.settings import MemoryAction
from crtui.core.verdict import Told, Verdict
from crtui.core.views import MemoryView

_PHRASES: Final = (
    "out of memory",
    "insufficient memory",
    "requires more system memory",
    "failed to allocate",
    "ggml_cuda_host_malloc",
    "cudamalloc failed",
)
_OOM: Final = re.compile(r"(?<![A-Za-z0-9_])oom(?![A-Za-z0-9_])", re.IGNORECASE)
_ANOTHER_MEMORY_WORD: Final = re.compile(r"\b(memory|vram|malloc|alloc\w*|oom)\b", re.IGNORECASE)
_LOAD_FAILED: Final = "failed to load model"
WARN_RATIO: Final = 0.95


@lru_cache(maxsize=256)
def speaks_of_memory(error: str) -> bool:
    """Whether an error body tells of memory running out."""
    words = error.lower()
    if any(phrase in words for phrase in _PHRASES) or _OOM.search(words):
        return True
    return _LOAD_FAILED in words and bool(_ANOTHER_MEMORY_WORD.search(words.replace(_LOAD_FAILED, "")))


class Memory:
    """The memory-pressure cooldown of one provider, and what polls saw of its memory."""

    __slots__ = ("_observed", "_until")

    def __init__(self) -> None:
        self._until: int | None = None
        self._observed: MemoryReport | None = None

    @property
    def clear(self) -> bool:
        """Whether no cooldown runs and observed memory is fine."""
        return self._until is None and not self._tight

    @property
    def _tight(self) -> bool:
        seen = self._observed
        return seen is not None and seen.total > 0 and seen.used / seen.total > WARN_RATIO

    def fold(self, error: str, action: MemoryAction, cooldown_ms: int, now: Now) -> list[Told]:
        """An attempt failed with this body, for a profile that takes ``action``."""
        if action == "off" or not speaks_of_memory(error):
            return []
        told: list[Told] = [("memory.detected", {"action": action})]
        if action == "skip":
            fresh = self._until is None
            self._until = max(self._until or 0, now.mono + cooldown_ms)
            if fresh:
                told.append(("memory.pressured", {"until": stamp(now.wall_at(self._until))}))
        return told

    def observe(self, report: MemoryReport, now: Now) -> list[Told]:
        """A poll saw this; above 95 % it warns, and never excludes."""
        was_tight = self._tight
        self._observed = report
        if self._tight and not was_tight:
            return [("memory.detected", {"action": "warn", "ratio": round(report.used / report.total, 3)})]
        return []

    def due(self) -> int | None:
        """When the cooldown ends, in monotonic ms."""
        return self._until

    def expire(self, now: Now) -> list[Told]:
        """Do what is due."""
        if self._until is not None and self._until <= now.mono:
            self._until = None
            return [("memory.recovered", {})]
        return []

    def reset(self) -> list[Told]:
        """End the cooldown."""
        if self._until is None:
            return []
        self._until = None
        return [("memory.recovered", {})]

    def verdict(self, action: MemoryAction) -> Verdict | None:
        """What this guard says to a request whose profile takes ``action``."""
        if self._until is not None:
            effect = "excludes" if action == "skip" else "notes"
            return Verdict("memory", "pressured", effect, self._until, "out of memory")
        if self._tight and action != "off":
            return Verdict("memory", "tight", "notes", detail="memory above 95 %")
        return None

    def dump(self, now_mono: int) -> dict[str, object]:
        """The state as JSON values; ``until`` is the milliseconds left."""
        seen = self._observed
        observed = None if seen is None else [seen.used, seen.total]
        return {"until": saved.left(self._until, now_mono), "observed": observed}

    def load(self, data: Mapping[str, Any], now_mono: int) -> None:
        """Become what ``dump`` described, as seen from a monotonic time."""
        self._until = saved.deadline(data, "until", now_mono)
        if data["observed"] is not None:
            used, total = saved.values(data, "observed", (int,))
            self._observed = MemoryReport(used, total)

    def view(self, now: Now) -> MemoryView:
        """The memory part of the provider's row."""
        until = None if self._until is None else now.wall_at(self._until)
        seen = self._observed
        if seen is None:
            return MemoryView(until is not None, until)
        ratio = round(seen.used / seen.total, 4) if seen.total > 0 else None
        return MemoryView(until is not None, until, seen.used, seen.total, ratio)
