"""What must always hold, whatever comes in: the core as a machine that is fed at random."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crtui.core.encode import snapshot_from_json, snapshot_json
from crtui.core.inputs import Attempt, Began, Command, Input, Limits, Poll, Tick, Usage, WindowReport
from crtui.core.plan import Ask
from crtui.core.settings import ProfileSettings, ProviderSettings
from tests.core.world import START, World

NAMES = ("a", "b", "c")
name = st.sampled_from(NAMES)
ms = st.sampled_from([0, 1, 999, 5_000, 10_000, 60_000, 3_600_000])
window = st.builds(
    WindowReport,
    st.sampled_from(["5h", "7d"]),
    st.just("headers"),
    st.one_of(st.none(), st.floats(0, 120)),
    st.one_of(st.none(), st.sampled_from([0.0, 5.0])),
    st.none(),
    st.one_of(st.none(), st.integers(START - 1000, START + 10**7)),
)
# Named tuples are made by functions: Hypothesis would fill in every field it is not given.
usage = st.builds(lambda sent, got: Usage(sent, got), st.integers(0, 10**5), st.integers(0, 10**5))
attempt = st.builds(
    lambda provider, ok, **rest: Attempt(provider, ok, **rest),
    name,
    st.booleans(),
    ticket=st.integers(0, 5),
    status=st.sampled_from([None, 200, 400, 401, 402, 404, 429, 500, 503, 529]),
    error_kind=st.sampled_from([None, "connect", "reset", "client"]),
    error=st.sampled_from(["", "out of memory"]),
    session=st.sampled_from([None, "s"]),
    latency_ms=st.one_of(st.none(), st.integers(0, 9000)),
    limits=st.builds(
        Limits, st.one_of(st.none(), st.integers(1, 10**6)), st.lists(window, max_size=2).map(tuple)
    ),
    usage=st.one_of(st.none(), usage),
)
step: st.SearchStrategy[Input | Ask] = st.one_of(
    attempt,
    attempt,
    st.builds(Began, name, st.integers(1, 5), st.just("default")),
    st.builds(Poll, name, st.booleans(), windows=st.lists(window, max_size=1).map(tuple)),
    st.builds(
        Command,
        st.sampled_from(["demote", "drain", "pin", "release", "reset"]),
        name,
        st.one_of(st.none(), st.just(7_000)),
    ),
    st.builds(Command, st.sampled_from(["reset_all", "paid"]), allow=st.booleans()),
    st.builds(Tick),
    st.builds(Ask, st.just("chat"), session=st.sampled_from([None, "s"])),
)
story = st.lists(st.tuples(ms, step), max_size=25)
action = st.sampled_from(["off", "warn", "demote", "exclude"])


def world_of(health_action: Any, tactic: Any = "priority") -> World:
    rows = [
        ProviderSettings("a", threshold=2, recovery_ms=10_000, daily_tokens=100_000),
        ProviderSettings("b", threshold=2, recovery_ms=10_000, paid=True),
        ProviderSettings("c", threshold=2, recovery_ms=10_000, free_probe=True, monthly_usd=1.0),
    ]
    profile = ProfileSettings("default", NAMES, tactic, health_action, adaptive=True)
    return World(*rows, profiles=(profile,))


def feed(world: World, item: Input | Ask) -> list[Any]:
    if isinstance(item, Ask):
        return list(world.core.route(item, world.now())[1])
    return world.core.feed(item, world.now())


def tell(world: World, steps: list[tuple[int, Input | Ask]]) -> list[Any]:
    told: list[Any] = []
    for wait, item in steps:
        told += feed(world.at(world.t + wait / 1000), item)
    return told


@given(story, action)
@settings(max_examples=200, deadline=None)
def test_every_provider_of_the_chain_is_in_the_order_or_dropped_once(steps, health_action):
    world = world_of(health_action)
    tell(world, steps)
    plan = world.plan()

    assert sorted([*plan.order, *[d.provider for d in plan.dropped]]) == sorted(NAMES)


@given(story, action)
@settings(max_examples=150, deadline=None)
def test_plan_and_state_never_disagree_at_the_same_instant(steps, health_action):
    world = world_of(health_action)
    tell(world, steps)
    snapshot = world.snapshot()
    plan = world.plan()
    shown = snapshot.profiles[0]

    assert shown.order == plan.order
    assert {d.provider for d in shown.dropped} == {d.provider for d in plan.dropped}
    if not plan.last_resort:
        excluded = {row.name for row in snapshot.providers if row.standing == "excluded"}
        assert excluded == {d.provider for d in plan.dropped}


@given(story, action)
@settings(max_examples=150, deadline=None)
def test_no_exclusion_that_holds_ends_in_the_past(steps, health_action):
    world = world_of(health_action)
    tell(world, steps)
    snapshot = world.snapshot()

    for row in snapshot.providers:
        for reason in row.reasons:
            assert reason.until is None or reason.until > snapshot.at


@given(story, action, st.sampled_from(["priority", "random", "adaptive", "token_based"]))
@settings(max_examples=100, deadline=None)
def test_the_same_inputs_give_the_same_bytes(steps, health_action, tactic):
    one, two = world_of(health_action, tactic), world_of(health_action, tactic)

    assert tell(one, steps) == tell(two, steps)
    assert snapshot_json(one.snapshot()) == snapshot_json(two.snapshot())


@given(story, action)
@settings(max_examples=150, deadline=None)
def test_ticks_between_inputs_change_nothing_but_when_things_are_told(steps, health_action):
    plain, ticked = world_of(health_action), world_of(health_action)
    told_plain = tell(plain, steps)
    told_ticked: list[Any] = []
    for wait, item in steps:
        before = ticked.t
        for part in (0.3, 0.9, 1.0):
            told_ticked += ticked.at(before + wait / 1000 * part).core.feed(Tick(), ticked.now())
        told_ticked += feed(ticked, item)

    assert told_ticked == told_plain
    assert ticked.snapshot() == plain.snapshot()


@given(story, action)
@settings(max_examples=150, deadline=None)
def test_what_happens_to_one_provider_never_changes_anothers_row(steps, health_action):
    world, without = world_of(health_action), world_of(health_action)
    for wait, item in steps:
        world.at(world.t + wait / 1000)
        without.at(without.t + wait / 1000)
        feed(world, item)
        if getattr(item, "provider", "") != "a":
            feed(without, item)
    world.tick()
    without.tick()

    for other in ("b", "c"):
        assert world.row(other) == without.row(other)


@given(story, action)
@settings(max_examples=100, deadline=None)
def test_looking_changes_nothing_and_old_snapshots_stay_as_they_are(steps, health_action):
    world = world_of(health_action)
    tell(world, steps)
    first = world.snapshot()
    frozen = json.dumps(snapshot_json(first))
    assert world.snapshot() == first
    tell(world, steps)

    assert json.dumps(snapshot_json(first)) == frozen


@given(story, action)
@settings(max_examples=100, deadline=None)
def test_a_snapshot_survives_its_json(steps, health_action):
    world = world_of(health_action)
    world.events += tell(world, steps)
    snapshot = world.snapshot()

    assert snapshot_from_json(json.loads(json.dumps(snapshot_json(snapshot)))) == snapshot


def test_nothing_time_driven_happens_before_next_due():
    world = World("a")
    world.fail("a", 429, retry_after=20)
    due = world.core.next_due()

    assert due == world.now().mono + 20_000


@pytest.mark.fault("X18")
def test_cost_of_an_input_does_not_grow_with_history():
    world = World("a", "b")
    for i in range(2_000):
        world.at(i).ok("a")
        world.fail("b", 429, retry_after=1)
    pending = len(world.core._due)

    assert pending < 10


def test_a_refused_input_changes_nothing_and_loses_no_event():
    world = World("a")
    world.fail("a", 429, retry_after=20)
    later = world.at(30).now()
    refusals = [lambda: world.plan(profile="ghost"), lambda: world.command("pin", "ghost")]
    refusals += [lambda: world.command("demote", ""), lambda: world.command("pull", "")]
    for refused in refusals:
        with pytest.raises(LookupError):
            refused()

    told = [event.kind for event in world.core.feed(Tick(), later)]
    assert told == ["quota.available", "signal.changed"]


def test_the_version_grows_when_the_wall_clock_is_set_because_every_date_moves():
    world = World("a")
    world.fail("a", 429, retry_after=20)
    before = world.snapshot()
    world.start += 3_600_000
    after = world.snapshot()

    assert after.version > before.version
    assert after.providers[0].quota.retry_after == before.providers[0].quota.retry_after + 3_600_000
