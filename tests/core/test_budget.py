"""The spend cap: exact money, one UTC month at a time."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crtui.core.budget import Budget
from crtui.core.forecast import forecast
from crtui.core.inputs import Charge, Usage
from crtui.core.now import DAY, HOUR, MINUTE, Now, next_month, stamp
from crtui.core.saved import BadDumpError
from crtui.core.settings import Price, ProviderSettings
from crtui.core.views import BudgetView
from tests.core.world import World

NOV_20 = 1_795_165_200_000
DEC_1 = next_month(NOV_20)
PRICE = Price(input=3.0, output=15.0, cache_read=0.3, cache_write=3.75)
MILLION = 1_000_000


def at(wall: int) -> Now:
    return Now(mono=wall - NOV_20 + MILLION, wall=wall)


NOW = at(NOV_20)


@pytest.mark.parametrize(
    ("price", "usage", "usd"),
    [
        (PRICE, Usage(MILLION, 0, 0, 0), 3.0),
        (PRICE, Usage(0, MILLION, 0, 0), 15.0),
        (PRICE, Usage(0, 0, MILLION, 0), 0.3),
        (PRICE, Usage(0, 0, 0, MILLION), 3.75),
        (PRICE, Usage(10, 5, 100, 20), 0.00021),
        (PRICE, Usage(-MILLION, -1, -1, -1), 0.0),
        (PRICE, Usage(-MILLION, MILLION, 0, 0), 15.0),
        (Price(input=3.0, output=15.0), Usage(0, 0, MILLION, MILLION), 6.0),
        (Price(input=0.0, output=0.0), Usage(MILLION, MILLION, 0, 0), 0.0),
        (Price(output=15.0), Usage(0, MILLION, 0, 0), 15.0),
        (Price(input=0.000001), Usage(1, 0, 0, 0), 1e-12),
    ],
)
def test_each_kind_of_token_costs_its_own_price(price, usage, usd):
    budget = Budget(None, price)
    assert budget.charge(usage, NOW) == []
    assert budget.cost_usd == pytest.approx(usd, rel=1e-12)
    assert budget.view(NOW).spent_usd == budget.cost_usd


@pytest.mark.parametrize("price", [None, Price()])
@pytest.mark.fault("S34")
def test_an_unknown_price_charges_nothing_and_shows_unknown(price):
    budget = Budget(1.0, price)
    assert budget.charge(Usage(10**9, 10**9), NOW) == []
    assert budget.verdict(NOW) is None
    assert budget.cost_usd is None
    assert budget.view(NOW).spent_usd is None


@pytest.mark.fault("S34")
def test_tokens_of_a_kind_that_has_no_price_make_a_request_unpriced():
    budget = Budget(4.0, Price(input=3.0))
    budget.charge(Usage(MILLION), NOW)
    budget.charge(Usage(MILLION, 1), NOW)
    assert budget.view(NOW) == BudgetView(4.0, 3.0, "2026-11", 1)
    assert budget.expected(Usage(MILLION, 1)) == 3 * 10**6 * (MILLION + 1), "at the mean of the priced ones"
    budget.settle(Usage(MILLION, 1, cost=10**12), NOW)
    assert budget.view(NOW) == BudgetView(4.0, 4.0, "2026-11", 0), "unless somebody else knows it"


def test_what_came_with_an_attempt_counts_where_its_own_price_lacks_a_half():
    budget = Budget(None, Price(output=15.0))
    budget.charge(told(0.5), NOW)
    assert budget.view(NOW) == BudgetView(None, 0.5, "2026-11", 0)


def test_a_million_small_charges_add_up_without_a_rounding_error():
    budget = Budget(None, Price(input=0.1))
    for _ in range(30_000):
        budget.charge(Usage(1), NOW)
    assert budget.cost_usd == 0.003


@pytest.mark.fault("S35")
def test_reaching_the_cap_excludes_until_the_months_end_and_is_told_once():
    budget = Budget(3.0, PRICE)
    assert budget.charge(Usage(MILLION - 1), NOW) == []
    assert (budget.verdict(NOW), budget.clear) == (None, True)
    told = budget.charge(Usage(1), NOW)
    assert told == [
        ("budget.exceeded", {"spent_usd": 3.0, "monthly_usd": 3.0, "until": "2026-12-01T00:00:00.000Z"})
    ]
    assert (budget.verdict(NOW), budget.clear) == (("spent", DEC_1), False)
    assert budget.charge(Usage(MILLION), NOW) == []
    assert budget.due() == DEC_1


def test_the_new_month_lifts_it_with_or_without_a_tick():
    budget = Budget(3.0, PRICE)
    budget.charge(Usage(MILLION), NOW)
    assert budget.verdict(at(DEC_1 - 1)) == ("spent", DEC_1)
    assert budget.verdict(at(DEC_1)) is None
    assert budget.view(at(DEC_1)).spent_usd == 0.0
    assert budget.expire(at(DEC_1)) == [("budget.reset", {"month": "2026-12"})]
    assert budget.expire(at(DEC_1)) == []
    assert (budget.due(), budget.clear) == (None, True)
    assert budget.cost_usd == 3.0


def test_a_charge_in_the_new_month_tells_the_reset_first():
    budget = Budget(3.0, PRICE)
    budget.charge(Usage(MILLION), NOW)
    kinds = [kind for kind, _ in budget.charge(Usage(2 * MILLION), at(DEC_1 + 5))]
    assert kinds == ["budget.reset", "budget.exceeded"]


def test_a_month_that_stayed_below_its_cap_ends_in_silence():
    budget = Budget(3.0, PRICE)
    budget.charge(Usage(1), NOW)
    assert budget.expire(at(DEC_1)) == []


def test_a_cap_of_nothing_lets_nothing_through_in_any_month():
    budget = Budget(0.0, PRICE)
    assert budget.verdict(NOW) == ("spent", DEC_1)
    assert budget.expire(at(DEC_1)) == []
    assert budget.verdict(at(DEC_1)) == ("spent", next_month(DEC_1))


def test_a_cap_of_nothing_keeps_requests_away_before_the_first_input():
    world = World(ProviderSettings("a", monthly_usd=0.0, price=PRICE), "b")

    assert world.row("a").standing == "excluded"
    assert (world.order(), world.dropped()) == ("b", {"a": "budget:spent"})


def test_a_clock_set_back_across_the_months_start_loses_no_spend():
    budget = Budget(3.0, PRICE)
    budget.charge(Usage(MILLION), at(DEC_1))
    assert budget.expire(NOW) == []
    assert budget.verdict(NOW) == ("spent", next_month(DEC_1))
    assert budget.view(NOW).month == "2026-12"


def test_a_clock_that_was_years_ahead_cannot_lock_a_provider_out_for_years():
    budget = Budget(3.0, PRICE)
    budget.charge(Usage(MILLION), at(NOV_20 + 2000 * DAY))
    assert budget.verdict(NOW) == ("spent", DEC_1)
    assert budget.expire(NOW) == []
    assert budget.due() == DEC_1


@pytest.mark.fault("S41")
def test_a_raised_cap_lifts_and_a_lowered_one_excludes_after_a_reload():
    spent = Budget(3.0, PRICE)
    spent.charge(Usage(MILLION), NOW)
    raised, lowered = Budget(4.0, PRICE), Budget(2.0, PRICE)
    raised.load(spent.dump())
    lowered.load(spent.dump())
    assert raised.verdict(NOW) is None
    assert lowered.verdict(NOW) == ("spent", DEC_1)


CHARGES = st.lists(st.tuples(st.integers(0, 3 * DAY), st.integers(-10, 10**6)), max_size=40)


@given(CHARGES)
def test_spend_never_falls_within_a_month_and_is_restored_by_a_load(charges):
    budget, wall, month, spent = Budget(5.0, PRICE), NOV_20, "", 0.0
    for passed, tokens in charges:
        wall += passed
        budget.charge(Usage(tokens, tokens), at(wall))
        view = budget.view(at(wall))
        assert view.month != month or view.spent_usd >= spent
        month, spent = view.month, view.spent_usd
        assert (budget.verdict(at(wall)) is not None) == (spent >= 5.0)
    again = Budget(5.0, PRICE)
    again.load(json.loads(json.dumps(budget.dump())))
    assert again.dump() == budget.dump()
    assert again.view(at(wall)) == budget.view(at(wall))


@given(CHARGES, st.integers(0, 90 * DAY))
def test_a_tick_changes_no_outcome(charges, later):
    ticked, left = Budget(5.0, PRICE), Budget(5.0, PRICE)
    wall, told_ticked, told_left = NOV_20, [], []
    for passed, tokens in charges:
        told_ticked += ticked.expire(at(wall + passed // 2))
        wall += passed
        told_ticked += ticked.charge(Usage(tokens), at(wall))
        told_left += left.charge(Usage(tokens), at(wall))
    then = at(wall + later)
    assert ticked.verdict(then) == left.verdict(then)
    assert ticked.view(then) == left.view(then)
    assert told_ticked + ticked.expire(then) == told_left + left.expire(then)


def test_the_end_of_the_month_is_told_as_a_stamp():
    budget = Budget(1.0, PRICE)
    [(_, data)] = budget.charge(Usage(MILLION), NOW)
    assert data["until"] == stamp(DEC_1)


def test_a_reset_does_not_clear_a_months_spend():
    world = World(ProviderSettings("a", monthly_usd=1.0, price=Price(input=1.0)))
    world.ok("a", usage=Usage(1_000_000))
    world.command("reset", "a")

    assert world.dropped() == {"a": "budget:spent"}
    assert world.row("a").budget.spent_usd == 1.0


def told(usd: float, tokens: int = 100) -> Usage:
    return Usage(tokens, cost=round(usd * 10**12))


def test_without_a_configured_price_each_attempt_costs_what_came_with_it():
    budget = Budget(1.0, None)
    assert budget.charge(told(0.4), NOW) == []
    assert budget.view(NOW) == BudgetView(1.0, 0.4, "2026-11", 0)
    [(kind, data)] = budget.charge(told(0.6), NOW)
    assert (kind, data["spent_usd"]) == ("budget.exceeded", 1.0)


def test_a_configured_price_stands_above_what_came_with_an_attempt():
    budget = Budget(None, Price(input=1.0))
    budget.charge(told(500.0, tokens=MILLION), NOW)
    assert budget.settle(told(500.0), NOW) == []
    assert budget.cost_usd == 1.0


def test_a_cost_of_nothing_is_known_and_no_cost_is_not():
    free, unknown = Budget(None, None), Budget(None, None)
    free.charge(told(0.0), NOW)
    unknown.charge(Usage(100), NOW)
    assert free.view(NOW).spent_usd == 0.0
    assert unknown.view(NOW).spent_usd is None


def test_attempts_without_a_price_are_counted_beside_the_known_spend_until_the_months_end():
    budget = Budget(None, None)
    for usage in (told(0.25), Usage(5), Usage(5)):
        budget.charge(usage, NOW)
    assert budget.view(NOW) == BudgetView(None, 0.25, "2026-11", 2)
    assert budget.view(at(DEC_1)) == BudgetView(None, 0.0, "2026-12", 0)


def test_a_cost_told_late_is_added_once_and_can_reach_the_cap():
    budget = Budget(1.0, None)
    budget.charge(Usage(100), NOW)
    assert [kind for kind, _ in budget.settle(told(1.0), NOW)] == ["budget.exceeded"]
    assert budget.view(NOW) == BudgetView(1.0, 1.0, "2026-11", 0)


def test_what_was_never_priced_is_still_told_when_its_month_is_over():
    budget = Budget(1.0, None)
    for usage in (Usage(100), told(0.5), Usage(100)):
        budget.charge(usage, NOW)
    again = Budget(1.0, None)
    again.load(budget.dump())
    again.expire(at(DEC_1))
    assert (again.view(at(DEC_1)).unpriced_requests, again.ever_unpriced) == (0, 2)
    assert again.cost_usd == 0.5


def test_what_a_cap_still_lasts_is_told_at_the_mean_price_so_far():
    budget = Budget(3.0, None)
    assert budget.lasts(Usage(1000), NOW) is None
    budget.charge(told(1.0, tokens=1000), NOW)
    assert budget.lasts(Usage(500), NOW) == 4 * HOUR + 1


def test_a_dump_from_before_costs_travelled_with_attempts_is_still_read():
    old = {"month": "2026-11", "until": DEC_1, "spent": "500000000000", "total": "500000000000"}
    budget = Budget(1.0, None)
    budget.load(old)
    assert budget.view(NOW) == BudgetView(1.0, 0.5, "2026-11", 0)


@pytest.mark.parametrize(
    "change",
    [{"known": 1}, {"unpriced": -1}, {"unpriced": 1}, {"ever_unpriced": -1}, {"tokens": "5"}, {"spent": "2"}],
)
def test_a_dump_that_no_budget_wrote_is_refused(change):
    budget = Budget(1.0, None)
    with pytest.raises(BadDumpError):
        budget.load({**Budget(1.0, None).dump(), **change})


def test_a_late_charge_counts_no_tokens_and_excludes_where_it_reaches_the_cap():
    world = World(ProviderSettings("a", monthly_usd=1.0))
    world.ok("a", usage=Usage(100))
    world.core.feed(Charge("a", told(1.0)), world.now())
    row = world.row("a")
    assert (row.usage.input_tokens, row.usage.requests, row.budget.spent_usd) == (100, 1, 1.0)
    assert world.dropped() == {"a": "budget:spent"}


def test_a_forecast_charges_what_tokens_have_cost_so_far():
    world = World(ProviderSettings("a", monthly_usd=1.0))
    for minute in range(20):
        world.at(60 * minute).ok("a", usage=told(0.02, tokens=1000))
    [lane] = forecast(world.core, world.now()).lanes
    dry = next(segment for segment in lane.segments if segment.state == "out")
    assert (dry.guard, dry.code) == ("budget", "spent")
    assert 20 * MINUTE < dry.start - world.now().wall < 60 * MINUTE
