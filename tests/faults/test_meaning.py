"""What answers and time mean to the core, where one is told late, often, or after a long sleep."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime
from typing import Any

import pytest

from crtui.config.load import config_from_data
from crtui.config.suspicions import suspicions
from crtui.core.inputs import Limits, Usage, WindowReport
from crtui.core.now import HOUR
from crtui.core.settings import Price, ProviderSettings
from tests.core.world import START, World

SHORT = ProviderSettings("a", threshold=2, recovery_ms=10_000)


@pytest.mark.fault("S19")
def test_thirty_failures_in_one_second_are_one_trip_and_one_wait() -> None:
    world = World(SHORT, "b")
    tickets = [world.begin("a") for _ in range(30)]
    for number, ticket in enumerate(tickets):
        world.at(number / 30).fail("a", 500, ticket=ticket)
    changes = [event.data["to"] for event in world.events if event.kind == "health.changed"]

    assert changes == ["DEGRADED", "UNHEALTHY"]
    assert world.seconds_until(world.row("a").health.retry_at) == pytest.approx(10.1)
    world.at(11).tick()
    world.fail("a", 500, ticket=world.begin("a"))
    assert world.seconds_until(world.row("a").health.retry_at) == 11 + 20


@pytest.mark.fault("S20")
def test_a_success_from_before_the_refusal_does_not_open_the_quota_again() -> None:
    world = World("a", "b")
    early = world.begin("a")
    world.fail("a", 429, ticket=world.begin("a"), retry_after=60)
    room = Limits(None, (WindowReport("5h", "headers", 10.0, 90, 100, START + HOUR),))
    world.at(1).ok("a", ticket=early, limits=room)

    assert world.order() == "b"
    assert world.seconds_until(world.row("a").quota.retry_after) == 60


@pytest.mark.fault("S27")
def test_after_a_long_sleep_what_fell_due_is_due_and_one_request_finds_out() -> None:
    world = World(SHORT, "b", "c", profile={"health_action": "exclude"})
    for _ in range(4):
        world.fail("a")
    world.fail("b", 429, retry_after=3_600)
    window = WindowReport("5h", "headers", 80.0, 20, 100, START + HOUR)
    world.ok("c", limits=Limits(None, (window,)))
    told = [event.kind for event in world.at(8 * 3_600).tick() if event.kind != "signal.changed"]

    assert sorted(told) == ["health.half_open", "quota.available"]
    assert world.row("c").quota.windows[0].unconfirmed
    assert world.order() == "a b c"
    for name in ("a", "b"):
        world.begin(name)
    assert world.order() == "c", "one trial each"


MONTHS = [(year, month) for year in range(2024, 2033) for month in range(1, 13)]


@pytest.mark.fault("S29")
@pytest.mark.parametrize(("year", "month"), [*MONTHS[::5], (2024, 2), (2028, 2), (2031, 12)])
def test_a_spent_month_ends_at_its_end_and_not_before(year: int, month: int) -> None:
    last = monthrange(year, month)[1]
    noon = datetime(year, month, last, 12, tzinfo=UTC)
    row = ProviderSettings("a", monthly_usd=1.0, price=Price(input=1.0))
    world = World(row, "b", start=round(noon.timestamp() * 1000))
    world.ok("a", usage=Usage(1_000_000))

    assert world.at(12 * 3_600 - 0.001).order() == "b"
    assert world.at(12 * 3_600).order() == "a b"


@pytest.mark.fault("S35")
def test_what_one_answer_costs_beyond_the_cap_is_counted_and_nothing_begins_after_it() -> None:
    row = ProviderSettings("a", monthly_usd=1.0, price=Price(input=1.0))
    world = World(row, "b")
    world.ok("a", usage=Usage(50_000_000))

    assert world.row("a").budget.spent_usd == 50.0
    assert world.order() == "b"


@pytest.mark.fault("S41")
def test_a_limit_below_what_is_used_shows_nothing_negative() -> None:
    world = World("a", "b")
    world.ok("a", limits=Limits(None, (WindowReport("day", "headers", None, 0, 10, START + HOUR),)))
    world.ok("a", limits=Limits(None, (WindowReport("day", "headers", None, 0, 5, START + HOUR),)))
    [window] = world.row("a").quota.windows

    assert (window.remaining, window.used_percent) == (0, 100)
    assert world.order() == "b"


ONE_KEY = {"kind": "openai", "api_key_env": "ONE"}


@pytest.mark.fault("S39")
@pytest.mark.parametrize(
    ("second", "told"),
    [
        ({}, True),
        ({"wires": ["responses"]}, True),
        ({"model": "gpt-5-mini"}, False),
        ({"api_key_env": "ANOTHER"}, False),
        ({"base_url": "https://eu.openai.test"}, False),
    ],
)
def test_a_config_with_one_key_for_two_names_is_told_that_they_share_its_limits(
    second: dict[str, Any], told: bool
) -> None:
    providers = [{"name": "a", **ONE_KEY}, {"name": "b", **ONE_KEY, **second}]
    chain = [{"name": "default", "chain": ["a", "b"]}]
    config = config_from_data({"provider": providers, "profile": chain}, "test")
    found = suspicions(config, {"ONE": "sk-one", "ANOTHER": "sk-other"})
    words = "a and b: have one key, so they share its limits; where one is out, all are"
    assert found == ([words] if told else [])


@pytest.mark.fault("S39")
def test_two_names_with_one_key_learn_of_a_limit_by_one_refusal_each() -> None:
    world = World("a", "b", "c")
    world.fail("a", 429, retry_after=60)
    assert world.order() == "b c"
    world.fail("b", 429, retry_after=60)
    assert world.order() == "c"
