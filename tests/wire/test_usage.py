"""Token counts of every dialect, brought to one meaning at one place."""

from __future__ import annotations

import pytest

from crtui.core.inputs import Usage
from crtui.core.money import pico
from crtui.wire.usage import anthropic_usage, larger, message_usage, openai_usage, responses_usage


@pytest.mark.parametrize(
    ("creation", "write", "hour"),
    [
        ({}, 300, 0),
        ({"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 100}, 300, 100),
        ({"ephemeral_5m_input_tokens": 400, "ephemeral_1h_input_tokens": 100}, 500, 100),
        ({"ephemeral_1h_input_tokens": 400}, 400, 400),
        ({"ephemeral_1h_input_tokens": -400}, 300, 0),
        ([], 300, 0),
    ],
)
def test_cache_writes_for_an_hour_are_told_apart(creation: object, write: int, hour: int) -> None:
    told = {"input_tokens": 7, "cache_creation_input_tokens": 300, "cache_creation": creation}
    assert anthropic_usage(told) == Usage(7, 0, 0, write, hour)


@pytest.mark.parametrize(
    ("read", "told"),
    [
        (anthropic_usage, {"input_tokens": 100, "cache_read_input_tokens": 900}),
        (openai_usage, {"prompt_tokens": 1000, "prompt_tokens_details": {"cached_tokens": 900}}),
        (openai_usage, {"prompt_tokens": 1000, "prompt_cache_hit_tokens": 900}),
        (openai_usage, {"prompt_tokens": 1000, "cached_tokens": 900}),
        (responses_usage, {"input_tokens": 1000, "input_tokens_details": {"cached_tokens": 900}}),
    ],
)
def test_inclusive_and_exclusive_counts_mean_the_same_afterwards(read, told) -> None:
    assert read(told) == Usage(100, 0, 900)


@pytest.mark.parametrize(
    ("cost", "usd"),
    [(0.95, 0.95), (0, 0.0), (1, 1.0), (-1, None), ("1", None), (True, None), (1e300, None), ({}, None)],
)
def test_a_cost_is_taken_if_it_can_be_an_amount_of_dollars(cost: object, usd: float | None) -> None:
    usage = openai_usage({"prompt_tokens": 1, "cost": cost})
    assert usage == Usage(1, cost=None if usd is None else pico(usd))


START = {"input_tokens": 28_000, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 300}


@pytest.mark.parametrize(
    ("end", "told"),
    [
        ({"input_tokens": 28, "cache_read_input_tokens": 27_972}, Usage(28, 9, 27_972, 300, 100)),
        ({"input_tokens": 6000}, Usage(6000, 9, 5, 300, 100)),
        ({"input_tokens": 6000, "cache_creation_input_tokens": 40}, Usage(6000, 9, 5, 40, 40)),
        ({"input_tokens": 0, "cache_read_input_tokens": 28_000}, Usage(0, 9, 28_000, 300, 100)),
        ({"input_tokens": 0, "cache_read_input_tokens": 0}, Usage(28_000, 9, 5, 300, 100)),
        ({"input_tokens": None, "cache_read_input_tokens": 7}, Usage(28_000, 9, 7, 300, 100)),
        ({}, Usage(28_000, 9, 5, 300, 100)),
    ],
)
def test_the_last_word_on_a_messages_input_is_the_deltas(end: dict[str, object], told: Usage) -> None:
    start = anthropic_usage({**START, "cache_creation": {"ephemeral_1h_input_tokens": 100}})
    assert message_usage(start, {**end, "output_tokens": 9}) == told
    assert message_usage(told, {"output_tokens": 3}) == told
    assert message_usage(None, {"input_tokens": 3}) == Usage(3)
    assert message_usage(start, "nonsense") == start


def test_two_reports_on_one_answer_are_never_added_up() -> None:
    early, late = Usage(9, 1, 3, 4, 2), Usage(9, 8, 3, 4, 0, cost=5)
    assert larger(early, late) == larger(late, early) == Usage(9, 8, 3, 4, 2, 5)
