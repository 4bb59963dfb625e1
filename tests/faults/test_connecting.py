"""What can be wrong before a provider has a request: names, addresses, connections and TLS."""

from __future__ import annotations

import asyncio
import ssl
import threading
from pathlib import Path

import pytest

from crtui.config.load import config_from_data
from crtui.providers.provider import build_providers
from tests.fakes.upstream import Upstream, ok_json
from tests.faults.rude import black_hole, failed_over, resolve, says, server
from tests.gateway.conftest import open_house, provider
from tests.gateway.wires import (
    COMPLETION,
    chat_request,
)

GOOD = ok_json(COMPLETION)
TLS = Path(__file__).parent / "self_signed.pem"


@pytest.mark.fault("N02")
async def test_packets_that_vanish_cost_no_more_than_the_connect_deadline() -> None:
    with black_hole() as port:
        lost = provider("a", f"http://127.0.0.1:{port}", connect_timeout_s=0.05)
        async with Upstream(GOOD) as good, open_house(lost, provider("b", good.url)) as gateway:
            kind, words, _ = await failed_over(gateway)
    assert (kind, words) == ("connect", "no connection in time")


@pytest.mark.fault("N03")
async def test_a_name_that_does_not_exist_is_told_apart_from_a_refused_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolve(monkeypatch, {"nowhere.test": lambda: None})
    async with Upstream(GOOD) as good, open_house(provider("a", "http://nowhere.test"), good) as gateway:
        kind, words, _ = await failed_over(gateway)
    assert (kind, words) == ("connect", "host name not found")


@pytest.mark.fault("N04")
async def test_a_resolver_that_hangs_holds_up_its_own_provider_only_and_not_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    let_go = threading.Event()
    resolve(monkeypatch, {"slow.test": lambda: (let_go.wait(20), None)[1]})
    slow = provider("a", "http://slow.test", connect_timeout_s=0.05)
    async with Upstream(GOOD) as good, open_house(slow, provider("b", good.url)) as gateway:
        try:
            kind, _, _ = await failed_over(gateway)
            again = await gateway.chat(chat_request())
        finally:
            let_go.set()
    assert kind == "connect"
    assert again.status == 200


@pytest.mark.fault("N05")
@pytest.mark.parametrize(
    ("address", "public", "words"),
    [
        ("127.0.0.1", True, "leads to a private address; if that is meant, set allow_private = true"),
        ("10.1.2.3", True, "leads to a private address; if that is meant, set allow_private = true"),
        (
            "::ffff:192.168.1.1",
            True,
            "leads to a private address; if that is meant, set allow_private = true",
        ),
        ("169.254.169.254", False, "leads to a link-local address"),
        ("fe80::1", True, "leads to a private address; if that is meant, set allow_private = true"),
    ],
)
async def test_a_name_that_leads_where_its_provider_cannot_be_gets_no_connection(
    monkeypatch: pytest.MonkeyPatch, address: str, public: bool, words: str
) -> None:
    resolve(monkeypatch, {"api.test": [address]})
    async with Upstream(GOOD) as good:
        misled = provider("a", f"http://api.test:{good.port}", public=public)
        async with open_house(misled, provider("b", good.url)) as gateway:
            kind, told, _ = await failed_over(gateway)
    assert (kind, told) == ("connect", f"the host's name {words}")
    assert len(good.requests) == 1


@pytest.mark.fault("N05")
async def test_of_several_addresses_only_those_are_tried_that_may_be_and_a_written_one_always(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolve(monkeypatch, {"mixed.test": ["169.254.169.254", "127.0.0.1"]})
    async with Upstream(GOOD) as upstream:
        mixed = provider("a", f"http://mixed.test:{upstream.port}")
        written = provider("b", upstream.url, public=True)
        for one in (mixed, written):
            async with open_house(one) as gateway:
                assert (await gateway.chat(chat_request())).status == 200


@pytest.mark.fault("N05")
@pytest.mark.parametrize(
    ("table", "public"),
    [
        ({"kind": "anthropic"}, True),
        ({"kind": "openai", "base_url": "https://api.openai.com/v1"}, True),
        ({"kind": "openai", "allow_private": True}, False),
        ({"kind": "openai", "base_url": "https://models.corp.test"}, False),
        ({"kind": "ollama"}, False),
    ],
)
def test_a_vendors_own_host_must_be_a_public_one_unless_the_config_allows_another(
    table: dict[str, object], public: bool
) -> None:
    chain = [{"name": "default", "chain": ["a"]}]
    config = config_from_data({"provider": [{"name": "a", **table}], "profile": chain}, "test")
    providers, _ = build_providers(config, {"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"})
    assert providers["a"].public is public


@pytest.mark.fault("N06")
async def test_every_address_of_a_name_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve(monkeypatch, {"both.test": ["::1", "127.0.0.1"]})
    async with Upstream(GOOD) as upstream:
        both = provider("a", f"http://both.test:{upstream.port}")
        async with open_house(both) as gateway:
            answer = await gateway.chat(chat_request())
    assert (answer.status, answer.header("x-crtui-attempts")) == (200, "1")


@pytest.mark.fault("N07")
async def test_an_address_family_that_leads_nowhere_is_given_up_before_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolve(monkeypatch, {"both.test": ["::1", "127.0.0.1"]})
    async with Upstream(GOOD) as upstream:
        with black_hole("::1", upstream.port):
            both = provider("a", f"http://both.test:{upstream.port}", connect_timeout_s=5)
            async with open_house(both) as gateway:
                answer = await gateway.chat(chat_request())
                end = await gateway.end()
    assert (answer.status, end.ok) == (200, True)
    assert end.latency_ms is not None
    assert end.latency_ms < 3_000


def tls(*protocols: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS)
    context.set_alpn_protocols(protocols)
    return context


@pytest.mark.fault("N08")
async def test_a_certificate_nobody_vouches_for_gets_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONHTTPSVERIFY", "SSL_NO_VERIFY", "NODE_TLS_REJECT_UNAUTHORIZED"):
        monkeypatch.setenv(name, "0")
    heard: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(1))

    async with server(listen, ssl=tls()) as port, Upstream(GOOD) as good:
        unknown = provider("a", f"https://localhost:{port}")
        async with open_house(unknown, provider("b", good.url)) as gateway:
            kind, words, _ = await failed_over(gateway)
    assert (kind, words) == ("connect", "TLS certificate refused")
    assert [data for data in heard if data] == []


@pytest.mark.fault("N09", "N28")
async def test_a_handshake_that_stalls_ends_with_the_connect_deadline_and_offers_no_http_2() -> None:
    hello = bytearray()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4096):
            hello.extend(data)

    async with server(listen) as port, Upstream(GOOD) as good:
        stalling = provider("a", f"https://127.0.0.1:{port}", connect_timeout_s=0.1)
        async with open_house(stalling, provider("b", good.url)) as gateway:
            kind, words, _ = await failed_over(gateway)
    assert (kind, words) == ("connect", "no answer in time")
    assert hello[:1] == b"\x16", "it was the beginning of a handshake"
    assert b"\x02h2" not in hello


@pytest.mark.fault("N10")
async def test_https_to_a_plain_port_hints_at_the_scheme() -> None:
    async with Upstream(GOOD) as plain, Upstream(GOOD) as good:
        mistaken = provider("a", f"https://127.0.0.1:{plain.port}", connect_timeout_s=0.5)
        async with server(says(b"HTTP/1.1 400 Bad Request\r\n\r\n", after=b"\x16")) as port:
            mistaken = provider("a", f"https://127.0.0.1:{port}")
            async with open_house(mistaken, provider("b", good.url)) as gateway:
                kind, words, _ = await failed_over(gateway)
    assert kind == "connect"
    assert "does base_url need http instead of https?" in words


@pytest.mark.fault("N10")
async def test_http_to_a_tls_port_is_a_failure_before_any_content() -> None:
    alert = b"\x15\x03\x01\x00\x02\x02\x46"
    async with server(says(alert)) as port, Upstream(GOOD) as good:
        mistaken = provider("a", f"http://127.0.0.1:{port}")
        async with open_house(mistaken, provider("b", good.url)) as gateway:
            kind, words, _ = await failed_over(gateway)
    assert kind in ("protocol", "reset")
    assert words.isprintable()
