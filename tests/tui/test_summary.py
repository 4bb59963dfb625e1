"""The two lines at the top, and the lines that stand in when there is nothing to show."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

import pytest

from crtui.clock import ManualClock
from crtui.core.now import SECOND
from crtui.core.views import BudgetView, Snapshot
from crtui.engine.link import LinkStatus
from crtui.tui.empty import empty_lines, hint_lines
from crtui.tui.frame import Frame
from crtui.tui.frames import FrameSource
from crtui.tui.line import plain, width_of
from crtui.tui.summary import summary
from tests.fakes import snapshots as fake
from tests.tui.conftest import FakeLink


def frame(latest: Snapshot | None, status: LinkStatus | None = None, **link: bool) -> Frame:
    door = FakeLink(latest, **link)
    door.status = status or door.status
    return FrameSource(door, ManualClock(wall=fake.NOW), zone=UTC, read_only=False).take()


def lines(shown: Frame, width: int) -> list[str]:
    return [plain(line) for line in summary(shown, width)]


def test_the_wide_summary_tells_everything() -> None:
    first, second = lines(frame(fake.busy()), 140)
    for part in (
        "▶ LIVE",
        "14 providers",
        "● 6 ok",
        "◐ 4 limited",
        "✖ 2 out",
        "▼ 2 parked",
        "default → anthropic-max",
    ):
        assert part in first
    assert first.endswith("14:03:22 ")
    for part in ("52.6k tok/min", "$21.00 of $75.00", "3 in flight", "1.2k requests", fake.URL):
        assert part in second


def test_the_rate_is_that_of_all_together_and_not_the_sum_of_each_ones_own() -> None:
    for told, said in ((12_345.0, " 12.3k tok/min"), (None, " – tok/min")):
        assert said in lines(frame(replace(fake.busy(), tokens_per_min=told)), 140)[1]


def test_the_narrow_summary_keeps_state_counts_and_who_serves() -> None:
    first, second = lines(frame(fake.busy()), 44)
    assert first == " ▶ LIVE  ●6 ◐4 ✖2  → anthropic-max 14:03:22 "
    assert second.startswith(" 52.6k")


@pytest.mark.parametrize("width", range(40, 180, 7))
def test_both_lines_fit_every_width(width: int) -> None:
    lost = LinkStatus("lost", fake.URL, "connection reset", 3, 4.0)
    for shown in (frame(fake.busy()), frame(None), frame(fake.no_providers()), frame(fake.busy(), lost)):
        assert all(width_of(line) <= width for line in summary(shown, width))


@pytest.mark.parametrize(
    ("latest", "status", "said"),
    [
        (fake.busy(), LinkStatus("live", fake.URL), "▶ LIVE"),
        (None, LinkStatus("connecting", fake.URL), "◌ CONNECTING"),
        (None, LinkStatus("lost", fake.URL), "○ NOT CONNECTED"),
        (replace(fake.busy(), at=fake.NOW - 38 * SECOND), LinkStatus("lost", fake.URL), "◌ STALE 38s"),
        (fake.snapshot(fake.provider(), draining=True), LinkStatus("live", fake.URL), "◐ DRAINING"),
    ],
)
def test_the_connection_has_its_own_word(latest: Snapshot | None, status: LinkStatus, said: str) -> None:
    assert said in lines(frame(latest, status), 100)[0]


def test_a_stale_picture_stands_still_at_its_own_time() -> None:
    old = replace(fake.busy(), at=fake.NOW - 38 * SECOND)
    shown = frame(old, LinkStatus("lost", fake.URL))
    assert (shown.now, shown.clock) == (old.at, fake.NOW)


def test_nobody_to_serve_is_said_plainly() -> None:
    out = fake.snapshot(fake.exhausted("a", 60_000, "headers", "5h window spent"))
    assert "default → nobody" in lines(frame(out), 100)[0]


def test_an_unknown_cost_is_not_shown_as_zero() -> None:
    assert "cost unknown" in lines(frame(fake.no_traffic()), 100)[1]


@pytest.mark.parametrize(
    ("budget", "usage", "said"),
    [
        (BudgetView(75.0, 21.0, "2026-11", 3), (1.92, 9), "≥$21.00 of $75.00 month ━━━╌╌╌╌╌╌╌ 3 unpriced"),
        (BudgetView(None, 1.92, "2026-11", 3), (1.92, 9), "≥$1.92 in all 9 unpriced"),
        (BudgetView(None, 1.92, "2026-11", 0), (1.92, 0), " $1.92 in all"),
    ],
)
def test_a_sum_that_lacks_requests_is_a_least(
    budget: BudgetView, usage: tuple[float, int], said: str
) -> None:
    cost, unpriced = usage
    cloud = fake.provider("cloud", budget=budget)
    cloud = replace(cloud, usage=replace(cloud.usage, cost_usd=cost, unpriced_requests=unpriced))
    # A server on this machine has no price, and takes nothing from what the cloud's sum says.
    own = fake.provider("own", budget=BudgetView(None, None, "2026-11", 50))
    own = replace(own, usage=replace(own.usage, cost_usd=None, unpriced_requests=50))
    second = lines(frame(fake.snapshot(cloud, own)), 140)[1]
    assert said in second
    assert ("unpriced" in second) is bool(unpriced)


@pytest.mark.parametrize(
    ("width", "said"),
    [
        (140, "$5.00 of $50.00 month ━╌╌╌╌╌╌╌╌╌ + $60.00 uncapped"),
        (60, "$5.00 of $50.00 + $60.00"),
        (44, "$5.00 of $50.00 + $60.00"),
    ],
)
def test_money_without_a_cap_does_not_fill_the_caps_of_others(width: int, said: str) -> None:
    capped = fake.provider("capped", budget=BudgetView(50.0, 5.0, "2026-11"))
    free = fake.provider("free", budget=BudgetView(None, 60.0, "2026-11"))
    second = lines(frame(fake.snapshot(capped, free)), width)[1]
    assert said in second
    assert len(second) <= width


def test_requests_without_a_price_are_told_beside_the_sum_that_lacks_them() -> None:
    capped = fake.provider("capped", budget=BudgetView(50.0, 5.0, "2026-11"))
    free = fake.provider("free", budget=BudgetView(None, 60.0, "2026-11", 4))
    second = lines(frame(fake.snapshot(capped, free)), 140)[1]
    assert " $5.00 of $50.00 month ━╌╌╌╌╌╌╌╌╌ + ≥$60.00 uncapped 4 unpriced" in second


def test_notices_and_switches_are_shown() -> None:
    shown = frame(
        fake.snapshot(fake.provider(), allow_paid=True, notices=("not saving: disk full",)), read_only=True
    )
    second = lines(shown, 140)[1]
    assert "! not saving: disk full" in second
    assert "$ paid on" in second
    assert "read-only" in second


def test_without_a_gateway_it_says_what_to_start_and_when_it_tries_again() -> None:
    shown = frame(None, LinkStatus("lost", fake.URL, "connection refused", 3, 3.2))
    text = "\n".join(plain(line) for line in empty_lines(shown, 80))
    for part in (fake.URL, "connection refused", "crtui serve", "crtui demo", "in 4s (attempt 3)", "r now"):
        assert part in text


def test_without_providers_it_names_the_ways_to_get_one() -> None:
    text = "\n".join(plain(line) for line in empty_lines(frame(fake.no_providers()), 80))
    for part in ("local server", "ANTHROPIC_API_KEY", "crtui init", "crtui demo", "Nothing is sent"):
        assert part in text


def test_before_the_first_request_it_says_where_to_point_the_agent() -> None:
    text = "\n".join(plain(line) for line in hint_lines(frame(fake.no_traffic()), 80))
    assert "Point your agent at" in text
    assert fake.URL in text
    assert "y copies it" in text


@pytest.mark.parametrize("width", [30, 44, 60, 100])
def test_nothing_said_is_wider_than_the_screen(width: int) -> None:
    for shown in (
        frame(None),
        frame(None, LinkStatus("lost", fake.URL, "x" * 90)),
        frame(fake.no_providers()),
    ):
        assert all(width_of(line) <= width for line in empty_lines(shown, width))
    assert all(width_of(line) <= width for line in hint_lines(frame(fake.no_traffic()), width))


@pytest.mark.parametrize("width", [40, 80, 140])
def test_a_notice_longer_than_the_line_is_cut_and_does_not_vanish(width: int) -> None:
    shown = fake.snapshot(fake.provider("a"), notices=("the state directory " + "x" * 200,))
    second = lines(frame(shown), width)[1]
    assert "! the state directory" in second
    assert "…" in second
    assert len(second) <= width
