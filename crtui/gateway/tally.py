"""What is counted of attempts as they end, for ``GET /metrics``. Cheap: it runs with every event."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final

from crtui.core.events import Event
from crtui.core.now import SECOND

BUCKETS: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""Upper bounds in seconds; a model's answer takes from a tenth of one to minutes."""
_ATTEMPT: Final = "attempt."
_BY_KIND: Final = {"attempt.ok": "ok", "attempt.interrupted": "interrupted"}


class Spread:
    """How long something took, counted in ``BUCKETS`` and one more for all above. ``total`` in seconds."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS) + 1)
        self.total = 0.0

    def add(self, ms: object) -> None:
        """Count one, in milliseconds; what is no number is not counted."""
        if isinstance(ms, int):
            self.counts[bisect_left(BUCKETS, ms / SECOND)] += 1
            self.total += ms / SECOND


class Tally:
    """A listener of the engine's.

    ``attempts`` by provider and outcome: ok, interrupted, or the class of the failure. The two
    spreads are of good attempts alone, by provider.
    """

    def __init__(self) -> None:
        self.attempts: Counter[tuple[str, str]] = Counter()
        self.durations: defaultdict[str, Spread] = defaultdict(Spread)
        self.first_contents: defaultdict[str, Spread] = defaultdict(Spread)

    def hear(self, events: Iterable[Event]) -> None:
        """Count those among the events that are the end of an attempt."""
        for event in events:
            if event.kind.startswith(_ATTEMPT) and event.provider is not None:
                self._count(event.provider, event)

    def _count(self, provider: str, event: Event) -> None:
        outcome = _BY_KIND.get(event.kind) or str(event.data.get("class", "failed"))
        self.attempts[provider, outcome] += 1
        if event.kind == "attempt.ok":
            self.durations[provider].add(event.data.get("latency_ms"))
            if "ttft_ms" in event.data:
                self.first_contents[provider].add(event.data["ttft_ms"])
