"""Several gateways: each in a tab with its worst state, its own pictures, orders, undo and staleness."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from crtui.clock import ManualClock
from crtui.core.inputs import Command
from crtui.core.now import SECOND
from crtui.core.views import Snapshot
from crtui.engine.link import LinkStatus
from crtui.tui.fleet import fleet_line
from crtui.tui.frame import Tab
from crtui.tui.line import plain, width_of
from crtui.tui.settings import ScreenSettings
from crtui.tui.widgets.table import ProviderTable
from tests.fakes import snapshots as fake
from tests.tui.conftest import FakeLink, make_app
from tests.tui.test_app import Stage

NEAR = fake.snapshot(fake.provider("a"), fake.provider("b"))
FAR = fake.snapshot(fake.provider("x"), fake.exhausted("y", 9_000_000, "headers", "spent"))


def link(latest: Snapshot | None, address: str, state: str = "live") -> FakeLink:
    made = FakeLink(latest)
    made.status = LinkStatus(state, f"http://{address}")  # type: ignore[arg-type]
    return made


@asynccontextmanager
async def fleet(*links: FakeLink, size: tuple[int, int] = (100, 30)) -> AsyncIterator[Stage]:
    clock = ManualClock(wall=fake.NOW)
    settings = ScreenSettings(notify="osc9")
    app = make_app(links[0], clock, others=links[1:], owns_gateway=False, settings=settings)  # type: ignore[arg-type]
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield Stage(app, links[0], clock, pilot)


async def test_every_gateway_has_a_tab_with_its_worst_state() -> None:
    old = replace(NEAR, at=fake.NOW - 12 * SECOND)
    links = (
        link(NEAR, "one:1"),
        link(FAR, "two:2"),
        link(old, "three:3", "lost"),
        link(None, "four:4", "lost"),
    )
    async with fleet(*links) as on:
        row = on.text("fleet")
    for part in ("[one:1] ● 2 ok", " two:2  ✖ 1 out", " three:3  ◌ stale 12s", " four:4  ○ not connected"):
        assert part in row


@pytest.mark.parametrize(
    ("addresses", "width", "shown"),
    [
        (("127.0.0.1:5704", "127.0.0.1:5706", "127.0.0.1:5799"), 60, ("[:5704]", " :5706 ", " :5799 ")),
        (("127.0.0.1:5704", "127.0.0.1:5706"), 100, ("[127.0.0.1:5704]", " 127.0.0.1:5706 ")),
        (("one.example.com:4747", "two.example.com:4747"), 40, ("[one.", " two.")),
    ],
)
def test_gateways_on_one_host_are_told_apart_where_there_is_little_room(
    addresses: tuple[str, ...], width: int, shown: tuple[str, ...]
) -> None:
    tabs = [Tab(name, "● 2 ok", "good", here=not place) for place, name in enumerate(addresses)]
    told = plain(fleet_line(tabs, width))
    assert [part for part in shown if part not in told] == []


async def test_one_gateway_has_no_tabs_and_its_keys_do_nothing() -> None:
    async with fleet(link(NEAR, "one:1")) as on:
        assert not on.app.screen.query_one("#fleet").display
        assert "gateway" not in on.text("keys")
        await on.press("greater_than_sign")
        assert on.names == ["a", "b"]


async def test_keys_lead_from_tab_to_tab_and_round() -> None:
    links = link(NEAR, "one:1"), link(FAR, "two:2")
    async with fleet(*links) as on:
        await on.press("greater_than_sign")
        assert sorted(on.names) == ["x", "y"]
        assert "[two:2]" in on.text("fleet")
        await on.press("ctrl+pagedown")
        assert on.names == ["a", "b"]
        await on.press("less_than_sign")
        assert sorted(on.names) == ["x", "y"]


async def test_orders_and_undo_stay_with_their_gateway() -> None:
    near, far = link(NEAR, "one:1"), link(FAR, "two:2")
    async with fleet(near, far) as on:
        await on.press("d", "greater_than_sign", "u")
        assert "nothing to undo" in on.text("keys")
        await on.press("less_than_sign", "u")
    assert near.sent == [Command("demote", "a"), Command("release", "a")]
    assert far.sent == []


async def test_a_gateway_that_is_gone_is_stale_alone() -> None:
    near, far = link(NEAR, "one:1"), link(FAR, "two:2")
    async with fleet(near, far) as on:
        far.status = LinkStatus("lost", "http://two:2", "connection refused", 2, 3.0)
        on.clock.advance(5000)
        near.latest = replace(NEAR, at=on.clock.now().wall)
        on.app.tick()
        await on.pilot.pause()
        assert "two:2  ◌ stale 5s" in on.text("fleet")
        assert "LIVE" in on.text("summary")
        await on.press("greater_than_sign")
        assert "STALE" in on.text("summary")


async def test_what_happens_at_another_gateway_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    near, far = link(NEAR, "one:1"), link(NEAR, "two:2")
    async with fleet(near, far) as on:
        written: list[str] = []
        assert on.app._driver is not None
        monkeypatch.setattr(on.app._driver, "write", written.append)
        far.latest = fake.snapshot(fake.provider("a"), fake.exhausted("b", 9_000_000, "headers", "spent"))
        on.app.tick()
        assert "b is empty" in "".join(written)


async def test_the_mask_hides_addresses() -> None:
    async with fleet(link(NEAR, "one:1"), link(FAR, "two:2")) as on:
        await on.press("H")
        assert "[gateway-1]" in on.text("fleet")
        assert "two" not in on.text("fleet")


async def test_a_selected_provider_stays_selected_where_both_have_it() -> None:
    async with fleet(link(NEAR, "one:1"), link(NEAR, "two:2")) as on:
        await on.press("j", "greater_than_sign")
        assert on.app.screen.query_one(ProviderTable).selected == "b"


@pytest.mark.parametrize("width", range(20, 160, 7))
@pytest.mark.parametrize("here", [0, 3, 5])
def test_the_row_fits_and_always_shows_the_open_tab(width: int, here: int) -> None:
    tabs = [Tab(f"gateway-{n}.example.org:4747", "✖ 1 out", "bad", n == here) for n in range(6)]
    line = fleet_line(tabs, width)
    assert width_of(line) <= width
    assert "[gatew" in plain(line)
