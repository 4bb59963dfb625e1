"""Profile to plan: who is dropped, why, and in which order the rest is tried."""

import pytest

from crtui.core.plan import Content, UnknownProfileError
from crtui.core.settings import Capabilities, ProfileSettings, ProviderSettings, RuleSettings
from tests.core.world import World


def test_priority_is_the_chains_order():
    assert World("c", "a", "b").order() == "c a b"


def test_a_chain_may_name_a_provider_that_is_not_there():
    world = World("a", profiles=(ProfileSettings("default", ("ghost", "a")),))

    assert world.dropped() == {"ghost": "chain:unknown"}


def test_one_that_does_not_speak_the_callers_wire_is_dropped():
    world = World("a", ProviderSettings("b", wires=("messages", "chat")))

    assert world.dropped(wire="messages") == {"a": "wire:no_messages"}
    assert world.order(wire="messages") == "b"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (Content(image=True), "vision"),
        (Content(tools=True), "tools"),
        (Content(chars=4 * 9000), "context"),
        (Content(chars=4 * 8000), None),
        (Content(), None),
    ],
)
def test_one_that_cannot_take_the_request_is_dropped(content, code):
    small = ProviderSettings("a", capabilities=Capabilities(vision=False, tools=False, context=8192))
    world = World(small, "b")

    assert world.dropped(content=content) == ({} if code is None else {"a": f"capability:{code}"})


def test_each_provider_has_one_reason_the_first_in_the_order_of_guards():
    world = World(ProviderSettings("a", paid=True), "b")
    world.command("drain", "a")
    world.fail("a", 429, retry_after=10)
    assert world.dropped() == {"a": "paid:gated"}
    world.command("paid", allow=True)
    assert world.dropped() == {"a": "operator:drained"}
    world.command("release", "a")
    assert world.dropped() == {"a": "quota:rate_limited"}


def test_an_exhausted_chain_tells_the_earliest_time():
    world = World("a", "b")
    world.fail("a", 429, retry_after=50)
    world.fail("b", 429, retry_after=20)
    world.plan()
    event = world.events[-1]

    assert event.kind == "chain.exhausted"
    assert event.data["until"] == "2026-11-20T09:00:20.000Z"
    assert [d["code"] for d in event.data["dropped"]] == ["rate_limited", "rate_limited"]


def test_a_profile_is_named_by_the_request_else_by_a_rule_else_it_is_the_default():
    world = World(
        "a",
        "b",
        profiles=(ProfileSettings("default", ("a", "b")), ProfileSettings("fast", ("b",))),
        rules=(RuleSettings("model_pattern", ".*haiku.*", "fast"),),
    )

    assert world.order() == "a b"
    assert world.order(model="claude-haiku-4-5") == "b"
    assert world.order(model="claude-haiku-4-5", profile="default") == "a b"
    assert world.plan(model="x-haiku").rule == "model_pattern=.*haiku.*"


def test_an_unknown_profile_is_refused():
    with pytest.raises(UnknownProfileError, match="configured: default"):
        World("a").plan(profile="nope")


def test_a_session_goes_back_after_a_wait_that_left_its_prompt_cache_warm():
    world = World("a", "b")
    world.plan(session="s")
    world.ok("a", session="s", profile="default")
    world.at(1).fail("a", 429, retry_after=60, session="s", profile="default")
    world.ok("b", session="s", profile="default")

    assert world.order(session="s") == "b"
    assert world.at(62).order(session="s") == "a b"


def test_a_session_stays_with_its_stand_in_for_one_term_however_much_it_is_used():
    world = World("a", "b")
    world.plan(session="s")
    world.ok("a", session="s", profile="default")
    world.at(1).fail("a", 429, retry_after=600, session="s", profile="default")
    for minute in range(6, 36):
        world.at(60 * minute).ok("b", session="s", profile="default")
        assert world.order(session="s") == ("b" if minute < 11 else "b a")
    assert world.order(session="other") == "a b"
    assert world.at(60 * 36).order(session="s") == "a b"


def test_a_session_that_begins_while_another_is_out_does_not_stay_for_good_either():
    world = World("a", "b")
    world.fail("a", 429, retry_after=60)
    for minute in range(30):
        assert world.at(60 * minute).order(session="s") == ("b" if minute < 1 else "b a")
        world.ok("b", session="s", profile="default")
    assert world.at(1800).order(session="s") == "a b"


def test_a_session_does_not_follow_one_that_is_demoted():
    world = World("a", "b")
    world.ok("b", session="s", profile="default")
    world.command("demote", "b")

    assert world.order(session="s") == "a b"


def test_who_has_the_model_that_was_chosen_from_the_list_comes_before_all_others():
    world = World("a", "b", "c")
    world.command("pin", "a")

    assert world.order(model="m", owners=("c", "b")) == "b c a"
    world.command("demote", "b")
    assert world.order(model="m", owners=("c", "b")) == "c b a"
    assert world.order(model="m") == "a c b"


def test_the_last_resort_begins_with_who_has_the_model():
    world = World("a", "b", profile={"health_action": "exclude"})
    for name in ("a", "b"):
        for _ in range(6):
            world.fail(name)
    plan = world.plan(owners=("b",))

    assert (plan.last_resort, plan.order) == (True, ("b", "a"))
