"""The only place that builds parts and wires them together, and the order they start and stop in.

Start: the address is bound first (a taken port is told before anything else happens), then come a
trace's file, the engine with what the journal knows, the poller, the gateway. Stop: the gateway
drains, then the poller and the timer end, and at last everything that is known is written.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from crtui.agents.asking import UsageAsker
from crtui.agents.endpoints import endpoints_of
from crtui.agents.sources import sources_of
from crtui.clock import Clock
from crtui.config.credentials import gateway_token
from crtui.config.load import LoadedConfig
from crtui.config.model import Config
from crtui.core.events import Event
from crtui.engine.agent_feed import AgentFeed
from crtui.engine.credentials import Credentials
from crtui.engine.engine import Engine
from crtui.engine.keeper import Keeper
from crtui.engine.notices import Notices
from crtui.engine.poller import Poller
from crtui.engine.pricing import Pricing
from crtui.engine.pull_store import PullStore
from crtui.engine.puller import Puller
from crtui.engine.recorder import TraceRecorder
from crtui.engine.run import begin_run
from crtui.engine.signals import SignalFiles, SignalWriter
from crtui.engine.state_dir import StateDir, TokenFile
from crtui.errors import ConfigError
from crtui.gateway.guard import Access, Token, hosts_of
from crtui.gateway.server import GatewayServer, bind
from crtui.providers.prices import PriceList
from crtui.providers.probing import Observation, probe_client
from crtui.providers.provider import Provider, build_providers

if TYPE_CHECKING:
    import httpx

DRAIN_S: Final = 10.0
SIGNALS_S: Final = 1.0
"""Real seconds between two looks at what providers' signals have become."""


@dataclass(slots=True)
class Plant:
    """What a gateway is built from."""

    config: Config
    clock: Clock
    state: StateDir
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    warnings: tuple[str, ...] = ()
    seed: int = 0
    trace: Path | None = None
    """Where the run's inputs are recorded."""


class Stack:
    """Engine, poller and gateway, built for one event loop and run on it."""

    def __init__(self, plant: Plant, sock: socket.socket) -> None:
        config = plant.config
        providers, amiss = build_providers(config, plant.environ)
        self._sock = sock
        self._plant = plant
        self.url = url_of(sock)
        notices, settings = Notices(), config.to_core()
        notices.add(*plant.warnings, *amiss)
        data = config.to_data()
        self._recorder = None
        if plant.trace is not None:
            self._recorder = TraceRecorder(plant.trace, data, plant.seed, notices)
        control = plant.state.token()
        if plant.state.notice is not None:
            notices.add(plant.state.notice)
        credentials = Credentials(plant.state.path, providers)
        run = begin_run(
            plant.state, settings, data, plant.clock, notices, seed=plant.seed, credentials=credentials
        )
        if self._recorder is not None:
            self._recorder.begin(run.state, run.events, run.now)
        self._pricing = Pricing(settings, providers, PriceList())
        self.engine = Engine(
            settings,
            providers,
            plant.clock,
            url=self.url,
            seed=plant.seed,
            record=self._recorder,
            run=run,
            notices=notices,
            pricing=self._pricing,
        )
        # Whose directory another process keeps, or nobody can write to, forgets what was asked for.
        asked = None if run.writer is None else PullStore(plant.state.path)
        engine = self.engine
        self._puller = Puller(providers, engine.inventory, plant.clock, engine.pulled, asked)
        engine.listen_for_orders(self._puller.obey)
        self._signals = SignalWriter(SignalFiles(plant.state.path), plant.clock, notices)
        # Whose directory another process keeps, or nobody can write to, keeps its signals to itself too.
        token = TokenFile(plant.state, control)
        self._keeper = Keeper([] if run.writer is None else [run.writer, self._signals, token])
        self._server = GatewayServer(
            self.engine,
            _access(config, sock, control, plant.environ),
            max_in_flight=config.gateway.max_in_flight,
        )
        self._agents = _agent_feed(self.engine, plant) if config.agents.logs else None
        self._tasks: list[asyncio.Task[None]] = []
        self._client: httpx.AsyncClient | None = None

    async def start(self) -> None:
        """Begin to serve."""
        self._keeper.start()
        self._client = probe_client()
        engine = self.engine
        poller = Poller(engine.providers, self._saw, engine.clock, self._client, self._plant.seed)
        engine.listen(_probe_when_half_open(poller, engine.providers))
        self._puller.look_again = poller.kick
        self._tasks = [
            asyncio.create_task(engine.run(), name="crtui-timer"),
            asyncio.create_task(poller.run(), name="crtui-poller"),
            asyncio.create_task(self._puller.run(), name="crtui-pulls"),
            asyncio.create_task(self._tell_signals(), name="crtui-signals"),
            asyncio.create_task(self._pricing.run(engine.charge, engine.notices), name="crtui-prices"),
        ]
        await self._server.start(self._sock)
        if self._agents is not None:
            self._agents.start()

    def _saw(self, seen: Observation) -> None:
        poll = seen.poll
        host = urlsplit(self.engine.providers[poll.provider].base_url).hostname or ""
        if poll.ok:
            self._server.uplink.answered(host)
        elif seen.unreached and self._server.uplink.failed(host):
            # This machine is offline: that is no news of a provider.
            return
        self.engine.observe(seen)
        self._puller.saw(seen)

    async def _tell_signals(self) -> None:
        while True:
            self._signals.offer(self.engine.take_changed())
            await asyncio.sleep(SIGNALS_S)

    async def failure(self) -> None:
        """Wait until a part that must never end has ended, and raise what it ended of."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        ended = next(iter(done))
        raise ended.exception() or RuntimeError(f"{ended.get_name()} has ended")

    def hurry(self) -> None:
        """While it drains: end what still runs at once."""
        self._server.hurry()

    async def stop(self, drain_s: float = DRAIN_S) -> None:
        """Drain the gateway, then end everything."""
        await self._server.stop(drain_s)
        if self._agents is not None:
            await self._agents.stop()
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task
        if self._client is not None:
            await self._client.aclose()
        self._signals.offer(self.engine.take_changed())
        self._puller.close()
        self.engine.close()
        if self._recorder is not None:
            self._recorder.close()
        await asyncio.to_thread(self._keeper.stop)


def _agent_feed(engine: Engine, plant: Plant) -> AgentFeed:
    folder = plant.state.path if plant.state.notice is None else None
    subscribed = {p.name: p.subscribed for p in plant.config.providers if p.subscribed is not None}
    ask = None
    if plant.config.agents.usage_endpoints and folder is not None:
        ask = UsageAsker(endpoints_of(plant.environ), folder).ask
    return AgentFeed(engine, sources_of(plant.environ), folder, subscribed, ask)


def bind_for(config: Config) -> socket.socket:
    """Take the config's address. Raises ``CrtuiError`` in one line where it cannot be had."""
    address = config.gateway.address
    return bind(address.host, address.port)


def with_profile(loaded: LoadedConfig, profile: str | None) -> Config:
    """The config with ``--profile`` applied. Raises ``ConfigError`` for one that is not configured."""
    config = loaded.config
    if profile is None:
        return config
    known = [p.name for p in config.profiles]
    if profile not in known:
        raise ConfigError(f"--profile: {profile!r} is not configured; one of: {', '.join(known) or 'none'}")
    routing = config.routing.model_copy(update={"default_profile": profile})
    return config.model_copy(update={"routing": routing})


def url_of(sock: socket.socket) -> str:
    """How a client on this machine reaches a bound socket."""
    host, port = sock.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _access(config: Config, sock: socket.socket, control: str, environ: Mapping[str, str]) -> Access:
    host, port = sock.getsockname()[:2]
    gateway = config.gateway
    token = gateway_token(config, environ)
    return Access(
        hosts=hosts_of(host, port, gateway.allowed_hosts),
        control=Token(control),
        token=Token(token.reveal()) if token else None,
        max_body=gateway.max_body_mb * 1024 * 1024,
        token_env=gateway.token_env,
    )


def _probe_when_half_open(poller: Poller, providers: Mapping[str, Provider]) -> Callable[[list[Event]], None]:
    def listen(events: list[Event]) -> None:
        for event in events:
            name = event.provider
            if event.kind == "health.half_open" and name is not None and name in providers:
                poller.kick(name)

    return listen
