"""What keeps the screen cheap: pictures left out, rows and lines that are not written again."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from crtui.clock import ManualClock
from crtui.tui import pace
from crtui.tui.board import Board
from crtui.tui.chart import ChartPanel
from crtui.tui.feed import EventLog, FeedPanel
from crtui.tui.frame import Frame
from crtui.tui.line import Span, plain
from crtui.tui.widgets.lines import _joined
from tests.fakes import snapshots as fake
from tests.tui.conftest import FakeLink
from tests.tui.test_app import TRIO, stage


class Times:
    """A machine whose clock and processor time a test sets, in seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall = self.cpu = 0.0
        monkeypatch.setattr(time, "perf_counter", lambda: self.wall)
        monkeypatch.setattr(time, "thread_time", lambda: self.cpu)

    def passes(self, wall: float, cpu: float) -> None:
        self.wall += wall
        self.cpu += cpu


def drawn(times: Times, cost: float, *, calm: bool = False) -> int:
    """How many pictures of a cost in seconds are drawn in ten seconds of four a second."""
    found, count = pace.Pace(), 0
    for _ in range(40):
        times.passes(0.25, 0.0)
        if found.due(calm=calm):
            count += 1
            times.passes(0.0, cost)
    return count


@pytest.mark.parametrize(("cost", "calm", "count"), [(0.005, False, 40), (0.5, False, 20), (0.5, True, 2)])
def test_dear_pictures_are_drawn_less_often_but_never_not_at_all(
    monkeypatch: pytest.MonkeyPatch, cost: float, calm: bool, count: int
) -> None:
    assert abs(drawn(Times(monkeypatch), cost, calm=calm) - count) <= 1


@pytest.mark.parametrize("cost", [0.012, 0.015, 0.019])
def test_what_is_drawn_takes_no_more_than_its_share(monkeypatch: pytest.MonkeyPatch, cost: float) -> None:
    assert drawn(Times(monkeypatch), cost) * cost / 10 <= pace.SHARE * 1.05


def frame(snapshot: Any) -> Frame:
    return Frame(snapshot, FakeLink(snapshot).status, fake.NOW, fake.NOW, EventLog())


def test_rows_out_of_sight_are_written_when_they_come_into_sight() -> None:
    board = Board(ManualClock(wall=fake.NOW))
    before, after = fake.many(20), fake.many(20)
    slow = replace(after.providers[15].latency, p50_ms=7777)
    rows = [*after.providers]
    rows[15] = replace(rows[15], latency=slow)
    board.sort_by("chain")
    board.table(frame(before), 100, range(10))
    unseen = board.table(frame(replace(after, providers=tuple(rows))), 100, range(10))
    seen = board.table(frame(replace(after, providers=tuple(rows))), 100, range(10, 20))
    assert unseen is not None
    assert seen is not None
    assert "7.8s" not in "".join(map(plain, unseen.lines))
    assert "7.8s" in plain(seen.lines[seen.names.index(rows[15].name)])


def test_with_reduced_motion_rows_change_places_only_when_a_key_asks() -> None:
    clock = ManualClock(wall=fake.NOW)
    board = Board(clock)
    board.calm = True
    fine = fake.snapshot(fake.provider("a"), fake.provider("b"))
    trouble = fake.snapshot(fake.provider("a"), fake.unhealthy("b", 9000))
    board.table(frame(fine), 80, range(9))
    clock.advance(60_000)
    still = board.table(frame(trouble), 80, range(9))
    board.sort_by("attention")
    board.sort_by("attention")
    moved = board.table(frame(trouble), 80, range(9))
    assert still is not None
    assert moved is not None
    assert (still.names, moved.names) == (("a", "b"), ("b", "a"))


def test_the_chart_is_drawn_again_for_new_values_and_seldom() -> None:
    drawings: list[int] = []

    def plot(values: Any, width: int, height: int) -> list[str]:
        drawings.append(1)
        return ["x" * width] * height

    panel, provider = ChartPanel(), fake.provider("a")
    newer = replace(provider, latency=fake.latency(300, 20, 5))
    for now, shown in ((0, provider), (5000, provider), (5500, newer), (6000, replace(newer)), (8000, newer)):
        panel.lines(shown, fake.NOW + now, 40, 10, plot)
    assert len(drawings) == 2


def test_a_feed_without_news_gives_the_same_lines() -> None:
    log, panel = EventLog(), FeedPanel()
    log.take(fake.events())
    first = panel.lines(log, 80, None, everything=False)
    assert panel.lines(log, 80, None, everything=False) is first
    assert panel.lines(log, 80, None, everything=True) is not first


def test_spaces_join_the_span_before_unless_that_has_a_ground() -> None:
    line = (Span("a", "good"), Span("  "), Span("b"), Span(" PAST ", "past"), Span("  "), Span("c"))
    assert list(_joined(line)) == [
        Span("a  ", "good"),
        Span("b"),
        Span(" PAST ", "past"),
        Span("  c"),
    ]


async def test_a_frozen_or_blurred_screen_looks_once_a_second() -> None:
    async with stage(TRIO, hz=4) as on:
        assert on.app._timer is not None
        intervals = [on.app._timer._interval]
        await on.press("space")
        intervals.append(on.app._timer._interval)
        await on.press("space")
        on.app.on_app_blur()
        intervals.append(on.app._timer._interval)
        on.app.on_app_focus()
        intervals.append(on.app._timer._interval)
    assert intervals == [0.25, 1.0, 1.0, 0.25]
