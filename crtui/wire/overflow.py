"""A prompt that is too long, said so that the caller's client understands it.

Claude Code compacts its conversation when it reads ``prompt is too long: N tokens > M maximum``,
Codex when ``error.code`` is ``context_length_exceeded``; other words look like any bad request.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from crtui.wire.jsonview import as_count, as_object, loads

CODE: Final = "context_length_exceeded"

_WORDINGS: Final = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        # llama.cpp
        r"request \((?P<n>\d{1,12}) tokens\) exceeds the available context size \((?P<m>\d{1,12}) tokens",
        # OpenAI, OpenRouter and vLLM, in several orders
        r"maximum context length (?:is|of) (?P<m>\d{1,12}) tokens.{0,80}?"
        r"(?:requested|resulted in|contains?(?: at least)?|has) (?P<n>\d{1,12})(?: input)? tokens",
        # Anthropic
        r"prompt is too long: (?P<n>\d{1,12}) tokens > (?P<m>\d{1,12})",
        # LM Studio
        r"keep the first (?P<n>\d{1,12}) tokens when .{0,120}? context length of only (?P<m>\d{1,12}) tokens",
        r"n_keep: (?P<n>\d{1,12}) ?>= n_ctx: (?P<m>\d{1,12})",
        # Gemini, Vertex
        r"input token count \((?P<n>\d{1,12})\) exceeds the maximum number .{0,20}\((?P<m>\d{1,12})\)",
        r"input token count is (?P<n>\d{1,12}) but model only supports up to (?P<m>\d{1,12})",
        # xAI
        r"maximum prompt length is (?P<m>\d{1,12}) but the request contains (?P<n>\d{1,12}) tokens",
        # Copilot
        r"prompt token count of (?P<n>\d{1,12}) exceeds the limit of (?P<m>\d{1,12})",
        # Kimi
        r"exceeded model token limit: (?P<m>\d{1,12}) \(requested: (?P<n>\d{1,12})\)",
        # Mistral
        r"prompt contains (?P<n>\d{1,12}) tokens.{0,60}? model with (?P<m>\d{1,12}) maximum context length",
        # Fireworks
        r"prompt is too long: (?P<n>\d{1,12}), model maximum context length: (?P<m>\d{1,12})",
        # Together
        r"input \((?P<n>\d{1,12}) tokens\) is longer than the model's context length \((?P<m>\d{1,12})",
        # vLLM
        r"prompt \(length (?P<n>\d{1,12})\) is longer than the maximum model length of (?P<m>\d{1,12})",
        # LiteLLM, Poolside
        r"input length \(?(?P<n>\d{1,12})\)? exceeds (?:the |model's )maximum .{0,30}? \(?(?P<m>\d{1,12})",
    )
)


class Overflow(NamedTuple):
    """Tokens of the prompt, and how many there may be."""

    prompt: int
    maximum: int


def read_overflow(body: str) -> Overflow | None:
    """What a refusal says of the two numbers, if both, and if they say by themselves what is wrong."""
    error = _error(body)
    prompt, maximum = as_count(error.get("n_prompt_tokens")), as_count(error.get("n_ctx"))
    if prompt is None or maximum is None:
        match = next((found for wording in _WORDINGS if (found := wording.search(body))), None)
        if match is None:
            return None
        prompt, maximum = int(match["n"]), int(match["m"])
    # A prompt that leaves too little room for the answer is below the maximum itself.
    return Overflow(prompt, maximum) if prompt > maximum else None


def is_coded(body: str) -> bool:
    """Whether an error says by its code what it is, as OpenAI's do."""
    return _error(body).get("code") == CODE


def overflow_words(body: str, text: str) -> str:
    """Anthropic's wording of a refusal; with the refusal's own ``text`` where it names no numbers."""
    found = read_overflow(body)
    if found is None:
        return f"prompt is too long: {text}"
    return f"prompt is too long: {found.prompt} tokens > {found.maximum} maximum"


def _error(body: str) -> dict[str, object]:
    try:
        return as_object(as_object(loads(body.encode("utf-8", "replace"))).get("error"))
    except ValueError:
        return {}
