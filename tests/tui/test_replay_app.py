"""The dashboard on a recording: marked as one, moved by its keys, and deaf to every order."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path

import pytest

from crtui.clock import ManualClock
from crtui.replay.link import ReplayLink
from crtui.replay.player import Player
from crtui.replay.transport import ReplayClock, Transport
from crtui.tui.line import plain, width_of
from crtui.tui.replay_app import ReplayApp
from crtui.tui.settings import ScreenSettings
from crtui.tui.timeline import TIME_KEYS, timeline
from crtui.tui.widgets.lines import LineView
from tests.fakes import snapshots
from tests.tui.conftest import FakeLink, make_app

HEADER = {
    "crtui": "trace",
    "version": 1,
    "start": "2026-11-20T09:00:00Z",
    "config": {"provider": [{"name": "a", "kind": "ollama"}, {"name": "b", "kind": "ollama"}]},
}


def lines(count: int = 13) -> list[dict]:
    return [
        {
            "t": 10 * i,
            "input": "attempt",
            "provider": "a",
            "ok": i % 4 < 2,
            "status": 200 if i % 4 < 2 else 500,
        }
        for i in range(count)
    ]


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    path = tmp_path / "t.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in (HEADER, *lines())))
    return path


class Desk:
    """The app on a recording, whose time passes when the test says so."""

    def __init__(self, path: Path) -> None:
        self.clock = ManualClock()
        player = Player(path)
        self.transport = Transport(self.clock, player.end)
        self.link = ReplayLink(player, self.transport)
        shown = ReplayClock(self.clock, self.transport, player.header.start)
        self.app = ReplayApp(self.link, shown, self.transport, hz=0, zone=UTC, plot=False)

    def line(self, selector: str) -> str:
        return "\n".join(plain(line) for line in self.app.screen.query_one(selector, LineView).lines)

    async def until(self, true: Callable[[], bool]) -> None:
        """Take pictures until something is so: the link's thread tells nobody."""
        async with asyncio.timeout(10):
            while not true():
                self.app.tick(force=True)
                await asyncio.sleep(0.005)

    async def shows(self, selector: str, *words: str) -> None:
        try:
            await self.until(lambda: all(word in self.line(selector) for word in words))
        except TimeoutError:
            raise AssertionError(f"{words} not in {self.line(selector)!r}") from None


@asynccontextmanager
async def opened(path: Path, size: tuple[int, int] = (120, 34)) -> AsyncIterator[tuple[Desk, Callable]]:
    desk = Desk(path)
    desk.link.start()
    try:
        async with desk.app.run_test(size=size) as pilot:
            await desk.until(lambda: bool(desk.app.screen.query("#timeline")))
            await desk.shows("#timeline", "REPLAY")
            yield desk, pilot.press
    finally:
        desk.link.stop()


async def test_it_is_marked_as_a_recording_at_its_own_time(trace):
    async with opened(trace) as (desk, _):
        desk.clock.advance(12_000)
        await desk.shows("#timeline", " REPLAY 09:00:12 ", "1×", "0:12 of 2:00")
        await desk.shows("#summary", "▶ REPLAY", "09:00:12", "read-only", "2 requests")

        assert "LIVE" not in desk.line("#summary")


async def test_time_is_paused_stepped_jumped_and_sped_up(trace):
    async with opened(trace) as (desk, press):
        await press("space")
        await desk.shows("#timeline", "❚❚", "0:00 of")
        await press("full_stop")
        await desk.shows("#timeline", "0:10 of")
        await press("right", "right_square_bracket")
        await desk.shows("#timeline", "0:30 of")
        await press("left", "left_square_bracket")
        await desk.shows("#timeline", "0:10 of")
        await press("right_curly_bracket")
        await desk.shows("#timeline", "1:10 of")
        await press("shift+left")
        await desk.shows("#timeline", "0:10 of")
        await press("end")
        await desk.shows("#timeline", "2:00 of 2:00")
        await press("home")
        await desk.shows("#timeline", "0:00 of")
        await press("plus")
        await press("space")
        desk.clock.advance(5_000)
        await desk.shows("#timeline", "2×", "0:10 of")


async def test_going_back_forgets_what_is_yet_to_come(trace):
    async with opened(trace) as (desk, press):
        await press("space", "end")
        await desk.shows("#events", "a")
        await desk.shows("#summary", "13 requests")
        await press("home")
        await desk.shows("#summary", "1 request")
        await desk.until(lambda: desk.line("#events").count("a") <= 1)


async def test_every_order_is_refused(trace):
    async with opened(trace) as (desk, press):
        await press("space", "d")
        await desk.shows("#keys", "read-only: demote is switched off here")
        await press("R")
        await desk.shows("#keys", "read-only")

        assert desk.link.latest is not None
        assert all(row.operator.override == "none" for row in desk.link.latest.providers)


async def test_letters_typed_into_the_filter_do_not_move_time(trace):
    async with opened(trace) as (desk, press):
        await press("space", "slash", "full_stop", "space", "left_square_bracket", "home")

        assert desk.transport.position() == 0
        assert not desk.transport.playing
        await press("escape", "full_stop")
        await desk.shows("#timeline", "0:10 of")


async def test_the_keys_of_time_work_on_a_provider_but_for_its_own(trace):
    async with opened(trace) as (desk, press):
        await press("space", "enter")
        await desk.until(lambda: bool(desk.app.screen.query("#heading #timeline, #timeline")))
        await press("full_stop")
        await desk.shows("#timeline", "0:10 of")
        await press("right_square_bracket")
        await desk.shows("#heading", "‹ b")

        assert desk.transport.position() == 10_000


async def test_help_begins_with_the_keys_of_time(trace):
    async with opened(trace, (120, 60)) as (desk, press):
        await press("question_mark")
        await desk.until(lambda: bool(desk.app.screen.query("#help")) and bool(desk.line("#help")))
        told = desk.line("#help")

    assert told.startswith("Time")
    for key in TIME_KEYS:
        assert key.help in told
    assert "hold the picture still" not in told


async def test_help_and_the_keys_of_time_know_keys_of_a_persons_own_choice(trace):
    async with opened(trace, (120, 60)) as (desk, press):
        desk.app.use(ScreenSettings(keys={"explain": ("X",), "previous": ("full_stop",)}))
        await press("question_mark")
        await desk.until(lambda: bool(desk.app.screen.query("#help")) and bool(desk.line("#help")))
        told = desk.line("#help")
        await press("escape", "space", "enter")
        await desk.until(lambda: bool(desk.app.screen.query("#heading #timeline, #timeline")))
        await press("full_stop")
        await desk.shows("#heading", "‹ b")

        assert desk.transport.position() == 0
    assert re.search(r"\bX\s+why: ", told)
    assert not re.search(r"\bx\s+why: ", told)


async def test_a_line_that_cannot_be_read_stops_time_there_and_says_where(tmp_path):
    path = tmp_path / "bad.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in (HEADER, *lines(3))) + "oops\n")
    async with opened(path) as (desk, _):
        desk.transport.end = 60_000
        desk.transport.seek(60_000)
        desk.link.wake()
        await desk.shows("#summary", "! bad.jsonl:5: not JSON")

        assert not desk.transport.playing


@pytest.mark.parametrize("width", [40, 60, 80, 140])
def test_the_time_line_fits_and_its_bar_grows_with_time(width):
    clock = ManualClock()
    transport = Transport(clock, 5_400_000)
    shown = []
    for ms in (0, 2_700_000, 5_400_000):
        transport.seek(ms)
        line = timeline(transport, snapshots.NOW + ms, UTC, width)
        assert width_of(line) <= width
        shown.append(plain(line).count("━"))

    assert shown[0] == 0
    assert shown == sorted(set(shown)) or width < 60
    assert "REPLAY" in plain(line)


async def test_a_link_that_is_no_recording_says_live(clock):
    app = make_app(FakeLink(snapshots.snapshot(snapshots.provider())), clock)
    async with app.run_test(size=(120, 30)):
        app.tick(force=True)
        assert "LIVE" in plain(app.screen.query_one("#summary", LineView).lines[0])
        assert not app.screen.query("#timeline")
