"""The HTTP client towards providers: one pool, nothing from the environment, nothing followed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from crtui.gateway.http.connection import Connection
from crtui.gateway.http.dial import dial
from crtui.gateway.http.errors import ClosedError, not_connected
from crtui.gateway.http.names import Names
from crtui.gateway.http.pool import IDLE_S, Pool
from crtui.gateway.http.response import Response
from crtui.gateway.http.target import Origin, target_of


class HttpClient:
    """Made and closed on the gateway's loop. ``idle_s`` is how long an idle connection is kept."""

    def __init__(self, idle_s: float = IDLE_S) -> None:
        self._pool = Pool(idle_s)
        self._names = Names()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, connect_s: float) -> Response:
        """Send a request; returns when the answer's head is there. The caller closes the response.

        A pooled connection that the server closed while it was idle fails before a byte is read:
        that is nobody's fault, so the request is sent once more on a fresh one. ``connect_s`` is
        for finding the host, connecting and TLS together. Raises ``HttpError``.
        """
        target = target_of(url)
        head = target.head(headers, len(body))
        idle = self._pool.take(target.origin)
        if idle is not None:
            try:
                return await idle.ask(head, body).begun()
            except ClosedError as error:
                if not error.unread:
                    raise
        connection = await self._dialled(target.origin, connect_s)
        return await connection.ask(head, body).begun()

    def close(self) -> None:
        """Close every connection."""
        self._names.close()
        self._pool.close()

    async def _dialled(self, origin: Origin, connect_s: float) -> Connection:
        try:
            async with asyncio.timeout(connect_s):
                return await dial(origin, self._names, self._pool)
        except (OSError, UnicodeError) as error:
            raise not_connected(error) from None
