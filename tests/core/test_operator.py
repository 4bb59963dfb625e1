"""The operator's orders beat every automatic rule."""

import pytest

from crtui.core.settings import ProviderSettings
from tests.core.world import World, tokens


@pytest.mark.parametrize(
    ("command", "order", "dropped"),
    [
        ("demote", "b c a", {}),
        ("drain", "b c", {"a": "operator:drained"}),
        ("release", "a b c", {}),
        ("reset", "a b c", {}),
    ],
)
@pytest.mark.fault("S45")
def test_what_each_order_does(command, order, dropped):
    world = World("a", "b", "c")
    world.command(command, "a")

    assert world.order() == order
    assert world.dropped() == dropped


@pytest.mark.fault("S45")
def test_a_pin_is_first_of_all_and_the_newest_pin_leads():
    world = World("a", "b", "c")
    world.command("pin", "b")
    assert world.order() == "b a c"
    world.at(1).command("pin", "c")
    assert world.order() == "c b a"


def test_a_pin_does_not_help_one_that_is_excluded():
    world = World("a", "b")
    world.command("pin", "b")
    world.fail("b", 429, retry_after=10)

    assert world.order() == "a"
    assert world.at(10).order() == "b a"


def test_operator_demoted_is_behind_demoted_by_health():
    world = World(ProviderSettings("a", threshold=2), "b", "c")
    for _ in range(4):
        world.fail("a")
    world.command("demote", "b")

    assert world.order() == "c a b"


def test_an_order_for_a_time_ends_by_itself_and_says_so():
    world = World("a", "b")
    world.command("drain", "a", for_ms=60_000)

    assert world.at(59.999).order() == "b"
    assert world.at(60).order() == "a b"
    told = [e.data["override"] for e in world.events if e.kind == "operator.changed"]
    assert told == ["drained", "none"]


def test_the_last_order_wins():
    world = World("a", "b")
    world.command("drain", "a", for_ms=5_000)
    world.command("demote", "a")

    assert world.at(100).order() == "b a"


def test_the_same_order_twice_is_told_once():
    world = World("a")
    world.command("demote", "a")
    world.command("demote", "a")

    assert world.kinds("a") == ["operator.changed"]


def test_reset_equals_never_seen_except_for_budget_and_usage():
    world = World(ProviderSettings("a", threshold=2, daily_tokens=1_000_000))
    world.ok("a", usage=tokens(1000))
    for _ in range(5):
        world.fail("a", 500, error="out of memory")
    world.fail("a", 429, retry_after=99)
    world.command("drain", "a")
    world.command("reset", "a")
    row = world.row("a")

    assert (row.standing, row.reasons) == ("eligible", ())
    assert row.health.consecutive_failures == 0
    assert row.quota.state == "available"
    assert not row.memory.pressured
    assert row.burn.used_tokens == 1000
    assert row.usage.input_tokens == 1000


def test_release_lifts_the_order_and_leaves_the_guards():
    world = World("a", "b")
    world.fail("a", 429, retry_after=99)
    world.command("drain", "a")
    world.command("release", "a")

    assert world.dropped() == {"a": "quota:rate_limited"}


def test_a_reset_does_not_clear_a_spent_day():
    world = World(ProviderSettings("a", daily_tokens=100), "b")
    world.ok("a", usage=tokens(100))
    world.command("reset", "a")

    assert world.dropped() == {"a": "burn:spent"}


def test_reset_all_resets_all():
    world = World("a", "b")
    world.command("drain", "a")
    world.fail("b", 429, retry_after=99)
    world.command("reset_all")

    assert world.order() == "a b"


def test_paid_providers_wait_for_permission():
    world = World(ProviderSettings("a", paid=True), "b")
    assert world.dropped() == {"a": "paid:gated"}
    assert world.row("a").standing == "excluded"
    world.command("paid", allow=True)

    assert world.order() == "a b"
    assert world.row("a").standing == "eligible"
