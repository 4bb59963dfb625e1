"""The whole app under keys: what is sent, what is shown, and what never happens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Button

from crtui.clock import ManualClock
from crtui.core.inputs import Command
from crtui.core.views import Snapshot
from crtui.engine.link import LinkStatus
from crtui.tui.app import CrtuiApp
from crtui.tui.line import cell_width, plain, width_of
from crtui.tui.screens.dashboard import DashboardScreen
from crtui.tui.screens.modals import ConfirmModal, HelpModal
from crtui.tui.screens.provider import ProviderScreen
from crtui.tui.widgets.lines import LineView
from crtui.tui.widgets.table import ProviderTable
from tests.fakes import snapshots as fake
from tests.tui.conftest import FakeLink, make_app

TRIO = fake.snapshot(fake.provider("a"), fake.provider("b"), fake.provider("c"), in_flight=0)


@dataclass
class Stage:
    """A running app and what a test needs of it."""

    app: CrtuiApp
    link: FakeLink
    clock: ManualClock
    pilot: Pilot[None]

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause(0)

    async def show(self, latest: Snapshot) -> None:
        self.link.latest = latest
        self.app.tick()
        await self.pilot.pause()

    def text(self, name: str) -> str:
        return "\n".join(
            plain(line) for line in self.app.screen_stack[-1].query_one(f"#{name}", LineView).lines
        )

    @property
    def table(self) -> ProviderTable:
        return self.app.screen_stack[0].query_one(ProviderTable)

    def shown(self, selector: str) -> str:
        """Of the screen on top."""
        return "\n".join(map(plain, self.app.screen.query_one(selector, LineView).lines))

    @property
    def names(self) -> list[str]:
        return [plain(line).replace("▶", " ").split()[2] for line in self.table.lines]


@asynccontextmanager
async def stage(
    latest: Snapshot | None = TRIO, size: tuple[int, int] = (80, 24), **options: Any
) -> AsyncIterator[Stage]:
    clock = ManualClock(wall=fake.NOW)
    link = FakeLink(latest)
    app = make_app(link, clock, **options)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield Stage(app, link, clock, pilot)


DASHBOARD_KEYS = [
    (["d"], [Command("demote", "a")]),
    (["o"], [Command("drain", "a")]),
    (["p"], [Command("pin", "a")]),
    (["r"], [Command("reset", "a")]),
    (["j", "d"], [Command("demote", "b")]),
    (["down", "down", "up", "p"], [Command("pin", "b")]),
    (["G", "d"], [Command("demote", "c")]),
    (["G", "g", "d"], [Command("demote", "a")]),
    (["d", "u"], [Command("demote", "a"), Command("release", "a")]),
    (["slash", "c", "enter", "d", "escape"], [Command("demote", "c")]),
    (["slash", "d", "o", "p", "escape"], []),
]
QUESTION_KEYS = [
    (["R", "y"], [Command("reset_all")]),
    (["R", "n"], []),
    (["R", "escape"], []),
    (["R", "enter"], []),
    (["R", "tab", "enter"], [Command("reset_all")]),
    (["dollar_sign", "y"], [Command("paid", allow=True)]),
]
DETAIL_KEYS = [
    (["enter", "d", "escape"], [Command("demote", "a")]),
    (["enter", "right_square_bracket", "o", "escape"], [Command("drain", "b")]),
    (["enter", "left_square_bracket", "p", "escape"], [Command("pin", "c")]),
    (["enter", "escape", "j", "r"], [Command("reset", "b")]),
]


@pytest.mark.parametrize(
    "cases", [DASHBOARD_KEYS, QUESTION_KEYS, DETAIL_KEYS], ids=["dashboard", "questions", "detail"]
)
async def test_keys_become_commands(cases: list[tuple[list[str], list[Command]]]) -> None:
    async with stage() as on:
        for keys, sent in cases:
            on.link.sent.clear()
            await on.press("g", *keys)
            assert (keys, on.link.sent) == (keys, sent)


async def test_the_answer_to_a_key_stands_in_the_key_bar_for_a_while() -> None:
    async with stage() as on:
        await on.press("d")
        assert on.text("keys").strip() == "a demoted · then b → c → a · u undo"
        on.clock.advance(5000)
        on.app.tick()
        assert "d demote" in on.text("keys")


async def test_an_order_that_a_gateway_refuses_after_it_was_sent_is_said_and_not_undone() -> None:
    async with stage() as on:
        await on.press("d")
        on.link.refusals.append("401: the gateway's control token is missing or wrong")
        on.app.tick()
        assert on.text("keys").strip() == "not done: 401: the gateway's control token is missing or wrong"
        await on.press("u")
        assert on.text("keys").strip() == "nothing to undo"
        assert on.link.sent == [Command("demote", "a")]


async def test_a_state_is_never_painted_before_the_gateway_tells_it() -> None:
    async with stage() as on:
        before = on.table.lines
        await on.press("d")
        assert on.table.lines == before
        await on.show(fake.snapshot(fake.overridden("a", "demoted"), fake.provider("b"), fake.provider("c")))
        assert any("DEMO" in plain(line) for line in on.table.lines)


async def test_the_last_eligible_provider_is_not_drained_without_a_yes() -> None:
    async with stage(fake.snapshot(fake.provider("a"), fake.unhealthy("b", 5000))) as on:
        await on.press("o")
        assert isinstance(on.app.screen, ConfirmModal)
        await on.press("n")
        assert on.link.sent == []
        await on.press("o", "y")
        assert on.link.sent == [Command("drain", "a")]


async def test_read_only_refuses_and_hides_the_keys() -> None:
    async with stage(read_only=True, size=(140, 40)) as on:
        assert "demote" not in on.text("keys")
        await on.press("d", "R", "dollar_sign", "u")
        assert on.link.sent == []
        assert on.text("keys").strip().startswith("read-only")


async def test_enter_opens_and_escape_only_ever_goes_back() -> None:
    async with stage() as on:
        await on.press("enter")
        assert isinstance(on.app.screen, ProviderScreen)
        await on.press("escape", "escape", "escape")
        assert isinstance(on.app.screen, DashboardScreen)
        assert on.app.return_code is None


async def test_q_leaves_the_detail_then_the_program() -> None:
    async with stage() as on:
        await on.press("enter", "q")
        assert isinstance(on.app.screen, DashboardScreen)
        await on.press("q")
        assert (on.app.return_code, on.app.exit_reason) == (0, "quit")


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_quitting_asks_while_requests_run(key: str) -> None:
    async with stage(fake.snapshot(fake.provider("a"), in_flight=2)) as on:
        await on.press(key)
        assert isinstance(on.app.screen, ConfirmModal)
        await on.press("enter")
        assert on.app.return_code is None
        await on.press(key, "y")
        assert on.app.return_code == 0


async def test_quitting_an_attached_screen_does_not_ask() -> None:
    async with stage(fake.snapshot(fake.provider("a"), in_flight=2), owns_gateway=False) as on:
        await on.press("q")
        assert on.app.return_code == 0


async def test_the_cursor_follows_its_provider_when_rows_move() -> None:
    async with stage() as on:
        await on.press("j")
        assert on.table.selected == "b"
        on.clock.advance(10_000)
        await on.show(fake.snapshot(fake.provider("a"), fake.unhealthy("b", 5000), fake.provider("c")))
        assert on.names == ["b", "a", "c"]
        assert (on.table.selected, on.table.cursor_row) == ("b", 0)


async def test_rows_do_not_move_within_three_seconds_of_a_cursor_key() -> None:
    async with stage() as on:
        on.clock.advance(10_000)
        await on.press("j")
        ill = fake.snapshot(fake.provider("a"), fake.unhealthy("b", 5000), fake.provider("c"))
        on.clock.advance(2900)
        await on.show(ill)
        assert on.names == ["a", "b", "c"]
        on.clock.advance(200)
        on.app.tick(force=True)
        assert on.names == ["b", "a", "c"]


async def test_rows_are_sorted_anew_at_most_once_a_second() -> None:
    async with stage() as on:
        on.clock.advance(2000)
        on.app.tick(force=True)
        on.clock.advance(500)
        await on.show(fake.snapshot(fake.provider("a"), fake.unhealthy("b", 5000), fake.provider("c")))
        assert on.names == ["a", "b", "c"]
        on.clock.advance(600)
        on.app.tick(force=True)
        assert on.names == ["b", "a", "c"]


async def test_a_provider_that_goes_leaves_the_cursor_nearby() -> None:
    async with stage() as on:
        await on.press("G")
        await on.show(fake.snapshot(fake.provider("a"), fake.provider("b")))
        assert on.table.selected == "b"


async def test_s_goes_through_the_orders_and_says_which() -> None:
    async with stage(fake.busy()) as on:
        await on.press("s")
        assert "sorted by chain" in on.text("keys")
        assert on.names[0] == "anthropic-max"
        await on.press("s", "S")
        assert "sorted by name, reversed" in on.text("keys")
        assert on.names[0] == "together"


async def test_the_filter_works_while_typing_stays_on_enter_and_goes_on_escape() -> None:
    async with stage(fake.busy()) as on:
        await on.press("slash", "o", "l", "l", "a")
        assert on.names == ["ollama-32b", "ollama-7b"]
        assert on.text("filter-count").strip() == "2/14"
        await on.press("enter")
        assert on.names == ["ollama-32b", "ollama-7b"]
        await on.press("escape")
        assert len(on.names) == 14
        assert not on.app.screen.has_class("-filtered")


async def test_a_filter_that_shows_nothing_leaves_the_cursor_where_it_was() -> None:
    async with stage() as on:
        await on.press("j", "slash", "z", "z", "escape", "d")
        assert on.link.sent == [Command("demote", "b")]


@pytest.mark.parametrize("size", [(41, 10), (44, 30), (80, 10), (80, 12), (140, 40)])
@pytest.mark.parametrize("key", ["R", "dollar_sign", "d"])
async def test_the_answers_to_a_question_are_in_sight_at_every_size(key: str, size: tuple[int, int]) -> None:
    async with stage(fake.snapshot(fake.provider("a")), size) as on:
        await on.press(key)
        await on.pilot.pause()
        room = on.app.screen.query_one("#dialog").content_region
        for button in on.app.screen.query(Button):
            assert room.contains_region(button.region)
            assert button.content_region.width >= cell_width(str(button.label))


async def test_while_a_filter_is_typed_the_key_bar_tells_its_keys_for_as_long_as_it_takes() -> None:
    async with stage(fake.busy()) as on:
        await on.press("slash", "o")
        on.clock.advance(60_000)
        await on.show(fake.busy())
        assert on.text("keys").strip() == "type to filter   ⏎ keep   Esc clear"
        await on.press("enter")
        assert "d demote" in on.text("keys")


async def test_the_next_theme_is_named() -> None:
    async with stage() as on:
        await on.press("t")
        assert on.text("keys").strip() == "theme light"


async def test_a_first_frame_without_a_gateway_waits_for_no_table_and_then_it_is_there() -> None:
    clock = ManualClock(wall=fake.NOW)
    app = make_app(FakeLink(), clock)
    parts: list[int] = []
    app.on_first_frame = lambda: parts.append(len(app.screen.query(ProviderTable)))
    async with app.run_test() as pilot:
        await pilot.pause()
        assert parts == [0]
        assert app.screen.query_one(ProviderTable).has_focus
        await pilot.press("slash", "1", "z", "j", "y", "H")
        assert app.is_running


async def test_escape_while_typing_clears_the_filter() -> None:
    async with stage(fake.busy()) as on:
        await on.press("slash", "z", "z")
        assert on.table.selected is None
        assert on.text("table").strip() == "No provider matches zz.  Esc shows all"
        await on.press("escape")
        assert len(on.names) == 14
        await on.press("j")
        assert on.table.has_focus


async def test_space_holds_the_picture_while_events_are_counted() -> None:
    async with stage(fake.busy()) as on:
        before = on.table.lines
        await on.press("space")
        on.clock.advance(42_000)
        await on.show(replace(TRIO, events=fake.events()))
        assert on.table.lines == before
        assert "❚❚ PAUSED 0:42" in on.text("summary")
        await on.press("space")
        assert "▶ LIVE" in on.text("summary")
        assert len(on.table.lines) == 3


@pytest.mark.parametrize("size", [(44, 30), (80, 24)])
@pytest.mark.parametrize("key", ["enter", "x", "f"])
async def test_an_inner_screen_says_that_its_picture_is_held_or_old(key: str, size: tuple[int, int]) -> None:
    async with stage(fake.busy(), size) as on:
        await on.press(key, "space")
        assert "❚❚ PAUSED 0:00" in on.shown("#heading")
        assert "space pause" not in on.shown("#keys")
        await on.press("space")
        assert "PAUSED" not in on.shown("#heading")
        on.link.status = LinkStatus("lost", fake.URL, "connection reset", 1, 2.0)
        on.clock.advance(38_000)
        on.app.tick()
        await on.pilot.pause()
        assert "◌ STALE 38s" in on.shown("#heading")


async def test_an_old_picture_stands_still_also_when_it_is_held() -> None:
    async with stage(fake.busy()) as on:
        on.link.status = LinkStatus("lost", fake.URL, "connection reset", 1, 2.0)
        on.clock.advance(38_000)
        on.app.tick()
        await on.pilot.pause()
        before = [plain(line) for line in on.table.lines]
        await on.press("space")
        assert [plain(line) for line in on.table.lines] == before


async def test_keys_act_on_the_newest_state_even_while_paused() -> None:
    async with stage() as on:
        await on.press("space")
        await on.show(fake.snapshot(fake.overridden("a", "demoted"), fake.provider("b"), fake.provider("c")))
        await on.press("d")
        assert on.link.sent == [Command("release", "a")]


async def test_a_picture_that_got_old_is_marked_stale() -> None:
    async with stage(fake.busy()) as on:
        on.link.status = LinkStatus("lost", fake.URL, "connection reset", 1, 2.0)
        on.clock.advance(38_000)
        on.app.tick()
        await on.pilot.pause()
        assert "◌ STALE 38s" in on.text("summary")
        colors = {segment.style.color for segment in on.table.render_line(0) if segment.style}
        assert len(colors) == 1


@pytest.mark.parametrize("key", ["x", "f"])
async def test_without_a_gateway_an_inner_screen_tells_the_way_back(key: str) -> None:
    async with stage(None) as on:
        await on.press(key)
        await on.pilot.pause()
        assert "Esc back" in on.shown("#keys")


async def test_without_a_gateway_r_tries_again_at_once() -> None:
    async with stage(None) as on:
        on.link.status = LinkStatus("lost", fake.URL, "connection refused", 2, 4.0)
        on.app.tick()
        await on.pilot.pause()
        assert "connection refused" in on.text("empty")
        await on.press("r")
        assert on.link.retries == 1


async def test_the_first_snapshot_replaces_the_waiting_screen() -> None:
    async with stage(None) as on:
        assert on.app.screen.has_class("-empty")
        on.link.status = LinkStatus("live", fake.URL)
        await on.show(TRIO)
        assert not on.app.screen.has_class("-empty")
        assert on.names == ["a", "b", "c"]


async def test_y_copies_the_base_url_first_and_the_row_later() -> None:
    async with stage(fake.no_traffic()) as on:
        await on.press("y")
        assert on.app.clipboard == fake.URL
        await on.show(fake.busy())
        await on.press("y")
        assert "tokens window spent" in on.app.clipboard
        assert fake.URL not in on.app.clipboard


async def test_help_lists_the_keys_and_closes() -> None:
    async with stage() as on:
        await on.press("question_mark")
        assert isinstance(on.app.screen, HelpModal)
        assert "try it last" in on.text("help")
        await on.press("escape")
        assert isinstance(on.app.screen, DashboardScreen)


async def test_a_panel_the_size_has_no_room_for_opens_full_screen() -> None:
    async with stage(fake.busy()) as on:
        quota = on.app.screen.query_one("#quota", LineView)
        assert quota.columns == 0
        await on.press("2")
        assert quota.columns > 70
        assert "anthropic-max" in on.text("quota")
        await on.press("escape")
        assert not quota.is_on_screen
        assert on.table.has_focus


async def test_z_gives_the_focused_panel_the_screen_and_takes_it_back() -> None:
    async with stage(fake.busy(), size=(140, 40)) as on:
        events = on.app.screen.query_one("#events", LineView)
        before = events.rows
        await on.press("4", "z")
        assert events.rows > before + 10
        await on.press("z")
        assert events.rows == before


async def test_e_shows_every_event() -> None:
    async with stage(fake.busy()) as on:
        routes = " → anthropic-"
        assert routes not in on.text("events")
        await on.press("e")
        assert routes in on.text("events")


async def test_the_feed_stays_at_its_end_until_scrolled() -> None:
    async with stage(fake.busy()) as on:
        events = on.app.screen.query_one("#events", LineView)
        assert events.scroll_offset.y == events.max_scroll_y > 0
        await on.press("4", "g")
        more = tuple(fake.events()[3]._replace(seq=200 + i, data={"error": str(i)}) for i in range(5))
        await on.show(replace(fake.busy(), events=(*fake.events(), *more)))
        assert events.scroll_offset.y == 0


async def test_resizing_fits_everything_anew() -> None:
    async with stage(fake.busy(), size=(120, 35)) as on:
        for size in ((140, 40), (100, 30), (80, 24), (60, 20), (44, 30), (40, 10)):
            await on.pilot.resize_terminal(*size)
            await on.pilot.pause()
            for view in on.app.screen.query(LineView):
                if view.is_on_screen:
                    assert all(width_of(line) <= view.columns for line in view.lines), (size, view.id)
            beside = 54 if size[0] >= 110 else 1
            assert (size, on.table.columns) >= (size, size[0] - beside - 1)
            assert on.table.rows >= 4


@pytest.mark.fault("X06")
async def test_too_small_a_terminal_says_what_it_needs() -> None:
    async with stage(fake.busy(), size=(38, 2)) as on:
        assert on.text("small") == "too small: needs 40x3, have 38x2"
        await on.pilot.resize_terminal(80, 24)
        await on.pilot.pause()
        assert on.table.columns > 70


async def test_a_click_selects_and_a_second_click_opens() -> None:
    async with stage() as on:
        await on.pilot.click(ProviderTable, offset=(5, 1))
        await on.pilot.pause()
        assert on.table.selected == "b"
        await on.pilot.click(ProviderTable, offset=(5, 1))
        await on.pilot.pause()
        assert isinstance(on.app.screen, ProviderScreen)


async def test_a_click_on_a_column_sorts_by_it_and_a_second_one_turns_it_round() -> None:
    async with stage(fake.busy()) as on:
        column = on.text("header").index("PROVIDER")
        await on.pilot.click("#header", offset=(column + 1, 0))
        await on.pilot.pause()
        assert "sorted by name" in on.text("keys")
        assert on.names[0] == "anthropic-api"
        await on.pilot.click("#header", offset=(column + 1, 0))
        await on.pilot.pause()
        assert "reversed" in on.text("keys")
        assert on.names[0] == "together"
        await on.pilot.click("#header", offset=(0, 0))
        assert on.names[0] == "together"


async def test_the_wheel_scrolls_and_leaves_the_cursor_where_it_is() -> None:
    async with stage(fake.many(50)) as on:
        before = on.table.selected
        await on.pilot._post_mouse_events([events.MouseScrollDown], widget=ProviderTable, offset=(5, 1))
        await on.pilot.pause()
        assert on.table.scroll_offset.y > 0
        assert on.table.selected == before


async def test_a_provider_that_vanishes_while_open_is_said_to_be_gone() -> None:
    async with stage() as on:
        await on.press("enter")
        await on.show(fake.snapshot(fake.provider("b")))
        assert "no longer configured" in on.text("heading")


async def test_the_palette_offers_the_actions_by_name() -> None:
    async with stage() as on:
        titles = {command.title for command in on.app.get_system_commands(on.app.screen)}
        assert {
            "demote",
            "drain",
            "pin",
            "reset",
            "reset all",
            "pause",
            "go to events",
            "all themes",
        } <= titles


async def test_what_waits_for_the_first_picture_is_called_once() -> None:
    calls: list[int] = []
    clock = ManualClock(wall=fake.NOW)
    app = make_app(FakeLink(TRIO), clock)
    app.on_first_frame = lambda: calls.append(1)
    async with app.run_test() as pilot:
        await pilot.press("enter", "escape")
        await pilot.pause()
    assert calls == [1]


@pytest.mark.fault("X11")
async def test_a_gateway_that_fails_ends_the_screen_from_its_thread() -> None:
    import threading

    async with stage() as on:
        thread = threading.Thread(target=on.app.leave_from_thread)
        thread.start()
        thread.join()
        await on.pilot.pause()
        assert on.app.exit_reason == "gateway"


async def test_the_timer_takes_pictures_by_itself() -> None:
    import asyncio

    clock = ManualClock(wall=fake.NOW)
    link = FakeLink(TRIO)
    app = make_app(link, clock, hz=50)
    async with app.run_test() as pilot:
        await pilot.pause()
        link.latest = fake.busy()
        async with asyncio.timeout(5):
            while len(app.screen.query_one(ProviderTable).lines) != 14:
                await pilot.pause(0.02)


@pytest.mark.parametrize("locale", ["C", "POSIX"])
async def test_a_locale_that_is_said_to_be_plain_gets_plain_characters(
    locale: str, monkeypatch: pytest.MonkeyPatch, clock: ManualClock
) -> None:
    monkeypatch.setenv("LC_ALL", locale)
    assert make_app(FakeLink(), clock).has_class("-ascii")
