"""Quota: holds, windows, trials."""

import pytest

from crtui.core.inputs import Limits, WindowReport
from tests.core.world import START, World


def window(name="5h", used=None, remaining=None, limit=None, resets=None, source="headers"):
    at = None if resets is None else START + round(resets * 1000)
    return WindowReport(name, source, used, remaining, limit, at)


def limits(*windows, retry_after=None):
    return Limits(None if retry_after is None else round(retry_after * 1000), windows)


def until(world, name="a"):
    return world.seconds_until(world.row(name).quota.retry_after)


@pytest.mark.fault("S01")
def test_a_429_excludes_until_exactly_the_stated_time():
    world = World("a", "b")
    world.fail("a", 429, retry_after=20)

    assert world.dropped() == {"a": "quota:rate_limited"}
    assert until(world) == 20
    assert world.at(19.999).order() == "b"
    assert world.at(20).order() == "a b"
    assert world.kinds("a") == ["quota.exhausted", "quota.available"]


@pytest.mark.fault("S10")
def test_a_429_without_a_time_waits_a_second_then_60_s_doubling_to_an_hour():
    world, waits = World("a"), []
    for _ in range(10):
        world.fail("a", 429)
        waits.append(until(world) - world.t)
        world.at(until(world))

    assert waits == [1, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    world.ok("a")
    world.fail("a", 429)
    assert until(world) - world.t == 1


@pytest.mark.fault("S10")
def test_a_spent_window_without_a_reset_takes_no_place_of_a_429s_own_wait():
    world, waits = World("a"), []
    spent = limits(window("requests", remaining=0, limit=100))
    for told in (spent, limits(), spent, limits()):
        world.fail("a", 429, ticket=world.begin("a"), limits=told)
        waits.append(until(world) - world.t)
        world.at(until(world)).tick()

    assert waits == [60, 60, 120, 240]


@pytest.mark.fault("S21")
def test_a_repeated_429_never_shortens_the_wait():
    world = World("a")
    world.fail("a", 429, retry_after=100)
    world.fail("a", 429, retry_after=5)

    assert until(world) == 100
    world.fail("a", 429, retry_after=200)
    assert until(world) == 200


@pytest.mark.fault("S21")
def test_one_exhaustion_is_told_once():
    world = World("a")
    for _ in range(5):
        world.fail("a", 429, retry_after=100)

    assert world.kinds("a") == ["quota.exhausted"]


@pytest.mark.parametrize(("retry_after", "expected"), [(None, 3600), (90, 90)])
@pytest.mark.fault("S11")
def test_out_of_credit_waits_the_stated_time_else_an_hour(retry_after, expected):
    world = World("a")
    world.fail("a", 402, limits=limits(retry_after=retry_after))

    assert until(world) == expected
    assert world.dropped() == {"a": "quota:no_credit"}


@pytest.mark.parametrize("status", [503, 529])
@pytest.mark.fault("S13")
def test_an_overload_with_a_time_is_a_failure_and_a_wait(status):
    world = World("a")
    world.fail("a", status, retry_after=30)

    assert until(world) == 30
    assert world.row("a").health.consecutive_failures == 1


@pytest.mark.parametrize("status", [500, 503, 529])
def test_a_fault_without_a_time_leaves_quota_alone(status):
    world = World("a")
    world.fail("a", status)

    assert world.row("a").quota.state == "available"


@pytest.mark.parametrize(
    ("minutes", "resets", "lasts", "runs_out"),
    [(5, 3600, False, False), (20, 3600, True, False), (20, 7 * 3600, False, True)],
)
def test_whether_a_window_lasts_is_told_once_enough_has_moved(minutes, resets, lasts, runs_out):
    world = World("a")
    world.ok("a", limits=limits(window("5h", used=10.0, resets=resets)))
    world.at(minutes * 60).ok("a", limits=limits(window("5h", used=20.0, resets=resets)))

    (told,) = world.row("a").quota.windows
    assert (told.lasts, told.exhausts_from is not None) == (lasts, runs_out)


def test_what_is_shown_of_a_window_moves_while_nothing_is_told_of_it():
    world = World("a")
    for minute in range(21):
        told = limits(window("5h", used=2.0 * minute, resets=5 * 3600))
        world.at(minute * 60).ok("a", limits=told)
    shown = [world.at(minute * 60).row("a").quota.windows[0] for minute in (23, 30, 40)]

    assert [found.exhausts_from is not None for found in shown] == [True, True, False]
    assert (shown[0].exhausts_from or 0) < (shown[1].exhausts_from or 0)


@pytest.mark.fault("S12", "S24")
def test_a_window_with_nothing_left_excludes_until_its_own_reset():
    world = World("a")
    world.ok(
        "a",
        limits=limits(window("requests", remaining=0, resets=30), window("tokens", remaining=9, resets=90)),
    )

    assert until(world) == 30
    assert world.dropped() == {"a": "quota:window_spent"}
    assert world.row("a").quota.source == "headers"
    assert world.at(30).order() == "a"


@pytest.mark.fault("S12", "S24")
def test_the_latest_of_all_that_is_known_counts():
    world = World("a")
    world.fail("a", 429, limits=limits(window("5h", used=100, resets=50), retry_after=20))

    assert until(world) == 50


@pytest.mark.fault("S24")
def test_windows_are_merged_by_name_never_replaced_as_a_set():
    world = World("a")
    world.ok("a", limits=limits(window("5h", used=10, resets=3600), window("7d", used=40, resets=7200)))
    world.at(60).ok("a", limits=limits(window("5h", used=12, resets=3600)))
    windows = {w.name: w for w in world.row("a").quota.windows}

    assert (windows["5h"].used_percent, windows["7d"].used_percent) == (12, 40)
    assert windows["5h"].observed_at - windows["7d"].observed_at == 60_000


def test_a_window_past_its_reset_is_reset_unconfirmed_not_at_its_old_percentage():
    world = World("a")
    world.ok("a", limits=limits(window("5h", used=80, resets=60)))
    world.at(60).tick()
    seen = world.row("a").quota.windows[0]

    assert seen.unconfirmed
    assert seen.used_percent is None
    world.ok("a", limits=limits(window("5h", used=1, resets=18_060)))
    assert world.row("a").quota.windows[0].used_percent == 1


@pytest.mark.fault("S47")
def test_a_success_whose_headers_show_room_lifts_the_wait():
    world = World("a")
    world.fail("a", 429, retry_after=100)
    world.at(10).ok("a", limits=limits(window("tokens", remaining=500, resets=60)))

    assert world.row("a").quota.state == "available"
    assert world.kinds("a")[-1] == "quota.available"


def test_a_success_that_says_nothing_of_limits_does_not_lift_the_wait():
    world = World("a")
    world.fail("a", 429, retry_after=100)
    world.at(10).ok("a")

    assert until(world) == 100


@pytest.mark.fault("S20")
def test_a_success_that_began_before_the_refusal_is_no_evidence_of_room():
    world = World("a")
    early = world.begin("a")
    world.fail("a", 429, ticket=world.begin("a"), retry_after=100)
    room = limits(window("tokens", remaining=500, resets=60))
    world.at(10).ok("a", ticket=early, limits=room)
    assert until(world) == 100
    world.at(100).tick()
    world.ok("a", ticket=world.begin("a"), limits=room)

    assert world.row("a").quota.state == "available"
    assert world.kinds("a").count("quota.available") == 1


@pytest.mark.fault("S25")
@pytest.mark.parametrize(
    ("early", "shown"),
    [
        (window("5h", remaining=60, limit=100, resets=100), 40),
        (window("5h", remaining=60, limit=100, resets=101), 40),
        (window("5h", remaining=30, limit=100, resets=99), 30),
        (window("5h", remaining=30, limit=100, resets=50), 40),
        (window("5h", remaining=60, limit=100, resets=200), 60),
        (window("5h", remaining=60, limit=100), 40),
    ],
    ids=["same", "rounded", "smaller", "a period before", "the period after", "untold"],
)
def test_of_answers_in_the_wrong_order_the_smaller_rest_of_the_later_period_stays(early, shown):
    world = World("a")
    first, second = world.begin("a"), world.begin("a")
    newer = limits(window("5h", remaining=40, limit=100, resets=100))
    world.ok("a", ticket=second, limits=newer)
    world.at(1).ok("a", ticket=first, limits=limits(early))

    [seen] = world.row("a").quota.windows
    assert (seen.remaining, seen.used_percent) == (shown, 100 - shown)


@pytest.mark.fault("S25")
def test_a_spent_window_is_not_opened_by_an_answer_that_began_before():
    world = World("a")
    first, second = world.begin("a"), world.begin("a")
    world.ok("a", ticket=second, limits=limits(window("5h", used=100.0, resets=100)))
    world.at(1).ok("a", ticket=first, limits=limits(window("5h", used=99.0, resets=100)))
    assert until(world) == 100
    world.at(2).ok("a", ticket=world.begin("a"), limits=limits(window("5h", used=20.0, resets=100)))
    assert world.row("a").quota.state == "available", "one that began after it does"


@pytest.mark.parametrize(
    ("spent", "room"),
    [({"used": 100.0}, {"remaining": 50}), ({"remaining": 0}, {"used": 40.0})],
    ids=["a rest after a share", "a share after a rest"],
)
def test_newer_room_in_another_unit_opens_a_spent_window_unless_it_began_before(spent, room):
    world = World("a")
    early, late = world.begin("a"), world.begin("a")
    world.ok("a", ticket=late, limits=limits(window("requests", **spent, resets=500)))
    world.at(1).ok("a", ticket=early, limits=limits(window("requests", **room)))
    assert until(world) == 500
    world.at(2).ok("a", ticket=world.begin("a"), limits=limits(window("requests", **room)))
    [seen] = world.row("a").quota.windows

    assert until(world) is None
    assert (seen.remaining, seen.used_percent) == (room.get("remaining"), room.get("used"))


@pytest.mark.fault("L01")
def test_when_the_time_has_passed_one_request_finds_out():
    world = World("a", "b")
    world.fail("a", 429, retry_after=20)
    world.at(20)
    assert world.order() == "a b"
    ticket = world.begin("a")

    assert world.dropped() == {"a": "quota:trial"}
    world.ok("a", ticket=ticket)
    assert world.order() == "a b"
    assert not world.row("a").quota.trial


def test_a_refused_trial_is_exhausted_again():
    world = World("a")
    world.fail("a", 429)
    world.at(1).tick()
    world.fail("a", 429, ticket=world.begin("a"))

    assert until(world) == 1 + 60


def test_a_trial_that_fails_for_another_reason_gives_the_permit_back():
    world = World("a", "b")
    world.fail("a", 429, retry_after=20)
    world.at(20).tick()
    world.fail("a", 500, ticket=world.begin("a"))

    assert world.order() == "a b"


@pytest.mark.fault("S26")
def test_a_wall_clock_that_jumps_moves_no_wait():
    world = World("a")
    world.fail("a", 429, retry_after=100)
    world.start += 86_400_000
    world.at(50).tick()
    assert world.row("a").quota.state == "quota_exhausted"
    assert until(world) == 100
    world.start -= 2 * 86_400_000
    assert [e.kind for e in world.at(100).tick()] == ["quota.available", "signal.changed"]


@pytest.mark.fault("S06")
def test_more_than_31_days_is_31_days():
    world = World("a")
    world.fail("a", 429, retry_after=90 * 86_400)

    assert until(world) == 31 * 86_400


@pytest.mark.fault("S47")
def test_reset_forgets_the_wait_and_the_spent_window():
    world = World("a")
    world.fail("a", 429, limits=limits(window("5h", used=100, resets=500), retry_after=400))
    world.command("reset", "a")

    assert world.order() == "a"
    assert world.row("a").quota.state == "available"


def test_room_in_a_refusals_own_headers_shortens_no_wait():
    world = World("a")
    world.ok("a", limits=limits(window("5h", used=100, resets=500)))
    world.fail("a", 429, limits=limits(window("5h", used=50, resets=500), retry_after=5))

    assert until(world) == 500
    world.ok("a", limits=limits(window("5h", used=50, resets=500)))
    assert until(world) is None


@pytest.mark.fault("S19")
def test_many_refusals_of_attempts_that_overlapped_are_one():
    world = World("a")
    tickets = [world.begin("a") for _ in range(20)]
    for ticket in tickets:
        world.fail("a", 429, ticket=ticket)

    assert until(world) == 1
    world.at(1).tick()
    world.fail("a", 429, ticket=world.begin("a"))
    assert until(world) == 1 + 60


@pytest.mark.parametrize(
    ("code", "said"), [(402, "out of credit"), (529, "overloaded"), (429, "rate limited")]
)
def test_the_row_says_what_it_waits_for(code, said):
    world = World("a")
    world.fail("a", code, retry_after=30)

    assert world.row("a").reasons[0].detail == said


def test_a_reset_that_has_passed_already_is_none():
    world = World("a").at(10)
    world.ok("a", limits=limits(window("5h", used=100, resets=5)))

    assert world.seconds_until(world.row("a").quota.windows[0].resets_at) is None
    assert until(world) == 70
