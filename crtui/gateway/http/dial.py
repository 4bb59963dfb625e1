"""Making a connection: a host's addresses tried side by side (RFC 8305), then TLS."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from crtui.gateway.http.connection import Connection
from crtui.gateway.http.names import Address, Names
from crtui.gateway.http.pool import Pool
from crtui.gateway.http.reach import is_address, reachable
from crtui.gateway.http.target import Origin
from crtui.providers.trouble import connecting, handshaking

HEAD_START_S: Final = 0.25
"""How long one address is tried alone before the next is tried as well."""


async def dial(
    origin: Origin, names: Names, pool: Pool, within_s: float, *, public: bool = False
) -> Connection:
    """A new connection, TLS included; ``public``: to a host of the public internet.

    Raises ``OSError``: ``ConnectTimeoutError`` where the host has not taken it ``within_s`` seconds,
    ``TimeoutError`` where only TLS takes longer. ``UnicodeError`` for a host that can be no name.
    """
    ends_at = asyncio.get_running_loop().time() + within_s
    with connecting():
        async with asyncio.timeout_at(ends_at):
            sock = await _socket(origin, names, public=public)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(origin, pool)
        with handshaking():
            async with asyncio.timeout_at(ends_at):
                await asyncio.get_running_loop().create_connection(
                    lambda: connection,
                    sock=sock,
                    ssl=trust() if origin.tls else None,
                    server_hostname=origin.host if origin.tls else None,
                )
    except BaseException:
        sock.close()
        raise
    pool.add(connection)
    return connection


async def _socket(origin: Origin, names: Names, *, public: bool) -> socket.socket:
    addresses = await names.addresses(origin)
    try:
        if not is_address(origin.host):
            addresses = reachable(addresses, public=public)
        return await first_of(addresses)
    except OSError:
        names.forget(origin)
        raise


@lru_cache(maxsize=1)
def trust() -> ssl.SSLContext:
    """The system's certificates. Read when first needed: it takes some twenty milliseconds."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


async def first_of(addresses: Sequence[Address]) -> socket.socket:
    """A socket to the first address that answers. Raises the last one's ``OSError`` if none does."""
    if len(addresses) == 1:
        return await _open(addresses[0])
    left = list(addresses)
    running: set[asyncio.Task[socket.socket]] = set()
    failed: BaseException = OSError("no address")
    try:
        while left or running:
            if left:
                running.add(asyncio.create_task(_open(left.pop(0)), name="crtui-dial"))
            wait = HEAD_START_S if left else None
            done, _ = await asyncio.wait(running, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                running.discard(task)
                if (error := task.exception()) is None:
                    return task.result()
                failed = error
        raise failed
    finally:
        _abandon(running)


def _abandon(running: set[asyncio.Task[socket.socket]]) -> None:
    for task in running:
        if not task.cancel():
            with contextlib.suppress(OSError):
                task.result().close()


async def _open(address: Address) -> socket.socket:
    family, where = address
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, where)
    except BaseException:
        sock.close()
        raise
    return sock
