"""The forecast: who serves when, what runs out, what comes back, and when the chain runs dry."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crtui.core.encode import snapshot_from_json, snapshot_json
from crtui.core.forecast import HORIZON_MS, forecast
from crtui.core.inputs import Limits, Usage, WindowReport
from crtui.core.settings import Price, ProfileSettings, ProviderSettings
from crtui.core.views import ForecastView, Snapshot
from tests.core.test_core import action, feed, story, world_of
from tests.core.world import START, World

HOUR = 3600
LATE = START + 13 * HOUR * 1000  # 22:00 UTC


def ahead(world: World) -> ForecastView:
    return forecast(world.core, world.now())


def lane(view: ForecastView, name: str) -> list[tuple[float, str, str]]:
    """When each stretch begins, in seconds from the forecast's start, and what it is."""
    [found] = [row for row in view.lanes if row.provider == name]
    return [((s.start - view.start) / 1000, s.state, s.code) for s in found.segments]


def dry(view: ForecastView, profile: str = "default") -> tuple[float | None, float | None]:
    [found] = [row for row in view.profiles if row.profile == profile]
    at, until = found.dry_at, found.dry_until
    return (
        None if at is None else (at - view.start) / 1000,
        None if until is None else (until - view.start) / 1000,
    )


def busy(world: World, name: str, per_minute: int, minutes: int = 15) -> None:
    """Traffic at an even rate, up to now and ``minutes`` further."""
    begin = world.t
    for minute in range(minutes):
        world.at(begin + minute * 60).ok(name, usage=Usage(input=per_minute))
    world.at(begin + minutes * 60).tick()


def test_without_traffic_nothing_runs_out_and_the_first_serves():
    view = ahead(World(ProviderSettings("a", daily_tokens=10), "b"))

    assert (lane(view, "a"), lane(view, "b")) == ([(0, "serving", "")], [(0, "waiting", "")])
    assert dry(view) == (None, None)
    assert view.end - view.start == HORIZON_MS
    assert [row.tokens_per_min for row in view.lanes] == [None, None]


def test_the_days_budget_runs_out_at_the_recent_rate_and_the_next_takes_over():
    world = World(ProviderSettings("a", daily_tokens=2_000_000), "b", start=LATE)
    world.ok("a", usage=Usage(input=1_780_000))
    busy(world.at(20 * 60), "a", 3000)
    view = ahead(world)
    [(start, state, code), (out, then, why), (midnight, again, _), *_] = lane(view, "a")

    assert (start, state, code, then, why, again) == (0, "serving", "", "out", "projected", "serving")
    # 1.825 M at 22:35; the even pace of 1389 a minute stands at 1.882 M and is caught up at 3000.
    assert out == pytest.approx(57_000 / (3000 - 1389) * 60, rel=0.15)
    assert midnight == 2 * HOUR - world.t
    assert lane(view, "b")[:3] == [(0, "waiting", ""), (out, "serving", ""), (midnight, "waiting", "")]


def test_a_pace_over_the_days_budget_is_found_out_on_the_way():
    world = World(ProviderSettings("a", daily_tokens=2_000_000), "b", start=START - 9 * HOUR * 1000)
    busy(world, "a", 4000, minutes=16)

    assert [(state, code) for _, state, code in lane(ahead(world), "a")] == [
        ("serving", ""),
        ("out", "projected"),
    ]


@pytest.mark.parametrize(
    ("begin", "minutes", "budget", "rate", "out"),
    [
        (-9 * HOUR, 5, 3_000_000, 30_000, 10),  # at 00:15, when the day's pace first counts
        (-9 * HOUR, 20, 6_000_000, 10_000, 43),  # at 01:03, when a tenth is used
        (14.5 * HOUR, 15, 10_000_000, 20_000, 68),  # at 00:53, when a tenth of the next day's is
    ],
)
def test_a_days_pace_is_found_out_at_the_minute_it_counts(begin, minutes, budget, rate, out):
    world = World(ProviderSettings("a", daily_tokens=budget), "b", start=START + int(begin * 1000))
    busy(world, "a", rate, minutes=minutes)
    [_, (found, _, code), *_] = lane(ahead(world), "a")

    assert code == "projected"
    assert found == pytest.approx(out * 60, abs=90)


def test_the_months_budget_runs_out_at_the_recent_cost():
    world = World(ProviderSettings("a", monthly_usd=1.0, price=Price(input=10.0)), "b")
    busy(world, "a", 1000)
    [_, (out, _, code)] = lane(ahead(world), "a")

    assert code == "spent"
    assert out == pytest.approx(85 * 60, rel=0.1)


def test_a_window_runs_out_by_its_own_readings_and_comes_back_at_its_reset():
    world = World("a", "b")
    for minute in range(0, 31, 5):
        told = WindowReport("5h", "headers", 40.0 + minute, resets_at=START + 3 * HOUR * 1000)
        world.at(minute * 60).ok("a", limits=Limits(windows=(told,)))
    view = ahead(world)
    [_, (out, state, code), (back, again, _)] = lane(view, "a")

    assert (state, code, again) == ("out", "window_spent", "serving")
    assert out == pytest.approx(30 * 60, rel=0.1)
    assert back == 3 * HOUR - 30 * 60
    assert lane(view, "b")[1] == (out, "serving", "")


def working(minutes: int) -> World:
    """An hour in which ``a`` has used up one part in a hundred of its window a minute, and a pause."""
    world = World("a", "b")
    for minute in range(61):
        told = WindowReport("5h", "headers", float(minute), resets_at=START + 5 * HOUR * 1000)
        world.at(minute * 60).ok("a", usage=Usage(input=10_000), limits=Limits(windows=(told,)))
    world.at(3600 + minutes * 60).tick()
    return world


def test_a_window_that_nobody_uses_any_more_does_not_run_out():
    shown = [world.row("a").quota.windows[0] for world in (working(0), working(14), working(20), working(60))]

    assert [lane(ahead(working(minutes)), "a")[1:2] for minutes in (20, 60)] == [[], []]
    assert lane(ahead(working(0)), "a")[1][:2] == (pytest.approx(40 * 60, rel=0.05), "out")
    assert [window.exhausts_from is not None for window in shown] == [True, True, False, False]
    assert not any(window.lasts for window in shown)


def test_a_window_that_others_fill_goes_on_as_it_did():
    world = working(20)
    for minute in range(80, 111):
        told = WindowReport("5h", "subscription", minute - 20.0, resets_at=START + 5 * HOUR * 1000)
        world.at(minute * 60).poll("a", windows=(told,))

    assert [state for _, state, _ in lane(ahead(world), "a")] == ["serving", "out", "serving"]


def test_a_cooldown_comes_back_when_it_ends_and_half_open_is_taken_to_work():
    rows = [ProviderSettings(name, threshold=2, recovery_ms=600_000) for name in "ab"]
    world = World(*rows, "c", profile={"health_action": "exclude"})
    for _ in range(4):
        world.fail("a")
    world.fail("b", 429, retry_after=1200)
    view = ahead(world)

    assert lane(view, "a") == [(0, "out", "unhealthy"), (600, "serving", "")]
    assert lane(view, "b") == [(0, "out", "rate_limited"), (1200, "waiting", "")]
    assert lane(view, "c") == [(0, "serving", ""), (600, "waiting", "")]


def test_a_free_probe_is_taken_to_succeed():
    row = ProviderSettings("a", threshold=2, recovery_ms=600_000, free_probe=True)
    world = World(row, "b", profile={"health_action": "exclude"})
    for _ in range(4):
        world.fail("a")

    assert lane(ahead(world), "a") == [(0, "out", "unhealthy"), (600, "serving", "")]


def test_a_refused_credential_stays_out():
    world = World("a", "b")
    world.fail("a", 401)

    assert lane(ahead(world), "a") == [(0, "out", "auth")]


def test_the_moment_a_chain_runs_dry_and_the_moment_it_is_over():
    world = World(ProviderSettings("a", monthly_usd=1.0, price=Price(input=10.0)), "b")
    world.fail("b", 429, retry_after=4 * HOUR)
    busy(world, "a", 1000)
    view = ahead(world)
    at, until = dry(view)

    assert at == lane(view, "a")[1][0]
    assert until == 4 * HOUR - world.t


def test_a_chain_that_is_dry_now_says_so_and_one_not_back_in_time_has_no_end():
    world = World("a")
    world.fail("a", 429, retry_after=9 * HOUR)

    assert dry(ahead(world)) == (0, None)


def test_each_profile_has_its_own_outlook_and_traffic_moves_only_within_it():
    chains = (ProfileSettings("default", ("a",)), ProfileSettings("other", ("b",)))
    world = World(ProviderSettings("a", daily_tokens=2_000_000), "b", profiles=chains)
    busy(world, "a", 10_000)
    world.ok("a", usage=Usage(input=1_700_000))
    view = ahead(world)

    assert dry(view)[0] is not None
    assert dry(view, "other") == (None, None)
    assert lane(view, "b") == [(0, "serving", "")]


@pytest.mark.parametrize("minutes", [1, 7])
def test_traffic_that_has_moved_to_another_provider_counts_once(minutes):
    world = World("a", ProviderSettings("b", daily_tokens=3_000_000))
    busy(world, "a", 10_000, minutes=60)
    world.fail("a", 429, retry_after=4 * HOUR)
    busy(world, "b", 10_000, minutes=minutes)

    assert world.snapshot().tokens_per_min == pytest.approx(10_000, rel=0.1)
    # At 12:37 b has used more than its share of the day at that pace.
    assert lane(ahead(world), "b")[1][0] == pytest.approx((157 - minutes) * 60, rel=0.15)


@pytest.mark.parametrize("tactic", ["random", "adaptive"])
def test_tactics_that_spread_keep_everyones_share(tactic):
    rows = [ProviderSettings(name, daily_tokens=50_000_000) for name in "ab"]
    world = World(*rows, profile={"tactic": tactic})
    busy(world, "a", 1000, minutes=1)
    busy(world, "b", 3000, minutes=1)

    assert [lane(ahead(world), name) for name in "ab"] == [[(0, "serving", "")]] * 2


@given(story, action, st.sampled_from(["priority", "random", "latency_based"]))
@settings(max_examples=60, deadline=None)
def test_lanes_have_no_gap_and_looking_ahead_changes_nothing(steps, health_action, tactic):
    world = world_of(health_action, tactic)
    for wait, item in steps:
        feed(world.at(world.t + wait / 1000), item)
    world.tick()
    before = world.core.dump(world.now())
    view = ahead(world)

    assert ahead(world) == view
    assert world.core.dump(world.now()) == before
    for row in view.lanes:
        edges = [edge for segment in row.segments for edge in (segment.start, segment.end)]
        assert edges[0] == view.start
        assert edges[-1] == view.end
        assert edges[1:-1:2] == edges[2::2]
        assert len(set(edges)) == len(row.segments) + 1


@given(story, action)
@settings(max_examples=40, deadline=None)
def test_what_is_shown_now_is_how_every_lane_begins(steps, health_action):
    world = world_of(health_action)
    for wait, item in steps:
        feed(world.at(world.t + wait / 1000), item)
    snapshot, view = world.snapshot(), ahead(world)
    half_open = {row.name for row in snapshot.providers if row.health.half_open}

    for row in snapshot.providers:
        out = row.name in {drop.provider for drop in snapshot.profiles[0].dropped}
        if not half_open:
            assert (lane(view, row.name)[0][1] == "out") == out


def test_a_forecast_survives_its_json_and_old_states_still_read():
    world = World("a", "b")
    world.fail("a", 429, retry_after=600)
    plain = world.snapshot()
    told = Snapshot(
        plain.at, plain.gateway, plain.profiles, plain.providers, plain.events, forecast=ahead(world)
    )
    data = json.loads(json.dumps(snapshot_json(told)))

    assert snapshot_from_json(data) == told
    assert data["forecast"]["lanes"][0]["segments"][0]["state"] == "out"
    del data["forecast"]
    assert snapshot_from_json(data).forecast is None


def test_a_profiles_traffic_stays_with_whoever_serves_that_profile():
    """``b`` stands behind ``a`` in the default profile, and is first in another that uses its budget up."""
    world = World(
        "a",
        ProviderSettings("b", daily_tokens=2_000_000),
        profiles=(ProfileSettings("default", ("a", "b")), ProfileSettings("side", ("b",))),
        start=LATE,
    )
    for minute in range(15):
        world.at(minute * 60).ok("a", usage=Usage(input=50_000))
        world.at(minute * 60).ok("b", usage=Usage(input=100_000), profile="side")
    world.at(15 * 60).tick()

    assert [state for _, state, _ in lane(ahead(world), "b")][:2] == ["serving", "out"]
    assert [state for _, state, _ in lane(ahead(world), "a")] == ["serving"]
