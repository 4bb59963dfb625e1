"""A long soak of ``crtui serve`` among faulty providers and impatient clients, and a verdict on its journal.

    python -m tests.soak [--minutes 30] [--rate 5] [--seed 1]

Four providers on loopback answer, refuse, run out of memory, break, dawdle and fall silent by a seeded
chance, a fifth refuses every connection. Clients ask in every wire, whole and streamed, and some leave.
Every ten seconds memory, descriptors and threads are read. Exits 1, and says why, where a request had no
end or an odd one, where the journal breaks a rule or replays to another state than is shown, or where
something grew.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import tempfile
from collections import Counter
from pathlib import Path

import uvloop

from tests.bench import process
from tests.cli.conftest import Place, Serving
from tests.soak.clients import Client, Heard
from tests.soak.growth import FEWEST, LEFT, Sample, growth
from tests.soak.journal import broken_rules, shown_and_replayed
from tests.soak.operator import orders
from tests.soak.providers import CONFIG, Providers

CLIENTS = 12
SAMPLE_S = 10.0
SETTLE_S = 100.0
"""The gateway keeps idle connections to providers for 60 s."""


def main(argv: list[str] | None = None) -> int:
    """Soak, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=float, default=5, help="requests a second")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        faults = uvloop.run(soak(Place(Path(folder)), args.minutes * 60, args.rate, args.seed))
    for fault in faults:
        print(f"FAULT: {fault}")
    print("NOT GOOD" if faults else "good")
    return int(bool(faults))


async def soak(place: Place, seconds: float, rate: float, seed: int) -> list[str]:
    """Everything that was wrong."""
    async with Providers(seed) as providers:
        config = place.config(CONFIG.format(ports=providers.ports))
        with place.serving(config) as gateway:
            before = process.descriptors(gateway.process.pid)
            heard, watched = await _load(gateway, place, seconds, rate, seed)
            trace, shown, replayed = await asyncio.to_thread(shown_and_replayed, place, gateway)
            left = await watched.left(before) if len(watched.samples) >= FEWEST else 0
            complaints = await asyncio.to_thread(_complaints, gateway)
    _tell({"providers": providers.told, "clients": heard.fates, "gateway": watched.events}, watched)
    differing = [key for key in shown if shown[key] != replayed.get(key)]
    return [
        *heard.faults,
        *complaints,
        *broken_rules(trace, heard.attempts),
        *(f"the replay shows another {key}" for key in differing),
        *growth(watched.samples),
        *([f"{left} descriptors are left behind"] if left > LEFT else []),
    ]


async def _load(
    gateway: Serving, place: Place, seconds: float, rate: float, seed: int
) -> tuple[Heard, Watched]:
    heard, watched = Heard(), Watched(gateway)
    end = asyncio.get_running_loop().time() + seconds
    clients = [Client(gateway.url, f"{seed}-{number}", heard) for number in range(CLIENTS)]
    watching = asyncio.create_task(watched.watch())
    ordering = asyncio.create_task(orders(gateway.url, place, seconds))
    await asyncio.gather(*(client.ask_until(end, CLIENTS / rate) for client in clients))
    for task in (watching, ordering):
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    watched.read_log()
    return heard, watched


class Watched:
    """What the process uses as time goes by, and how often it logs what."""

    def __init__(self, gateway: Serving) -> None:
        self.samples: list[Sample] = []
        self.events: Counter[str] = Counter()
        self._gateway = gateway

    async def watch(self) -> None:
        """Look every ten seconds."""
        pid = self._gateway.process.pid
        while True:
            await asyncio.sleep(SAMPLE_S)
            self.read_log()
            self.samples.append(Sample(process.rss_mib(pid), process.descriptors(pid), process.threads(pid)))
            print(f"{len(self.samples) * SAMPLE_S:6.0f} s  {self.samples[-1]}", flush=True)

    async def left(self, before: int) -> int:
        """How many descriptors more there are than before, once idle connections have had their time."""
        end = asyncio.get_running_loop().time() + SETTLE_S
        while (more := process.descriptors(self._gateway.process.pid) - before) > LEFT:
            if asyncio.get_running_loop().time() > end:
                break
            await asyncio.sleep(1)
        return more

    def read_log(self) -> None:
        """Count the events since, and forget their lines."""
        log = self._gateway.log
        lines = log[:]
        del log[: len(lines)]
        self.events.update(line.split()[1] for line in lines)


def _complaints(gateway: Serving) -> list[str]:
    """Stop it: what it has said of its own troubles."""
    gateway.process.terminate()
    assert gateway.process.stderr is not None
    return [line for line in gateway.process.stderr.read().splitlines() if line != "crtui: stopping"]


def _tell(counted: dict[str, Counter[str]], watched: Watched) -> None:
    for who, counts in counted.items():
        print(f"{who}: {', '.join(f'{count} {what}' for what, count in counts.most_common())}")
    if len(watched.samples) < FEWEST:
        print(f"no verdict on growth: shorter than {FEWEST * SAMPLE_S:g} s")


if __name__ == "__main__":
    sys.exit(main())
