from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crtui.demo.scenario import ACT, ACT_S, OPENING, OPENING_S, phase

PROVIDERS = sorted(OPENING)
SECOND = 1000


@pytest.mark.parametrize(
    ("provider", "at_s", "mode"),
    [
        ("claude-max", 0, "serving"),
        ("claude-max", 39.999, "serving"),
        ("claude-max", 40, "rate_limited"),
        ("claude-max", 71.999, "rate_limited"),
        ("claude-max", 72, "serving"),
        ("anthropic-api", 13, "rate_limited"),
        ("anthropic-api", 30, "serving"),
        ("anthropic-api", 50, "cutting"),
        ("openrouter", 60, "serving"),
        ("vllm-lab", 7.999, "serving"),
        ("vllm-lab", 8, "refusing"),
        ("vllm-lab", 21, "loading"),
        ("vllm-lab", 30, "serving"),
        ("ollama", 18, "out_of_memory"),
        ("ollama", 30, "serving"),
    ],
)
def test_the_opening_is_the_same_for_every_seed(provider: str, at_s: float, mode: str):
    assert {phase(provider, round(at_s * SECOND), seed).mode for seed in range(5)} == {mode}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_phases_fill_the_opening_and_an_act_as_written(provider: str):
    assert sum(entry.seconds for entry in OPENING[provider]) == OPENING_S
    assert sum(entry.seconds for entry in ACT[provider]) == ACT_S


@given(provider=st.sampled_from(PROVIDERS), t_ms=st.integers(0, 10**9), seed=st.integers(0, 100))
def test_every_instant_lies_in_exactly_one_phase(provider: str, t_ms: int, seed: int):
    now = phase(provider, t_ms, seed)
    assert now.starts_ms <= t_ms < now.ends_ms
    assert phase(provider, now.starts_ms, seed).starts_ms == now.starts_ms
    assert phase(provider, now.ends_ms, seed).starts_ms == now.ends_ms
    assert now.ttft_ms > 0
    assert now.tokens_per_s > 0


@given(t_ms=st.integers(0, 10**8), seed=st.integers(0, 20))
def test_a_window_is_full_only_while_it_limits_and_resets_when_that_ends(t_ms: int, seed: int):
    now = phase("claude-max", t_ms, seed)
    assert now.used is not None
    assert now.resets_ms is not None
    assert (now.used >= 0.995) == (now.mode == "rate_limited")
    assert now.resets_ms > t_ms
    assert phase("claude-max", now.resets_ms, seed).used == pytest.approx(0.02)
    if now.mode == "rate_limited":
        assert now.retry_after_ms == now.resets_ms - t_ms


def test_acts_differ_with_the_seed_and_from_each_other():
    first_act, second_act = OPENING_S * SECOND, (OPENING_S + ACT_S) * SECOND
    ends = {
        (seed, act): phase("vllm-lab", act, seed).ends_ms - act
        for seed in (1, 2)
        for act in (first_act, second_act)
    }
    assert len(set(ends.values())) == 4


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_act_begins_and_ends_well(provider: str):
    for at_s in (OPENING_S, OPENING_S + ACT_S, OPENING_S + 7 * ACT_S):
        assert phase(provider, at_s * SECOND - 1, seed=3).mode == "serving"
        assert phase(provider, at_s * SECOND, seed=3).mode == "serving"


def test_latency_drifts():
    seen = {phase("openrouter", at_s * SECOND).ttft_ms for at_s in range(0, 67, 5)}
    assert max(seen) > 1.4 * min(seen)


def test_an_unknown_provider_is_a_key_error():
    with pytest.raises(KeyError):
        phase("nobody", 0)
