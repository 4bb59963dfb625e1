"""Dump and restore: what survives a restart, what a restart's clocks do, what is refused."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crtui.core.core import Core
from crtui.core.inputs import Attempt, Limits, ModelReport, Tick, Usage, WindowReport
from crtui.core.now import DAY, HOUR, SECOND, Now
from crtui.core.plan import Ask
from crtui.core.saved import BadDumpError
from crtui.core.settings import CoreSettings, Price, ProfileSettings, ProviderSettings
from tests.core.test_core import action, feed, story, world_of
from tests.core.world import START, World


def dumped(world: World) -> dict[str, Any]:
    """The dump after a way through JSON."""
    return json.loads(json.dumps(world.core.dump(world.now())))


def restarted(
    world: World,
    *,
    off_s: float = 0,
    mono: int = 5,
    settings: CoreSettings | None = None,
    tickets: bool = False,
) -> World:
    """The same world in a new process, ``off_s`` later by the wall clock, on another monotonic clock.

    With ``tickets`` the attempts in flight live on, as in a replay from a checkpoint.
    """
    data = dumped(world)
    again = World("x")
    again.start, again.t = world.start + round(off_s * 1000), world.t
    again.offset = mono - world.now().mono
    again.core = Core.restore(settings or world.core.settings, data, again.now(), tickets=tickets)
    return again


def busy() -> World:
    """A world in which every guard has something to remember."""
    rows = [
        ProviderSettings("down", threshold=2, recovery_ms=10_000),
        ProviderSettings("limited", price=Price(3.0, 15.0), monthly_usd=1.0),
        ProviderSettings("full", daily_tokens=1000),
        ProviderSettings("tired", paid=True),
        ProviderSettings("refused"),
    ]
    chain = tuple(row.name for row in rows)
    world = World(*rows, profiles=(ProfileSettings("default", chain, "random", adaptive=True),))
    for _ in range(4):
        world.fail("down", 500, message="boom")
    world.ok("limited", usage=Usage(100, 100_000), session="s", output_ms=500, ttft_ms=9, profile="default")
    reset = WindowReport("5h", "headers", 80.0, 20.0, 100.0, START + HOUR)
    world.fail("limited", 429, limits=Limits(90_000, (reset,)))
    world.ok("full", usage=Usage(2000))
    world.fail("tired", 500, error="CUDA out of memory")
    world.fail("refused", 401, message="bad key")
    world.command("demote", "tired", for_ms=60_000)
    world.command("pin", "full")
    world.command("paid", allow=True)
    world.poll("full", models=(ModelReport("m", True, 8192, None),))
    world.plan(session="s")
    return world


def test_every_guard_and_count_survives_a_restart_at_once():
    world = busy()
    again = restarted(world)

    assert again.snapshot().providers == world.snapshot().providers
    assert again.core.allow_paid
    assert again.plan(session="s") == world.plan(session="s")
    assert again.events[-1].seq == world.events[-1].seq


@given(story, action, st.integers(0, 10**12))
@settings(max_examples=100, deadline=None)
def test_t8_dump_and_restore_at_the_same_instant_is_a_fixed_point(steps, health_action, mono):
    world = world_of(health_action, "random")
    for wait, item in steps:
        feed(world.at(world.t + wait / 1000), item)
    world.tick()

    assert dumped(restarted(world, mono=mono, tickets=True)) == dumped(world)


@given(story, story, action)
@settings(max_examples=150, deadline=None)
def test_what_was_dumped_in_the_middle_of_a_story_goes_on_as_the_original_does(before, after, health_action):
    world = world_of(health_action, "random")
    for wait, item in before:
        feed(world.at(world.t + wait / 1000), item)
    world.tick()
    again = restarted(world, mono=world.now().mono, tickets=True)

    for wait, item in after:
        later = world.t + wait / 1000
        assert feed(again.at(later), item) == feed(world.at(later), item)
    assert again.snapshot() == world.snapshot()
    assert dumped(again) == dumped(world)


def test_an_attempt_from_before_a_refusal_is_no_evidence_of_room_after_a_checkpoint_either():
    world = World("a")
    first, second = world.begin("a"), world.begin("a")
    world.fail("a", 429, ticket=second, retry_after=600)
    room = Limits(None, (WindowReport("1m", "headers", remaining=5, limit=10),))
    again = restarted(world, tickets=True)

    for one in (world, again):
        one.ok("a", ticket=first, limits=room)
        assert one.row("a").quota.state == "quota_exhausted"


def test_an_answer_that_began_earlier_enlarges_no_window_after_a_checkpoint_either():
    world = World("a")
    first, second = world.begin("a"), world.begin("a")
    world.ok("a", ticket=second, limits=Limits(None, (WindowReport("1m", "headers", remaining=1, limit=10),)))
    again = restarted(world, tickets=True)

    for one in (world, again):
        one.ok(
            "a", ticket=first, limits=Limits(None, (WindowReport("1m", "headers", remaining=9, limit=10),))
        )
        assert one.row("a").quota.windows[0].remaining == 1


def test_a_dump_from_before_tickets_were_dumped_is_a_restart():
    world = World("a", "b")
    world.fail("a", 429, retry_after=20)
    world.at(20).begin("a")
    data = dumped(world)
    del data["providers"]["a"]["tickets"]
    again = Core.restore(world.core.settings, data, world.now())

    assert again.provider_view("a", world.now()).in_flight == 0
    assert again.admits("a", "default", world.now())


@given(story, action, st.integers(-DAY, DAY), st.integers(0, 10**12))
@settings(max_examples=100, deadline=None)
@pytest.mark.fault("D20", "S30")
def test_c8_no_pair_of_clocks_makes_a_wait_longer(steps, health_action, off_ms, mono):
    world = world_of(health_action)
    for wait, item in steps:
        feed(world.at(world.t + wait / 1000), item)
    world.tick()
    again = restarted(world, off_s=off_ms / 1000, mono=mono)
    again.tick()

    for name in world.core.providers:
        waits = [r.until - world.now().wall for r in world.row(name).reasons if r.until and r.guard != "burn"]
        left = [r.until - again.now().wall for r in again.row(name).reasons if r.until and r.guard != "burn"]
        assert max(left, default=0) <= max(waits, default=0), "C8: a restart made a wait longer"


@pytest.mark.parametrize(
    ("off_s", "left"), [(0, 100), (30, 70), (99.999, 0.001), (-500, 100), (100, None), (10**6, None)]
)
@pytest.mark.fault("D20", "S30")
def test_the_time_that_passed_is_taken_off_a_wait_and_a_clock_set_back_adds_none(off_s, left):
    world = World("a", "b")
    world.fail("a", 429, retry_after=100)
    again = restarted(world, off_s=off_s)
    again.tick()
    until = again.row("a").quota.retry_after

    assert (None if until is None else (until - again.now().wall) / 1000) == left


def test_what_fell_due_while_it_was_off_is_told_with_its_own_time():
    world = World(ProviderSettings("a", threshold=2, recovery_ms=10_000))
    for _ in range(4):
        world.fail("a")
    again = restarted(world, off_s=3600)

    assert [(e.kind, e.at) for e in again.tick()] == [("health.half_open", START + 10_000)]


def test_attempts_in_flight_and_their_trials_die_with_the_process():
    world = World(ProviderSettings("a", threshold=2, recovery_ms=10_000), "b")
    for _ in range(4):
        world.fail("a")
    world.at(10).begin("a")
    assert world.order() == "b a"
    again = restarted(world)

    assert again.row("a").in_flight == 0
    assert again.order() == "a b"


def test_a_quota_trial_that_died_is_due_again():
    world = World("a", "b")
    world.fail("a", 429, retry_after=20)
    world.at(20).begin("a")
    assert world.dropped() == {"a": "quota:trial"}

    assert restarted(world).order() == "a b"


@pytest.mark.fault("S45")
def test_an_override_survives_and_ends_when_it_was_to_end():
    world = World("a", "b")
    world.command("drain", "a")
    world.command("demote", "b", for_ms=60_000)
    again = restarted(world, off_s=59)

    assert again.dropped() == {"a": "operator:drained"}
    assert again.row("b").operator.override == "demoted"
    assert [e.kind for e in again.at(1).tick()] == ["operator.changed"]
    assert again.row("b").operator.override == "none"


def test_of_two_pins_the_newer_still_leads():
    world = World("a", "b", "c")
    world.command("pin", "b")
    world.at(1).command("pin", "c")

    assert restarted(world, off_s=77).order() == "c b a"


def test_spend_and_the_days_tokens_survive_and_end_with_their_month_and_day():
    row = ProviderSettings("a", price=Price(1.0, 1.0), monthly_usd=1.0, daily_tokens=1_000_000)
    world = World(row)
    world.ok("a", usage=Usage(1_000_000))

    assert restarted(world, off_s=3600).dropped() == {"a": "budget:spent"}
    assert restarted(world, off_s=12 * 86_400).order() == "a"
    assert restarted(world, off_s=12 * 86_400).row("a").usage.cost_usd == 1.0


def test_one_that_is_configured_no_longer_is_left_out_and_a_new_one_starts_fresh():
    world = World("a", "b")
    world.fail("b", 429, retry_after=100)
    other = CoreSettings(
        (ProviderSettings("b"), ProviderSettings("c")), (ProfileSettings("default", ("b", "c")),)
    )
    again = restarted(world, settings=other)

    assert again.core.providers == ("b", "c")
    assert again.dropped() == {"b": "quota:rate_limited"}
    assert again.row("c").usage.requests == 0


@pytest.mark.parametrize(
    ("threshold", "state"), [(1, "UNHEALTHY"), (2, "UNHEALTHY"), (3, "DEGRADED"), (5, "HEALTHY")]
)
def test_under_another_threshold_the_failures_are_judged_anew(threshold, state):
    world = World(ProviderSettings("a", threshold=2, recovery_ms=10_000))
    for _ in range(4):
        world.fail("a")
    row = ProviderSettings("a", threshold=threshold, recovery_ms=10_000)
    again = restarted(world, settings=CoreSettings((row,), (ProfileSettings("default", ("a",)),)))

    assert again.row("a").health.state == state
    assert (again.row("a").health.retry_at is not None) == (state == "UNHEALTHY")


@pytest.mark.parametrize(("recovery_s", "wait_s"), [(3, 3), (10, 10), (90, 10)])
def test_a_shorter_recovery_time_applies_at_once_a_longer_one_from_the_next_wait(recovery_s, wait_s):
    world = World(ProviderSettings("a", threshold=2, recovery_ms=10_000))
    for _ in range(4):
        world.fail("a")
    row = ProviderSettings("a", threshold=2, recovery_ms=recovery_s * SECOND)
    again = restarted(world, settings=CoreSettings((row,), (ProfileSettings("default", ("a",)),)))

    assert again.row("a").health.retry_at == START + wait_s * SECOND


@pytest.mark.parametrize(
    ("configured", "pressed", "configured_now", "allowed"),
    [
        (False, True, False, True),
        (True, False, True, False),
        (False, False, True, True),
        (True, True, False, False),
    ],
)
def test_permission_to_pay_survives_unless_the_config_changed_its_mind(
    configured, pressed, configured_now, allowed
):
    world = World(ProviderSettings("a", paid=True), allow_paid=configured)
    world.command("paid", allow=pressed)
    again = restarted(world, settings=replace(world.core.settings, allow_paid=configured_now))

    assert again.core.allow_paid is allowed


def test_chance_goes_on_where_it_was():
    names = tuple("abcdefgh")
    world = World(*names, profile={"tactic": "random"})
    for _ in range(5):
        world.plan()
    again = restarted(world)

    assert [again.order() for _ in range(20)] == [world.order() for _ in range(20)]


def test_event_numbers_go_on_and_none_is_given_twice():
    world = World("a")
    world.ok("a")

    assert restarted(world).ok("a")[0].seq == world.events[-1].seq + 1


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a dump, as the path to it."""
    found = [path] if path else []
    if isinstance(value, dict):
        children = list(value.items())
    else:
        children = list(enumerate(value[:2])) if isinstance(value, list) else []
    for key, child in children:
        found += places(child, (*path, key))
    return found


def in_the_middle() -> World:
    """A busy world with attempts in flight, one of them a trial."""
    world = busy()
    world.begin("full")
    world.at(10).tick()
    world.begin("down")
    return world


DUMP = dumped(in_the_middle())
PLACES = places(DUMP)
SPOILED = st.one_of(
    st.none(), st.text(max_size=3), st.integers(), st.floats(), st.booleans(), st.just([]), st.just({})
)


def spoil(path: tuple[Any, ...], value: Any, *, drop: bool) -> dict[str, Any]:
    data = copy.deepcopy(DUMP)
    parent: Any = data
    for key in path[:-1]:
        parent = parent[key]
    if drop:
        del parent[path[-1]]
    else:
        parent[path[-1]] = value
    return data


@given(st.sampled_from(PLACES), SPOILED, st.booleans())
@settings(max_examples=600, deadline=None)
def test_a_damaged_dump_is_refused_with_one_error_or_makes_a_core_that_works(path, value, drop):
    world = busy()
    try:
        core = Core.restore(world.core.settings, spoil(path, value, drop=drop), world.now())
    except BadDumpError:
        return
    core.feed(Tick(), world.now())
    core.feed(Attempt("down", True, usage=Usage(1, 1)), world.now())
    core.route(Ask("chat"), world.now())
    world.core = core
    world.snapshot()
    json.dumps(core.dump(world.now()), allow_nan=False)


@pytest.mark.parametrize(
    "data",
    [None, [], {}, 3, {"format": 1}, {**DUMP, "format": 2}, {**DUMP, "rng": [1]}, {**DUMP, "wall": 2**70}],
)
def test_what_is_no_dump_is_refused_by_name(data):
    with pytest.raises(BadDumpError):
        Core.restore(busy().core.settings, data, Now(0, START))


def test_a_fork_is_exact_and_apart():
    world = busy()
    ticket = world.begin("full")
    fork = world.core.fork()
    before = fork.dump(world.now())

    assert before == world.core.dump(world.now())
    assert fork.provider_view("full", world.now()).in_flight == 1
    world.ok("full", ticket=ticket)
    assert fork.dump(world.now()) == before
    assert fork.next_due() is not None


@given(story, story, action)
@settings(max_examples=50, deadline=None)
def test_a_fork_goes_on_as_the_original_does(before, after, health_action):
    world, twin = world_of(health_action, "random"), World("x")
    for wait, item in before:
        feed(world.at(world.t + wait / 1000), item)
    twin.core, twin.t = world.core.fork(), world.t

    for wait, item in after:
        later = world.t + wait / 1000
        assert feed(twin.at(later), item) == feed(world.at(later), item)
    assert twin.snapshot() == world.snapshot()
