"""One llama.cpp server for a module, and gateways in front of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crtui.providers.provider import Provider
from tests.gateway.conftest import house, provider
from tests.llamacpp.running import llama_server

__all__ = ["house"]

CONTEXT = 32_768
SLOTS = 4


@pytest.fixture(scope="module")
def llama() -> Iterator[Provider]:
    """A provider of kind ``llamacpp`` at a real server with some slots."""
    pytest.importorskip("xllamacpp", reason="needs a llama.cpp server: pip install xllamacpp")
    with llama_server(slots=SLOTS, context=CONTEXT) as url:
        wires = ("messages", "chat", "responses")
        yield provider(
            "llama", url, kind="llamacpp", auth="none", secret=None, wires=wires, merge_system=True
        )
