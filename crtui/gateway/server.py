"""The gateway's listener: binding its address, serving, and stopping without cutting anybody off early."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from email.utils import formatdate
from typing import Final
from urllib.parse import urlsplit

from crtui.engine.engine import Engine
from crtui.errors import CrtuiError
from crtui.gateway.app import GatewayApp
from crtui.gateway.descriptors import connection_cap, raise_limit
from crtui.gateway.guard import Access
from crtui.gateway.http.client import HttpClient
from crtui.gateway.http.uplink import Uplink
from crtui.gateway.protocol import ClientConnection, Hall
from crtui.gateway.waiting import USUAL, Pace

BACKLOG: Final = 1024
LAST_ERRORS_S: Final = 2.0
"""How long the clients of cut streams may take over their error when the server stops."""


def bind(host: str, port: int) -> socket.socket:
    """A listening address, taken before anything else starts. Raises ``CrtuiError``."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host.strip("[]") or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError:
        raise CrtuiError(f"cannot listen on {host}:{port}: no such address; mend gateway.listen") from None
    sock = socket.socket(family, kind, proto)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        # Without this a taken port may only be noticed when serving starts.
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        raise CrtuiError(f"cannot listen on {host}:{port}: {_reason(error)}") from None
    return sock


class GatewayServer:
    """Serves on an event loop that somebody else runs; all methods are called on it."""

    def __init__(
        self, engine: Engine, access: Access, *, max_in_flight: int = 256, pace: Pace = USUAL
    ) -> None:
        self.uplink = Uplink()
        self._engine = engine
        self._access = access
        self._max_in_flight = max_in_flight
        self._pace = pace
        self._hall: Hall | None = None
        self._upstream: HttpClient | None = None
        self._app: GatewayApp | None = None
        self._listener: asyncio.Server | None = None
        self._dating: asyncio.TimerHandle | None = None

    async def start(self, sock: socket.socket) -> None:
        """Serve on a bound socket (see ``bind``), which is closed by ``stop``."""
        loop = asyncio.get_running_loop()
        providers = self._engine.providers.values()
        public = {urlsplit(one.base_url).hostname or "" for one in providers if one.public}
        self._upstream = HttpClient(public=public, uplink=self.uplink)
        self._app = GatewayApp(self._engine, self._access, self._upstream, self._max_in_flight, self._pace)
        hall = self._hall = Hall(self._app, connection_cap(raise_limit()))
        self._date()
        self._listener = await loop.create_server(lambda: ClientConnection(hall), sock=sock, backlog=BACKLOG)

    async def stop(self, drain_s: float) -> None:
        """Stop accepting, let what runs finish for ``drain_s`` seconds, then end it with an error."""
        assert self._app is not None
        assert self._upstream is not None
        assert self._hall is not None
        self._app.drain()
        if self._listener is not None:
            self._listener.close()
        await self._drained(drain_s)
        self._app.end_all()
        await self._drained(LAST_ERRORS_S)
        self._hall.outbox.flush()
        for connection in tuple(self._hall.connections):
            connection.cut()
        self._upstream.close()
        if self._dating is not None:
            self._dating.cancel()

    def hurry(self) -> None:
        """End what still runs now, with an error: nobody wants to wait for it any more."""
        if self._app is not None:
            self._app.end_all()

    async def _drained(self, seconds: float) -> None:
        assert self._app is not None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._app.idle()

    def _date(self) -> None:
        assert self._hall is not None
        wall = self._engine.clock.now().wall
        self._hall.date = b"date: %b\r\n" % formatdate(wall / 1000, usegmt=True).encode()
        self._dating = asyncio.get_running_loop().call_later(1, self._date)


def _reason(error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return "the port is taken; stop the other program or use --listen HOST:PORT"
        case errno.EACCES:
            return "not permitted; use a port above 1023 with --listen HOST:PORT"
        case errno.EADDRNOTAVAIL:
            return "this machine has no such address; mend gateway.listen"
        case _:
            return error.strerror or "the system refused"
