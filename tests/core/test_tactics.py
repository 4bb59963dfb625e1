"""Who is tried first under each tactic, and who follows."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crtui.core.settings import Tactic
from crtui.core.tactics import Candidate, order

TACTICS = get_args(Tactic)
BLANK = Candidate("?", 0, 1, None, 0, 0, None, 0, None)
CANDIDATES = st.lists(
    st.builds(
        Candidate,
        name=st.text(alphabet="abcdefgh", min_size=1, max_size=3),
        tier=st.integers(-1, 2),
        weight=st.integers(0, 3),
        capacity=st.none() | st.integers(0, 4),
        in_flight=st.integers(0, 5),
        window_tokens=st.integers(0, 20_000),
        mean_latency_ms=st.none() | st.floats(0, 10_000),
        speed_samples=st.integers(0, 9),
        mean_speed=st.none() | st.floats(0, 200),
    ),
    max_size=8,
    unique_by=lambda candidate: candidate.name,
)


def candidates(**rows: dict[str, object]) -> list[Candidate]:
    return [replace(BLANK, name=name, **row) for name, row in rows.items()]


def ordered(tactic: Tactic, rows: list[Candidate], current: str | None = None, seed: int = 1) -> str:
    return "".join(order(tactic, rows, current=current, rng=random.Random(seed)))


def firsts(tactic: Tactic, rows: list[Candidate], draws: int = 4_000) -> dict[str, float]:
    rng = random.Random(7)
    counts = Counter(order(tactic, rows, current=None, rng=rng)[0] for _ in range(draws))
    return {row.name: counts[row.name] / draws for row in rows}


@given(st.sampled_from(TACTICS), CANDIDATES, st.sampled_from("abc"), st.integers(0, 99))
def test_every_tactic_gives_a_permutation_that_its_seed_decides(tactic, rows, current, seed):
    first, again = (order(tactic, rows, current=current, rng=random.Random(seed)) for _ in range(2))
    assert sorted(first) == sorted(row.name for row in rows)
    assert first == again


@given(st.sampled_from([t for t in TACTICS if t != "priority"]), CANDIDATES, st.integers(0, 99))
def test_lower_tiers_come_first_whatever_the_tactic(tactic, rows, seed):
    tier = {row.name: row.tier for row in rows}
    names = order(tactic, rows, current=None, rng=random.Random(seed))
    assert [tier[name] for name in names] == sorted(tier.values())


@given(CANDIDATES)
def test_priority_is_the_chain_as_it_stands_tiers_or_not(rows):
    assert order("priority", rows, current=None, rng=random.Random(1)) == tuple(row.name for row in rows)


@pytest.mark.parametrize("tactic", [t for t in TACTICS if t not in {"random", "tier", "capacity_based"}])
def test_ties_keep_the_chains_order(tactic):
    assert ordered(tactic, candidates(c={}, a={}, b={})) == "cab"


@pytest.mark.parametrize("tactic", ["random", "tier"])
def test_random_picks_in_proportion_to_weight(tactic):
    shares = firsts(tactic, candidates(a={"weight": 1}, b={"weight": 3}))
    assert shares["b"] == pytest.approx(0.75, abs=0.03)


@pytest.mark.parametrize("tactic", ["random", "tier"])
@given(seed=st.integers(0, 500))
def test_weight_zero_goes_last_while_another_is_positive(tactic, seed):
    assert ordered(tactic, candidates(a={"weight": 0}, b={}, c={}), seed=seed)[-1] == "a"


@pytest.mark.parametrize("tactic", ["random", "tier"])
def test_weights_that_are_all_zero_are_all_alike(tactic):
    shares = firsts(tactic, candidates(a={"weight": 0}, b={"weight": 0}))
    assert shares["a"] == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    ("used", "current", "expected"),
    [
        ({"a": 9_999, "b": 0, "c": 5}, "a", "abc"),
        ({"a": 10_000, "b": 7, "c": 5}, "a", "cba"),
        ({"a": 10, "b": 7, "c": 5}, None, "cba"),
        ({"a": 10, "b": 7, "c": 5}, "gone", "cba"),
        ({"a": 10_000, "b": 20_000, "c": 30_000}, "a", "abc"),
    ],
)
def test_token_based_stays_until_ten_thousand_tokens_then_takes_the_fewest(used, current, expected):
    rows = candidates(**{name: {"window_tokens": tokens} for name, tokens in used.items()})
    assert ordered("token_based", rows, current) == expected


@pytest.mark.parametrize(
    ("means", "current", "expected"),
    [
        ({"a": 1_999.0, "b": 10.0, "c": 500.0}, "a", "abc"),
        ({"a": 2_000.0, "b": 10.0, "c": 500.0}, "a", "bca"),
        ({"a": None, "b": 3_999.0, "c": 4_001.0}, "a", "bac"),
        ({"a": 30.0, "b": 10.0, "c": 20.0}, None, "bca"),
    ],
)
def test_latency_based_stays_under_two_seconds_else_takes_the_lowest(means, current, expected):
    rows = candidates(**{name: {"mean_latency_ms": mean} for name, mean in means.items()})
    assert ordered("latency_based", rows, current) == expected


@pytest.mark.parametrize(
    ("speeds", "expected"),
    [
        ({"a": (5, 60.0), "b": (5, 90.0), "c": (5, 50.0)}, "bac"),
        ({"a": (4, 90.0), "b": (5, 50.0), "c": (0, None)}, "bac"),
        ({"a": (5, 20.0), "b": (4, 1.0), "c": (5, 24.0)}, "bca"),
        ({"a": (0, None), "b": (5, 40.0)}, "ba"),
    ],
)
def test_speed_based_takes_the_fastest_proven_and_scores_the_unproven_25(speeds, expected):
    rows = candidates(**{n: {"speed_samples": s, "mean_speed": v} for n, (s, v) in speeds.items()})
    assert ordered("speed_based", rows) == expected


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"mean_latency_ms": 900.0}, {}),
        ({}, {"mean_latency_ms": 1_100.0}),
        ({}, {"window_tokens": 1}),
        ({"mean_speed": 51.0}, {}),
        ({}, {"mean_speed": 49.0}),
        ({"capacity": 4, "in_flight": 1}, {}),
        ({}, {"capacity": 4, "in_flight": 3}),
        ({"mean_latency_ms": 0.0}, {"mean_speed": 100.0}),
        ({"window_tokens": 0, "capacity": 1, "in_flight": 1}, {"window_tokens": 10_000, "capacity": 1}),
        ({"mean_speed": 100.0, "mean_latency_ms": 2_000.0}, {"mean_speed": 0.0, "mean_latency_ms": 1_999.0}),
    ],
)
def test_adaptive_weighs_latency_tokens_speed_and_free_capacity(better, worse):
    assert ordered("adaptive", candidates(w=worse, b=better)) == "bw"


def test_adaptive_weighs_nothing_beyond_its_bounds():
    rows = candidates(
        a={"mean_latency_ms": 2_000.0, "window_tokens": 10_000, "mean_speed": 100.0},
        b={"mean_latency_ms": 90_000.0, "window_tokens": 90_000, "mean_speed": 900.0},
    )
    assert ordered("adaptive", rows) == "ab"


def test_capacity_based_picks_in_proportion_to_free_capacity():
    shares = firsts(
        "capacity_based", candidates(a={"capacity": 4, "in_flight": 3}, b={"capacity": 8, "in_flight": 2})
    )
    assert shares["b"] == pytest.approx(0.75, abs=0.03)


def test_capacity_based_takes_an_unknown_capacity_for_free():
    shares = firsts("capacity_based", candidates(a={"in_flight": 50}, b={"capacity": 2, "in_flight": 1}))
    assert shares["a"] == pytest.approx(2 / 3, abs=0.03)


@pytest.mark.parametrize(
    "full", [{"capacity": 2, "in_flight": 2}, {"capacity": 2, "in_flight": 9}, {"capacity": 0}]
)
@given(seed=st.integers(0, 500))
def test_capacity_based_puts_the_full_last(full, seed):
    assert ordered("capacity_based", candidates(a=full, b={"capacity": 9, "in_flight": 8}), seed=seed) == "ba"


def test_current_counts_only_inside_its_own_tier():
    rows = candidates(a={"tier": 1}, b={"tier": 0, "window_tokens": 9}, c={"tier": 1})
    assert ordered("token_based", rows, current="c") == "bca"
