from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from crtui.clock import ManualClock
from crtui.demo.cast import CAST
from crtui.demo.server import SimulatedProvider

Opener = Callable[[str, float], Awaitable[SimulatedProvider]]
PARTS = {part.name: part for part in CAST}


class PatientClock(ManualClock):
    """Stands still until told, keeps others waiting for nothing, and notes how long they meant to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waits_ms: list[int] = []

    def real_seconds(self, ms: int) -> float:
        self.waits_ms.append(ms)
        return 0.0


@pytest.fixture
def clock() -> PatientClock:
    return PatientClock()


@pytest.fixture
async def open_provider(clock: PatientClock) -> AsyncIterator[Opener]:
    """Opens a provider of the cast as it is so many seconds into the story."""
    opened: list[SimulatedProvider] = []

    async def opener(name: str, at_s: float = 0) -> SimulatedProvider:
        began = clock.now().mono - round(at_s * 1000)
        provider = SimulatedProvider(PARTS[name], clock, seed=1, began_ms=began)
        await provider.start()
        opened.append(provider)
        await provider.follow_script()
        return provider

    yield opener
    for provider in opened:
        await provider.stop()
