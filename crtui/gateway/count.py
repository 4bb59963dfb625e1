"""``POST /v1/messages/count_tokens``: asked of a provider that counts for nothing, else estimated here.

It is no attempt: nothing of it is told to the core, no guard hears of a failure, and it never waits
behind generation. Claude Code asks it in bursts of two dozen.
"""

from __future__ import annotations

import asyncio
from typing import Final

import orjson

from crtui.engine.engine import Engine
from crtui.gateway.guard import Access, Refusal
from crtui.gateway.headers import asked
from crtui.gateway.http.client import HttpClient
from crtui.gateway.http.errors import HttpError
from crtui.gateway.http.response import Response
from crtui.gateway.reply import JSON
from crtui.gateway.request import RefusedError, Request
from crtui.providers.provider import Provider
from crtui.wire.body import read_object, read_routing, with_model
from crtui.wire.codec import BadBodyError
from crtui.wire.estimate import estimated_tokens
from crtui.wire.jsonview import as_count, as_object, loads

ENDPOINT: Final = "/messages/count_tokens"
PATIENCE_S: Final = 5.0
"""An estimate at once is worth more than a count that late."""
_ANSWER_BYTES: Final = 64 * 1024
_ESTIMATED: Final = (b"x-crtui-estimated", b"true")


class TokenCount:
    """The handler. Entry has been checked before."""

    def __init__(self, engine: Engine, access: Access, upstream: HttpClient) -> None:
        self._engine = engine
        self._access = access
        self._upstream = upstream

    async def __call__(self, request: Request) -> None:
        """Answer with a count, marked by a header where it is an estimate."""
        body = await request.body(self._access.max_body)
        try:
            fields = read_object(body)
            model, _ = read_routing(body, fields)
        except BadBodyError as error:
            raise RefusedError(Refusal(400, str(error), "bad_request")) from None
        provider = self._provider(request)
        count = None if provider is None else await self._ask(provider, request, body, model)
        if provider is not None and count is not None:
            request.reply.provider = provider.name
            await request.reply.whole(200, orjson.dumps({"input_tokens": count}))
            return
        estimate = orjson.dumps({"input_tokens": estimated_tokens(fields)})
        await request.reply.whole(200, estimate, (JSON, _ESTIMATED))

    def _provider(self, request: Request) -> Provider | None:
        """The first that a request would be tried at now and that is known to count."""
        snapshot = self._engine.snapshot()
        named = request.headers.get(b"x-crtui-profile", snapshot.gateway.default_profile.encode())
        profiles = (profile for profile in snapshot.profiles if profile.name.encode() == named)
        order = next((profile.order for profile in profiles), ())
        candidates = (self._engine.providers.get(name) for name in order)
        return next((one for one in candidates if one is not None and one.counts_tokens), None)

    async def _ask(self, provider: Provider, request: Request, body: bytes, model: str | None) -> int | None:
        sent = provider.model_for(model)
        caller = self._access.forwardable(request.headers, credential=provider.auth == "client")
        headers = asked(request.raw) | {"accept-encoding": "identity"}
        try:
            async with asyncio.timeout(PATIENCE_S):
                response = await self._upstream.post(
                    provider.url(ENDPOINT),
                    headers | provider.credential("messages", caller),
                    body if sent is None else with_model(body, sent),
                    provider.connect_timeout_s,
                )
                try:
                    return await _count(response)
                finally:
                    response.close()
        except (TimeoutError, HttpError):
            return None


async def _count(response: Response) -> int | None:
    if response.status != 200:
        return None
    body = bytearray()
    while len(body) <= _ANSWER_BYTES and (data := await response.read()):
        body += data
    try:
        return as_count(as_object(loads(bytes(body))).get("input_tokens"))
    except ValueError:
        return None
