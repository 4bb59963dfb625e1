"""The whole stack on the demo world: real core, real gateway, real sockets, a clock that runs fast."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from crtui.clock import SystemClock
from crtui.config.core_settings import core_settings
from crtui.config.load import config_from_data
from crtui.core.events import Event
from crtui.demo.world import DemoWorld
from crtui.engine.engine import Engine
from crtui.engine.poller import Poller
from crtui.gateway.guard import Access, Token
from crtui.gateway.server import GatewayServer, bind
from crtui.providers.probing import probe_client
from crtui.providers.provider import build_providers

SPEED = 20
TRANSITIONS = {
    "health.changed DEGRADED",
    "health.changed UNHEALTHY",
    "health.changed HEALTHY",
    "health.half_open",
    "quota.exhausted",
    "quota.available",
    "memory.pressured",
    "memory.recovered",
    "attempt.ok",
    "attempt.failed",
    "attempt.interrupted",
    "poll.failed",
    "rule.matched",
}


class Seen:
    """The transitions told so far."""

    def __init__(self) -> None:
        self.kinds: set[str] = set()
        self.all = asyncio.Event()

    def note(self, events: list[Event]) -> None:
        self.kinds |= {f"{event.kind} {event.data.get('to', '')}".strip() for event in events}
        if self.kinds >= TRANSITIONS:
            self.all.set()


@contextlib.asynccontextmanager
async def running(clock: SystemClock, seen: Seen) -> AsyncIterator[Engine]:
    """The demo world with agents at work on a gateway."""
    world = DemoWorld(clock, seed=1)
    config = config_from_data(await world.start(), "demo")
    providers, _ = build_providers(config, world.environ)
    sock = bind("127.0.0.1", 0)
    host = f"127.0.0.1:{sock.getsockname()[1]}"
    engine = Engine(core_settings(config), providers, clock, url=f"http://{host}")
    engine.listen(seen.note)
    server = GatewayServer(engine, Access(hosts=frozenset({host.encode()}), control=Token("order")))
    await server.start(sock)
    async with probe_client() as client:
        poller = Poller(providers, engine.poll, clock, client, seed=1)
        jobs = (engine.run(), poller.run(), world.run_traffic(engine.snapshot().gateway.url, None))
        tasks = [asyncio.create_task(job) for job in jobs]
        try:
            yield engine
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await server.stop(0)
            await world.stop()


@pytest.mark.long
async def test_the_story_shows_every_transition():
    seen = Seen()
    with contextlib.suppress(TimeoutError):
        async with running(SystemClock(SPEED), seen) as engine, asyncio.timeout(400 / SPEED):
            await seen.all.wait()
            rows = {provider.name: provider for provider in engine.snapshot().providers}
    assert seen.kinds >= TRANSITIONS
    assert all(row.latency.samples > 0 for row in rows.values())
    burn = rows["openrouter"].burn
    assert burn.exhausts_at is not None
    assert rows["openrouter"].quota.state == "available"
