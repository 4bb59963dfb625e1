"""Five-hour blocks: an estimate, from the times of answers alone, of the window a subscription counts in.

As ccusage has it (``rust/crates/ccusage/src/blocks.rs``): a block begins with the hour of its first
answer and lasts five; the next one begins with the first answer more than five hours after the
block's begin or after the answer before. The vendor's own window need not begin on the hour, so
an official reset goes before this: the block is then the window that ends with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from crtui.core.inputs import Usage
from crtui.core.now import HOUR, MINUTE

LENGTH_MS: Final = 5 * HOUR
RECENT_MS: Final = HOUR
PROJECTED_AFTER_MS: Final = 10 * MINUTE
"""How much of a block must have been seen before its pace says anything."""

Answer = tuple[int, int, int, int, int]
"""Wall milliseconds, and input, output, cache-read and cache-write tokens."""


@dataclass(frozen=True, slots=True)
class Block:
    """The answers of one block. Times are wall milliseconds; ``recent`` are the tokens of its last hour."""

    start: int
    first: int
    last: int
    usage: Usage
    recent: int = 0
    estimated: bool = True
    """Whether its bounds follow from the answers alone."""

    @property
    def end(self) -> int:
        """When it is over."""
        return self.start + LENGTH_MS

    def active(self, now: int) -> bool:
        """Whether the next answer would count in it."""
        return now < self.end and now - self.last < LENGTH_MS

    @property
    def per_minute(self) -> float | None:
        """Tokens a minute from the first answer to the last; None where those are one."""
        span = self.last - self.first
        return self.usage.total * MINUTE / span if span else None

    def projection(self, now: int) -> tuple[int, int] | None:
        """The tokens at its end: at the slower and at the faster of its own pace and the last hour's.

        None before it has gone on for ten minutes.
        """
        if now - self.first < PROJECTED_AFTER_MS:
            return None
        span = max(self.last - self.first, MINUTE)
        rates = (self.usage.total / span, self.recent / min(RECENT_MS, now - self.first))
        left = max(0, self.end - now)
        low, high = (self.usage.total + round(rate * left) for rate in sorted(rates))
        return low, high


def last_block(answers: Iterable[Answer], now: int, window_start: int | None = None) -> Block | None:
    """The block of the newest answers, which come in order of time; None without any.

    ``window_start`` is where an official window begins; all answers, none of them earlier, are then in it.
    """
    start = first = last = 0
    sums = [0, 0, 0, 0]
    recent = 0
    for at, *counts in answers:
        if not first or (window_start is None and (at - start > LENGTH_MS or at - last > LENGTH_MS)):
            start, first, sums, recent = at - at % HOUR, at, [0, 0, 0, 0], 0
        last = at
        for place, count in enumerate(counts):
            sums[place] += count
        if at > now - RECENT_MS:
            recent += sum(counts)
    if not first:
        return None
    begin = start if window_start is None else window_start
    return Block(begin, first, last, Usage(*sums), recent, estimated=window_start is None)
