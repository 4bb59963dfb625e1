"""Whether a process that was watched for a while has grown."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

FEWEST = 9
"""With fewer samples a third is no measure: there is no verdict then."""
SHARE = 0.05
MIB = 2.0
DESCRIPTORS = 48
"""Connections to providers are kept for a minute: by chance, four of them by each of a dozen clients."""
LEFT = 4
"""What may still be open some time after everybody has left."""
THREADS = 1


@dataclass(frozen=True)
class Sample:
    """What a process uses at a time."""

    rss_mib: float
    descriptors: int
    threads: int

    def __str__(self) -> str:
        return f"{self.rss_mib:6.1f} MiB  {self.descriptors:3d} descriptors  {self.threads:2d} threads"


def growth(samples: Sequence[Sample]) -> Iterator[str]:
    """What grew: the last third's median against the middle third's. The first third is for warming up.

    Memory may be 5 % and 2 MiB more, descriptors as many as are kept by chance, threads one.
    """
    third = len(samples) // 3
    if len(samples) < FEWEST:
        return
    measures: tuple[tuple[str, Callable[[Sample], float], float, float], ...] = (
        ("memory (MiB)", lambda sample: sample.rss_mib, SHARE, MIB),
        ("descriptors", lambda sample: sample.descriptors, 0, DESCRIPTORS),
        ("threads", lambda sample: sample.threads, 0, THREADS),
    )
    for name, of, share, more in measures:
        middle = statistics.median(map(of, samples[-2 * third : -third]))
        last = statistics.median(map(of, samples[-third:]))
        if last > middle * (1 + share) + more:
            yield f"{name} grew from {middle:.1f} to {last:.1f}"
