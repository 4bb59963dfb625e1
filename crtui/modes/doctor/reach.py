"""Whether a provider can be reached: its name, a connection, and TLS with an accepted certificate."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from crtui.config.kinds import KINDS
from crtui.core.now import DAY, SECOND
from crtui.modes.doctor.checks import Check
from crtui.providers.provider import Provider
from crtui.providers.trouble import connecting, diagnose, handshaking

SOON_MS: Final = 14 * DAY
_START: Final[Mapping[str, str]] = {
    "ollama": "ollama serve",
    "lmstudio": "lms server start",
    "llamacpp": "llama-server -m MODEL.gguf",
    "vllm": "vllm serve MODEL",
}
_PROXIES: Final = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")

Address = tuple[str, int]


async def reach(provider: Provider, environ: Mapping[str, str], wall: int, ends_at: float) -> list[Check]:
    """Find the host, connect, and agree on TLS, all before ``ends_at``; the first that fails is the last."""
    parts = urlsplit(provider.base_url)
    host, tls = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if tls else 80)
    loop = asyncio.get_running_loop()
    try:
        with connecting():
            async with asyncio.timeout_at(ends_at):
                addresses = await _resolved(host, port)
    except OSError as error:
        return [Check("name", "fail", f"{host}: {diagnose(error).words}", _right_url(provider))]
    began = loop.time()
    try:
        with connecting():
            async with asyncio.timeout_at(ends_at):
                writer = await _connected(addresses)
    except OSError as error:
        said = f"{host} port {port}: {diagnose(error).words}{_passed_by(environ)}"
        return [Check("connect", "fail", said, _started(provider))]
    checks = [Check("connect", "ok", f"{host} port {port}, {round((loop.time() - began) * 1000)} ms")]
    try:
        return [*checks, await _secured(writer, host, provider, wall, ends_at)] if tls else checks
    finally:
        # Not closed in peace: a server that does not take part in that would be waited for.
        writer.transport.abort()


async def _resolved(host: str, port: int) -> list[Address]:
    """The host's addresses. Raises ``OSError``.

    On a thread that does not keep the program from ending: a resolver may take half a minute.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[Address]] = loop.create_future()

    def tell(addresses: list[Address], fault: OSError | None) -> None:
        if found.done():
            return
        found.set_result(addresses) if fault is None else found.set_exception(fault)

    def ask() -> None:
        addresses, fault = list[Address](), None
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            addresses = [(str(row[4][0]), int(row[4][1])) for row in rows]
        except (OSError, UnicodeError) as error:
            fault = error if isinstance(error, OSError) else socket.gaierror(str(error))
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(tell, addresses, fault)

    threading.Thread(target=ask, name="crtui-resolver", daemon=True).start()
    return await found


async def _connected(addresses: list[Address]) -> asyncio.StreamWriter:
    """A connection to the first address that takes one. Raises the last ``OSError``."""
    fault = OSError("no address")
    for host, port in addresses:
        try:
            return (await asyncio.open_connection(host, port))[1]
        except OSError as error:
            fault = error
    raise fault


async def _secured(
    writer: asyncio.StreamWriter, host: str, provider: Provider, wall: int, ends_at: float
) -> Check:
    try:
        with handshaking():
            async with asyncio.timeout_at(ends_at):
                await writer.start_tls(ssl.create_default_context(), server_hostname=host)
    except OSError as error:
        return Check("tls", "fail", diagnose(error).words, _other_scheme(provider, error))
    secured: ssl.SSLObject = writer.get_extra_info("ssl_object")
    version, until = secured.version() or "TLS", _end_of(secured)
    if until is None:
        return Check("tls", "ok", version)
    said = f"{version}, certificate until {datetime.fromtimestamp(until // SECOND, UTC):%Y-%m-%d}"
    return Check("tls", "warn" if until - wall < SOON_MS else "ok", said)


def _end_of(secured: ssl.SSLObject) -> int | None:
    """When the server's certificate ends, in wall milliseconds."""
    until = (secured.getpeercert() or {}).get("notAfter")
    return int(ssl.cert_time_to_seconds(until)) * SECOND if isinstance(until, str) else None


def _right_url(provider: Provider) -> str:
    usual = KINDS[provider.kind].base_url
    if usual == provider.base_url:
        return "the address is the usual one: this machine has no way out, or no DNS"
    return f'base_url = "{usual}"' if usual else "base_url: correct the host's name"


def _started(provider: Provider) -> str:
    if start := _START.get(provider.kind):
        return f"start it: {start}; or correct base_url"
    return "base_url: correct host and port; or let this machine out to them"


def _other_scheme(provider: Provider, error: OSError) -> str | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return "base_url: use the name the certificate is for; or add its issuer to this system's"
    if isinstance(error, ssl.SSLError):
        return f'base_url = "{provider.base_url.replace("https", "http", 1)}"'
    return None


def _passed_by(environ: Mapping[str, str]) -> str:
    named = next((name for name in _PROXIES if environ.get(name)), None)
    return f" (crtui connects directly, not through ${named})" if named else ""
