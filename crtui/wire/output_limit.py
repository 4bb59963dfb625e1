"""More output is asked for than a provider gives: how much it would give, and a request for that.

Agents ask for the most that they believe their model can write (Claude Code for 32,000 to 128,000 tokens).
Another model, or a server with a small window, refuses the whole request for it.
"""

from __future__ import annotations

import re
from typing import Final

from crtui.wire.keys import value_offsets

LEAST: Final = 1024
"""With less room than this the prompt is what is too long: an agent had better shorten that."""

_KEYS: Final = (b"max_tokens", b"max_completion_tokens", b"max_output_tokens")
_NUMBER: Final = re.compile(rb"[0-9]{1,15}(?![0-9.eE])")
_BUDGET: Final = re.compile(rb'\{[^{}]{0,200}?"budget_tokens"[ \t\r\n]{0,20}:[ \t\r\n]{0,20}')
"""Up to the number in Anthropic's ``thinking``: at least 1,024, and below ``max_tokens``."""

# A refusal names the limit itself, or the window and the prompt that fill it.
_WORDINGS: Final = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL | re.ASCII)
    for pattern in (
        # vLLM 0.32
        r"max_\w{0,20}tokens=\d{1,15} cannot be greater than max_model_len=(?P<limit>\d{1,12})",
        # OpenAI
        r"supports at most (?P<limit>\d{1,12}) (?:completion|output) tokens",
        # Anthropic
        r"max_tokens: \d{1,15} > (?P<limit>\d{1,12}), which is the maximum",
        # DeepSeek, Qwen
        r"range of max_\w{0,20}tokens (?:is|should be) \[\d{1,12}, ?(?P<limit>\d{1,12})\]",
        # Groq
        r"max_\w{0,20}tokens\b.{0,80}? must be less than or equal to `?(?P<limit>\d{1,12})",
        # Doubao
        r"max_\w{0,20}tokens\b.{0,80}? expected a value <= (?P<limit>\d{1,12})",
        # Gemini
        r"maxOutputTokens value of \d{1,15} but the supported range is from \d{1,12} \(inclusive\) "
        r"to (?P<above>\d{1,12}) \(exclusive\)",
        # OpenAI, OpenRouter, vLLM before 0.9
        r"maximum context length is (?P<window>\d{1,12}) tokens.{0,40}? requested (?:about )?"
        r"(?P<total>\d{1,12}) tokens \(.{0,100}? (?P<asked>\d{1,12}) (?:in|for) the (?:completion|output)\)",
        # vLLM 0.9 to 0.12
        r"maximum context length is\s{1,10}(?P<window>\d{1,12}) tokens "
        r"and your request has (?P<prompt>\d{1,12}) input tokens",
        # vLLM 0.20, which stops counting where nothing fits any more
        r"maximum context length is (?P<window>\d{1,12}) tokens.{0,40}? requested \d{1,12} output tokens "
        r"and your prompt contains (?P<uncounted>at least )?(?P<prompt>\d{1,12}) input tokens",
        # Anthropic
        r"exceed context limit: (?P<prompt>\d{1,12}) \+ \d{1,12} > (?P<window>\d{1,12})",
    )
)


def read_output_limit(error: str) -> int | None:
    """How many output tokens would be given, by the words of a refusal; None for fewer than ``LEAST``."""
    match = next((found for wording in _WORDINGS if (found := wording.search(error))), None)
    limit = None if match is None else _limit(match)
    return limit if limit is not None and limit >= LEAST else None


def _limit(match: re.Match[str]) -> int:
    told = {name: int(text) for name, text in match.groupdict().items() if text and text.isdigit()}
    if "limit" in told:
        return told["limit"]
    if "above" in told:
        return told["above"] - 1
    prompt = told["total"] - told["asked"] if "total" in told else told["prompt"]
    room = told["window"] - prompt
    return room // 2 if match.groupdict().get("uncounted") else room


def with_output_limit(body: bytes, limit: int) -> bytes:
    """The same bytes with every top-level number of output tokens above ``limit`` exchanged for it.

    A thinking budget, which must be smaller than that, becomes half of it.
    """
    for key in _KEYS:
        for at in reversed(value_offsets(body, key)):
            body = _lowered(body, at, limit + 1, limit)
    for at in reversed(value_offsets(body, b"thinking")):
        if budget := _BUDGET.match(body, at):
            body = _lowered(body, budget.end(), limit, max(LEAST, limit // 2))
    return body


def _lowered(body: bytes, at: int, too_many: int, instead: int) -> bytes:
    old = _NUMBER.match(body, at)
    if old is None or int(old[0]) < too_many:
        return body
    return body[:at] + b"%d" % instead + body[old.end() :]
