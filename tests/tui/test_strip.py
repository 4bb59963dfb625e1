"""Three lines that still say who serves, what is worst and until when, and what happened last."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

import pytest

from crtui.core.views import Snapshot
from crtui.engine.link import LinkStatus
from crtui.tui.feed import EventLog
from crtui.tui.frame import Frame
from crtui.tui.line import plain, width_of
from crtui.tui.screens.modals import ConfirmModal
from crtui.tui.strip import strip_lines
from crtui.tui.widgets.lines import LineView
from tests.fakes import snapshots as fake
from tests.tui.test_app import stage


def text(
    snapshot: Snapshot | None, width: int = 80, height: int = 3, status: LinkStatus | None = None
) -> list[str]:
    log = EventLog(UTC)
    log.take(snapshot.events if snapshot is not None else ())
    link = status or LinkStatus("live", fake.URL)
    shown = Frame(snapshot, link, fake.NOW, fake.NOW, log, UTC)
    return [plain(line).rstrip() for line in strip_lines(shown, width, height)]


def test_counts_server_and_rate_then_the_worst_then_the_last_event() -> None:
    assert text(fake.busy()) == [
        " ▶ LIVE   ●6 ◐4 ✖2   default → anthropic-max   52.6k tok/min           14:03:22",
        " ◇ QUOT groq  reset 2h53 (16:56) · tokens window spent                  +5 more",
        " 14:03:19   anthropic-max ok 640 tok 2.1s",
    ]


def test_in_a_narrow_pane_the_rate_goes_first() -> None:
    assert text(fake.busy(), 44)[0] == " ▶ LIVE  ●6 ◐4 ✖2  → anthropic-max    14:03"


def test_while_all_is_well_the_next_thing_to_run_dry_is_told() -> None:
    fine = fake.limited("a", fake.window(empty=(38 * 60_000, 40 * 60_000)))
    assert text(fake.snapshot(fine))[1] == " ● nobody is out or limited · next: a empty 38m00 (14:41)"
    assert text(fake.snapshot(fake.provider("a")))[1] == " ● nobody is out or limited"


def test_more_lines_hold_more_events_the_newest_last() -> None:
    rows = text(fake.busy(), 80, 7)
    assert len(rows) == 7
    assert "anthropic-max ok 640 tok" in rows[-1]
    assert "demoted by you" in rows[3]


def test_without_a_gateway_or_providers_it_says_what_to_do() -> None:
    lost = LinkStatus("lost", fake.URL, "connection refused", 3, 4.0)
    assert text(None, status=lost)[1] == f" No gateway answers at {fake.URL}"
    assert "Trying again in 4s" in text(None, status=lost)[2]
    assert text(fake.no_providers())[1] == " No providers yet."


@pytest.mark.parametrize("width", [40, 44, 60, 80, 140])
@pytest.mark.parametrize("height", [3, 5, 9])
def test_it_always_fits(width: int, height: int) -> None:
    for snapshot in (fake.busy(), fake.no_traffic(), fake.no_providers(), fake.many(50), None):
        rows = text(snapshot, width, height)
        assert len(rows) <= height
        assert max(map(len, rows)) <= width
    wide = replace(fake.busy(), providers=(fake.exhausted("日本" * 30, 5000, "headers", "é" * 99),))
    log = EventLog(UTC)
    shown = Frame(wide, LinkStatus("live", fake.URL), fake.NOW, fake.NOW, log, UTC)
    assert all(width_of(line) <= width for line in strip_lines(shown, width, height))


async def test_a_low_terminal_has_the_strip_by_itself_and_a_higher_one_the_table() -> None:
    async with stage(fake.busy(), size=(80, 3)) as on:
        strip = on.app.screen.query_one("#strip", LineView)
        assert strip.rows == 3
        assert "groq" in on.text("strip")
        await on.pilot.resize_terminal(80, 9)
        await on.pilot.pause()
        assert strip.rows == 9
        await on.pilot.resize_terminal(80, 10)
        await on.pilot.pause()
        assert not strip.is_on_screen
        assert on.table.rows > 4


async def test_while_nothing_has_happened_the_last_line_is_the_keys() -> None:
    async with stage(fake.no_traffic(), size=(40, 3)) as on:
        assert on.text("strip").splitlines()[-1].endswith("? help  q quit")


async def test_with_the_option_it_is_three_lines_on_any_terminal() -> None:
    async with stage(fake.busy(), size=(100, 30), strip=True) as on:
        strip = on.app.screen.query_one("#strip", LineView)
        assert (strip.rows, strip.region.y) == (3, 0)
        assert not on.table.is_on_screen
        await on.press("enter", "x")
        assert "plan of default" in on.text("heading")


async def test_a_key_is_answered_in_the_last_line_and_orders_need_a_visible_row() -> None:
    async with stage(fake.busy(), size=(80, 24)) as on:
        assert on.table.selected is not None
        await on.pilot.resize_terminal(80, 3)
        await on.pilot.pause()
        await on.press("d")
        assert on.link.sent == []
        assert "no provider is selected" in on.text("strip").splitlines()[-1]
        on.clock.advance(5000)
        on.app.tick()
        assert "anthropic-max ok 640 tok" in on.text("strip").splitlines()[-1]
        await on.press("slash")
        await on.pilot.pause()
        assert "no table to filter" in on.text("strip")


async def test_a_question_in_three_lines_can_be_read_and_answered() -> None:
    async with stage(fake.busy(), size=(80, 3)) as on:
        await on.press("R")
        assert isinstance(on.app.screen, ConfirmModal)
        for name in ("question", "yes", "no"):
            assert on.app.screen.query_one(f"#{name}").region.bottom <= 3
        await on.press("y")
        assert len(on.link.sent) == 1
