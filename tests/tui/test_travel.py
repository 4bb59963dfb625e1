"""Time travel: what is shown of the past is what was shown then, and nothing can be ordered there."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from crtui.clock import ManualClock
from crtui.core.encode import snapshot_json
from crtui.core.now import MINUTE, SECOND
from crtui.errors import CrtuiError
from crtui.modes.past import JournalPast
from crtui.tui.feed import EventLog
from crtui.tui.frame import Frame
from crtui.tui.line import plain, width_of
from crtui.tui.travel import past_bar
from crtui.tui.widgets.lines import LineView
from tests.engine.conftest import Live, core_part
from tests.fakes import snapshots as fake
from tests.tui.conftest import FakeLink, make_app


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(mono=123_456_789)


@pytest.fixture
def live(tmp_path: Path, clock: ManualClock) -> Iterator[Live]:
    """A gateway that served well for a minute, then badly for one, then rested for one."""
    running = Live(tmp_path, clock)
    running.start()
    for ok in (True, False):
        for _ in range(6):
            running.serve(1, ok=ok)
            clock.advance(10 * SECOND)
            running.turn()
    clock.advance(MINUTE)
    running.engine.snapshot()
    running.turn()
    yield running
    running.stop()


@pytest.fixture
def history(live: Live) -> Iterator[Any]:
    opened: list[JournalPast] = []

    def open_at(wall: int) -> JournalPast:
        opened.append(JournalPast(live.path, live.clock, wall))
        return opened[-1]

    yield open_at
    for past in opened:
        if not past._stopping:
            past.close()


def test_the_past_is_what_was_shown_then(tmp_path: Path, clock: ManualClock) -> None:
    running = Live(tmp_path, clock)
    running.start()
    seen: dict[int, Any] = {}
    for number in range(12):
        if number == 7:
            running.stop()
            clock.advance(3 * SECOND)
            running.start()
        running.serve(1, ok=number % 4 < 2)
        clock.advance(9 * SECOND)
        seen[clock.now().wall] = running.shown()
        running.turn()
    clock.advance(5 * SECOND)
    running.turn()
    arrived = threading.Semaphore(0)
    past = JournalPast(running.path, clock, clock.now().wall - SECOND)
    past.listen(arrived.release)
    try:
        for wall in [*seen, *reversed(seen)]:
            past.go(wall)
            assert arrived.acquire(timeout=10)
            assert past.latest is not None
            assert past.latest.at == wall
            assert core_part(snapshot_json(past.latest)) == seen[wall]
    finally:
        past.close()
        running.stop()


def test_nothing_is_there_before_the_beginning(live: Live, history: Any) -> None:
    past = history(0)
    assert past.position == past.begin
    assert past.latest.at == past.begin
    assert all(row.usage.requests == 0 for row in past.latest.providers)


def test_what_was_written_out_is_gone_afterwards(live: Live, history: Any) -> None:
    past = history(live.clock.now().wall - MINUTE)
    folder = past._scratch.path
    assert folder.is_dir()
    past.close()
    assert not folder.exists()


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: None, "there is no journal at"),
        (lambda path: path.write_bytes(b"not a journal" * 100), "cannot be read"),
    ],
    ids=["none", "damaged"],
)
def test_without_a_journal_one_sentence_says_so(tmp_path: Path, make: Any, told: str) -> None:
    path = tmp_path / "journal.db"
    make(path)
    with pytest.raises(CrtuiError, match=told):
        JournalPast(path, ManualClock(), 0)


class Trip:
    """A dashboard with a history."""

    def __init__(self, live: Live, history: Any, pilot: Pilot[None], link: FakeLink) -> None:
        self.live, self.pilot, self.link, self.app = live, pilot, link, pilot.app

    def text(self, name: str) -> str:
        return "\n".join(map(plain, self.app.screen_stack[-1].query_one(f"#{name}", LineView).lines))

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def shows(self, name: str, *words: str) -> None:
        for _ in range(500):
            if all(word in self.text(name) for word in words):
                return
            await self.pilot.pause(0.01)
        raise AssertionError(f"{words} not in {self.text(name)!r}")


@asynccontextmanager
async def trip(live: Live, history: Any, size: tuple[int, int] = (120, 34)) -> AsyncIterator[Trip]:
    link = FakeLink(live.engine.snapshot())
    app = make_app(link, live.clock, history=history)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield Trip(live, history, pilot, link)


async def test_steps_back_and_on_and_end_lead_through_history(live: Live, history: Any) -> None:
    async with trip(live, history) as on:
        await on.shows("summary", "LIVE", "2 limited")
        await on.press("left_square_bracket")
        await on.shows("summary", "PAST 10s ago")
        await on.shows("keys", "PAST ", "10s ago", "End live")
        await on.press(*["left_square_bracket"] * 6)
        await on.shows("summary", "PAST 1m ago", "2 limited")
        await on.press("right_square_bracket", "right_square_bracket")
        await on.shows("summary", "PAST 50s ago")
        await on.press("end")
        await on.shows("summary", "LIVE", "2 limited")
        await on.shows("keys", "back in the present")


async def test_the_present_is_reached_by_going_on_too(live: Live, history: Any) -> None:
    async with trip(live, history) as on:
        await on.press("left_square_bracket")
        await on.shows("summary", "PAST")
        await on.press("right_square_bracket")
        await on.shows("summary", "LIVE")


async def test_the_beginning_of_history_is_told(live: Live, history: Any) -> None:
    async with trip(live, history) as on:
        await on.press("left_square_bracket")
        await on.shows("summary", "PAST")
        await on.press("left_curly_bracket")
        await on.shows("keys", "history begins here")
        await on.shows("summary", "PAST 3m ago", "0 requests")


async def test_every_command_is_refused_in_the_past_on_every_screen(live: Live, history: Any) -> None:
    async with trip(live, history) as on:
        await on.press("left_square_bracket")
        await on.shows("summary", "PAST")
        for keys in (["d"], ["o"], ["p"], ["r"], ["u"], ["R"], ["dollar_sign"], ["enter", "d"], ["d"]):
            await on.press(*keys)
            await on.shows("keys", "this is the past: nothing was sent; End leads back to the present")
        assert on.link.sent == []
        await on.press("end")
        await on.shows("keys", "back in the present")
        await on.press("r")
        assert [command.command for command in on.link.sent] == ["reset"]


async def test_forward_from_the_present_says_where_one_is(live: Live, history: Any) -> None:
    async with trip(live, history) as on:
        await on.press("right_square_bracket")
        await on.shows("keys", "this is the present; [ goes back")


async def test_without_a_journal_of_its_own_the_screen_says_so(live: Live) -> None:
    async with trip(live, None) as on:
        await on.press("left_square_bracket")
        await on.shows("keys", "no history here")
        await on.shows("summary", "LIVE")


async def test_a_history_that_cannot_be_opened_leaves_one_in_the_present(live: Live) -> None:
    def broken(wall: int) -> Any:
        raise CrtuiError("journal.db cannot be read: disk I/O error; try again")

    async with trip(live, broken) as on:
        await on.press("left_square_bracket")
        await on.shows("keys", "no history: journal.db cannot be read: disk I/O error")
        await on.shows("summary", "LIVE")


async def test_in_three_lines_the_past_is_marked_too(live: Live, history: Any) -> None:
    async with trip(live, history, (80, 3)) as on:
        await on.press("left_square_bracket")
        await on.shows("strip", "PAST", "End live")


@pytest.mark.parametrize("width", [40, 60, 80, 140])
def test_the_bar_fills_the_width_and_never_loses_the_way_back(width: int) -> None:
    now = fake.NOW
    frame = Frame(fake.busy(), FakeLink().status, now, now, EventLog(), behind=3 * MINUTE)
    line = past_bar(frame, width)
    assert width_of(line) == width
    assert {span.role for span in line} == {"past"}
    assert "3m ago" in plain(line)
    assert "End live" in plain(line)
