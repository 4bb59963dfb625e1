"""The machine is offline: no provider is to blame, and all are as they were once it is back."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from crtui.clock import SystemClock
from crtui.compose import Plant, Stack, bind_for
from crtui.config.load import config_from_data
from crtui.engine.engine import Engine
from crtui.engine.state_dir import StateDir
from tests.fakes.upstream import Upstream, ok_json, stall
from tests.faults.rude import resolve, server, silent
from tests.gateway.conftest import House, open_house, provider, until
from tests.gateway.wires import COMPLETION, chat_request

GOOD = ok_json(COMPLETION)
ASKS = 12
ANY_PORT = {"listen": "127.0.0.1:0"}


def health(gateway: House) -> list[tuple[str, int]]:
    """The state of each provider, and how many failures in a row it is said to have had."""
    rows = gateway.engine.snapshot().providers
    return [(row.health.state, row.health.consecutive_failures) for row in rows]


@pytest.mark.fault("N25")
async def test_offline_nobody_is_marked_down_and_the_first_request_after_it_is_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names: dict[str, object] = {"a.test": lambda: None, "b.test": lambda: None}
    resolve(monkeypatch, names)  # type: ignore[arg-type]  # they change below
    async with Upstream(GOOD) as upstream:
        both = [provider(name, f"http://{name}.test:{upstream.port}") for name in "ab"]
        async with open_house(*both) as gateway:
            told = [await gateway.chat(chat_request()) for _ in range(ASKS)]
            offline = health(gateway)
            names |= {"a.test": ["127.0.0.1"], "b.test": ["127.0.0.1"]}
            back = await gateway.chat(chat_request())
            online = health(gateway)
    assert {answer.status for answer in told} == {502}
    assert "this machine seems to be offline" in told[-1].json["error"]["message"]
    assert offline == [("HEALTHY", 1), ("HEALTHY", 0)], "only the very first failure could be one's own"
    assert (back.status, back.header("x-crtui-provider")) == (200, "a")
    assert online == [("HEALTHY", 0), ("HEALTHY", 0)]


@pytest.mark.fault("N25")
async def test_while_one_of_them_answers_the_other_is_down_and_nobody_is_offline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with Upstream(GOOD) as upstream:
        resolve(monkeypatch, {"a.test": lambda: None, "b.test": ["127.0.0.1"]})
        both = [provider(name, f"http://{name}.test:{upstream.port}") for name in "ab"]
        async with open_house(*both, threshold=2) as gateway:
            for _ in range(ASKS):
                assert (await gateway.chat(chat_request())).status == 200
            states = health(gateway)
    assert states == [("UNHEALTHY", 4), ("HEALTHY", 0)]


@pytest.mark.fault("N25")
async def test_what_is_on_this_machine_can_be_reached_offline_too_so_its_failures_count() -> None:
    async with Upstream(GOOD) as gone:
        pass
    here = [provider(name, f"http://127.0.0.{number}:{gone.port}") for number, name in enumerate("ab", 2)]
    async with open_house(*here) as gateway:
        for _ in range(3):
            assert (await gateway.chat(chat_request())).status == 502
        states = health(gateway)
    assert [failures for _, failures in states] == [3, 3]


@asynccontextmanager
async def polling(folder: Path, port: int, threshold: int) -> AsyncIterator[Engine]:
    """Two servers elsewhere, polled each second of a clock that is fast."""
    tables = [
        {
            "name": name,
            "kind": "vllm",
            "base_url": f"http://{name}.test:{port}",
            "poll_s": 1.0,
            "threshold": threshold,
        }
        for name in "ab"
    ]
    data = {"provider": tables, "profile": [{"name": "default", "chain": ["a", "b"]}], "gateway": ANY_PORT}
    config = config_from_data(data, "test")
    stack = Stack(Plant(config, SystemClock(speed=50), StateDir(folder), {}), bind_for(config))
    await stack.start()
    try:
        async with asyncio.timeout(10):
            yield stack.engine
    finally:
        await stack.stop(0)


@pytest.mark.fault("N25")
async def test_polls_of_a_machine_that_is_offline_are_no_news_of_anybody(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lookups: Counter[str] = Counter()

    def lost(name: str) -> Callable[[], None]:
        return lambda: lookups.update([name])

    resolve(monkeypatch, {"a.test": lost("a"), "b.test": lost("b")})
    async with polling(tmp_path, 80, threshold=20) as engine:
        await until(lambda: min(lookups["a"], lookups["b"]) > ASKS)
        rows = engine.snapshot().providers
    assert [row.health.state for row in rows] == ["HEALTHY", "HEALTHY"]
    failures = sum(row.health.consecutive_failures for row in rows)
    assert failures < 6, "those of the one that was asked before the other had been"


@pytest.mark.fault("N25")
async def test_servers_that_take_polls_and_never_answer_are_down_and_nobody_is_offline(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    resolve(monkeypatch, {"a.test": ["127.0.0.1"], "b.test": ["127.0.0.1"]})
    async with Upstream(stall) as slow, polling(tmp_path, slow.port, threshold=2) as engine:
        rows = engine.snapshot
        await until(lambda: [row.health.state for row in rows().providers] == ["UNHEALTHY", "UNHEALTHY"])


@pytest.mark.fault("N25")
async def test_hosts_that_take_connections_and_stall_in_the_handshake_are_no_sign_of_being_offline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolve(monkeypatch, {"a.test": ["127.0.0.1"], "b.test": ["127.0.0.1"]})
    async with server(silent) as port:
        both = [provider(name, f"https://{name}.test:{port}", connect_timeout_s=0.05) for name in "ab"]
        async with open_house(*both) as gateway:
            told = [await gateway.chat(chat_request()) for _ in range(3)]
            states = health(gateway)
    assert "offline" not in told[-1].json["error"]["message"]
    assert [failures for _, failures in states] == [3, 3]
