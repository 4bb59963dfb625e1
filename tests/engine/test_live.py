"""The demo's world, served by the real gateway: its journal tells the whole story."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import orjson
import pytest

from crtui.clock import SystemClock
from crtui.compose import Plant, Stack, bind_for
from crtui.config.load import config_from_data
from crtui.config.override import override
from crtui.core.encode import snapshot_json
from crtui.core.now import unstamp
from crtui.demo.world import DemoWorld
from crtui.engine.database import open_reader
from crtui.engine.export import trace_lines
from crtui.engine.history import newest_point, point_before
from crtui.engine.signals import SignalFiles
from crtui.engine.state_dir import StateDir
from crtui.wire.trace_out import timed
from tests.engine.conftest import core_part, replayed

pytestmark = pytest.mark.timeout(60)
SPEED = 20.0


async def run_demo(folder: Path, until_requests: int, trace: Path | None = None) -> dict[str, Any]:
    """Serve the demo's agents until so many requests were made; the last state that was shown."""
    clock = SystemClock(SPEED)
    world = DemoWorld(clock, seed=1)
    config = override(config_from_data(await world.start(), "demo"), {}, "127.0.0.1:0")
    plant = Plant(config, clock, StateDir(folder), world.environ, seed=1, trace=trace)
    stack = Stack(plant, bind_for(config))
    await stack.start()
    agents = asyncio.create_task(world.run_traffic(stack.url, None))
    try:
        while stack.engine.snapshot().gateway.requests < until_requests:
            await stack.engine.next_event(stack.engine.last_seq)
    finally:
        agents.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await agents
        await stack.stop(0)
        await world.stop()
    assert list(stack.engine.notices) == []
    return orjson.loads(orjson.dumps(snapshot_json(stack.engine.snapshot())))


def exported(folder: Path, upto: int) -> list[bytes]:
    with contextlib.closing(open_reader(folder / "journal.db")) as db:
        newest = newest_point(db)
        assert newest is not None
        point = point_before(db, newest.segment, None)
        assert point is not None
        return list(trace_lines(db, point, upto))


async def test_the_export_of_the_demo_replays_to_everything_that_was_shown_last(tmp_path):
    shown = await run_demo(tmp_path / "state", 60)
    lines = exported(tmp_path / "state", unstamp(shown["at"]))

    assert len(lines) > 150
    assert replayed(lines) == core_part(shown)


async def test_a_restarted_demo_goes_on_where_it_was_and_its_signals_are_there(tmp_path):
    first = await run_demo(tmp_path / "state", 20)
    second = await run_demo(tmp_path / "state", 20)

    for before, after in zip(first["providers"], second["providers"], strict=True):
        for count in ("requests", "ok", "failed", "input_tokens", "output_tokens"):
            assert after["usage"][count] >= before["usage"][count]
    totals = [sum(row["usage"]["requests"] for row in state["providers"]) for state in (first, second)]
    assert totals[1] >= totals[0] + 20
    assert second["events"][0]["seq"] > first["events"][0]["seq"]
    files = SignalFiles(tmp_path / "state")
    for row in second["providers"]:
        signal = files.read(row["name"])
        assert signal is not None
        assert signal.status == row["signal"]["status"]


async def test_a_trace_that_is_recorded_beside_the_journal_is_the_same_story(tmp_path):
    await run_demo(tmp_path / "state", 10)
    trace = tmp_path / "run.jsonl"
    shown = await run_demo(tmp_path / "state", 20, trace)
    lines = trace.read_bytes().splitlines(keepends=True)
    # At this speed time goes on between the last line and the last look.
    upto = unstamp(shown["at"]) - unstamp(orjson.loads(lines[0])["start"])
    again = replayed([*lines, timed(upto, b'{"input":"tick"}')])

    for row, known in zip(again["providers"], shown["providers"], strict=True):
        assert row["usage"] == known["usage"]
        assert row["health"]["state"] == known["health"]["state"]
    assert again["events"][-1]["seq"] == shown["events"][-1]["seq"]
    assert again["gateway"]["requests"] == shown["gateway"]["requests"]
