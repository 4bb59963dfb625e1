"""Failures of the last five minutes, from the totals of successive snapshots.

Exact, but nothing is known of the time before the screen was opened.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from crtui.core.now import MINUTE, SECOND

if TYPE_CHECKING:
    from crtui.core.views import Snapshot

WINDOW_MS: Final = 5 * MINUTE
_STEP_MS: Final = 10 * SECOND

Counts = dict[str, tuple[int, int]]
"""By provider: requests and failures, since the journal began or within the window."""


class RecentErrors:
    """Keeps the totals of every tenth second; the difference between two of them is what lies between."""

    def __init__(self) -> None:
        self._kept: deque[tuple[int, Counts]] = deque()

    def take(self, snapshot: Snapshot) -> Counts:
        """Requests and failures of the window that ends with this snapshot, by provider."""
        if self._kept and snapshot.at < self._kept[-1][0]:
            self._kept.clear()  # a recording was wound back
        totals = {p.name: (p.usage.requests, p.usage.failed) for p in snapshot.providers}
        if not self._kept or snapshot.at - self._kept[-1][0] >= _STEP_MS:
            self._kept.append((snapshot.at, totals))
        while len(self._kept) > 1 and self._kept[1][0] <= snapshot.at - WINDOW_MS:
            self._kept.popleft()
        base = self._kept[0][1]
        return {name: _since(now, base.get(name, (0, 0))) for name, now in totals.items()}


def _since(now: tuple[int, int], then: tuple[int, int]) -> tuple[int, int]:
    """What came in between; where the totals began anew, all of them."""
    return now if now[0] < then[0] else (now[0] - then[0], now[1] - then[1])
