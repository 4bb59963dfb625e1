"""How far a pull has come, folded from the lines of Ollama's ``/api/pull``. Pure.

https://github.com/ollama/ollama/blob/main/docs/api.md#pull-a-model: each line has a ``status``, and
while a layer comes its ``digest``, ``total`` and (once there is something) ``completed`` bytes.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from crtui.core.now import SECOND
from crtui.core.views import LayerView, PullView
from crtui.providers.reading import Json, text
from crtui.wire.jsonview import as_count

RATE_WINDOW_MS: Final = 10 * SECOND
RATE_LEAST_MS: Final = SECOND
"""A rate over less says more of the connection's start than of its speed."""
MAX_LAYERS: Final = 64
_SHORT: Final = 12
_SUCCESS: Final = "success"


class PullProgress:
    """One attempt at one model. Times are monotonic milliseconds.

    What was there before (a layer taken up again, a layer another model shares) counts as completed but
    not towards the rate.
    """

    def __init__(self) -> None:
        self.step = ""
        self.done = False
        self._layers: dict[str, tuple[int, int]] = {}
        self._gained = 0
        self._marks: deque[tuple[int, int]] = deque()

    def fold(self, line: Json, mono: int) -> None:
        """Take in one line. Its words must not be an error's."""
        status = text(line, "status")
        self.step = status or self.step
        self.done = status == _SUCCESS
        digest, total = text(line, "digest"), as_count(line.get("total"))
        if digest is None or not total:
            return
        if digest not in self._layers and len(self._layers) >= MAX_LAYERS:
            return
        completed = min(as_count(line.get("completed")) or 0, total)
        before = self._layers.get(digest, (total, completed))[1]
        self._layers[digest] = (total, completed)
        self._gained += max(0, completed - before)
        self._mark(mono)

    def view(self, model: str, mono: int, *, asked: bool) -> PullView:
        """What to show of it now."""
        total = sum(total for total, _ in self._layers.values())
        completed = sum(completed for _, completed in self._layers.values())
        rate = self._rate(mono)
        known = bool(self._layers)
        return PullView(
            model,
            "pulling",
            asked,
            self.step,
            tuple(LayerView(_short(name), *sizes) for name, sizes in self._layers.items()),
            completed if known else None,
            total if known else None,
            rate,
            round((total - completed) / rate * SECOND) if rate and known else None,
        )

    def _mark(self, mono: int) -> None:
        self._marks.append((mono, self._gained))
        # One mark older than the window stays, so that there is always something to measure from.
        while len(self._marks) > 1 and self._marks[1][0] <= mono - RATE_WINDOW_MS:
            self._marks.popleft()

    def _rate(self, mono: int) -> float | None:
        if not self._marks:
            return None
        began, gained = self._marks[0]
        passed = mono - began
        return None if passed < RATE_LEAST_MS else (self._gained - gained) / passed * SECOND


def _short(digest: str) -> str:
    return digest.rpartition(":")[2][:_SHORT]
