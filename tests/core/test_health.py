"""Three-state health, half-open trials, credentials."""

import pytest

from crtui.core.settings import ProviderSettings
from tests.core.world import World

SHORT = ProviderSettings("a", threshold=2, recovery_ms=10_000)
PROBED = ProviderSettings("a", threshold=2, recovery_ms=10_000, free_probe=True)


def down(world: World, name: str = "a", failures: int = 4) -> World:
    for _ in range(failures):
        world.fail(name)
    return world


def test_never_seen_is_healthy():
    assert World("a").row("a").health.state == "HEALTHY"


@pytest.mark.parametrize(
    ("failures", "state"),
    [(1, "HEALTHY"), (2, "DEGRADED"), (3, "DEGRADED"), (4, "UNHEALTHY"), (9, "UNHEALTHY")],
)
def test_degraded_at_the_threshold_unhealthy_at_twice_it(failures, state):
    world = down(World(SHORT), failures=failures)

    assert world.row("a").health.state == state
    assert world.row("a").health.consecutive_failures == failures


@pytest.mark.fault("S19")
def test_each_transition_is_told_once():
    world = down(World(SHORT), failures=9)

    changes = [(e.data["from"], e.data["to"]) for e in world.events if e.kind == "health.changed"]
    assert changes == [("HEALTHY", "DEGRADED"), ("DEGRADED", "UNHEALTHY")]


@pytest.mark.parametrize("failures", [1, 2, 4, 7])
def test_one_success_is_healthy_again_and_leaves_no_trace(failures):
    world = down(World(SHORT), failures=failures)
    world.ok("a")

    health = world.row("a").health
    assert (health.state, health.consecutive_failures, health.retry_at) == ("HEALTHY", 0, None)
    assert world.dropped() == {}


@pytest.mark.parametrize("status", [400, 404, 413, 422, 429, 402])
@pytest.mark.fault("S15")
def test_what_is_not_the_providers_fault_does_not_touch_health(status):
    world = World(SHORT)
    for _ in range(9):
        world.fail("a", status)

    assert world.row("a").health.state == "HEALTHY"


@pytest.mark.fault("S18")
def test_a_client_that_left_does_not_touch_health():
    world = World(SHORT)
    for _ in range(9):
        world.fail("a", error_kind="client")

    assert world.row("a").health.consecutive_failures == 0
    assert world.row("a").usage.failed == 0


def test_half_open_comes_exactly_when_the_recovery_time_is_over():
    world = down(World(SHORT, "b"))

    assert world.at(9.999).tick() == []
    assert world.order() == "b a"
    assert [e.kind for e in world.at(10).tick()] == ["health.half_open"]
    assert world.order() == "a b"


@pytest.mark.fault("L01")
def test_half_open_lets_one_request_through_at_its_normal_place():
    world = down(World(SHORT, "b")).at(10)
    world.tick()
    ticket = world.begin("a")

    assert world.order() == "b a"
    world.ok("a", ticket=ticket)
    assert world.order() == "a b"


def test_a_failed_trial_doubles_the_wait_up_to_an_hour():
    world = down(World(SHORT))
    waits = []
    for _ in range(12):
        retry = world.seconds_until(world.row("a").health.retry_at)
        waits.append(retry - world.t)
        world.at(retry).tick()
        world.fail("a", ticket=world.begin("a"))

    assert waits[:4] == [10, 20, 40, 80]
    assert max(waits) == waits[-1] == 3600


def test_a_trial_that_is_never_reported_is_given_back():
    world = down(World(SHORT, "b")).at(10)
    world.tick()
    world.begin("a")

    assert world.at(19.999).order() == "b a"
    assert world.at(20).order() == "a b"


def test_news_of_an_older_attempt_is_no_trial():
    world = World(SHORT)
    old = world.begin("a")
    down(world).at(10).tick()
    world.fail("a", ticket=old)

    assert world.row("a").health.half_open


@pytest.mark.parametrize(
    ("action", "order", "dropped"),
    [
        ("off", "a b", {}),
        ("warn", "a b", {}),
        ("demote", "b a", {}),
        ("exclude", "b", {"a": "health:unhealthy"}),
    ],
)
def test_what_unhealthy_does_is_the_profiles_choice(action, order, dropped):
    world = down(World(SHORT, "b", profile={"health_action": action}))

    assert world.order() == order
    assert world.dropped() == dropped


def test_if_only_health_dropped_them_all_are_tried_in_order():
    world = World(SHORT, "b", profile={"health_action": "exclude"})
    down(world, "a")
    down(world, "b", failures=6)
    plan = world.plan()

    assert plan.last_resort
    assert plan.order == ("a", "b")
    assert plan.dropped == ()


def test_no_last_resort_while_another_guard_has_a_time():
    world = World(SHORT, "b", profile={"health_action": "exclude"})
    down(world, "a")
    world.fail("b", 429, retry_after=20)

    assert world.plan().order == ()
    assert world.events[-1].kind == "chain.exhausted"


@pytest.mark.fault("S14")
def test_a_refused_credential_excludes_at_once_whatever_the_action():
    world = World("a", "b", profile={"health_action": "off"})
    world.fail("a", 401, message="invalid x-api-key")

    assert world.row("a").health.state == "UNHEALTHY"
    assert world.dropped() == {"a": "auth:auth"}
    assert world.at(7200).dropped() == {"a": "auth:auth"}


@pytest.mark.fault("S14")
def test_a_good_probe_or_a_reset_believes_the_credential_again():
    for mend in (lambda w: w.poll("a"), lambda w: w.command("reset", "a")):
        world = World("a")
        world.fail("a", 403)
        mend(world)

        assert world.order() == "a"


@pytest.mark.fault("S42", "S43")
def test_where_a_free_probe_exists_it_is_the_trial_not_a_request():
    world = down(World(PROBED, "b")).at(10)
    world.tick()

    assert world.core.wants_probe("a")
    assert world.order() == "b a"
    world.poll("a", ok=False, error="connection refused")
    assert world.seconds_until(world.row("a").health.retry_at) == 30
    world.at(30).tick()
    world.poll("a")
    assert world.row("a").health.state == "HEALTHY"


@pytest.mark.fault("S42")
def test_a_good_poll_does_not_wash_away_failures_of_real_requests():
    world = down(World(SHORT), failures=3)
    world.poll("a")

    assert world.row("a").health.state == "DEGRADED"


def test_an_idle_server_that_polls_find_down_is_shown_down_and_comes_back():
    world = World(SHORT)
    for _ in range(4):
        world.poll("a", ok=False, error="connection refused")

    assert world.row("a").health.state == "UNHEALTHY"
    world.poll("a")
    assert world.row("a").health.state == "HEALTHY"


def test_the_row_says_why_and_until_when():
    world = down(World(SHORT, profile={"health_action": "exclude"}))
    reason = world.row("a").reasons[0]

    assert (reason.guard, reason.code) == ("health", "unhealthy")
    assert "4 failures in a row" in reason.detail
    assert world.seconds_until(reason.until) == 10


def test_a_trial_that_is_decided_otherwise_leaves_no_permit_behind():
    world = down(World(SHORT, "b", profile={"health_action": "exclude"})).at(10)
    world.tick()
    world.begin("a")
    world.fail("a")

    assert world.seconds_until(world.row("a").reasons[0].until) == 30
    assert world.at(30).order() == "a b"


def test_a_recovery_time_of_more_than_an_hour_is_never_shortened_by_a_failed_trial():
    world = down(World(ProviderSettings("a", threshold=2, recovery_ms=7_200_000)))
    world.at(7200).tick()
    world.fail("a")

    assert world.seconds_until(world.row("a").health.retry_at) == 14_400
