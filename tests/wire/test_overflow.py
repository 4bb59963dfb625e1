"""A prompt that is too long, in every known wording."""

from __future__ import annotations

import json

import pytest

from crtui.wire.overflow import is_coded, overflow_words, read_overflow

LLAMACPP = json.dumps(
    {
        "error": {
            "code": 400,
            "message": "request (10825 tokens) exceeds the available context size (1024 tokens), "
            "try increasing it",
            "type": "exceed_context_size_error",
            "n_prompt_tokens": 10825,
            "n_ctx": 1024,
        }
    }
)


@pytest.mark.parametrize(
    ("body", "numbers"),
    [
        (LLAMACPP, (10825, 1024)),
        (LLAMACPP.replace("n_ctx", "other"), (10825, 1024)),
        (
            "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 "
            "tokens. Please reduce the length",
            (9001, 8192),
        ),
        (
            "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens "
            "(4000 in the messages, 1000 in the completion).",
            (5000, 4096),
        ),
        ("prompt is too long: 210000 tokens > 200000 maximum", (210000, 200000)),
        (
            "Trying to keep the first 111490 tokens when context the overflows. However, the model is loaded "
            "with context length of only 32768 tokens, which is not enough.",
            (111490, 32768),
        ),
        (
            "The number of tokens to keep from the initial prompt is greater than the context length "
            "(n_keep: 13055>= n_ctx: 4096).",
            (13055, 4096),
        ),
        (
            "This model's maximum context length is 4096 tokens. However, your prompt contains at least 4097 "
            "input tokens, which exceeds this limit even without any output tokens.",
            (4097, 4096),
        ),
        # Gemini, Vertex, xAI, Copilot, Kimi, Mistral, Fireworks, Together, vLLM, LiteLLM, Poolside
        ("The input token count (9001) exceeds the maximum number of tokens allowed (8192).", (9001, 8192)),
        ("the input token count is 9001 but model only supports up to 8192. Reduce", (9001, 8192)),
        (
            "This model's maximum prompt length is 8192 but the request contains 9001 tokens.",
            (9001, 8192),
        ),
        ("prompt token count of 9001 exceeds the limit of 8192", (9001, 8192)),
        ("Your request exceeded model token limit: 8192 (requested: 9001)", (9001, 8192)),
        (
            "Prompt contains 9001 tokens and 0 draft tokens, too large for model with 8192 maximum context "
            "length",
            (9001, 8192),
        ),
        ("The prompt is too long: 9001, model maximum context length: 8192", (9001, 8192)),
        ("The input (9001 tokens) is longer than the model's context length (8192 tokens).", (9001, 8192)),
        (
            "The decoder prompt (length 9001) is longer than the maximum model length of 8192.",
            (9001, 8192),
        ),
        ("Input length (9001) exceeds model's maximum context length (8192).", (9001, 8192)),
        ("Input length 9001 exceeds the maximum allowed input length of 8192 tokens.", (9001, 8192)),
    ],
)
def test_both_numbers_are_found(body: str, numbers: tuple[int, int]) -> None:
    assert read_overflow(body) == numbers
    assert overflow_words(body, "") == f"prompt is too long: {numbers[0]} tokens > {numbers[1]} maximum"


@pytest.mark.parametrize(
    "body",
    [
        "This model's maximum context length is 4096 tokens. However, you requested 2000 output tokens and "
        "your prompt contains at least 2097 input tokens, for a total of at least 4097 tokens.",
        "This model's maximum context length is 4096 tokens. However, your prompt contains 63050 characters "
        "(more than 49152 characters, which is the upper bound for 4096 input tokens).",
    ],
)
def test_numbers_that_would_fit_are_not_told_as_an_overflow(body: str) -> None:
    assert read_overflow(body) is None


@pytest.mark.parametrize(
    "body", ["", "input is too long", '{"error":{"n_ctx":5}}', '{"error":{"n_ctx":-1,"n_prompt_tokens":2}}']
)
def test_without_numbers_the_words_say_so_in_the_providers_own(body: str) -> None:
    assert read_overflow(body) is None
    assert overflow_words(body, "input is too long") == "prompt is too long: input is too long"


def test_only_openais_code_says_it_by_itself() -> None:
    assert is_coded('{"error":{"code":"context_length_exceeded"}}')
    assert not is_coded(LLAMACPP)
    assert not is_coded("context_length_exceeded")
