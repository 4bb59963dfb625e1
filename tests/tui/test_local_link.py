"""The link within one process: always new to who looks, and no work for who does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from crtui.clock import ManualClock
from crtui.config.load import config_from_data
from crtui.core.inputs import Attempt, Command
from crtui.engine import local
from crtui.engine.engine import Engine
from crtui.engine.local import LocalLink

DATA = {"provider": [{"name": name, "kind": "ollama"} for name in ("a", "b")]}


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setattr(local, "PUBLISH_S", 0.001)
    return Engine(config_from_data(DATA, "test").to_core(), {}, ManualClock(), url="http://127.0.0.1:1")


@asynccontextmanager
async def published(engine: Engine) -> AsyncIterator[LocalLink]:
    link = LocalLink("")
    task = asyncio.create_task(link.publish(engine))
    try:
        await until(lambda: link.status.state == "live")
        yield link
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - the link tells nobody
            await asyncio.sleep(0.001)


def used(link: LocalLink) -> int:
    assert link.latest is not None
    return link.latest.providers[0].usage.requests


def made(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows with every snapshot."""
    count: list[int] = []
    real = engine.snapshot
    monkeypatch.setattr(engine, "snapshot", lambda: (count.append(1), real())[1])
    return count


async def test_who_looks_sees_what_is_new(engine: Engine) -> None:
    async with published(engine) as link:
        for number in range(1, 4):
            engine.end(Attempt("a", True, status=200))
            await until(lambda: used(link) == number)  # noqa: B023 - awaited at once


async def test_while_nobody_looks_one_picture_is_enough(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = made(engine, monkeypatch)
    async with published(engine) as link:
        for _ in range(50):
            engine.end(Attempt("a", True, status=200))
            await asyncio.sleep(0.002)
        assert len(count) == 1
        await until(lambda: used(link) == 50)


async def test_an_order_makes_a_picture_at_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    count = made(engine, monkeypatch)
    async with published(engine) as link:
        link.send(Command("demote", "a"))
        await until(lambda: len(count) == 2)
        assert link.latest is not None
        assert link.latest.providers[0].operator.override == "demoted"
