"""Money as whole pico-dollars: sums of any length add up without a rounding error.

A price of one USD per million tokens is a million pico-dollars per token, so prices of up to six
decimals are exact too.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from crtui.core.inputs import Usage
from crtui.core.settings import Price

PICO: Final = 10**12
MOST: Final = 2**50
"""No attempt costs more (some 1,100 USD). Up to here a JSON number of USD gives the same sum back."""
_PER_TOKEN: Final = 10**6


class Rates(NamedTuple):
    """Pico-dollars per token. ``cache_write_1h`` is for what is cached for an hour.

    ``unknown`` are the places, in the order of the rates, of those that nobody knows and that stand at 0.
    """

    input: int
    output: int
    cache_read: int
    cache_write: int
    cache_write_1h: int
    unknown: tuple[int, ...] = ()

    def covers(self, usage: Usage) -> bool:
        """Whether the rate of every kind of token that occurs is known."""
        sent, got, read, written, hour, _ = usage
        counts = (sent, got, read, written - max(0, hour), hour)
        return all(counts[place] <= 0 for place in self.unknown)

    def cost(self, usage: Usage) -> int:
        """What these tokens cost as far as the rates are known, in pico-dollars. Negative counts are 0."""
        sent, got, read, written, hour, _ = usage
        if sent < 0 or got < 0 or read < 0 or written < 0 or hour < 0:
            sent, got, read, written, hour = (max(0, count) for count in usage[:5])
        return (
            sent * self.input
            + got * self.output
            + read * self.cache_read
            + (written - hour if written > hour else 0) * self.cache_write
            + hour * self.cache_write_1h
        )


def rates_of(price: Price) -> Rates | None:
    """A price's rates; None if all of it is unknown.

    A missing cache price is the input price, a missing one for an hour twice that, as with Anthropic, the
    one vendor that sells such: a vendor's discount is not guessed, so a cap may trip early but a cache
    read is never taken to be free.
    """
    if price == Price():
        return None
    read = price.input if price.cache_read is None else price.cache_read
    write = price.input if price.cache_write is None else price.cache_write
    hour = _for_an_hour(price, write) if price.cache_write_1h is None else price.cache_write_1h
    unknown = tuple(
        place for place, told in enumerate((price.input, price.output, read, write, hour)) if told is None
    )
    return Rates(rate(price.input), rate(price.output), rate(read), rate(write), rate(hour), unknown)


def _for_an_hour(price: Price, write: float | None) -> float | None:
    return write if price.input is None or write is None else max(write, 2 * price.input)


def rate(usd_per_million: float | None) -> int:
    """Pico-dollars per token; 0 where it is unknown."""
    return round((usd_per_million or 0) * _PER_TOKEN)


def pico(usd: float) -> int:
    """USD as the nearest whole pico-dollars."""
    return round(usd * PICO)


def usd(amount: int) -> float:
    """Pico-dollars as USD."""
    return amount / PICO
