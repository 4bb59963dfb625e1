"""Tokens against the day's budget: spent, projected, and when what is left runs out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crtui.core.burn import Burn, RecentRate, together
from crtui.core.now import DAY, HOUR, MINUTE, SECOND, Now, stamp

DAY0 = 1_795_165_200_000 // DAY * DAY
NEXT = DAY0 + DAY
BUDGET = 96_000
"""1 000 tokens a quarter of an hour."""


def at(after_midnight: int) -> Now:
    return Now(mono=5_000_000 + after_midnight, wall=DAY0 + after_midnight)


def kinds(told):
    return [kind for kind, _ in told]


def burnt(*folds: tuple[int, int], budget: int | None = BUDGET) -> Burn:
    burn = Burn(budget)
    for when, tokens in folds:
        burn.fold(tokens, at(when))
    return burn


# the day's budget


def test_the_budget_used_up_excludes_until_midnight_and_is_told_once():
    burn = burnt((20 * HOUR, BUDGET // 2))
    assert (burn.verdict(at(20 * HOUR)), burn.clear) == (None, True)
    told = burn.fold(BUDGET // 2, at(20 * HOUR))
    assert told == [("quota.exhausted", {"until": stamp(NEXT), "source": "burn_rate", "code": "spent"})]
    assert (burn.verdict(at(20 * HOUR)), burn.clear) == (("spent", NEXT), False)
    assert burn.fold(1, at(21 * HOUR)) == []
    assert burn.due() == NEXT


@pytest.mark.parametrize(
    ("when", "used", "code"),
    [
        (2 * HOUR, 8_001, None),
        (2 * HOUR, 9_599, None),
        (2 * HOUR, 9_600, "projected"),
        (HOUR, 9_600, "projected"),
        (3 * HOUR, 12_000, None),
        (3 * HOUR, 12_001, "projected"),
        (15 * MINUTE, 9_599, None),
        (15 * MINUTE, 9_600, "projected"),
        (14 * MINUTE, 95_999, None),
        (14 * MINUTE, 96_000, "spent"),
    ],
)
def test_projected_needs_the_pace_a_quarter_of_an_hour_and_a_tenth_of_the_budget(when, used, code):
    verdict = burnt((when, used)).verdict(at(when))
    assert verdict == (None if code is None else (code, NEXT))


def test_a_projection_is_told_once_with_the_time_the_days_pace_runs_out():
    burn = Burn(BUDGET)
    assert kinds(burn.fold(24_000, at(3 * HOUR))) == ["burn.projected", "quota.exhausted"]
    assert burn.fold(24_000, at(3 * HOUR)) == []
    [(_, data), (_, exhausted)] = Burn(BUDGET).fold(24_000, at(3 * HOUR))
    assert data == {"exhausts_at": stamp(DAY0 + 12 * HOUR)}
    assert exhausted == {"until": stamp(NEXT), "source": "burn_rate", "code": "projected"}


def test_a_projection_holds_until_midnight_though_the_pace_falls():
    burn = burnt((3 * HOUR, 24_000))
    assert burn.verdict(at(DAY - 1)) == ("projected", NEXT)
    assert burn.verdict(at(DAY)) is None


def test_a_projection_that_is_then_used_up_is_spent_and_not_told_again():
    burn = burnt((3 * HOUR, 24_000))
    assert burn.fold(BUDGET, at(4 * HOUR)) == []
    assert burn.verdict(at(4 * HOUR)) == ("spent", NEXT)


def test_a_heavy_first_quarter_of_an_hour_falls_due_at_its_end():
    burn = burnt((5 * MINUTE, 48_000))
    assert burn.due() == DAY0 + 15 * MINUTE
    assert burn.verdict(at(15 * MINUTE - 1)) is None
    assert burn.verdict(at(15 * MINUTE)) == ("projected", NEXT)
    assert not burn.clear
    told = burn.expire(at(15 * MINUTE))
    assert kinds(told) == ["burn.projected", "quota.exhausted"]
    assert told[0][1] == {"exhausts_at": stamp(DAY0 + 30 * MINUTE)}
    assert burn.expire(at(15 * MINUTE)) == []
    assert burn.due() == NEXT


def test_midnight_makes_it_available_and_begins_at_zero():
    burn = burnt((20 * HOUR, BUDGET))
    assert burn.view(at(DAY)).used_tokens == 0
    assert burn.expire(at(DAY)) == [("quota.available", {"source": "burn_rate"})]
    assert burn.expire(at(DAY)) == []
    assert (burn.due(), burn.clear) == (None, True)


def test_a_day_within_its_budget_ends_in_silence():
    burn = burnt((20 * HOUR, 1))
    assert burn.expire(at(DAY)) == []


def test_tokens_after_midnight_tell_the_new_day_first():
    burn = burnt((20 * HOUR, BUDGET))
    assert kinds(burn.fold(BUDGET, at(DAY + 1))) == ["quota.available", "quota.exhausted"]


@pytest.mark.parametrize("budget", [None, 0])
def test_without_a_budget_it_only_counts(budget):
    burn = burnt((20 * HOUR, 10**9), budget=budget)
    view = burn.view(at(20 * HOUR))
    assert (burn.verdict(at(20 * HOUR)), view.budget_tokens, view.used_tokens) == (None, None, 10**9)
    assert view.exhausts_at is None


@pytest.mark.fault("S32")
def test_a_negative_count_is_zero():
    assert burnt((HOUR, 5), (HOUR, -99)).view(at(HOUR)).used_tokens == 5


def test_a_clock_set_back_across_midnight_loses_no_token():
    burn = burnt((MINUTE, BUDGET))
    assert burn.fold(7, at(-MINUTE)) == []
    assert burn.verdict(at(-MINUTE)) == ("spent", NEXT)
    assert burn.view(at(-MINUTE)).used_tokens == BUDGET + 7
    assert burn.view(at(2 * MINUTE)).used_tokens == BUDGET + 7


def test_a_clock_set_back_within_the_day_lifts_nothing():
    burn = burnt((20 * HOUR, BUDGET))
    assert burn.verdict(at(19 * HOUR)) == ("spent", NEXT)


def test_a_clock_that_was_years_ahead_locks_a_provider_out_for_a_day_at_most():
    burn = burnt((800 * DAY, BUDGET))
    assert burn.verdict(at(HOUR)) == ("spent", NEXT)
    assert burn.expire(at(HOUR)) == []
    assert burn.due() == NEXT


@pytest.mark.fault("S41")
def test_a_raised_budget_lifts_it_and_a_lowered_one_excludes_after_a_reload():
    dumped = burnt((20 * HOUR, BUDGET)).dump(at(20 * HOUR))
    raised, lowered = Burn(10 * BUDGET), Burn(BUDGET // 2)
    raised.load(dumped, at(20 * HOUR))
    lowered.load(dumped, at(20 * HOUR))
    assert raised.verdict(at(20 * HOUR)) is None
    assert lowered.verdict(at(20 * HOUR)) == ("spent", NEXT)
    assert kinds(lowered.expire(at(20 * HOUR))) == ["quota.exhausted"]


def test_a_day_that_ended_while_off_is_over_after_a_load():
    dumped = burnt((20 * HOUR, BUDGET)).dump(at(20 * HOUR))
    for budget in (BUDGET, BUDGET // 2):
        burn = Burn(budget)
        burn.load(dumped, at(DAY + HOUR))
        assert burn.verdict(at(DAY + HOUR)) is None
        assert burn.view(at(DAY + HOUR)).used_tokens == 0


FOLDS = st.lists(
    st.tuples(st.integers(0, 5 * HOUR), st.one_of(st.integers(-5, 9_000), st.integers(0, BUDGET))),
    max_size=25,
)


@given(FOLDS, st.integers(0, 2 * DAY))
def test_a_tick_changes_no_outcome(folds, later):
    ticked, left = Burn(BUDGET), Burn(BUDGET)
    when, told_ticked, told_left = 0, [], []
    for passed, tokens in folds:
        told_ticked += ticked.expire(at(when + passed // 2))
        when += passed
        told_ticked += ticked.fold(tokens, at(when))
        told_left += left.fold(tokens, at(when))
        assert ticked.verdict(at(when)) == left.verdict(at(when))
    end = at(when + later)
    assert ticked.verdict(end) == left.verdict(end)
    assert ticked.view(end) == left.view(end)
    told_ticked += ticked.expire(at(when + later // 2)) + ticked.expire(end)
    assert told_ticked == told_left + left.expire(end)


@given(FOLDS)
def test_used_tokens_never_fall_within_a_day_and_a_verdict_is_never_over(folds):
    burn, when, used, resets = Burn(BUDGET), 0, 0, 0
    for passed, tokens in folds:
        when += passed
        burn.fold(tokens, at(when))
        view, verdict = burn.view(at(when)), burn.verdict(at(when))
        assert view.resets_at != resets or view.used_tokens >= used
        assert view.used_tokens < BUDGET or verdict == ("spent", view.resets_at)
        assert verdict is None or verdict[1] > at(when).wall
        assert verdict is None or not burn.clear
        used, resets = view.used_tokens, view.resets_at


@given(FOLDS)
def test_dump_and_load_are_a_fixed_point(folds):
    burn, when = Burn(BUDGET), 0
    for passed, tokens in folds:
        when += passed
        burn.fold(tokens, at(when))
    again, now = Burn(BUDGET), at(when + MINUTE)
    dumped = burn.dump(now)
    again.load(json.loads(json.dumps(dumped)), now)
    assert again.dump(now) == dumped
    assert (again.view(now), again.verdict(now), again.due()) == (
        burn.view(now),
        burn.verdict(now),
        burn.due(),
    )


# what the screen shows


def test_the_view_projects_the_days_pace_once_a_minute_of_it_has_passed():
    burn = burnt((30 * SECOND, 10))
    assert burn.view(at(MINUTE - 1)).projected_tokens is None
    assert burn.view(at(MINUTE)).projected_tokens == 10 * 24 * 60


def test_the_view_tells_when_the_budget_runs_out_at_the_recent_rate():
    burn = burnt((6 * HOUR, 100), (6 * HOUR + MINUTE, 100))
    view = burn.view(at(6 * HOUR + 2 * MINUTE))
    assert view.tokens_per_min == pytest.approx(100)
    assert view.exhausts_at == DAY0 + 6 * HOUR + 2 * MINUTE + (BUDGET - 200) * MINUTE // 100


@pytest.mark.parametrize(
    ("folds", "when"),
    [
        (((6 * HOUR, 100),), 6 * HOUR + 10 * SECOND),
        (((6 * HOUR, 100),), 7 * HOUR),
        (((20 * HOUR, 100),), 20 * HOUR + MINUTE),
        (((6 * HOUR, BUDGET),), 6 * HOUR + MINUTE),
    ],
    ids=["too little seen", "idle", "midnight comes first", "already out"],
)
def test_the_view_names_no_time_where_there_is_none(folds, when):
    assert burnt(*folds).view(at(when)).exhausts_at is None


def test_the_view_is_warm_while_time_alone_changes_it():
    burn = burnt((DAY - MINUTE, 10))
    assert burn.warm(at(DAY - MINUTE))
    burn.expire(at(DAY))
    assert burn.warm(at(DAY))
    assert not burn.warm(at(DAY + 15 * MINUTE))
    assert not Burn(None).warm(at(0))


def test_the_recent_rate_is_over_a_quarter_of_an_hour_or_since_the_first_token():
    rate = RecentRate()
    assert rate.per_minute(0) is None
    rate.add(600, 0)
    assert rate.per_minute(14_999) is None
    assert rate.per_minute(15_000) == pytest.approx(2_400)
    assert rate.per_minute(10 * MINUTE) == pytest.approx(60)
    rate.add(300, 10 * MINUTE)
    assert rate.per_minute(15 * MINUTE - 1) == pytest.approx(60, rel=1e-3)
    assert rate.per_minute(15 * MINUTE + 30 * SECOND) == pytest.approx(300 / 14.75)
    assert rate.per_minute(HOUR) == 0.0


def test_the_recent_rate_keeps_sixty_buckets_however_long_it_runs():
    rate = RecentRate()
    for bucket in range(500):
        rate.add(1, bucket * 15_000)
        rate.add(1, bucket * 15_000 + 1)
    dumped = rate.dump(499 * 15_000)
    assert dumped["buckets"] == [[age, 2] for age in range(59, -1, -1)]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3 * MINUTE), st.integers(0, 900)), max_size=60))
def test_several_rates_together_are_as_one_that_counted_all(steps):
    several, one, mono = [RecentRate() for _ in range(3)], RecentRate(), 0
    for place, passed, tokens in steps:
        mono += passed
        several[place].add(tokens, mono)
        one.add(tokens, mono)
        assert together(several, mono) == one.per_minute(mono)
    assert together([], mono) is None
