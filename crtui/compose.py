"""The only place that builds parts and wires them together, and the order they start and stop in.

Start: the address is bound first (a taken port is told before anything else happens), then the
engine with what the journal knows, the poller, the gateway. Stop: the gateway drains, then the
poller and the timer end, and at last everything that is known is written.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from crtui.clock import Clock
from crtui.config.credentials import gateway_token
from crtui.config.load import LoadedConfig
from crtui.config.model import Config
from crtui.core.events import Event
from crtui.engine.engine import Engine
from crtui.engine.keeper import Keeper
from crtui.engine.notices import Notices
from crtui.engine.poller import Poller
from crtui.engine.recorder import TraceRecorder
from crtui.engine.run import begin_run
from crtui.engine.signals import SignalFiles, SignalWriter
from crtui.engine.state_dir import StateDir
from crtui.errors import ConfigError
from crtui.gateway.guard import Access, Token, hosts_of
from crtui.gateway.server import GatewayServer, bind
from crtui.providers.probing import probe_client
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
    recorder: TraceRecorder | None = None

    def close(self) -> None:
        """Finish the trace, where one is recorded."""
        if self.recorder is not None:
            self.recorder.close()


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
        control = plant.state.token()
        if plant.state.notice is not None:
            notices.add(plant.state.notice)
        run = begin_run(plant.state, settings, config.to_data(), plant.clock, notices, seed=plant.seed)
        if plant.recorder is not None:
            plant.recorder.begin(run.state, run.now)
        self.engine = Engine(
            settings,
            providers,
            plant.clock,
            url=self.url,
            seed=plant.seed,
            record=plant.recorder,
            run=run,
            notices=notices,
        )
        self._signals = SignalWriter(SignalFiles(plant.state.path), plant.clock)
        # Whose directory another process keeps, or nobody can write to, keeps its signals to itself too.
        self._keeper = Keeper([] if run.writer is None else [run.writer, self._signals])
        self._server = GatewayServer(
            self.engine,
            _access(config, sock, control, plant.environ),
            max_in_flight=config.gateway.max_in_flight,
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._client: httpx.AsyncClient | None = None

    async def start(self) -> None:
        """Begin to serve."""
        self._keeper.start()
        self._client = probe_client()
        engine = self.engine
        poller = Poller(engine.providers, engine.poll, engine.clock, self._client, self._plant.seed)
        engine.listen(_probe_when_half_open(poller, engine.providers))
        self._tasks = [
            asyncio.create_task(engine.run(), name="crtui-timer"),
            asyncio.create_task(poller.run(), name="crtui-poller"),
            asyncio.create_task(self._tell_signals(), name="crtui-signals"),
        ]
        await self._server.start(self._sock)

    async def _tell_signals(self) -> None:
        while True:
            self._signals.offer(self.engine.take_changed())
            await asyncio.sleep(SIGNALS_S)

    async def failure(self) -> None:
        """Wait until a part that must never end has ended, and raise what it ended of."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        ended = next(iter(done))
        raise ended.exception() or RuntimeError(f"{ended.get_name()} has ended")

    async def stop(self, drain_s: float = DRAIN_S) -> None:
        """Drain the gateway, then end everything."""
        await self._server.stop(drain_s)
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task
        if self._client is not None:
            await self._client.aclose()
        self._signals.offer(self.engine.take_changed())
        self.engine.close()
        await asyncio.to_thread(self._keeper.stop)


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
    )


def _probe_when_half_open(poller: Poller, providers: Mapping[str, Provider]) -> Callable[[list[Event]], None]:
    def listen(events: list[Event]) -> None:
        for event in events:
            name = event.provider
            if event.kind == "health.half_open" and name is not None and name in providers:
                poller.kick(name)

    return listen
