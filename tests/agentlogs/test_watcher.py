"""The watcher's thread, and its way into a snapshot."""

from __future__ import annotations

import asyncio
import queue
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from crtui.agents import watcher as module
from crtui.agents.claude import ClaudeLogs
from crtui.agents.entry import Agent, Entry, Limit
from crtui.agents.files import LogFile
from crtui.agents.lines import Pause
from crtui.agents.source import Progress, Source
from crtui.agents.statusline import FILE, read_status, to_bytes
from crtui.agents.table import CACHE_FILE
from crtui.agents.watcher import Ask, Watcher
from crtui.clock import ManualClock
from crtui.config.model import Config
from crtui.core.inputs import WindowReport
from crtui.core.now import MINUTE
from crtui.core.views import AgentView
from crtui.engine.agent_feed import AgentFeed
from crtui.engine.engine import Engine
from crtui.providers.provider import build_providers
from tests.agentlogs.logs import T0, Machine, append, claude, touch, write
from tests.agentlogs.test_statusline import FIVE, told

Views = tuple[AgentView, ...]
WAIT_S = 10


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TAIL_S", 0.01)


def row(number: int, at: int = T0) -> dict[str, object]:
    return claude(f"m{number}", at, (1, 0, 0, 0), request=f"r{number}")


class Follower:
    """A watcher that runs, and what it tells."""

    def __init__(
        self,
        machine: Machine,
        folder: Path | None,
        sources: list[Source] | None = None,
        ask: Ask | None = None,
    ) -> None:
        self.told: queue.SimpleQueue[Views] = queue.SimpleQueue()
        self.warnings: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.clock = ManualClock(wall=T0 + MINUTE)
        given = sources or machine.sources()
        self.watcher = Watcher(given, folder, self.clock, self.told.put, self.warnings.put, ask)

    def until(self, holds: Callable[[Views], bool]) -> Views:
        while True:
            views = self.told.get(timeout=WAIT_S)
            if holds(views):
                return views


@contextmanager
def following(
    machine: Machine,
    folder: Path | None = None,
    sources: list[Source] | None = None,
    ask: Ask | None = None,
) -> Iterator[Follower]:
    follower = Follower(machine, folder, sources, ask)
    follower.watcher.start()
    try:
        yield follower
    finally:
        follower.watcher.stop()


def block_tokens(views: Views) -> int:
    return views[0].block.tokens if views and views[0].block is not None else 0


def test_a_line_that_is_added_is_told(machine: Machine) -> None:
    file = write(machine.projects / "p" / "s.jsonl", [row(1)])
    touch(file, T0)
    with following(machine, machine.state) as follower:
        follower.until(lambda views: block_tokens(views) == 1)
        append(file, row(2))
        touch(file, T0 + 1)
        views = follower.until(lambda views: block_tokens(views) == 2)

    assert (views[0].files, views[0].reading) == (1, False)


def test_a_log_that_appears_is_found_at_the_next_walk(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LIST_S", 0.0)
    monkeypatch.setattr(module, "LIST_SHARE", 0)
    with following(machine) as follower:
        write(machine.projects / "p" / "s.jsonl", [row(1)])
        follower.until(lambda views: block_tokens(views) == 1)


def test_the_newest_log_is_told_before_all_are_read(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TOLD_S", 0.0)
    for number in range(5):
        file = write(machine.projects / "p" / f"s{number}.jsonl", [row(number, T0 - number * MINUTE)])
        touch(file, T0 - number * MINUTE)
    with following(machine) as follower:
        first = follower.told.get(timeout=WAIT_S)
        follower.until(lambda views: block_tokens(views) == 5 and not views[0].reading)

    assert first[0].reading
    assert first[0].last_at == T0


def test_the_status_lines_windows_are_told_and_go_when_they_are_gone(machine: Machine) -> None:
    with following(machine, machine.state) as follower:
        (machine.state / FILE).write_bytes(to_bytes(read_status(told(five_hour=FIVE), T0)))
        views = follower.until(lambda views: bool(views))
        assert [(w.name, w.used_percent, w.source) for w in views[0].windows] == [("5h", 41.5, "status line")]
        (machine.state / FILE).write_bytes(to_bytes([]))
        follower.until(lambda views: not views)


def test_what_a_usage_endpoint_tells_is_told(machine: Machine) -> None:
    asked: list[int] = []

    def ask(now: int) -> list[tuple[Agent, list[Limit]]]:
        asked.append(now)
        return [("codex", [Limit(now, WindowReport("7d", "usage endpoint", 12.0))])]

    with following(machine, machine.state, ask=ask) as follower:
        (agent,) = follower.told.get(timeout=WAIT_S)

    assert asked == [T0 + MINUTE]
    assert (agent.name, [(w.name, w.used_percent, w.source) for w in agent.windows]) == (
        "codex",
        [("7d", 12.0, "usage endpoint")],
    )


def test_a_cache_that_fails_in_the_middle_is_done_without(machine: Machine) -> None:
    file = write(machine.projects / "p" / "s.jsonl", [row(1)])
    with following(machine, machine.state) as follower:
        follower.until(lambda views: block_tokens(views) == 1)
        (machine.state / CACHE_FILE).write_bytes(b"\xff" * 20_000)
        for number in range(2, 400):
            append(file, row(number))
        follower.until(lambda views: block_tokens(views) == 399)


def test_it_stops_at_once_in_the_middle_of_much_reading(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = threading.Event()
    monkeypatch.setattr(module.time, "sleep", lambda _: reached.set() or follower.watcher._stop.wait(WAIT_S))
    write(machine.projects / "p" / "s.jsonl", [row(n) for n in range(10)])
    follower = Follower(machine, None)
    follower.watcher.start()
    assert reached.wait(WAIT_S)

    follower.watcher.stop()

    assert not follower.watcher._thread.is_alive()


class Faulty(ClaudeLogs):
    """A reader with a bug, which one log brings to light."""

    def read(self, file: LogFile, progress: Progress, pause: Pause) -> Iterator[Entry | Limit]:
        if file.path.name == "odd.jsonl":
            raise KeyError("canary")
        return super().read(file, progress, pause)


def faulty(machine: Machine) -> list[Source]:
    """With a log that cannot be read, which is the newest."""
    write(machine.projects / "p" / "s.jsonl", [row(1)])
    touch(machine.projects / "p" / "s.jsonl", T0)
    write(machine.projects / "p" / "odd.jsonl", [row(2)])
    return [Faulty([machine.projects])]


def test_a_log_that_brings_a_bug_to_light_holds_up_no_other_and_is_told_once(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "LIST_S", 0.0)
    monkeypatch.setattr(module, "LIST_SHARE", 0)
    file = machine.projects / "p" / "s.jsonl"
    with following(machine, machine.state, faulty(machine)) as follower:
        follower.until(lambda views: block_tokens(views) == 1)
        append(file, row(3))
        follower.until(lambda views: block_tokens(views) == 2)
    warning = follower.warnings.get_nowait()
    assert re.fullmatch(
        r"what agents' logs tell may be incomplete \(KeyError in test_watcher.py:\d+\); please report this",
        warning,
    )
    assert follower.warnings.empty()
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_after_any_other_fault_of_its_own_it_goes_on(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LIST_S", 0.01)

    def ask(now: int) -> list[tuple[Agent, list[Limit]]]:
        raise RuntimeError("canary")

    write(machine.projects / "p" / "s.jsonl", [row(1)])
    with following(machine, machine.state, ask=ask) as follower:
        follower.until(lambda views: block_tokens(views) == 1)
    assert "RuntimeError in test_watcher.py" in follower.warnings.get_nowait()


async def test_a_fault_of_the_watcher_is_a_notice(machine: Machine) -> None:
    engine = Engine(Config().to_core(), {}, ManualClock(wall=T0 + MINUTE), url="")
    loop, put_up = asyncio.get_running_loop(), asyncio.Event()
    engine.notices.listen(lambda line: loop.call_soon_threadsafe(put_up.set))
    feed = AgentFeed(engine, faulty(machine), machine.state, {})
    feed.start()
    try:
        async with asyncio.timeout(WAIT_S):
            await put_up.wait()
    finally:
        await feed.stop()
    assert "KeyError" in next(iter(engine.notices))


async def test_agents_and_their_windows_reach_the_snapshot_without_any_traffic(machine: Machine) -> None:
    write(machine.projects / "p" / "s.jsonl", [row(1)])
    (machine.state / FILE).write_bytes(to_bytes(read_status(told(five_hour=FIVE), T0)))
    config = Config.model_validate({"provider": [{"name": "max", "kind": "anthropic", "auth": "client"}]})
    providers, _ = build_providers(config, {})
    heard = asyncio.Event()
    engine = Engine(
        config.to_core(),
        providers,
        ManualClock(wall=T0 + MINUTE),
        url="",
        record=lambda item, now: heard.set(),
    )
    feed = AgentFeed(engine, machine.sources(), machine.state, {"max": "claude"})
    feed.start()
    try:
        async with asyncio.timeout(WAIT_S):
            await heard.wait()
    finally:
        await feed.stop()

    shown = engine.snapshot()
    assert block_tokens(shown.agents) == 1
    (window,) = shown.providers[0].quota.windows
    assert (window.name, window.used_percent, window.source) == ("5h", 41.5, "subscription")
