"""Rules that no guard holds alone: what ends mean, who is dropped by whom, who goes before whom."""

from __future__ import annotations

import pytest

from crtui.core.inputs import Usage
from crtui.core.plan import Content
from crtui.core.settings import Capabilities, Price, ProfileSettings, ProviderSettings
from tests.core.world import World

HARD = ProviderSettings(
    "a",
    wires=("chat", "messages"),
    paid=True,
    threshold=1,
    monthly_usd=1.0,
    price=Price(input=1.0),
    daily_tokens=1_000_000,
    capabilities=Capabilities(vision=False),
)


def test_dropping_asks_wire_capability_paid_operator_budget_quota_memory_health_in_this_order():
    world = World(HARD, "b", profile={"health_action": "exclude"})
    for _ in range(2):
        world.fail("a", 500, error="out of memory")
    world.fail("a", 429, retry_after=50)
    world.ok("b")
    world.core.state("a").budget.charge(Usage(1_000_000), world.now())
    world.core.state("a")._changed()
    world.command("drain", "a")
    picture = Content(image=True)

    assert world.dropped(wire="responses", content=picture)["a"] == "wire:no_responses"
    assert world.dropped(content=picture)["a"] == "capability:vision"
    assert world.dropped()["a"] == "paid:gated"
    world.command("paid", allow=True)
    assert world.dropped()["a"] == "operator:drained"
    world.command("release", "a")
    assert world.dropped()["a"] == "budget:spent"


@pytest.mark.parametrize(
    ("seconds", "reason"), [(0, "quota:rate_limited"), (50, "memory:pressured"), (120, "health:unhealthy")]
)
def test_then_quota_then_memory_then_health_as_each_ends(seconds, reason):
    world = World(
        ProviderSettings("a", threshold=1),
        "b",
        profile={"health_action": "exclude", "memory_cooldown_ms": 120_000},
    )
    for _ in range(2):
        world.fail("a", 500, error="out of memory")
    world.fail("a", 429, retry_after=50)

    assert world.at(seconds).dropped()["a"] == reason


def test_demoted_by_health_then_by_you_then_the_session_then_the_pin():
    rows = [ProviderSettings(name, threshold=1) for name in "abcdef"]
    world = World(*rows)
    for _ in range(2):
        world.fail("b", 500)
    world.command("demote", "a")
    assert world.order() == "c d e f b a"

    world.ok("e", session="s", profile="default")
    assert world.order(session="s") == "e c d f b a"
    world.command("pin", "f")
    assert world.order(session="s") == "f e c d b a"


@pytest.mark.parametrize("midstream", [False, True])
@pytest.mark.parametrize("kind", ["client", "reset", "protocol", "timeout"])
def test_what_an_attempt_used_is_charged_however_it_ended(kind, midstream):
    world = World(ProviderSettings("a", daily_tokens=100))
    world.fail("a", error_kind=kind, midstream=midstream, usage=Usage(60, 40))

    assert world.row("a").usage.input_tokens == 60
    assert world.dropped() == {"a": "burn:spent"}


def test_an_interrupted_stream_is_one_failure_and_is_told_as_such():
    world = World("a")
    world.fail("a", error_kind="protocol", midstream=True)

    assert world.events[0].kind == "attempt.interrupted"
    assert world.row("a").health.consecutive_failures == 1


def test_a_caller_that_left_is_a_cancelled_attempt_and_no_failure():
    world = World("a")
    world.fail("a", error_kind="client", midstream=True)

    assert [event.kind for event in world.events] == ["attempt.cancelled"]
    assert world.row("a").usage.failed == 0


def test_a_threshold_is_the_providers_own_so_two_profiles_cannot_disagree():
    profiles = (
        ProfileSettings("default", ("a",), health_action="exclude"),
        ProfileSettings("other", ("a",), health_action="off"),
    )
    world = World(ProviderSettings("a", threshold=2), profiles=profiles)
    for _ in range(2):
        world.fail("a", 500, profile="default")
    for _ in range(2):
        world.fail("a", 500, profile="other")

    assert world.row("a").health.state == "UNHEALTHY"


def test_a_failure_never_improves_a_state():
    world, order = World(ProviderSettings("a", threshold=2)), ["HEALTHY", "DEGRADED", "UNHEALTHY"]
    ranks = []
    for _ in range(12):
        world.fail("a", 500)
        ranks.append(order.index(world.row("a").health.state))

    assert ranks == sorted(ranks)


def test_adaptive_times_a_stream_to_its_first_token():
    world = World("a", "b", profile={"adaptive": True})
    for _ in range(3):
        world.ok("a", latency_ms=9000, ttft_ms=100)
        world.ok("b", latency_ms=300, ttft_ms=200)

    assert world.order() == "a b"


def test_a_tumbling_window_is_over_when_its_age_is_its_length():
    world = World("a", "b", profile={"tactic": "token_based"})
    world.plan()
    world.ok("a", usage=Usage(10_000))

    assert world.at(299.999).order() == "b a"
    assert world.at(300).order() == "b a"
    world.ok("b", usage=Usage(10_000))
    assert world.at(300).order() == "a b"


def test_what_is_in_flight_takes_capacity_until_it_ends():
    rows = [ProviderSettings("a", capacity=1), ProviderSettings("b", capacity=1)]
    world = World(*rows, profile={"tactic": "capacity_based"})
    ticket = world.begin("a")

    assert {world.order() for _ in range(20)} == {"b a"}
    world.ok("a", ticket=ticket)
    assert {world.order() for _ in range(20)} == {"a b", "b a"}


def test_a_success_ends_unhealthy_though_its_recovery_time_is_not_over():
    world = World(ProviderSettings("a", threshold=1))
    for _ in range(2):
        world.fail("a", 500)
    world.ok("a")

    assert world.row("a").health.state == "HEALTHY"


def test_a_burst_of_output_is_no_sample_of_speed():
    world = World("a")
    world.ok("a", output_ms=3, usage=Usage(1, 900))
    assert world.row("a").latency.tokens_per_s is None

    world.ok("a", output_ms=50, usage=Usage(1, 5))
    assert world.row("a").latency.tokens_per_s == 100


@pytest.mark.fault("X18")
def test_ten_thousand_providers_are_planned_and_shown():
    world = World(*(f"p{i}" for i in range(10_000)))
    world.fail("p0", 429, retry_after=9)

    assert world.plan().order[0] == "p1"
    assert len(world.snapshot().providers) == 10_000
