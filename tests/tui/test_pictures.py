"""Pictures of the screen at its sizes and in its situations, compared with those looked at and kept.

After a wanted change: ``pytest tests/tui/test_pictures.py --snapshot-update``, and look at the difference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from textual.pilot import Pilot

from crtui.clock import ManualClock
from crtui.core.now import SECOND
from crtui.core.views import Snapshot
from crtui.engine.link import LinkStatus
from crtui.tui.line import plain
from crtui.tui.widgets.lines import LineView
from tests.fakes import snapshots as fake
from tests.tui.conftest import FakeLink, make_app

Compare = Callable[..., bool]

WIDE, USUAL, BESIDE = (140, 40), (80, 24), (44, 30)


def matches(
    compare: Compare,
    latest: Snapshot | None,
    size: tuple[int, int],
    *keys: str,
    status: LinkStatus | None = None,
    **options: Any,
) -> bool:
    link = FakeLink(latest and fake.earlier(latest))
    link.status = status or link.status
    app = make_app(link, ManualClock(wall=fake.NOW), **options)

    async def four_minutes_later(pilot: Pilot[None]) -> None:
        await pilot.pause()
        link.latest = latest
        app.tick()
        await pilot.pause()

    return compare(app, press=keys, terminal_size=size, run_before=four_minutes_later)


@pytest.mark.parametrize("size", [WIDE, (100, 30), USUAL, BESIDE], ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_busy_day(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert matches(snap_compare, fake.busy(), size)


@pytest.mark.parametrize("size", [WIDE, USUAL, BESIDE], ids=lambda size: f"{size[0]}x{size[1]}")
def test_one_provider(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert matches(snap_compare, fake.busy(), size, "enter")


def test_no_gateway(snap_compare: Compare) -> None:
    lost = LinkStatus("lost", fake.URL, "connection refused", 3, 4.0)
    assert matches(snap_compare, None, BESIDE, status=lost)


def test_no_providers(snap_compare: Compare) -> None:
    assert matches(snap_compare, fake.no_providers(), USUAL)


@pytest.mark.parametrize("size", [USUAL, BESIDE], ids=lambda size: f"{size[0]}x{size[1]}")
def test_no_traffic(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert matches(snap_compare, fake.no_traffic(), size)


def test_stale(snap_compare: Compare) -> None:
    lost = LinkStatus("lost", fake.URL, "connection reset", 3, 4.0)
    old = replace(fake.busy(), at=fake.NOW - 38 * SECOND)
    assert matches(snap_compare, old, USUAL, status=lost)


@pytest.mark.parametrize("size", [USUAL, BESIDE], ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_question(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert matches(snap_compare, fake.busy(), size, "R")


@pytest.mark.parametrize("size", [USUAL, BESIDE], ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_plan_explained(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert matches(snap_compare, fake.busy(), size, "x")


@pytest.mark.parametrize("size", [(100, 30), BESIDE], ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_forecast(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert matches(snap_compare, fake.foreseen(), size, "f")


def test_the_forecast_beside_the_table(snap_compare: Compare) -> None:
    assert matches(snap_compare, fake.foreseen(), WIDE)


def test_the_order_that_would_result(snap_compare: Compare) -> None:
    assert matches(snap_compare, fake.foreseen(), USUAL, "d")


def test_the_last_one_is_asked_about(snap_compare: Compare) -> None:
    assert matches(snap_compare, fake.snapshot(fake.provider("a"), fake.unhealthy("b", 9000)), USUAL, "o")


class Then(FakeLink):
    """A past of one picture."""

    def __init__(self, wall: int) -> None:
        super().__init__(replace(fake.earlier(fake.busy()), at=wall), read_only=True)
        self.status = LinkStatus("live", "journal", mark="PAST")
        self.begin, self.position = 0, wall

    def go(self, wall: int) -> None:
        self.position = wall

    def listen(self, arrived: Callable[[], None]) -> None: ...

    def close(self) -> None: ...


@pytest.mark.parametrize("size", [USUAL, BESIDE], ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_past(snap_compare: Compare, size: tuple[int, int]) -> None:
    app = make_app(FakeLink(fake.busy()), ManualClock(wall=fake.NOW), history=Then)

    async def back(pilot: Pilot[None]) -> None:
        await pilot.press("left_square_bracket")
        while "PAST" not in plain(app.screen.query_one("#summary", LineView).lines[0]):
            await pilot.pause(0.01)

    assert snap_compare(app, terminal_size=size, run_before=back)


def test_a_fleet(snap_compare: Compare) -> None:
    lost, quiet = FakeLink(None), FakeLink(fake.no_traffic())
    lost.status = LinkStatus("lost", "http://build-3:4747", "connection refused", 3, 4.0)
    quiet.status = LinkStatus("live", "http://10.0.0.7:4747")
    assert matches(snap_compare, fake.busy(), USUAL, others=[quiet, lost])


def test_the_strip(snap_compare: Compare) -> None:
    assert matches(snap_compare, fake.busy(), (80, 3))


def test_with_the_privacy_mask(snap_compare: Compare) -> None:
    assert matches(snap_compare, fake.busy(), USUAL, "H")


def test_the_help(snap_compare: Compare) -> None:
    assert matches(snap_compare, fake.busy(), USUAL, "question_mark")


def test_a_filter(snap_compare: Compare) -> None:
    assert matches(snap_compare, fake.busy(), USUAL, "slash", *"state:out")


def test_quota_alone(snap_compare: Compare) -> None:
    assert matches(snap_compare, fake.busy(), USUAL, "2")


@pytest.mark.fault("X08")
def test_without_colours(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert matches(snap_compare, fake.busy(), USUAL)


def test_an_empty_no_color_changes_nothing(monkeypatch: pytest.MonkeyPatch, clock: ManualClock) -> None:
    monkeypatch.setenv("NO_COLOR", "")
    assert not make_app(FakeLink(fake.busy()), clock).no_color


@pytest.mark.fault("X08")
def test_in_ascii(snap_compare: Compare) -> None:
    assert matches(snap_compare, fake.busy(), USUAL, ascii=True)


@pytest.mark.fault("X08")
async def test_ascii_means_ascii_everywhere(clock: ManualClock) -> None:
    app = make_app(FakeLink(fake.busy()), clock, ascii=True)
    async with app.run_test(size=WIDE) as pilot:
        for keys in ([], ["question_mark"], ["escape", "enter"]):
            await pilot.press(*keys)
            await pilot.pause()
            strips = app.screen._compositor.render_strips()
            text = "\n".join(segment.text for strip in strips for segment in strip)
            assert text.isascii(), sorted({c for c in text if not c.isascii()})


@pytest.mark.parametrize("theme", ["crtui-light", "crtui-blue-orange"])
def test_the_other_themes(snap_compare: Compare, theme: str) -> None:
    keys = {"crtui-light": ("t",), "crtui-blue-orange": ("t", "t")}[theme]
    assert matches(snap_compare, fake.busy(), USUAL, *keys)
