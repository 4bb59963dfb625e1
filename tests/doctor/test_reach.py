"""The way to a provider: its name, a connection, TLS."""

from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path

import pytest

from crtui.config.model import Config
from crtui.core.now import DAY
from crtui.modes.doctor.checks import Check
from crtui.modes.doctor.reach import reach
from crtui.providers.provider import build_providers
from tests.fakes.upstream import Upstream, stall
from tests.faults.rude import black_hole

WALL = 1_795_165_200_000
CERTIFICATE = Path(__file__).parents[1] / "faults" / "self_signed.pem"


async def reached(url: str, wall: int = WALL, within: float = 5.0, **environ: str) -> list[Check]:
    config = Config.model_validate(
        {"provider": [{"name": "p", "kind": "openai-compatible", "base_url": url}]}
    )
    provider = build_providers(config, {})[0]["p"]
    return await reach(provider, environ, wall, asyncio.get_running_loop().time() + within)


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


async def test_a_refused_connection_is_told_and_that_no_proxy_is_used(closed_port: int) -> None:
    [check] = await reached(f"http://127.0.0.1:{closed_port}", HTTPS_PROXY="http://proxy:3128")
    assert (check.name, check.status) == ("connect", "fail")
    assert "connection refused (crtui connects directly, not through $HTTPS_PROXY)" in check.said


async def test_a_name_that_nobody_has_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    [check] = await reached("https://llm.invalid")
    mend = "base_url: correct the host's name"
    assert check == Check("name", "fail", "llm.invalid: host name not found", mend)


async def test_a_resolver_that_hangs_ends_with_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, release = asyncio.get_running_loop(), asyncio.Event()
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda *_, **__: asyncio.run_coroutine_threadsafe(release.wait(), loop).result() and [],
    )
    [check] = await reached("https://llm.example.com", within=0.05)
    release.set()
    assert (check.name, check.said) == ("name", "llm.example.com: no connection in time")


def context() -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(CERTIFICATE)
    return made


async def shaken(monkeypatch: pytest.MonkeyPatch, *, trusted: bool, wall: int = WALL) -> list[Check]:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))

    async def part(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(part, "127.0.0.1", 0, ssl=context()) as server:
        return await reached(f"https://localhost:{server.sockets[0].getsockname()[1]}", wall)


async def test_a_certificate_is_told_with_its_end_and_warned_of_shortly_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ends = ssl.cert_time_to_seconds("Oct 27 14:31:40 2126 GMT") * 1000
    _, good = await shaken(monkeypatch, trusted=True)
    _, late = await shaken(monkeypatch, trusted=True, wall=ends - 3 * DAY)
    assert (good.status, good.said) == ("ok", "TLSv1.3, certificate until 2126-10-27")
    assert late.status == "warn"


async def test_a_certificate_that_nobody_vouches_for_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    connect, tls = await shaken(monkeypatch, trusted=False)
    assert (connect.status, tls.status, tls.said) == ("ok", "fail", "TLS certificate refused")


async def test_https_to_a_plain_port_is_mended_by_the_scheme() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        _, check = await reached(f"https://127.0.0.1:{port}")
    assert (check.name, check.status, check.mend) == ("tls", "fail", f'base_url = "http://127.0.0.1:{port}"')


async def test_https_to_a_port_that_hangs_up_is_mended_by_the_scheme_too() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.transport.abort()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        _, check = await reached(f"https://127.0.0.1:{port}")
    assert (check.name, check.status, check.mend) == ("tls", "fail", f'base_url = "http://127.0.0.1:{port}"')


async def test_a_host_that_takes_no_connection_is_given_up_at_the_deadline() -> None:
    with black_hole() as port:
        [check] = await reached(f"http://127.0.0.1:{port}", within=0.1)
    assert (check.name, check.said) == ("connect", f"127.0.0.1 port {port}: no connection in time")


async def test_a_handshake_that_stalls_ends_with_the_deadline() -> None:
    async with Upstream(stall) as upstream:
        _, check = await reached(f"https://127.0.0.1:{upstream.port}", within=0.1)
    assert (check.status, check.said) == ("fail", "no answer in time")
