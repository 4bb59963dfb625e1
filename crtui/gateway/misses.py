"""How often one address may offer a wrong token: guessing is slowed down to where it is hopeless."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Final

from crtui.core.now import SECOND

ALLOWED: Final = 20
WINDOW_MS: Final = 60 * SECOND
ADDRESSES: Final = 1_000
"""Of more addresses than this, those that were heard of longest ago are forgotten."""


class Misses:
    """The wrong tokens of the last minute, by address. Times are monotonic milliseconds."""

    def __init__(self) -> None:
        self._times: OrderedDict[str, deque[int]] = OrderedDict()

    def add(self, address: str, now: int) -> None:
        """An address offered a wrong token."""
        self._times.setdefault(address, deque(maxlen=ALLOWED)).append(now)
        self._times.move_to_end(address)
        if len(self._times) > ADDRESSES:
            self._times.popitem(last=False)

    def wait_ms(self, address: str, now: int) -> int:
        """How long no token of this address is looked at; 0 if the next one is."""
        times = self._times.get(address)
        if times is None or len(times) < ALLOWED:
            return 0
        return max(0, times[0] + WINDOW_MS - now)
