"""The poller: asks every provider's free endpoints now and then, and at once when told to.

When to poll is decided by ``Schedule``, which neither sleeps nor reads a clock; ``Poller`` does it.
"""

from __future__ import annotations

import asyncio
import heapq
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

import httpx

from crtui.clock import Clock
from crtui.core.now import SECOND
from crtui.providers.kinds import Probe
from crtui.providers.machine import Machine
from crtui.providers.probing import Observation, ShownModels, observe
from crtui.providers.provider import Provider

DEADLINE_MS: Final = 5 * SECOND
AT_ONCE: Final = 8
"""How many providers are asked at the same time."""

STAGGER_MS: Final = 2 * SECOND
JITTER: Final = 0.15
_LONGEST_WAIT_MS: Final = SECOND
"""Timers stand still while a machine sleeps, so a long wait is cut into short ones."""


class Schedule:
    """When each name is due, in monotonic milliseconds. A name is either waiting, running or idle.

    ``periods`` maps a name to its period; 0 is never due of itself. The first time is within two
    seconds, each further one a period and up to 15 % after the end of the one before.
    """

    def __init__(self, periods: Mapping[str, int], seed: int, now: int) -> None:
        self._periods = dict(periods)
        # One generator a name: what one provider does never moves another's times.
        self._random = {name: random.Random(f"{seed}/{name}") for name in periods}
        self._due: dict[str, int] = {}
        self._running: set[str] = set()
        self._queue: list[tuple[int, str]] = []
        for name, period in periods.items():
            if period:
                self._put(name, now + self._random[name].randrange(STAGGER_MS))

    def next_at(self) -> int | None:
        """When the next name is due, or None while none is waiting."""
        while self._queue and self._due.get(self._queue[0][1]) != self._queue[0][0]:
            heapq.heappop(self._queue)
        return self._queue[0][0] if self._queue else None

    def take(self, now: int) -> list[str]:
        """The names that are due, earliest first; they count as running until ``finished``."""
        taken: list[str] = []
        while (at := self.next_at()) is not None and at <= now:
            _, name = heapq.heappop(self._queue)
            del self._due[name]
            self._running.add(name)
            taken.append(name)
        return taken

    def finished(self, name: str, now: int) -> None:
        """A running name has been done."""
        self._running.discard(name)
        if period := self._periods[name]:
            self._put(name, now + period + int(period * JITTER * self._random[name].random()))

    def kick(self, name: str, now: int) -> None:
        """Make a name due now. One that is running is left: its result is about to come."""
        if name in self._periods and name not in self._running:
            self._put(name, now)

    def _put(self, name: str, at: int) -> None:
        self._due[name] = at
        heapq.heappush(self._queue, (at, name))


class Poller:
    """Polls providers and hands each result to ``feed``. Belongs to one event loop.

    ``client`` is the caller's to make (``crtui.providers.probing.probe_client``) and to close. Every
    request is one that costs nothing. ``machine`` is asked for the memory of servers that run on it and
    do not tell theirs.
    """

    def __init__(
        self,
        providers: Mapping[str, Provider],
        feed: Callable[[Observation], None],
        clock: Clock,
        client: httpx.AsyncClient,
        seed: int,
        machine: Machine | None = None,
    ) -> None:
        self._providers = {name: provider for name, provider in providers.items() if provider.probes}
        self._feed = feed
        self._clock = clock
        self._client = client
        periods = {name: round(provider.poll_s * SECOND) for name, provider in self._providers.items()}
        self._schedule = Schedule(periods, seed, clock.now().mono)
        self._asked_at: dict[tuple[str, str], int] = {}
        self._shown: dict[str, ShownModels] = {name: {} for name in self._providers}
        self._machine = machine or Machine()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._woken = asyncio.Event()

    def kick(self, name: str) -> None:
        """Poll a provider now, also one that is never polled of itself; no effect where it has no probe."""
        self._schedule.kick(name, self._clock.now().mono)
        self._woken.set()

    async def run(self) -> None:
        """Poll until cancelled; polls under way are cancelled too."""
        async with asyncio.TaskGroup() as polls:
            while True:
                self._woken.clear()
                for name in self._schedule.take(self._clock.now().mono):
                    polls.create_task(self._poll(self._providers[name]), name=f"poll {name}")
                await self._wait()

    async def _wait(self) -> None:
        """Until something is due or kicked, but not for long."""
        due = self._schedule.next_at()
        left = _LONGEST_WAIT_MS if due is None else due - self._clock.now().mono
        try:
            async with asyncio.timeout(self._clock.real_seconds(min(max(left, 0), _LONGEST_WAIT_MS))):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _poll(self, provider: Provider) -> None:
        async with self._slots:
            now = self._clock.now()
            probes = [probe for probe in provider.probes if self._wanted(provider.name, probe, now.mono)]
            deadline_s = self._clock.real_seconds(DEADLINE_MS)
            shown = self._shown[provider.name]
            seen = await observe(provider, probes, self._client, now, deadline_s, shown)
            seen = await self._with_memory(provider, seen)
        if seen.poll.models is not None:
            self._asked_at |= {(provider.name, probe.path): now.mono for probe in probes}
        self._schedule.finished(provider.name, self._clock.now().mono)
        self._woken.set()
        self._feed(seen)

    async def _with_memory(self, provider: Provider, seen: Observation) -> Observation:
        if not (seen.poll.ok and provider.shares_memory):
            return seen
        machine = await self._machine.read(self._clock.now().mono)
        return replace(seen, poll=replace(seen.poll, memory=machine.behind(seen.poll.models)))

    def _wanted(self, name: str, probe: Probe, now: int) -> bool:
        """Whether a probe's own least interval has passed since models were last seen."""
        last = self._asked_at.get((name, probe.path))
        return last is None or now - last >= probe.every_ms
