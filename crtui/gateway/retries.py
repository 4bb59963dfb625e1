"""A budget for retries that lead nowhere: when everything fails, callers who ask again do not multiply it.

A request that is answered in the end costs nothing, so those that fail never stop the one that serves.
"""

from __future__ import annotations

from typing import Final

from crtui.core.now import SECOND

MOST: Final = 100.0
PER_SECOND: Final = 1.0
PER_ANSWER: Final = 0.1


class Retries:
    """How many second and further attempts may still fail. ``now`` is monotonic milliseconds."""

    __slots__ = ("_at", "_left")

    def __init__(self, now: int) -> None:
        self._left = MOST
        self._at = now

    def allowed(self, now: int) -> bool:
        """Whether another provider may be asked after one has failed."""
        self._left = min(MOST, self._left + max(0, now - self._at) / SECOND * PER_SECOND)
        self._at = now
        return self._left >= 1

    def failed(self, retries: int = 1) -> None:
        """A request has failed, after so many retries."""
        self._left = max(0.0, self._left - max(0, retries))

    def served(self) -> None:
        """A request has been answered."""
        if self._left < MOST:
            self._left = min(MOST, self._left + PER_ANSWER)
