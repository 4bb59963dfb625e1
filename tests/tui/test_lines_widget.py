"""The line widgets: what is drawn, and that only what changed is drawn again."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest
from textual.app import App, ComposeResult

from crtui.clock import ManualClock
from crtui.tui.app import CrtuiApp
from crtui.tui.line import Line, Span
from crtui.tui.widgets.lines import LineView
from crtui.tui.widgets.table import ProviderTable
from tests.fakes import snapshots as fake
from tests.tui.conftest import FakeLink, make_app


class Bench(App[None]):
    """One line view, eight cells wide."""

    COMPONENT_CLASSES: ClassVar[set[str]] = CrtuiApp.COMPONENT_CLASSES

    def compose(self) -> ComposeResult:
        view = LineView(id="view")
        view.styles.width, view.styles.height = 8, 3
        yield view


def line(text: str) -> Line:
    return (Span(text),)


async def test_a_line_is_drawn_exactly_as_wide_as_the_widget() -> None:
    app = Bench()
    async with app.run_test(size=(20, 5)) as pilot:
        view = app.query_one("#view", LineView)
        view.set_lines([line("short"), line("far too long for it")])
        await pilot.pause()
        assert [view.render_line(y).text for y in range(3)] == ["short   ", "far too…", "        "]


@pytest.mark.fault("K17")
async def test_markup_in_a_name_is_text() -> None:
    app = Bench()
    async with app.run_test(size=(20, 5)) as pilot:
        view = app.query_one("#view", LineView)
        view.set_lines([line("[/b][x]")])
        await pilot.pause()
        assert view.render_line(0).text == "[/b][x] "


async def test_only_changed_lines_are_drawn_again() -> None:
    app = Bench()
    async with app.run_test(size=(20, 5)) as pilot:
        view = app.query_one("#view", LineView)
        view.set_lines([line("a"), line("b"), line("c")])
        await pilot.pause()
        before = [view.render_line(y) for y in range(3)]
        assert view.set_lines([line("a"), line("B"), line("c")]) == 1
        after = [view.render_line(y) for y in range(3)]
        assert [one is two for one, two in zip(before, after, strict=True)] == [True, False, True]
        assert view.set_lines([line("a"), line("B"), line("c")]) == 0


async def test_a_theme_change_draws_everything_again() -> None:
    app = make_app(FakeLink(fake.busy()), ManualClock(wall=fake.NOW))
    async with app.run_test(size=(80, 24)) as pilot:
        table = app.screen.query_one(ProviderTable)
        before = table.render_line(0)
        await pilot.press("t")
        await pilot.pause()
        assert app.theme == "crtui-light"
        assert table.render_line(0) is not before


async def test_a_tick_in_which_nothing_visible_changed_draws_nothing(clock: ManualClock) -> None:
    link = FakeLink(fake.busy())
    app = make_app(link, clock)
    async with app.run_test(size=(140, 40)) as pilot:
        await pilot.pause()
        views = list(app.screen.query(LineView))
        before = [view.lines for view in views]
        clock.advance(250)
        link.latest = replace(fake.busy(), version=8)
        app.tick()
        strips = [view.render_line(0) for view in views]
        app.tick(force=True)
        assert all(one == view.lines for one, view in zip(before, views, strict=True))
        assert all(one is view.render_line(0) for one, view in zip(strips, views, strict=True))


async def test_a_second_later_only_countdowns_and_the_clock_are_drawn(clock: ManualClock) -> None:
    app = make_app(FakeLink(fake.busy()), clock)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        table = app.screen.query_one(ProviderTable)
        before = table.lines
        clock.advance(1000)
        app.tick()
        changed = [one for one, two in zip(before, table.lines, strict=True) if one != two]
        told = ["".join(span.text for span in row) for row in changed]
        assert any("42s" in row for row in told)
        assert not any("demoted by you" in row or "openrouter" in row for row in told)


@pytest.mark.parametrize("theme", ["nord", "textual-light", "ansi-dark"])
async def test_any_theme_of_textual_can_be_chosen(theme: str, clock: ManualClock) -> None:
    app = make_app(FakeLink(fake.busy()), clock)
    async with app.run_test(size=(80, 24)) as pilot:
        app.theme = theme
        await pilot.pause()
        styles = {
            role: app.screen.query_one(ProviderTable)._style(role) for role in ("text", "dim", "faint", "bad")
        }
        assert len(set(styles.values())) >= 3
        assert "QUOT" in app.screen.query_one(ProviderTable).render_line(0).text
