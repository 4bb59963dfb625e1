"""A provider's samples: what counts as one, how many are kept, and the statistics over them."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crtui.core.latency import KEPT, SHOWN, Samples, percentile

MS = st.integers(0, 600_000)


@pytest.mark.parametrize(
    ("values", "p", "expected"),
    [
        ([], 0.5, None),
        ([7], 0.99, 7),
        ([10, 20], 0.5, 15),
        ([10, 20, 30, 40], 0.5, 25),
        ([10, 20, 30, 40, 50], 0.95, 48),
        ([1, 2, 3], 0.0, 1),
        ([1, 2, 3], 1.0, 3),
        ([1, 2, 3], -0.5, 1),
        ([1, 2, 3], 1.5, 3),
    ],
)
def test_percentile_interpolates_at_p_times_n_minus_one(values, p, expected):
    assert percentile(values, p) == (None if expected is None else pytest.approx(expected))


@given(st.lists(MS, min_size=2, max_size=100))
def test_percentile_agrees_with_the_standard_library(values):
    ordered = sorted(values)
    cuts = statistics.quantiles(ordered, n=100, method="inclusive")
    for p in (50, 95, 99):
        assert percentile(ordered, p / 100) == pytest.approx(cuts[p - 1])


@given(st.lists(MS, min_size=1), st.floats(0, 1), st.floats(0, 1))
def test_percentile_never_falls_as_p_rises(values, a, b):
    ordered = sorted(values)
    low, high = sorted((a, b))
    assert percentile(ordered, low) <= percentile(ordered, high) + 1e-6


def test_without_samples_everything_is_unknown_not_zero():
    view = Samples().view()
    assert (view.samples, view.p50_ms, view.p99_ms, view.ttft_p50_ms, view.tokens_per_s) == (0, *[None] * 4)
    assert view.recent_ms == ()
    assert Samples().mean_latency() is None
    assert Samples().mean_speed() == (0, 0.0)


@pytest.mark.parametrize(
    ("sample", "latencies", "ttft", "speed"),
    [
        ((100, 40, 20, 400), 1, 40, 50.0),
        ((100, None, 20, 400), 1, None, 50.0),
        ((None, 40, 0, 400), 0, 40, None),
        ((100, 40, 20, None), 1, 40, None),
        ((100, 40, 20, 0), 1, 40, None),
        ((0, 0, 0, 0), 1, 0, None),
        ((-5, -1, -20, -400), 0, None, None),
    ],
)
def test_what_is_absent_or_senseless_is_no_sample(sample, latencies, ttft, speed):
    samples = Samples()
    samples.add(*sample)
    view = samples.view()
    assert (view.samples, view.ttft_p50_ms, view.tokens_per_s) == (latencies, ttft, speed)


def test_only_the_last_hundred_count_and_the_last_sixty_are_shown():
    samples = Samples()
    for ms in range(1, 251):
        samples.add(ms, ms, ms, 1000)
    view = samples.view()
    assert view.samples == KEPT
    assert view.p50_ms == pytest.approx(200.5)
    assert view.recent_ms == tuple(range(251 - SHOWN, 251))
    assert samples.mean_latency() == pytest.approx(200.5)
    assert samples.mean_speed() == (KEPT, pytest.approx(200.5))


def test_the_view_is_made_anew_only_after_an_add():
    samples = Samples()
    samples.add(100, None, 0, None)
    first = samples.view()
    assert samples.view() is first
    samples.add(300, None, 0, None)
    assert samples.view().p50_ms == 200


@given(
    st.lists(st.tuples(st.none() | MS, st.none() | MS, st.integers(0, 9999), st.none() | MS), max_size=150)
)
def test_dump_and_load_are_a_fixed_point(history):
    samples, other = Samples(), Samples()
    for sample in history:
        samples.add(*sample)
    other.load(samples.dump())
    assert other.dump() == samples.dump()
    assert other.view() == samples.view()
    assert other.mean_speed() == samples.mean_speed()
