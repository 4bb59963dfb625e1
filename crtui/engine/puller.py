"""Fetches models: declared ones that are missing, and those people ask for. One at a time a server.

What is on its way is shown in the rows, its turning points are told to the core. Nothing is ever
deleted. A kill loses nothing: what is declared and missing is found again by the next poll, what was
asked for or cancelled stands in a file, and the server itself keeps the layers it has.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

import httpx

from crtui.clock import Clock
from crtui.core.inputs import Command, Pull, PullStatus
from crtui.core.now import SECOND
from crtui.core.views import PullView
from crtui.engine.inventory import Inventory
from crtui.engine.pull_queue import Job, PullQueue
from crtui.engine.pull_store import PullStore, Wishes
from crtui.providers.ollama import canonical
from crtui.providers.probing import Observation, probe_client
from crtui.providers.provider import Provider
from crtui.providers.pull_progress import PullProgress
from crtui.providers.pulling import PullError, pull_lines

AT_ONCE: Final = 8
"""How many servers fetch at the same time."""
SHOW_MS: Final = 250
"""Progress is shown anew at most this often."""
_ODD: Final = "unusable answer"
_LONGEST_WAIT_MS: Final = SECOND
"""Timers stand still while a machine sleeps, so a long wait is cut into short ones."""


@dataclass(slots=True)
class _Server:
    provider: Provider
    queue: PullQueue = field(default_factory=PullQueue)
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    stream: asyncio.Task[None] | None = None
    progress: PullProgress = field(default_factory=PullProgress)
    shown_at: int = 0


class Puller:
    """Belongs to one event loop. ``tell`` takes what has happened."""

    def __init__(
        self,
        providers: Mapping[str, Provider],
        inventory: Inventory,
        clock: Clock,
        tell: Callable[[Pull], None],
        store: PullStore | None = None,
    ) -> None:
        """``store`` keeps what people asked for and cancelled; without it that ends with the process."""
        self.look_again: Callable[[str], None] = _nobody
        """Called with a provider whose models have changed."""
        self._servers = {name: _Server(given) for name, given in providers.items() if given.keeps_models}
        self._inventory = inventory
        self._clock = clock
        self._tell = tell
        self._store = store
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._to_keep = asyncio.Event()
        self._kept = asyncio.Event()
        self._kept.set()
        inventory.show_pulls(self.views)

    def views(self, provider: str) -> tuple[PullView, ...]:
        """What is on its way to a provider, in the order it was wished for."""
        server = self._servers.get(provider)
        if server is None or not server.queue.jobs:
            return ()
        return tuple(self._view(server, job) for job in server.queue.jobs)

    def saw(self, seen: Observation) -> None:
        """A poll has ended, and the inventory has taken it in."""
        server = self._servers.get(seen.poll.provider)
        if server is None or not seen.poll.ok or seen.poll.models is None:
            return
        server.queue.arrived(frozenset(canonical(model.name) for model in seen.poll.models))
        self._wishes_changed()
        if server.provider.pull:
            self._want(server, self._inventory.missing(seen.poll.provider), asked=False)

    def obey(self, command: Command) -> None:
        """Fetch a model or stop fetching it; without a name all that is missing, or on its way.

        Other commands, and providers that fetch no models, are passed over.
        """
        server = self._servers.get(command.provider)
        if server is None:
            return
        if command.command == "pull":
            models = (command.model,) if command.model else self._inventory.missing(command.provider)
            self._want(server, models, asked=True)
        elif command.command == "cancel_pull":
            on_way = [job.model for job in server.queue.jobs]
            for model in [command.model] if command.model else on_way:
                self._cancel(server, model)

    async def run(self) -> None:
        """Fetch until cancelled; streams under way are cancelled too, and go on at the next start."""
        self._remember()
        async with probe_client() as client, asyncio.TaskGroup() as tasks:
            if self._store is not None:
                tasks.create_task(self._keep(self._store), name="crtui-pulls-kept")
            for name, server in self._servers.items():
                tasks.create_task(self._serve(server, client), name=f"crtui-pulls {name}")
            # Also where there is nothing to fetch and nowhere to keep it, this must not end of itself.
            await asyncio.Event().wait()

    def close(self) -> None:
        """Write down what people want and do not want, once ``run`` has ended. Blocks."""
        if self._store is not None and self._to_keep.is_set():
            with contextlib.suppress(OSError):
                self._store.write(self._wishes())

    def _view(self, server: _Server, job: Job) -> PullView:
        now = self._clock.now()
        if job is server.queue.running:
            return server.progress.view(job.model, now.mono, asked=job.asked)
        if not job.error:
            return PullView(job.model, "queued", job.asked)
        retry_at = None if job.given_up else now.wall + max(0, job.ready_at - now.mono)
        return PullView(job.model, "failed", job.asked, retry_at=retry_at, error=job.error)

    def _want(self, server: _Server, models: tuple[str, ...], *, asked: bool) -> None:
        for model in models:
            if server.queue.want(model, asked=asked):
                self._happened(server, model, "queued")
        server.woken.set()
        self._wishes_changed()

    def _cancel(self, server: _Server, model: str) -> None:
        job = server.queue.cancel(model)
        self._wishes_changed()
        if job is None:
            return
        if job is server.queue.running and server.stream is not None:
            server.stream.cancel()
        self._happened(server, job.model, "cancelled")

    def _happened(self, server: _Server, model: str, status: PullStatus, error: str = "") -> None:
        self._tell(Pull(server.provider.name, model, status, error))
        self._inventory.changed()

    async def _serve(self, server: _Server, client: httpx.AsyncClient) -> None:
        while True:
            server.woken.clear()
            due = server.queue.next_at()
            if due is not None and due <= self._clock.now().mono:
                async with self._slots:
                    await self._next(server, client)
            else:
                await self._wait(server, due)

    async def _wait(self, server: _Server, due: int | None) -> None:
        left = None if due is None else min(due - self._clock.now().mono, _LONGEST_WAIT_MS)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if left is None else self._clock.real_seconds(left)):
                await server.woken.wait()

    async def _next(self, server: _Server, client: httpx.AsyncClient) -> None:
        """Fetch the next model to its end. Other servers' streams and this one's orders go on meanwhile."""
        # What was asked for stands on the disk before it begins, so a kill finds it either way.
        await self._kept.wait()
        job = server.queue.take(self._clock.now().mono)
        if job is None:
            return
        server.progress, server.shown_at = PullProgress(), 0
        self._happened(server, job.model, "started")
        server.stream = asyncio.create_task(self._stream(server, job, client))
        try:
            await asyncio.wait([server.stream])
            self._ended(server, job, server.stream)
        finally:
            server.stream.cancel()
            await asyncio.wait([server.stream])
            server.stream = None

    async def _stream(self, server: _Server, job: Job, client: httpx.AsyncClient) -> None:
        async with aclosing(pull_lines(server.provider, job.model, client)) as lines:
            async for line in lines:
                now = self._clock.now().mono
                server.progress.fold(line, now)
                if now - server.shown_at >= SHOW_MS:
                    server.shown_at = now
                    self._inventory.changed()
        if not server.progress.done:
            raise PullError("the answer ended before the model was complete")

    def _ended(self, server: _Server, job: Job, stream: asyncio.Task[None]) -> None:
        if stream.cancelled():
            server.queue.finished()
            return
        now, fault = self._clock.now(), stream.exception()
        if fault is None:
            server.queue.finished()
            self._inventory.arrived(server.provider.name, job.model, now)
            self._happened(server, job.model, "done")
            self.look_again(server.provider.name)
        else:
            words, final = (str(fault), fault.final) if isinstance(fault, PullError) else (_ODD, False)
            server.queue.failed(words, now.mono, final=final)
            self._happened(server, job.model, "failed", words)
        self._wishes_changed()

    def _remember(self) -> None:
        if self._store is None:
            return
        wishes = self._store.read()
        for name, server in self._servers.items():
            for model in wishes.cancelled.get(name, ()):
                server.queue.cancel(model)
            self._want(server, wishes.asked.get(name, ()), asked=True)

    def _wishes_changed(self) -> None:
        if self._store is not None:
            self._kept.clear()
            self._to_keep.set()

    async def _keep(self, store: PullStore) -> None:
        """Write down what people want and do not want, whenever that changes."""
        written: Wishes | None = None
        while True:
            await self._to_keep.wait()
            self._to_keep.clear()
            wishes = self._wishes()
            if wishes != written:
                # A full disk loses these wishes at the end of this run, and nothing now.
                with contextlib.suppress(OSError):
                    await _to_the_end(asyncio.to_thread(store.write, wishes))
                written = wishes
            if not self._to_keep.is_set():
                self._kept.set()

    def _wishes(self) -> Wishes:
        """Of the cancelled ones those that are declared: no other would be fetched unasked."""
        return Wishes(
            {name: server.queue.asked for name, server in self._servers.items()},
            {
                name: tuple(filter(server.queue.is_cancelled, server.provider.declared))
                for name, server in self._servers.items()
            },
        )


async def _to_the_end(work: Coroutine[None, None, None]) -> None:
    """Do it, and even if cancelled not return before it is done: a later write must not be overtaken."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _nobody(_provider: str) -> None:
    """Nobody looks."""
