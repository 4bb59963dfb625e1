"""The adaptive reorder: providers that were slow or failing in the last minute go back."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from crtui.core import saved
from crtui.core.now import MINUTE, SECOND

WINDOW_MS: Final = MINUTE
KEPT: Final = 512
"""Attempts a window holds at most: what a busier minute leaves out is its older part."""

TIMED_NEEDED: Final = 3
SLOW_FACTOR: Final = 1.5
ATTEMPTS_NEEDED: Final = 5
FAILING_ONE_IN: Final = 10
DEBOUNCE_MS: Final = 30 * SECOND


class Stats(NamedTuple):
    """One provider's last minute. ``median_ms`` is None with fewer than three timed successes."""

    median_ms: float | None
    successes: int
    failures: int


class AdaptiveWindow:
    """One provider's attempts of the last minute."""

    def __init__(self) -> None:
        self._attempts: deque[tuple[int, int | None, bool]] = deque(maxlen=KEPT)
        self._known: Stats | None = None
        self._known_before = 0

    def add(self, mono: int, latency_ms: int | None, ok: bool) -> None:
        """Take an attempt that ended; the latency (for a stream, to its first token) if it is known."""
        self._attempts.append((mono, latency_ms, ok))
        self._known = None

    def stats(self, now_mono: int) -> Stats:
        """The last minute. An attempt a minute old is out of it."""
        if self._known is None or now_mono >= self._known_before:
            while self._attempts and now_mono - self._attempts[0][0] >= WINDOW_MS:
                self._attempts.popleft()
            self._known = self._count()
            self._known_before = (self._attempts[0][0] if self._attempts else now_mono) + WINDOW_MS
        return self._known

    def dump(self, now_mono: int) -> dict[str, object]:
        """The attempts as JSON values, by age in milliseconds."""
        live = (attempt for attempt in self._attempts if now_mono - attempt[0] < WINDOW_MS)
        return {"attempts": [[now_mono - mono, latency, ok] for mono, latency, ok in live]}

    def load(self, data: Mapping[str, Any], now_mono: int) -> None:
        """Become what ``dump`` described, as seen from a monotonic time."""
        rows = saved.rows(data, "attempts", (int,), (int, saved.NOTHING), (bool,))
        attempts = ((now_mono - age, latency, ok) for age, latency, ok in rows)
        self._attempts = deque(attempts, maxlen=KEPT)
        self._known = None

    def _count(self) -> Stats:
        timed = sorted(latency for _, latency, ok in self._attempts if ok and latency is not None)
        successes = sum(ok for _, _, ok in self._attempts)
        median = _median(timed) if len(timed) >= TIMED_NEEDED else None
        return Stats(median, successes, len(self._attempts) - successes)


class AdaptiveOrder:
    """The ranks one profile's providers hold, and since when; rank 0 is no demotion."""

    def __init__(self) -> None:
        self._ranks: dict[str, tuple[int, int]] = {}
        self.moved_from: tuple[str, ...] | None = None
        """What the ranks before gave, if the last committed call's ranks give another order."""

    def reorder(
        self, order: tuple[str, ...], stats: Callable[[str], Stats], now_mono: int, *, commit: bool
    ) -> tuple[str, ...]:
        """The order with each provider behind those of a lower rank; the same object if none moves.

        Slower than the others adds 1 to a rank, failing adds 2. A rank that changed less than
        30 s ago stays as it is. Without ``commit`` nothing is remembered.
        """
        ranks = {name: self._held(name, rank, now_mono) for name, rank in _proposed(order, stats).items()}
        after = tuple(sorted(order, key=ranks.__getitem__))
        if commit:
            before = tuple(sorted(order, key=self.rank))
            self.moved_from = before if before != after else None
            self._remember(ranks, now_mono)
        return order if after == order else after

    def rank(self, name: str) -> int:
        """The rank last remembered for a provider."""
        return self._ranks[name][0] if name in self._ranks else 0

    def dump(self, now_mono: int) -> dict[str, object]:
        """The ranks as JSON values, each with the age of its last change in milliseconds."""
        return {"ranks": [[name, rank, now_mono - since] for name, (rank, since) in self._ranks.items()]}

    def load(self, data: Mapping[str, Any], now_mono: int) -> None:
        """Become what ``dump`` described, as seen from a monotonic time."""
        rows = saved.rows(data, "ranks", (str,), (int,), (int,))
        self._ranks = {name: (rank, now_mono - age) for name, rank, age in rows}

    def _remember(self, ranks: Mapping[str, int], now_mono: int) -> None:
        for name, rank in ranks.items():
            if rank != self.rank(name):
                self._ranks[name] = (rank, now_mono)

    def _held(self, name: str, proposed: int, now_mono: int) -> int:
        rank, since = self._ranks.get(name, (0, now_mono - DEBOUNCE_MS))
        return rank if now_mono - since < DEBOUNCE_MS else proposed


def _proposed(order: tuple[str, ...], stats: Callable[[str], Stats]) -> dict[str, int]:
    known = {name: stats(name) for name in order}
    medians = sorted(found.median_ms for found in known.values() if found.median_ms is not None)
    return {name: _is_slow(found, medians) + 2 * _is_failing(found) for name, found in known.items()}


def _is_slow(found: Stats, medians: list[float]) -> bool:
    if found.median_ms is None or len(medians) < 2:
        return False
    others = _median(medians, without=bisect_left(medians, found.median_ms))
    return found.median_ms >= SLOW_FACTOR * others


def _is_failing(found: Stats) -> bool:
    total = found.successes + found.failures
    return total >= ATTEMPTS_NEEDED and found.failures * FAILING_ONE_IN >= total


def _median(ordered: list[float] | list[int], without: int | None = None) -> float:
    """The median of ascending values, optionally as if the one at an index were not there."""
    left_out = len(ordered) if without is None else without
    count = len(ordered) - (without is not None)
    low, high = (count - 1) // 2, count // 2
    return (ordered[low + (low >= left_out)] + ordered[high + (high >= left_out)]) / 2
