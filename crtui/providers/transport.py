"""How polls and pulls reach a server: by a connection of their own each.

httpx's pool never takes back a connection whose request was cancelled at a bad moment, and a poll that is
past its deadline is cancelled. After some dozens of them the pool would be full, and every further poll of
every provider would wait in vain.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, cast

import httpx

STANDS: Final = "crtui.stands"
"""The request extension that is called without arguments once the host has taken the connection."""


class Unpooled(httpx.AsyncBaseTransport):
    """Closes a request's connection when its answer has been read, given up or never come."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request. Raises as httpx's own transport does."""
        own = httpx.AsyncHTTPTransport(verify=self._context, trust_env=False)
        opened: list[Any] = []

        async def trace(event: str, info: Mapping[str, Any]) -> None:
            if event == "connection.connect_tcp.complete":
                opened.append(info["return_value"])
                if (tell := request.extensions.get(STANDS)) is not None:
                    tell()

        request.extensions = {**request.extensions, "trace": trace}
        try:
            response = await own.handle_async_request(request)
        except BaseException:
            await own.aclose()
            # It knows nothing of a connection whose TLS handshake was cancelled.
            for connection in opened:
                await connection.aclose()
            raise
        response.stream = _Stream(cast("httpx.AsyncByteStream", response.stream), own)
        return response


class _Stream(httpx.AsyncByteStream):
    def __init__(self, body: httpx.AsyncByteStream, own: httpx.AsyncHTTPTransport) -> None:
        self._body = body
        self._own = own

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._body:
            yield piece

    async def aclose(self) -> None:
        try:
            await self._body.aclose()
        finally:
            await self._own.aclose()
