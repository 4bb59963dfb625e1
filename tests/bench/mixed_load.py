"""A long mixed load with faults through ``crtui serve``: memory and descriptors must stay flat.

    python -m tests.bench.mixed_load [--minutes 10] [--callers 24] [--every 10]

Three providers answer, refuse, stall and break by a seeded chance; callers leave early, read slowly, send
nonsense and a megabyte. Prints samples and a verdict. Exits 1 where memory or descriptors grew, where the
gateway said anything it should not, or where something was left behind when all callers had gone.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvloop

from tests.bench import process
from tests.bench.callers import call_on
from tests.cli.conftest import Place, Serving
from tests.fakes.terminal import ROOT

PROVIDERS = 3
GROWTH_MIB = 4.0
GROWTH_SHARE = 0.04
GROWTH_DESCRIPTORS = 16
LEFT_DESCRIPTORS = 8
SETTLE_S = 150
"""The gateway keeps idle connections to providers for 60 s."""
CONFIG = """
[[provider]]
name = "p{number}"
kind = "openai-compatible"
base_url = "http://127.0.0.1:{port}/v1"
wires = ["messages", "chat"]
auth = "none"
poll_s = 5
first_byte_timeout_s = 2
idle_timeout_s = 2
recovery_s = 5
"""


@dataclass(frozen=True)
class Sample:
    """What the gateway uses at a time."""

    seconds: float
    rss_mib: float
    descriptors: int
    threads: int
    disk_mib: float

    def __str__(self) -> str:
        return (
            f"{self.seconds:6.0f} s {self.rss_mib:7.1f} MiB {self.descriptors:5d} descriptors "
            f"{self.threads:3d} threads {self.disk_mib:7.1f} MiB on disk"
        )


def main() -> int:
    """Load, sample, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--callers", type=int, default=24)
    parser.add_argument("--every", type=float, default=10, help="seconds between samples")
    args = parser.parse_args()
    with contextlib.ExitStack() as stack:
        place = Place(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        ports = [stack.enter_context(_faulty(seed)) for seed in range(PROVIDERS)]
        config = place.config("".join(CONFIG.format(number=i, port=port) for i, port in enumerate(ports)))
        gateway = stack.enter_context(place.serving(config))
        before = _sample(gateway, place, 0)
        samples, told = uvloop.run(_load(gateway, place, args.minutes * 60, args.callers, args.every))
        left = [*_left_behind(gateway, before), *_complaints(gateway)]
    for fate, count in sorted(told.items()):
        print(f"{count:8,d} {fate}")
    faults = [*_grown(samples), *left, *(fate for fate in told if fate.split(" ")[0].isupper())]
    print(f"{told.total():,} requests: {'flat' if not faults else 'NOT GOOD: ' + '; '.join(faults)}")
    return int(bool(faults))


async def _load(
    gateway: Serving, place: Place, seconds: float, callers: int, every_s: float
) -> tuple[list[Sample], Counter[str]]:
    told, samples = Counter[str](), list[Sample]()
    loop, port = asyncio.get_running_loop(), int(gateway.url.rpartition(":")[2])
    began = loop.time()
    async with asyncio.TaskGroup() as tasks:
        for number in range(callers):
            tasks.create_task(call_on(port, random.Random(number), began + seconds, told))
        while loop.time() < began + seconds:
            await asyncio.sleep(every_s)
            samples.append(_sample(gateway, place, loop.time() - began))
            print(samples[-1], flush=True)
    return samples, told


def _sample(gateway: Serving, place: Place, seconds: float) -> Sample:
    # The lines are kept for tests to look at.
    gateway.log.clear()
    pid = gateway.process.pid
    disk = sum(file.stat().st_size for file in place.path.rglob("*") if file.is_file())
    return Sample(seconds, process.rss_mib(pid), process.descriptors(pid), process.threads(pid), disk / 2**20)


def _grown(samples: list[Sample]) -> Iterator[str]:
    """Compares the last third with the one before; the first is for warming up."""
    third = len(samples) // 3
    if not third:
        yield "too few samples for a verdict"
        return
    middle, last = samples[-2 * third : -third], samples[-third:]
    memory = [statistics.median(sample.rss_mib for sample in part) for part in (middle, last)]
    if memory[1] - memory[0] > max(GROWTH_MIB, GROWTH_SHARE * memory[0]):
        yield f"memory grew from {memory[0]:.1f} to {memory[1]:.1f} MiB"
    handles = [statistics.median(sample.descriptors for sample in part) for part in (middle, last)]
    if handles[1] - handles[0] > GROWTH_DESCRIPTORS:
        yield f"descriptors grew from {handles[0]:g} to {handles[1]:g}"


def _left_behind(gateway: Serving, before: Sample) -> Iterator[str]:
    """What is still there some time after everybody has gone."""
    end, pid = time.monotonic() + SETTLE_S, gateway.process.pid
    while time.monotonic() < end:
        running = httpx.get(f"{gateway.url}/crtui/v1/state").json()["gateway"]["in_flight"]
        kept = process.descriptors(pid) - before.descriptors
        if running == 0 and kept <= LEFT_DESCRIPTORS:
            return
        time.sleep(0.5)
    yield f"{running} requests and {kept} descriptors were left behind"


def _complaints(gateway: Serving) -> Iterator[str]:
    """What it has written to standard error, where it says what troubles it."""
    assert gateway.process.stderr is not None
    handle = gateway.process.stderr.fileno()
    os.set_blocking(handle, False)
    with contextlib.suppress(BlockingIOError):
        yield from os.read(handle, 65_536).decode(errors="replace").splitlines()


@contextlib.contextmanager
def _faulty(seed: int) -> Iterator[int]:
    """One provider in a process of its own; its port."""
    command = [sys.executable, "-m", "tests.bench.faulty", str(seed)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as upstream:
        try:
            assert upstream.stdout is not None
            yield int(upstream.stdout.readline())
        finally:
            upstream.terminate()


if __name__ == "__main__":
    sys.exit(main())
