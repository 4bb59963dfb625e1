"""What somebody else was told of a provider's windows: it is shown, and decides nothing."""

import pytest

from crtui.core.inputs import Limits, WindowReport
from crtui.core.settings import ProviderSettings
from tests.core.world import START, World


def window(used: float, name: str = "5h") -> WindowReport:
    return WindowReport(name, "subscription", used, resets_at=START + 3_600_000)


def held_by_a_429(world: World) -> None:
    world.fail("a", 429, retry_after=3_600)


def held_by_a_refused_key(world: World) -> None:
    world.fail("a", 401)


def down_by_its_polls(world: World) -> None:
    for _ in range(6):
        world.poll("a", ok=False, error="refused")


def half_open(world: World) -> None:
    down_by_its_polls(world)
    world.at(300).tick()


def waiting_for_a_trial(world: World) -> None:
    world.fail("a", 429, retry_after=20)
    world.at(20).begin("a")


def out_of_its_window(world: World) -> None:
    world.ok("a", limits=Limits(None, (window(100.0),)))


def never_heard_of(world: World) -> None:
    pass


@pytest.mark.parametrize("used", [0.0, 98.0, 100.0])
@pytest.mark.parametrize(
    "state",
    [
        held_by_a_429,
        held_by_a_refused_key,
        down_by_its_polls,
        half_open,
        waiting_for_a_trial,
        out_of_its_window,
        never_heard_of,
    ],
)
def test_no_hearsay_holds_a_provider_back_or_lets_go_what_holds_it(state, used):
    world = World(ProviderSettings("a", free_probe=True), profile={"health_action": "exclude"})
    state(world)
    before, planned = world.row("a"), world.plan()

    assert world.hearsay("a", window(used), window(used, "7d")) == []

    after = world.row("a")
    assert world.plan() == planned
    assert (after.standing, after.reasons, after.health) == (before.standing, before.reasons, before.health)
    assert (after.signal, after.quota.state, after.quota.trial) == (
        before.signal,
        before.quota.state,
        before.quota.trial,
    )


def test_hearsay_shows_windows_with_room_until_they_reset():
    world = World("a")
    world.hearsay("a", window(40.0))
    world.at(60).hearsay("a", window(55.0), window(100.0, "7d"))

    [seen] = world.row("a").quota.windows
    assert (seen.name, seen.used_percent, seen.source) == ("5h", 55.0, "subscription")
    assert world.seconds_until(seen.observed_at) == 60
    world.at(3_600).tick()
    assert world.row("a").quota.windows[0].unconfirmed
