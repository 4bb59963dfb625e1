"""A gateway killed in the middle of a pull: its successor goes on with it, asked for or declared."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from crtui.engine.state_dir import read_token
from tests.fakes.upstream import Exchange, Upstream, ok_json, status

pytestmark = pytest.mark.long
LINE = json.dumps({"status": "pulling a", "digest": "sha256:a", "total": 9, "completed": 4}).encode() + b"\n"


class Ollama:
    """Has no model, and never finishes a pull. ``pulls`` counts them by model."""

    def __init__(self) -> None:
        self.pulls: list[str] = []
        self.changed = asyncio.Event()

    async def script(self, exchange: Exchange) -> None:
        if exchange.seen.target == "/api/tags":
            await ok_json({"models": []})(exchange)
        elif exchange.seen.target != "/api/pull":
            await status(404, {})(exchange)
        else:
            await exchange.head(200, ("transfer-encoding", "chunked"))
            await exchange.chunk(LINE)
            self.pulls.append(exchange.seen.json["model"])
            self.changed.set()
            await exchange.stall()

    async def until(self, count: int) -> None:
        while len(self.pulls) < count:
            self.changed.clear()
            await self.changed.wait()


@asynccontextmanager
async def serving(config: Path, state: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """``crtui serve``, killed with -9 at the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "crtui", "serve", "--config", str(config), "--state-dir", str(state)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env=os.environ | {"NO_COLOR": "1"},
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def url_of(state: Path) -> httpx.AsyncClient:
    """A client of the control plane, once the gateway has made its token."""
    while not (state / "token").exists():  # noqa: ASYNC110 - another process makes it
        await asyncio.sleep(0.05)
    return httpx.AsyncClient(
        headers={"authorization": f"Bearer {read_token(state).reveal()}"}, trust_env=False
    )


def configured(path: Path, upstream: Upstream, port: int, *more: str) -> Path:
    path.write_text(
        f'[gateway]\nlisten = "127.0.0.1:{port}"\n'
        f'[[provider]]\nname = "o"\nkind = "ollama"\nbase_url = "{upstream.url}"\n' + "\n".join(more)
    )
    return path


async def ordered(client: httpx.AsyncClient, port: int, model: str) -> None:
    url = f"http://127.0.0.1:{port}/crtui/v1/providers/o/pull"
    while True:
        with contextlib.suppress(httpx.ConnectError):
            assert (await client.post(url, json={"model": model})).status_code == 200
            return
        await asyncio.sleep(0.05)


@pytest.fixture
def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


async def test_a_model_that_was_asked_for_is_fetched_on_after_a_kill(tmp_path: Path, free_port: int) -> None:
    ollama = Ollama()
    async with Upstream(ollama.script) as upstream:
        config, state = configured(tmp_path / "c.toml", upstream, free_port), tmp_path / "state"
        async with serving(config, state):
            async with await url_of(state) as client:
                await ordered(client, free_port, "m:1b")
            await ollama.until(1)
        async with serving(config, state):
            await ollama.until(2)
    assert ollama.pulls == ["m:1b", "m:1b"]


async def test_a_declared_model_is_fetched_on_after_a_kill(tmp_path: Path, free_port: int) -> None:
    ollama = Ollama()
    async with Upstream(ollama.script) as upstream:
        declared = ('declare_models = ["d:1b"]', "pull = true", "poll_s = 1")
        config = configured(tmp_path / "c.toml", upstream, free_port, *declared)
        for count in (1, 2):
            async with serving(config, tmp_path / "state"):
                await ollama.until(count)
    assert ollama.pulls == ["d:1b", "d:1b"]
