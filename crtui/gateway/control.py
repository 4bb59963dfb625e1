"""The control plane: reading state and events, and an operator's orders."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable
from typing import Any, Final, cast

import orjson

from crtui import __version__
from crtui.core.core import UnknownProviderError
from crtui.core.encode import provider_json, snapshot_json
from crtui.core.events import Event
from crtui.core.inputs import Command, CommandName
from crtui.core.now import SECOND
from crtui.engine.engine import Engine
from crtui.gateway.guard import Refusal
from crtui.gateway.interrupt import Interrupt
from crtui.gateway.reply import JSON, Header, Reply
from crtui.gateway.request import RefusedError, Request
from crtui.providers.provider import MAX_MODEL_NAME
from crtui.text import scrub

HEARTBEAT_S: Final = 15.0
MAX_FOR_S: Final = 31 * 86_400
ORDER_BYTES: Final = 64 * 1024
ORDERS: Final = ("demote", "drain", "pin", "release", "reset")
PULL: Final = "pull"
_SSE: Final[tuple[Header, ...]] = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
)


class Control:
    """The handlers of ``/healthz`` and ``/crtui/v1``. Entry has been checked before."""

    def __init__(self, engine: Engine, heartbeat_s: float = HEARTBEAT_S) -> None:
        self._engine = engine
        self._heartbeat_s = heartbeat_s
        self._listeners: set[Interrupt] = set()

    def end_listeners(self) -> None:
        """End every event stream; they would never end of themselves."""
        for interrupt in tuple(self._listeners):
            interrupt.fire("stopping")

    async def healthz(self, request: Request) -> None:
        """Whether the gateway serves."""
        status = "draining" if self._engine.draining else "ok"
        await _json(request.reply, {"status": status, "version": __version__})

    async def state(self, request: Request) -> None:
        """The snapshot; nothing but its tag where the caller has that one already."""
        tag = b'"%s"' % self._engine.tag.encode()
        if request.headers.get(b"if-none-match") == tag:
            await request.reply.whole(304, b"", ((b"etag", tag),))
            return
        await _json(request.reply, snapshot_json(self._engine.snapshot()), ((b"etag", tag),))

    async def events(self, request: Request) -> None:
        """Events as they happen, those after ``since`` first; without it, only new ones."""
        after = self._since(request)
        request.watch()
        self._listeners.add(request.interrupt)
        try:
            await request.reply.begin(200, _SSE)
            await request.reply.piece(b": crtui events\n\n")
            while True:
                after = await self._tell(request.reply, after)
        finally:
            self._listeners.discard(request.interrupt)

    async def order(self, request: Request) -> None:
        """An order for one provider; answers its new row."""
        name, _, order = request.path.removeprefix("/crtui/v1/providers/").rpartition("/")
        fields = await _fields(request)
        if order == PULL:
            command = self._pull(name, fields)
        else:
            command = Command(cast("CommandName", order), name, for_ms=_duration(fields))
        try:
            self._engine.command(command)
            row = self._engine.provider_view(name)
        except UnknownProviderError:
            raise RefusedError(Refusal(404, "no such provider", "unknown_provider", retry=False)) from None
        await _json(request.reply, provider_json(row))

    async def reset(self, request: Request) -> None:
        """Reset every provider; answers all rows."""
        await _fields(request)
        self._engine.command(Command("reset_all"))
        await _json(request.reply, {"providers": snapshot_json(self._engine.snapshot())["providers"]})

    async def paid(self, request: Request) -> None:
        """Allow or forbid paid providers."""
        allow = (await _fields(request)).get("allow")
        if not isinstance(allow, bool):
            raise RefusedError(Refusal(400, 'the body is {"allow": true} or {"allow": false}', "bad_request"))
        self._engine.command(Command("paid", allow=allow))
        await _json(request.reply, {"allow_paid": allow})

    def _pull(self, name: str, fields: dict[str, Any]) -> Command:
        provider = self._engine.providers.get(name)
        if provider is not None and not provider.keeps_models:
            text = f"{name} is of kind {provider.kind}; only ollama fetches models"
            raise RefusedError(Refusal(400, text, "bad_request"))
        model, cancel = fields.get("model", ""), fields.get("cancel", False)
        if not isinstance(model, str) or len(model) > MAX_MODEL_NAME or not isinstance(cancel, bool):
            text = 'the body is {}, {"model": "name:tag"}, and to stop "cancel": true with either'
            raise RefusedError(Refusal(400, text, "bad_request"))
        return Command("cancel_pull" if cancel else "pull", name, model=scrub(model))

    def _since(self, request: Request) -> int:
        pairs = (pair.partition("=") for pair in request.query.decode("latin-1").split("&"))
        query = {name: value for name, _, value in pairs}
        told = query.get("since") or request.headers.get(b"last-event-id", b"").decode("latin-1")
        if not told:
            return self._engine.last_seq
        if not (told.isascii() and told.isdigit() and len(told) <= 18):
            raise RefusedError(Refusal(400, "since is the number of an event", "bad_request"))
        # A number from before the journal was put aside: whoever waits for it would wait for ever.
        return int(told) if int(told) <= self._engine.last_seq else 0

    async def _tell(self, reply: Reply, after: int) -> int:
        events = self._engine.events_since(after)
        if events:
            await reply.piece(b"".join(_frames(events)))
            return events[-1].seq
        try:
            async with asyncio.timeout(self._heartbeat_s):
                await self._engine.next_event(after)
        except TimeoutError:
            await reply.piece(b":\n\n")
        return after


def is_order(path: str) -> bool:
    """Whether a path is an order for one provider."""
    prefix, _, order = path.rpartition("/")
    return order in (*ORDERS, PULL) and prefix.startswith("/crtui/v1/providers/") and prefix.count("/") == 4


def _frames(events: Iterable[Event]) -> Iterable[bytes]:
    for event in events:
        yield b"id: %d\ndata: %s\n\n" % (event.seq, orjson.dumps(event.to_json()))


async def _json(reply: Reply, value: object, headers: tuple[Header, ...] = ()) -> None:
    await reply.whole(200, orjson.dumps(value), (JSON, *headers))


async def _fields(request: Request) -> dict[str, Any]:
    body = await request.body(ORDER_BYTES)
    try:
        fields: object = orjson.loads(body) if body.strip() else {}
    except orjson.JSONDecodeError:
        fields = None
    if not isinstance(fields, dict):
        raise RefusedError(Refusal(400, "the body is not a JSON object", "bad_request"))
    return cast("dict[str, Any]", fields)


def _duration(fields: dict[str, Any]) -> int | None:
    seconds = fields.get("for_s")
    if seconds is None:
        return None
    number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not number or not math.isfinite(seconds) or not 0 < seconds <= MAX_FOR_S:
        text = f"for_s is a number of seconds above 0 and at most {MAX_FOR_S}"
        raise RefusedError(Refusal(400, text, "bad_request"))
    return max(1, round(seconds * SECOND))
