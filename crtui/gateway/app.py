"""The app: what is served where, and the checks before it, in their order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

import orjson

from crtui.core.now import SECOND
from crtui.engine.engine import Engine
from crtui.errors import origin
from crtui.gateway.body import ClientGoneError
from crtui.gateway.control import Control, is_order
from crtui.gateway.count import ENDPOINT as COUNT
from crtui.gateway.count import TokenCount
from crtui.gateway.ending import STOPPING
from crtui.gateway.exchange import API, WIRES, Exchange
from crtui.gateway.guard import Access, Refusal, credentials
from crtui.gateway.http.client import HttpClient
from crtui.gateway.interrupt import Interrupt
from crtui.gateway.misses import Misses
from crtui.gateway.models import anthropic_models, model_owners, openai_models
from crtui.gateway.refuse import envelope, refuse
from crtui.gateway.request import RefusedError, Request
from crtui.gateway.retries import Retries
from crtui.gateway.tally import Tally
from crtui.gateway.waiting import Pace

Handler = Callable[[Request], Awaitable[None]]

BUSY: Final = Refusal(503, "too many requests are in flight", "overloaded", retry_after_s=1)

_log = logging.getLogger("crtui.gateway")


class GatewayApp:
    """Answers every request exactly once, and never with a traceback."""

    def __init__(
        self, engine: Engine, access: Access, upstream: HttpClient, max_in_flight: int, pace: Pace
    ) -> None:
        self._engine = engine
        self._access = access
        self._upstream = upstream
        self._max_in_flight = max_in_flight
        self._pace = pace
        self._retries = Retries(engine.clock.now().mono)
        self._running: set[Interrupt] = set()
        self._idle: asyncio.Event | None = None
        self._misses = Misses()
        self._tally = Tally()
        engine.listen(self._tally.hear)
        control = self._control = Control(engine)
        self._routes: dict[str, dict[str, Handler]] = {
            "/healthz": {"GET": control.healthz, "HEAD": control.healthz},
            "/crtui/v1/state": {"GET": control.state, "HEAD": control.state},
            "/crtui/v1/events": {"GET": control.events},
            "/crtui/v1/reset": {"POST": control.reset},
            "/crtui/v1/paid": {"POST": control.paid},
            "/metrics": {"GET": self._metrics, "HEAD": self._metrics},
            "/v1/models": {"GET": self._models, "HEAD": self._models},
        }
        self._routes |= {path: {"POST": self._exchange} for path in WIRES}
        self._routes[API + COUNT] = {"POST": TokenCount(engine, access, upstream)}
        self._order: dict[str, Handler] = {"POST": control.order}

    async def __call__(self, request: Request) -> None:
        """Serve one request."""
        interrupt = request.interrupt
        self._running.add(interrupt)
        try:
            await self._answer(request)
        finally:
            interrupt.close()
            self._running.discard(interrupt)
            if self._idle is not None and not self._running:
                self._idle.set()

    def drain(self) -> None:
        """Serve nothing new; what runs may finish, but for event streams, which would not."""
        self._engine.draining = True
        self._control.end_listeners()

    def end_all(self) -> None:
        """End every request that still runs, with an error."""
        for interrupt in tuple(self._running):
            interrupt.fire("stopping")

    async def idle(self) -> None:
        """Wait until no request runs."""
        self._idle = asyncio.Event()
        if self._running:
            await self._idle.wait()

    async def _answer(self, request: Request) -> None:
        try:
            await self._handle(request)
        except ClientGoneError:
            return
        except RefusedError as error:
            await _refuse(request, error.refusal)
        except asyncio.CancelledError:
            reason = request.interrupt.take()
            if reason is None:
                raise
            if reason == "stopping" and not request.reply.begun:
                await _refuse(request, STOPPING)
        except Exception as error:
            # Whatever breaks in one request is told and logged; the others go on.
            _report(request, error)
            if not request.reply.begun:
                await _refuse(request, Refusal(500, "an internal error of the gateway", "internal"))

    async def _handle(self, request: Request) -> None:
        access, posted = self._access, request.method == "POST"
        refusal = access.head(request.raw, request.target)
        if refusal is not None:
            raise RefusedError(refusal)
        handler = self._handler(request.path, request.method)
        order = posted and request.path.startswith("/crtui/")
        refusal = self._caller(request, order)
        if refusal is None and posted:
            refusal = access.body(request.headers, optional=order)
        if refusal is not None:
            raise RefusedError(refusal)
        await handler(request)

    def _caller(self, request: Request, order: bool) -> Refusal | None:
        """Judge the caller's token, unless its address has offered too many wrong ones."""
        access = self._access
        if access.token is None and not order:
            return None
        address, now = request.peer.client, self._engine.clock.now().mono
        wait = self._misses.wait_ms(address, now)
        if wait:
            seconds = -(-wait // SECOND)
            return Refusal(429, "too many wrong tokens", "too_many_attempts", False, seconds)
        refusal = access.caller(request.headers, order=order)
        if refusal is not None and credentials(request.headers):
            self._misses.add(address, now)
        return refusal

    def _handler(self, path: str, method: str) -> Handler:
        methods = self._order if is_order(path) else self._routes.get(path)
        if methods is None:
            raise RefusedError(Refusal(404, "nothing is served at this path", "not_found", retry=False))
        handler = methods.get(method)
        if handler is None:
            allow = ", ".join(methods).encode()
            text = f"this path takes {allow.decode()}"
            raise RefusedError(Refusal(405, text, "method_not_allowed", retry=False, allow=allow))
        return handler

    async def _exchange(self, request: Request) -> None:
        if self._engine.draining:
            raise RefusedError(STOPPING)
        if self._engine.in_flight >= self._max_in_flight:
            raise RefusedError(BUSY)
        self._engine.opened()
        try:
            body = await request.body(self._access.max_body)
            request.watch()
            await Exchange(
                self._engine, self._access, self._upstream, request, self._pace, self._retries
            ).run(body)
        finally:
            self._engine.closed()

    async def _metrics(self, request: Request) -> None:
        # Most gateways are never scraped; they do not pay for the library.
        from crtui.gateway.metrics import CONTENT_TYPE, metrics_text

        text = metrics_text(self._tally, self._engine.snapshot())
        await request.reply.whole(200, text, ((b"content-type", CONTENT_TYPE.encode()),))

    async def _models(self, request: Request) -> None:
        snapshot = self._engine.snapshot()
        owners = model_owners(snapshot.providers, self._engine.providers)
        shape = anthropic_models if b"anthropic-version" in request.headers else openai_models
        await request.reply.whole(200, orjson.dumps(shape(owners, snapshot.gateway.started_at)))


async def _refuse(request: Request, refusal: Refusal) -> None:
    await refuse(request.reply, envelope(request.path, request.headers), refusal)


def _report(request: Request, error: Exception) -> None:
    _log.error("request %s: %s", request.reply.id, origin(error))
