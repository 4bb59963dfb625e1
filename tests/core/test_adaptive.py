"""The adaptive reorder: what counts as slow or failing, what is remembered, and for how long."""

from __future__ import annotations

import json
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crtui.core.adaptive import DEBOUNCE_MS, KEPT, WINDOW_MS, AdaptiveOrder, AdaptiveWindow, Stats

FINE = Stats(None, 0, 0)
FAILING = Stats(None, 9, 1)
NAMES = ("a", "b", "c")


def reordered(stats: dict[str, Stats], names: tuple[str, ...] = NAMES) -> str:
    return "".join(AdaptiveOrder().reorder(names, lambda n: stats.get(n, FINE), 0, commit=False))


def timed(**medians: float) -> dict[str, Stats]:
    return {name: Stats(median, 3, 0) for name, median in medians.items()}


@pytest.mark.parametrize(
    ("medians", "expected"),
    [
        ({"a": 150, "b": 100, "c": 100}, "bca"),
        ({"a": 149, "b": 100, "c": 100}, "abc"),
        ({"a": 200, "b": 100}, "bca"),
        ({"a": 999}, "abc"),
        ({"a": 300, "b": 100, "c": 300}, "bac"),
        ({"a": 301, "b": 100, "c": 300}, "bca"),
        ({}, "abc"),
    ],
)
def test_slow_is_one_and_a_half_times_the_median_of_the_others(medians, expected):
    assert reordered(timed(**medians)) == expected


@pytest.mark.parametrize(
    ("successes", "failures", "expected"),
    [(9, 1, "bca"), (10, 1, "abc"), (3, 1, "abc"), (4, 1, "bca"), (0, 5, "bca"), (0, 4, "abc")],
)
def test_failing_is_one_in_ten_of_at_least_five(successes, failures, expected):
    assert reordered({"a": Stats(None, successes, failures)}) == expected


def test_a_failing_provider_goes_behind_a_slow_one():
    assert reordered({"a": FAILING} | timed(b=500, c=100)) == "cba"


@given(st.lists(st.integers(1, 20), min_size=2, max_size=7))
def test_each_median_is_held_against_those_of_the_others_only(medians):
    names = tuple(map(str, range(len(medians))))
    others = [statistics.median(medians[:i] + medians[i + 1 :]) for i in range(len(medians))]
    slow = [mine >= 1.5 * theirs for mine, theirs in zip(medians, others, strict=True)]
    expected = tuple(sorted(names, key=lambda name: slow[int(name)]))
    after = AdaptiveOrder().reorder(names, lambda n: Stats(medians[int(n)], 3, 0), 0, commit=False)
    assert after == expected


def test_an_order_that_stands_is_returned_as_the_same_object():
    order = AdaptiveOrder()
    assert order.reorder(NAMES, lambda _: FINE, 0, commit=True) is NAMES
    assert order.reorder(NAMES, lambda n: FAILING if n == "c" else FINE, 0, commit=True) is NAMES


def test_a_rank_that_changed_less_than_thirty_seconds_ago_stays():
    order, stats = AdaptiveOrder(), {"a": FAILING}
    assert order.reorder(NAMES, lambda n: stats.get(n, FINE), 0, commit=True) == ("b", "c", "a")
    stats.clear()
    assert order.reorder(NAMES, lambda n: stats.get(n, FINE), DEBOUNCE_MS - 1, commit=True) == ("b", "c", "a")
    assert order.reorder(NAMES, lambda n: stats.get(n, FINE), DEBOUNCE_MS, commit=True) == NAMES
    stats["a"] = FAILING
    assert order.reorder(NAMES, lambda n: stats.get(n, FINE), DEBOUNCE_MS + 1, commit=True) == NAMES


def test_one_providers_debounce_does_not_hold_another():
    order, stats = AdaptiveOrder(), {"a": FAILING}
    order.reorder(NAMES, lambda n: stats.get(n, FINE), 0, commit=True)
    stats["b"] = FAILING
    assert order.reorder(NAMES, lambda n: stats.get(n, FINE), 1, commit=True) == ("c", "a", "b")


def test_looking_remembers_nothing():
    order = AdaptiveOrder()
    before = order.dump(0)
    assert order.reorder(NAMES, lambda n: FAILING if n == "a" else FINE, 0, commit=False) == ("b", "c", "a")
    assert (order.dump(0), order.rank("a"), order.moved_from) == (before, 0, None)
    assert order.reorder(NAMES, lambda _: FINE, 1, commit=True) is NAMES


def test_a_move_is_told_once_in_each_direction():
    order, stats, moves = AdaptiveOrder(), {"a": FAILING}, []
    for at in (0, 1, DEBOUNCE_MS, DEBOUNCE_MS + 1):
        order.reorder(NAMES, lambda n: stats.get(n, FINE), at, commit=True)
        moves.append(order.moved_from)
        if at == 1:
            stats.clear()
    assert moves == [NAMES, None, ("b", "c", "a"), None]


def test_the_window_counts_a_minute_and_takes_the_median_of_successes():
    window = AdaptiveWindow()
    for mono, latency, ok in [
        (0, 900, True),
        (1, 100, True),
        (2, 300, True),
        (3, 200, True),
        (4, None, False),
    ]:
        window.add(mono, latency, ok)
    assert window.stats(4) == Stats(250, 4, 1)
    assert window.stats(WINDOW_MS - 1) == Stats(250, 4, 1)
    assert window.stats(WINDOW_MS) == Stats(200, 3, 1)
    assert window.stats(WINDOW_MS + 1) == Stats(None, 2, 1)
    assert window.stats(2 * WINDOW_MS) == Stats(None, 0, 0)


def test_a_failures_latency_and_an_unknown_one_are_no_samples():
    window = AdaptiveWindow()
    for latency, ok in [(1, False), (None, True), (5, True), (6, True)]:
        window.add(0, latency, ok)
    assert window.stats(0) == Stats(None, 3, 1)
    window.add(0, 7, True)
    assert window.stats(0) == Stats(6, 4, 1)


def test_a_busy_minute_is_bounded_to_its_newest_attempts():
    window = AdaptiveWindow()
    for mono in range(KEPT + 50):
        window.add(mono, mono, mono >= 50)
    assert window.stats(KEPT + 50) == Stats(50 + (KEPT - 1) / 2, KEPT, 0)


ATTEMPTS = st.lists(
    st.tuples(st.integers(0, 20_000), st.none() | st.integers(0, 9_999), st.booleans()), max_size=60
)


@given(ATTEMPTS, st.integers(0, 10**9))
def test_a_window_is_what_its_attempts_say_and_survives_a_restart(attempts, restarted_at):
    window, again, mono, seen = AdaptiveWindow(), AdaptiveWindow(), 0, []
    for passed, latency, ok in attempts:
        mono += passed
        window.add(mono, latency, ok)
        seen.append((mono, latency, ok))
        live = [entry for entry in seen if mono - entry[0] < WINDOW_MS]
        latencies = [latency for _, latency, ok in live if ok and latency is not None]
        median = statistics.median(latencies) if len(latencies) >= 3 else None
        successes = sum(ok for _, _, ok in live)
        assert window.stats(mono) == Stats(median, successes, len(live) - successes)
    dumped = window.dump(mono)
    again.load(json.loads(json.dumps(dumped)), restarted_at)
    assert again.dump(restarted_at) == dumped
    assert again.stats(restarted_at + 9_000) == window.stats(mono + 9_000)


def test_looking_at_a_window_does_not_change_its_dump():
    looked, left = AdaptiveWindow(), AdaptiveWindow()
    for window in (looked, left):
        window.add(0, 1, True)
        window.add(30_000, 1, True)
    looked.stats(WINDOW_MS)
    assert looked.dump(WINDOW_MS) == left.dump(WINDOW_MS)


def test_ranks_and_their_ages_survive_a_restart():
    order, again = AdaptiveOrder(), AdaptiveOrder()
    order.reorder(NAMES, lambda n: FAILING if n == "a" else FINE, 1_000, commit=True)
    dumped = order.dump(11_000)
    again.load(json.loads(json.dumps(dumped)), 77)
    assert again.dump(77) == dumped == {"ranks": [["a", 2, 10_000]]}
    assert again.reorder(NAMES, lambda _: FINE, 77 + 19_999, commit=True) == ("b", "c", "a")
    assert again.reorder(NAMES, lambda _: FINE, 77 + 20_000, commit=True) == NAMES
