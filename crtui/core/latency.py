"""How fast a provider has been: its last hundred successes, and percentiles over them."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final

from crtui.core import saved
from crtui.core.now import SECOND
from crtui.core.views import LatencyView

KEPT: Final = 100
"""Successes each statistic looks back on. They are counted, not aged."""

TIMED_MS: Final = 50
"""An output that took less came in one burst: how fast it was made cannot be told."""

SHOWN: Final = 60
"""How many latencies the view carries for a sparkline."""


def percentile(sorted_values: Sequence[float], p: float) -> float | None:
    """The value below which the share ``p`` (0..1) of ascending values lies; None without values.

    Interpolates linearly at index ``p * (n - 1)``; ``p`` outside 0..1 means the nearer end.
    """
    if not sorted_values:
        return None
    index = min(max(p, 0.0), 1.0) * (len(sorted_values) - 1)
    low = int(index)
    high = min(low + 1, len(sorted_values) - 1)
    return sorted_values[low] + (index - low) * (sorted_values[high] - sorted_values[low])


class Samples:
    """Latency, time to first token and output speed of one provider's last successes."""

    def __init__(self) -> None:
        self._latency: deque[int] = deque(maxlen=KEPT)
        self._ttft: deque[int] = deque(maxlen=KEPT)
        self._speed: deque[float] = deque(maxlen=KEPT)
        self._view: LatencyView | None = None
        self._mean_latency: float | None = None
        self._mean_speed: float | None = None
        self._known = True

    def add(
        self, latency_ms: int | None, ttft_ms: int | None, output_tokens: int, output_ms: int | None
    ) -> None:
        """Take one success. What is None (or negative, or a speed without tokens) is no sample.

        ``output_ms`` is how long the output took from its first token to its last.
        """
        if latency_ms is not None and latency_ms >= 0:
            self._latency.append(latency_ms)
        if ttft_ms is not None and ttft_ms >= 0:
            self._ttft.append(ttft_ms)
        if output_ms is not None and output_ms >= TIMED_MS and output_tokens > 0:
            self._speed.append(output_tokens * SECOND / output_ms)
        self._known = False

    def mean_latency(self) -> float | None:
        """Mean latency in milliseconds; None without samples."""
        self._settle()
        return self._mean_latency

    def mean_speed(self) -> tuple[int, float]:
        """How many speed samples there are, and their mean in output tokens per second (0 if none)."""
        self._settle()
        return len(self._speed), self._mean_speed or 0.0

    def view(self) -> LatencyView:
        """The statistics as shown; the same object until the next ``add``."""
        self._settle()
        if self._view is None:
            ordered = sorted(self._latency)
            self._view = LatencyView(
                samples=len(ordered),
                p50_ms=percentile(ordered, 0.50),
                p95_ms=percentile(ordered, 0.95),
                p99_ms=percentile(ordered, 0.99),
                ttft_p50_ms=percentile(sorted(self._ttft), 0.50),
                tokens_per_s=self._mean_speed,
                recent_ms=tuple(self._latency)[-SHOWN:],
            )
        return self._view

    def dump(self) -> dict[str, object]:
        """All samples as JSON values, oldest first."""
        return {"latency": list(self._latency), "ttft": list(self._ttft), "speed": list(self._speed)}

    def load(self, data: Mapping[str, Any]) -> None:
        """Become what ``dump`` described."""
        self._latency = deque(saved.values(data, "latency", (int,)), maxlen=KEPT)
        self._ttft = deque(saved.values(data, "ttft", (int,)), maxlen=KEPT)
        self._speed = deque(saved.values(data, "speed", saved.NUMBER), maxlen=KEPT)
        self._known = False

    def _settle(self) -> None:
        # Tactics ask for the means of every candidate of every plan, so they are kept until the next add.
        if self._known:
            return
        self._mean_latency = _mean(self._latency)
        self._mean_speed = _mean(self._speed)
        self._view = None
        self._known = True


def _mean(values: deque[int] | deque[float]) -> float | None:
    return sum(values) / len(values) if values else None
