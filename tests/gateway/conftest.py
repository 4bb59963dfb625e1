"""A real gateway on a real engine in the test's own loop; only the providers are scripted."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from crtui.clock import Clock, SystemClock
from crtui.core.inputs import Attempt, Began
from crtui.core.settings import CoreSettings, ProfileSettings, ProviderSettings, RuleSettings
from crtui.engine.engine import Engine
from crtui.engine.pricing import Pricing
from crtui.gateway.guard import Access, Token, hosts_of
from crtui.gateway.server import GatewayServer, bind
from crtui.gateway.waiting import USUAL, Pace
from crtui.providers.prices import PriceList
from crtui.providers.provider import Provider
from crtui.secret import Secret
from tests.fakes.client import Answer, RudeClient
from tests.fakes.upstream import Upstream

CANARY = "sk-canary-0123456789abcdefghij"
CONTROL = "control-token-0123456789"


def provider(name: str, url: str, **changes: Any) -> Provider:
    """A provider of both wires at ``url`` whose key is the canary."""
    return replace(
        Provider(
            name=name,
            kind="openai-compatible",
            base_url=url,
            api_prefix="/v1",
            auth="key",
            wires=("messages", "chat"),
            model=None,
            models=(),
            connect_timeout_s=5,
            first_byte_timeout_s=10,
            idle_timeout_s=10,
            poll_s=0,
            secret=Secret(CANARY),
            local=True,
        ),
        **changes,
    )


@dataclass
class House:
    """A running gateway and everything a test may look at."""

    engine: Engine
    server: GatewayServer
    port: int
    inputs: list[object]
    clients: list[RudeClient]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def begun(self) -> list[Began]:
        return [item for item in self.inputs if isinstance(item, Began)]

    @property
    def ended(self) -> list[Attempt]:
        return [item for item in self.inputs if isinstance(item, Attempt)]

    async def end(self, number: int = 0) -> Attempt:
        """The attempt that ended with that number, once it has."""
        seq = 0
        while len(self.ended) <= number:
            await self.engine.next_event(seq)
            seq = self.engine.last_seq
        return self.ended[number]

    async def connect(self, **options: bool) -> RudeClient:
        """A connection that is closed with the gateway, if not before."""
        self.clients.append(await RudeClient.connect(self.port, **options))
        return self.clients[-1]

    async def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """One request on a connection of its own, and its answer."""
        client = await self.connect()
        await client.ask(method, path, body, **headers)
        answer = await client.read()
        client.close()
        return answer

    async def message(self, body: bytes, **headers: str) -> Answer:
        return await self.ask("POST", "/v1/messages", body, **headers)

    async def chat(self, body: bytes, **headers: str) -> Answer:
        return await self.ask("POST", "/v1/chat/completions", body, **headers)


async def until(true: Callable[[], bool]) -> None:
    """Let everybody take turns until something has become true that nothing tells of."""
    while not true():  # noqa: ASYNC110
        await asyncio.sleep(0)


Open = Callable[..., AbstractAsyncContextManager[House]]


@pytest.fixture
def house() -> Open:
    """Opens a gateway on some providers: upstreams (named a, b, c ...) or ``Provider`` objects."""
    return open_house


@asynccontextmanager
async def open_house(
    *upstreams: Upstream | Provider,
    clock: Clock | None = None,
    token: str | None = None,
    max_in_flight: int = 256,
    max_body: int = 1024 * 1024,
    pace: Pace = USUAL,
    prices: PriceList | None = None,
    rules: tuple[RuleSettings, ...] = (),
    profiles: tuple[ProfileSettings, ...] = (),
    **settings: Any,
) -> AsyncIterator[House]:
    providers = [
        item if isinstance(item, Provider) else provider("abcdef"[number], item.url)
        for number, item in enumerate(upstreams)
    ]
    names = tuple(item.name for item in providers)
    core = CoreSettings(
        providers=tuple(ProviderSettings(item.name, item.kind, item.wires, **settings) for item in providers),
        profiles=(ProfileSettings("default", names), *profiles),
        rules=rules,
    )
    inputs: list[object] = []
    sock = bind("127.0.0.1", 0)
    port = sock.getsockname()[1]
    named = {item.name: item for item in providers}
    engine = Engine(
        core,
        named,
        clock or SystemClock(),
        url=f"http://127.0.0.1:{port}",
        record=lambda item, _: inputs.append(item),
        pricing=None if prices is None else Pricing(core, named, prices),
    )
    access = Access(
        hosts_of("127.0.0.1", port),
        Token(CONTROL),
        None if token is None else Token(token),
        max_body=max_body,
    )
    server = GatewayServer(engine, access, max_in_flight=max_in_flight, pace=pace)
    await server.start(sock)
    timer = asyncio.create_task(engine.run())
    clients: list[RudeClient] = []
    try:
        yield House(engine, server, port, inputs, clients)
    finally:
        for client in clients:
            client.close()
        timer.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await timer
        await server.stop(0)
    assert sorted(item.ticket for item in inputs if isinstance(item, Began)) == sorted(
        item.ticket for item in inputs if isinstance(item, Attempt)
    ), "every attempt that began has ended exactly once"
    assert engine.in_flight == 0
