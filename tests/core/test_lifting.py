"""What a poll lifts before its time: a hold for a window in which it shows room, and nothing else."""

import json
from typing import Any

import pytest

from crtui.core.core import Core
from crtui.core.inputs import CREDIT, WindowReport
from tests.core.test_quota import limits, until, window
from tests.core.world import World

FULL = window("requests", used=100, resets=500)
ROOM = window("requests", remaining=50, source="poll")


def credit(remaining: float | None, used: float | None = None) -> WindowReport:
    return window(CREDIT, used=used, remaining=remaining, source="poll")


def refused(status: int, *told: WindowReport, retry_after: float | None = None) -> World:
    """A world in which 8 dollars were left before a refusal that told these windows."""
    world = World("a")
    world.poll("a", windows=(credit(8.0),))
    world.at(1).fail("a", status, limits=limits(*told, retry_after=retry_after))
    return world.at(2)


@pytest.mark.fault("S47")
def test_room_in_the_window_that_a_429_was_for_lifts_its_wait():
    world = refused(429, FULL, retry_after=1000)
    world.poll("a")
    assert until(world) == 1001, "a good poll says nothing of it"
    world.poll("a", windows=(ROOM,))

    assert world.row("a").quota.state == "available"
    assert world.kinds("a")[-1] == "quota.available"


@pytest.mark.fault("S47")
@pytest.mark.parametrize("status", [429, 503, 529])
@pytest.mark.parametrize(
    "seen", [ROOM, credit(8.0), credit(80.0), window("7d", used=3, source="poll")], ids=lambda w: w.name
)
def test_no_poll_shortens_a_wait_of_which_no_window_was_the_cause(status, seen):
    world = refused(status, retry_after=1000)
    world.poll("a", windows=(seen,))

    assert until(world) == 1001


@pytest.mark.parametrize(
    "seen",
    [
        (),
        (window("requests", used=100, source="poll"),),
        (window("requests", limit=9, source="poll"),),
        (window("7d", used=3, source="poll"),),
        (ROOM, window("7d", used=100, source="poll")),
    ],
    ids=["nothing", "no room", "no number", "another window", "one of two"],
)
def test_every_window_that_a_429_was_for_has_to_show_room(seen):
    world = refused(429, FULL, window("7d", used=100, resets=600), retry_after=1000)
    world.poll("a", windows=seen)

    assert until(world) == 1001


@pytest.mark.fault("S10")
def test_polls_between_them_do_not_keep_bare_429s_from_doubling():
    world, waits = World("a"), []
    for _ in range(4):
        world.fail("a", 429, ticket=world.begin("a"))
        over = until(world)
        waits.append(over - world.t)
        world.at(world.t + waits[-1] / 2).poll("a", windows=(credit(8.0),))
        world.at(over).tick()

    assert waits == [1, 60, 120, 240]


@pytest.mark.fault("S11")
@pytest.mark.parametrize(
    ("told", "lifted"),
    [
        ([credit(8.0)], False),
        ([credit(7.5), credit(7.5)], False),
        ([credit(8.5)], True),
        ([credit(0.02), credit(5.02)], True),
        ([credit(0.0), credit(5.0)], True),
        ([credit(None, used=100.0), credit(None, used=40.0)], True),
        ([credit(None, used=40.0)], False),
        ([ROOM], False),
    ],
    ids=["as before", "less", "more", "topped up", "from nothing", "in percent", "no sum", "no credit"],
)
def test_a_402_is_lifted_by_more_credit_only(told, lifted):
    world = refused(402)
    for seen in told:
        world.poll("a", windows=(seen,))

    assert until(world) == (None if lifted else 3601)


def test_credit_of_which_nothing_was_known_has_to_grow_before_it_lifts_a_402():
    world = World("a")
    world.fail("a", 402)
    world.poll("a", windows=(credit(8.0),))
    assert until(world) == 3600
    world.poll("a", windows=(credit(9.0),))

    assert until(world) is None


def test_of_two_refusals_a_poll_lifts_the_one_it_speaks_of():
    world = refused(429, retry_after=1000)
    world.fail("a", 402)
    assert (until(world), world.dropped()) == (3602, {"a": "quota:no_credit"})
    world.poll("a", windows=(credit(20.0),))

    assert (until(world), world.dropped()) == (1001, {"a": "quota:rate_limited"})


def test_the_wait_for_a_spent_credit_ends_with_a_top_up_whatever_failed_meanwhile():
    world = World("a")
    world.poll("a", windows=(window(CREDIT, remaining=0, source="poll", resets=90_000),))
    world.fail("a", 500)
    world.poll("a", windows=(credit(5.0),))

    assert until(world) is None


@pytest.mark.parametrize(
    ("refusal", "seen"),
    [
        ((429, FULL), ROOM),
        ((429, FULL), window("requests", used=3, resets=500, source="poll")),
        ((402,), credit(20.0)),
    ],
    ids=["a rest", "a share", "credit"],
)
def test_a_poll_that_began_before_the_refusal_lifts_nothing(refusal, seen):
    world = refused(*refusal, retry_after=1000)
    world.at(5).poll("a", windows=(seen,), took_ms=4_001)
    assert until(world) == 1001
    world.at(5).poll("a", windows=(seen,), took_ms=4_000)

    assert until(world) is None


def test_a_poll_that_began_before_a_window_was_told_spent_does_not_open_it():
    world = World("a")
    world.at(10).ok("a", limits=limits(FULL))
    world.at(11).poll("a", windows=(ROOM,), took_ms=1_001)
    assert until(world) == 500
    world.poll("a", windows=(ROOM,), took_ms=1_000)

    assert until(world) is None


@pytest.mark.fault("L01")
def test_a_poll_leaves_a_trial_to_its_own_answer():
    world = World("a", "b")
    world.fail("a", 429, limits=limits(window("requests", remaining=0, resets=20)))
    world.at(20).tick()
    world.poll("a", windows=(ROOM,))
    assert world.row("a").quota.trial
    ticket = world.begin("a")
    world.poll("a", windows=(ROOM,))
    assert world.dropped() == {"a": "quota:trial"}
    world.ok("a", ticket=ticket)

    assert world.order() == "a b"


def test_a_hold_and_what_it_is_for_survive_a_restart():
    world = refused(429, FULL, retry_after=1000)
    data = json.loads(json.dumps(world.core.dump(world.now())))
    world.core = Core.restore(world.core.settings, data, world.now())
    world.poll("a", windows=(ROOM,), took_ms=1_001)
    assert until(world) == 1001
    world.poll("a", windows=(ROOM,))

    assert until(world) is None


def test_a_dump_that_tells_one_hold_is_still_read():
    world = refused(402)
    data: dict[str, Any] = world.core.dump(world.now())
    quota = data["providers"]["a"]["quota"]
    quota["hold"] = quota.pop("holds")[0]["left"]
    del quota["refused"]
    world.core = Core.restore(world.core.settings, data, world.now())
    assert (until(world), world.dropped()) == (3601, {"a": "quota:no_credit"})
    world.poll("a", windows=(credit(20.0),))

    assert until(world) == 3601, "what it was for is not known"
