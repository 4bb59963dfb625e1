"""The models on a simulated server's disk, and how one that is missing comes there, layer by layer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from crtui.core.now import SECOND

STEP_MS: Final = SECOND // 2
_MIB: Final = 2**20


@dataclass(frozen=True, slots=True)
class Layer:
    """One file of a model: its digest and size in bytes."""

    digest: str
    size: int


PULLABLE: Final[dict[str, tuple[Layer, ...]]] = {
    "phi4-mini:3.8b": (
        Layer("sha256:3c168af1dea0a414299c7d9077e100ac763370e5a98b3c53801a958a47f0a5db", 2_376 * _MIB),
        Layer("sha256:813f53fdc6e5a6ddc4d6f2a7d2a7c1d1a0f2c6e9", 655),
        Layer("sha256:fa8235e5b48faca34e3ca98cf4f694ef08bd216d", 1_084),
    )
}
"""What can be fetched besides the models that are there from the start."""
BYTES_PER_S: Final = 52 * _MIB

Pause = Callable[[int], Awaitable[None]]


class Library:
    """Keeps what a broken-off pull has brought, as Ollama does."""

    def __init__(self, models: tuple[str, ...]) -> None:
        self.models = models
        """Their names, in the order they came."""
        self._here: dict[str, int] = {}

    async def pull(self, model: str, pause: Pause) -> AsyncIterator[bytes]:
        """The lines of ``/api/pull``, at the pace of a good connection; ``pause`` waits milliseconds."""
        yield _line(status="pulling manifest")
        if model not in self.models and model not in PULLABLE:
            yield _line(error="pull model manifest: file does not exist")
            return
        for layer in () if model in self.models else PULLABLE[model]:
            async for line in self._fetch(layer, pause):
                yield line
        yield _line(status="verifying sha256 digest")
        await pause(STEP_MS)
        yield _line(status="writing manifest")
        if model not in self.models:
            self.models = (*self.models, model)
        yield _line(status="success")

    async def _fetch(self, layer: Layer, pause: Pause) -> AsyncIterator[bytes]:
        while True:
            completed = self._here.get(layer.digest, 0)
            status = f"pulling {layer.digest[7:19]}"
            yield _line(status=status, digest=layer.digest, total=layer.size, completed=completed)
            if completed == layer.size:
                return
            await pause(STEP_MS)
            self._here[layer.digest] = min(layer.size, completed + BYTES_PER_S * STEP_MS // SECOND)


def _line(**fields: object) -> bytes:
    return json.dumps(fields).encode() + b"\n"
