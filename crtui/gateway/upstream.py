"""The HTTP client towards providers: one pool, nothing from the environment, nothing followed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

import aiohttp
from yarl import URL

IDLE_S: Final = 60.0
"""How long an idle connection is kept for the next request."""
DNS_S: Final = 60
_AUTO: Final = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


class Upstream:
    """Made and closed on the gateway's loop."""

    def __init__(self) -> None:
        self._pool = _session(keep=True)
        self._fresh = _session(keep=False)

    async def post(
        self, url: str, headers: Mapping[str, str], body: bytes, connect_s: float
    ) -> aiohttp.ClientResponse:
        """Send a request; returns when the answer's head is there. The caller closes the response.

        A pooled connection that the server closed while it was idle fails before a byte is read:
        that is nobody's fault, so the request is sent once more on a fresh one. Raises
        ``aiohttp.ClientError`` and ``OSError``.
        """
        reuse = _Reuse()
        try:
            return await _send(self._pool, url, headers, body, connect_s, reuse)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            if not reuse.pooled or not _unread(error):
                raise
        return await _send(self._fresh, url, headers, body, connect_s, reuse)

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.close()
        await self._fresh.close()


class _Reuse:
    """Whether a request went out on a connection that had served before."""

    __slots__ = ("pooled",)

    def __init__(self) -> None:
        self.pooled = False


async def _mark(_session: object, context: object, _params: object) -> None:
    context.trace_request_ctx.pooled = True  # type: ignore[attr-defined]


def _session(*, keep: bool) -> aiohttp.ClientSession:
    trace = aiohttp.TraceConfig()
    if keep:
        trace.on_connection_reuseconn.append(_mark)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0,
            ttl_dns_cache=DNS_S,
            force_close=not keep,
            keepalive_timeout=IDLE_S if keep else None,
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        trace_configs=[trace] if keep else [],
        skip_auto_headers=_AUTO,
    )


async def _send(
    session: aiohttp.ClientSession,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    connect_s: float,
    reuse: _Reuse,
) -> aiohttp.ClientResponse:
    return await session.post(
        URL(url, encoded=True),
        headers=headers,
        data=body,
        allow_redirects=False,
        timeout=aiohttp.ClientTimeout(connect=connect_s),
        trace_request_ctx=reuse,
    )


def _unread(error: Exception) -> bool:
    # aiohttp hands over the half-read head, where there is one, in place of the message.
    return not isinstance(error, aiohttp.ServerDisconnectedError) or isinstance(error.message, str)


class Loss:
    """Ends the reading of a response whose connection has gone.

    aiohttp leaves a body's reader waiting for ever where the connection ends on bytes that are no
    chunk: it tells the connection's queue of it, but not the body.
    """

    __slots__ = ("_closed", "_response")

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        connection = response.connection
        protocol = None if connection is None else connection.protocol
        self._closed = None if protocol is None else protocol.closed
        if self._closed is not None:
            self._closed.add_done_callback(self._end)

    def stop(self) -> None:
        """The response has been read; its connection may serve on, or be reset in the pool."""
        if self._closed is not None:
            self._closed.remove_done_callback(self._end)
            self._closed.remove_done_callback(_retrieve)
            self._closed.add_done_callback(_retrieve)

    def _end(self, closed: asyncio.Future[None]) -> None:
        _retrieve(closed)
        if not self._response.content.is_eof():
            self._response.close()


def _retrieve(closed: asyncio.Future[None]) -> None:
    # Or else asyncio logs that nobody asked why the connection was lost.
    if not closed.cancelled():
        closed.exception()
