"""More output asked for than a provider gives, in every known wording."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crtui.wire.output_limit import LEAST, read_output_limit, with_output_limit

WINDOW = "This model's maximum context length is 128000 tokens"


@pytest.mark.parametrize(
    ("words", "limit"),
    [
        ("max_tokens=32000 cannot be greater than max_model_len=4096. Please request fewer", 4096),
        ("max_output_tokens=32000 cannot be greater than max_model_len=4096.", 4096),
        (
            "max_tokens is too large: 128000. This model supports at most 16384 completion tokens, whereas "
            "you provided 128000.",
            16384,
        ),
        (
            "max_tokens: 128000 > 64000, which is the maximum allowed number of output tokens for "
            "claude-opus-4-5-20251101",
            64000,
        ),
        ("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]", 8192),
        ("<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, 8192]", 8192),
        ("`max_tokens` must be less than or equal to `40960`, the maximum value for `max_tokens` is", 40960),
        ("max_tokens for `llama-3.1-8b-instant` must be less than or equal to 8000", 8000),
        (
            "The parameter `max_completion_tokens` specified in the request are not valid: integer above "
            "maximum value, expected a value <= 12288, but got 32000 instead.",
            12288,
        ),
        (
            "Unable to submit request because it has a maxOutputTokens value of 128000 but the supported "
            "range is from 1 (inclusive) to 65537 (exclusive).",
            65536,
        ),
        (
            f"{WINDOW}. However, you requested 130000 tokens (98000 in the messages, 32000 for the output)",
            30000,
        ),
        (
            f"{WINDOW}, however you requested 130000 tokens (98000 in your prompt; 32000 for the completion)",
            30000,
        ),
        (
            "This endpoint's maximum context length is 131072 tokens. However, you requested about 141607 "
            "tokens (10535 of text input, 131072 in the output). Please reduce the length of either one",
            120537,
        ),
        (
            "'max_tokens' or 'max_completion_tokens' is too large: 64000. This model's maximum context "
            "length is      64001 tokens and your request has 24235 input tokens (64000 > 64001 - 24235).",
            39766,
        ),
        (
            f"{WINDOW}. However, you requested 65535 output tokens and your prompt contains 62466 "
            "input tokens",
            65534,
        ),
        (
            "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input",
            11760,
        ),
    ],
)
def test_what_would_be_taken_is_read_of_a_refusal(words: str, limit: int) -> None:
    assert read_output_limit(words) == limit
    assert read_output_limit(orjson.dumps({"error": {"message": words}}).decode()) == limit


def test_a_prompt_that_was_not_counted_to_its_end_leaves_perhaps_half_the_room() -> None:
    told = (
        f"{WINDOW}. However, you requested 65535 output tokens and your prompt contains at least 62466 input"
    )
    assert read_output_limit(f"{told} tokens, for a total of at least 128001 tokens.") == 32767


@pytest.mark.parametrize(
    "words",
    [
        "",
        "max_tokens: too large",
        "prompt is too long: 210000 tokens > 200000 maximum",
        f"{WINDOW}. However, your messages resulted in 130000 tokens.",
        f"{WINDOW}. However, your prompt contains at least 128001 input tokens, which exceeds this limit",
        f"{WINDOW}. However, you requested 160000 tokens (127000 in the messages, 33000 in the completion).",
        f"{WINDOW}. However, you requested 160000 tokens (150000 in the messages, 10000 in the completion).",
        "max_tokens: 128000 > 16, which is the maximum",
        "max_tokens must be less than or equal to ٤٠٩٦",
    ],
)
def test_no_limit_and_none_worth_asking_for_is_read_of_anything_else(words: str) -> None:
    assert read_output_limit(words) is None


@given(st.text())
def test_no_words_are_too_strange(words: str) -> None:
    limit = read_output_limit(f"{words} max_tokens=9 cannot be greater than max_model_len={words}")
    assert limit is None or limit >= LEAST


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        (b'{"max_tokens": 32000, "n":1}', b'{"max_tokens": 4096, "n":1}'),
        (b'{"max_completion_tokens":32000}', b'{"max_completion_tokens":4096}'),
        (b'{"max_output_tokens":32000}', b'{"max_output_tokens":4096}'),
        (
            b'{"max_tokens":9000,"max_completion_tokens":9000}',
            b'{"max_tokens":4096,"max_completion_tokens":4096}',
        ),
        (b'{"max\\u005ftokens":32000}', b'{"max\\u005ftokens":4096}'),
        (b'{"max_tokens":4096}', b'{"max_tokens":4096}'),
        (b'{"max_tokens":null}', b'{"max_tokens":null}'),
        (b'{"max_tokens":"32000"}', b'{"max_tokens":"32000"}'),
        (b'{"max_tokens":32000.5}', b'{"max_tokens":32000.5}'),
        (
            b'{"a":{"max_tokens":32000},"b":"\\"max_tokens\\":5"}',
            b'{"a":{"max_tokens":32000},"b":"\\"max_tokens\\":5"}',
        ),
        (b"{}", b"{}"),
        (
            b'{"max_tokens":32000,"thinking":{"type":"enabled", "budget_tokens": 31999}}',
            b'{"max_tokens":4096,"thinking":{"type":"enabled", "budget_tokens": 2048}}',
        ),
        (
            b'{"thinking":{"budget_tokens":4096},"max_tokens":5000}',
            b'{"thinking":{"budget_tokens":2048},"max_tokens":4096}',
        ),
        (
            b'{"thinking":{"budget_tokens":4095},"max_tokens":5000}',
            b'{"thinking":{"budget_tokens":4095},"max_tokens":4096}',
        ),
        (
            b'{"thinking":{"type":"adaptive"},"tools":[{"budget_tokens":9000}]}',
            b'{"thinking":{"type":"adaptive"},"tools":[{"budget_tokens":9000}]}',
        ),
    ],
)
def test_only_the_top_level_number_changes(body: bytes, changed: bytes) -> None:
    assert with_output_limit(body, 4096) == changed
