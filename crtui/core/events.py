"""What the core tells: past-tense facts, numbered, each emitted once."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from crtui.core.now import stamp

EventKind = Literal[
    "route.decided",
    "attempt.ok",
    "attempt.failed",
    "attempt.interrupted",
    "attempt.cancelled",
    "health.changed",
    "health.half_open",
    "quota.exhausted",
    "quota.available",
    "memory.detected",
    "memory.pressured",
    "memory.recovered",
    "budget.exceeded",
    "budget.reset",
    "burn.projected",
    "adaptive.reordered",
    "operator.changed",
    "paid.changed",
    "chain.exhausted",
    "rule.matched",
    "poll.ok",
    "poll.failed",
    "signal.changed",
    "model.pull",
    "config.reloaded",
    "shared.lost",
    "shared.joined",
]

Severity = Literal["info", "good", "warn", "bad"]

_SEVERITY: Final[dict[EventKind, Severity]] = {
    "attempt.failed": "warn",
    "attempt.interrupted": "bad",
    "quota.exhausted": "bad",
    "quota.available": "good",
    "memory.detected": "warn",
    "memory.pressured": "warn",
    "memory.recovered": "good",
    "budget.exceeded": "bad",
    "budget.reset": "good",
    "burn.projected": "warn",
    "chain.exhausted": "bad",
    "poll.failed": "warn",
    "shared.lost": "warn",
    "shared.joined": "good",
}


_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


class Event(NamedTuple):
    """One event. ``at`` is wall milliseconds; ``data`` holds JSON values, times in it are stamps."""

    seq: int
    at: int
    kind: EventKind
    provider: str | None = None
    data: Mapping[str, object] = _NOTHING

    @property
    def severity(self) -> Severity:
        """How loudly to show it."""
        if self.kind == "health.changed":
            return {"HEALTHY": "good", "DEGRADED": "warn"}.get(str(self.data.get("to")), "bad")  # type: ignore[return-value]
        if self.kind == "model.pull":
            return {"done": "good", "failed": "warn"}.get(str(self.data.get("status")), "info")  # type: ignore[return-value]
        return _SEVERITY.get(self.kind, "info")

    def to_json(self, lead: Mapping[str, object] = _NOTHING) -> dict[str, object]:
        """The event in the form of the events endpoint: flat, ``at`` as a stamp, after what ``lead`` has."""
        seq, at, kind, provider, data = self
        if provider is None:
            return {**lead, "seq": seq, "at": stamp(at), "kind": kind, **data}
        return {**lead, "seq": seq, "at": stamp(at), "kind": kind, "provider": provider, **data}
