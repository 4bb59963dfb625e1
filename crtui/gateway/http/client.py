"""The HTTP client towards providers: one pool, nothing from the environment, nothing followed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Final

from crtui.gateway.http.connection import Connection
from crtui.gateway.http.dial import dial
from crtui.gateway.http.errors import ClosedError, OfflineError, not_connected
from crtui.gateway.http.names import Names
from crtui.gateway.http.pool import IDLE_S, Pool
from crtui.gateway.http.response import Response
from crtui.gateway.http.target import Origin, target_of
from crtui.gateway.http.uplink import Uplink

AT_ONCE_S: Final = 1.0
"""A server that closes later than this may have worked on the request; it would be charged twice."""


class HttpClient:
    """Made and closed on the gateway's loop. ``idle_s`` is how long an idle connection is kept.

    ``public`` are hosts of the public internet: their names may lead to no private address. ``uplink``
    knows what others have heard of hosts.
    """

    def __init__(
        self, idle_s: float = IDLE_S, public: Collection[str] = (), uplink: Uplink | None = None
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._uplink = uplink or Uplink()
        self._public = frozenset(public)
        self._pool = Pool(idle_s)
        self._names = Names()

    async def post(
        self,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        connect_s: float,
        sent: Callable[[], None] = lambda: None,
    ) -> Response:
        """Send a request; returns when the answer's head is there. The caller closes the response.

        A pooled connection that the server closed while it was idle fails at once, before a byte is
        read: that is nobody's fault, so the request is sent once more on a fresh one. ``connect_s`` is
        for finding the host, connecting and TLS together; ``sent`` is called once there is a connection
        that the request goes out on. Raises ``HttpError``.
        """
        target = target_of(url)
        head = target.head(headers, len(body))
        idle = self._pool.take(target.origin)
        if idle is not None:
            sent()
            began = self._loop.time()
            try:
                return await self._begun(target.origin, idle.ask(head, body))
            except ClosedError as error:
                if not error.unread or self._loop.time() - began > AT_ONCE_S:
                    raise
                self._pool.drop_idle(target.origin)
        connection = await self._dialled(target.origin, connect_s)
        sent()
        return await self._begun(target.origin, connection.ask(head, body))

    def doubt(self, url: str) -> None:
        """The network failed on the way there: connections that wait may lead nowhere, so they are closed."""
        self._pool.drop_idle(target_of(url).origin)

    def close(self) -> None:
        """Close every connection."""
        self._names.close()
        self._pool.close()

    async def _begun(self, origin: Origin, response: Response) -> Response:
        await response.begun()
        self._uplink.answered(origin.host)
        return response

    async def _dialled(self, origin: Origin, connect_s: float) -> Connection:
        try:
            public = origin.host in self._public
            return await dial(origin, self._names, self._pool, connect_s, public=public)
        except (OSError, UnicodeError) as error:
            fault = not_connected(error)
            if fault.unreached and self._uplink.failed(origin.host):
                raise OfflineError(fault) from None
            raise fault from None
