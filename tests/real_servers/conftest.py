"""The real servers that are installed, one after the other, and gateways in front of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from crtui.providers.provider import Provider
from tests.gateway.conftest import house, provider
from tests.real_servers.servers import LLAMACPP, SERVERS, VLLM, Server

__all__ = ["house"]


@dataclass(frozen=True)
class Real:
    """A server that runs, and the provider it is."""

    server: Server
    provider: Provider


@pytest.fixture(scope="module", params=SERVERS)
def real(request: pytest.FixtureRequest) -> Iterator[Real]:
    """Each server in turn."""
    yield from _run(SERVERS[request.param])


@pytest.fixture(scope="module")
def llama() -> Iterator[Provider]:
    """A llama.cpp server."""
    for running in _run(LLAMACPP):
        yield running.provider


@pytest.fixture(scope="module")
def vllm() -> Iterator[Provider]:
    """A vLLM server."""
    for running in _run(VLLM):
        yield running.provider


def _run(server: Server) -> Iterator[Real]:
    if missing := server.missing():
        pytest.skip(missing)
    with server.run(server.interpreter()) as url:
        changes = {"kind": server.kind, "auth": "none", "secret": None, "merge_system": True}
        yield Real(server, provider("real", url, wires=server.wires, **changes))
