"""What errors say in words where their status says too little, and whose words those are.

Every pattern is looked for in the lower-case text of a whole error body, codes and types included.
"""

from __future__ import annotations

import re
from typing import Final


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


OVER_A_RATE: Final = re.compile(r"request too large.{0,200}tokens per (?:min|day)")
"""OpenAI, Groq: one request alone is more than is given in that time, so no wait would help it."""

RATE: Final = re.compile(r"tokens per (?:min|day|hour)|rate.limit|too many requests|throttl")
"""A limit on how much may be asked in a time, however much it talks of length."""

CONTEXT: Final = _any(
    r"context_length_exceeded",  # OpenAI, Groq, Cerebras, OpenRouter
    r"exceeds the context window",  # OpenAI
    r"maximum context length",  # OpenAI, vLLM, OpenRouter, DeepSeek, Mistral, LiteLLM
    r"reduce the length of the messages",  # Groq, Cerebras
    r"prompt is too long",  # Anthropic, Fireworks
    r"exceed context limit",  # Anthropic, where too little room is left for an answer
    r"input is too long",  # Bedrock
    r"input token count\b.{0,40}(?:exceeds the maximum|model only supports)",  # Gemini, Vertex
    r"maximum prompt length is [0-9]",  # xAI
    r"prompt token count of [0-9]+ exceeds the limit",  # Copilot
    r"exceeded model token limit",  # Kimi
    r"context window exceeds limit",  # MiniMax
    r"prompt exceeds max length",  # z.ai
    r"range of input length should be",  # Qwen
    r"longer than the model's context length",  # Together
    r"`inputs` tokens \+ `max_new_tokens` must be",  # Together, Hugging Face
    r"exceeds (?:the )?maximum allowed input length",  # Poolside
    r"longer than the maximum model length",  # vLLM
    r"exceed_context_size|exceeds the available context",  # llama.cpp
    r"context size has been exceeded",  # llama.cpp, LM Studio
    r"greater than the context length|context length of only|n_keep: ",  # LM Studio
    r"exceeded max context length|input length exceeds the context length",  # Ollama
)
"""The prompt is too long for this provider."""

CREDIT: Final = _any(
    r"insufficient_quota|billing_hard_limit",  # OpenAI
    r"credit balance is too low",  # Anthropic
    r"reached your specified [\w ]{0,40}usage limits",  # Anthropic, of an account or a workspace
    r"key limit exceeded",  # OpenRouter
    r"insufficient balance",  # DeepSeek, z.ai
    r"account balance is insufficient",  # SiliconFlow
    r"exceeded_current_quota",  # Kimi
)
"""The account has nothing left to spend."""

MODEL: Final = _any(
    r"model_not_found|model_not_supported|model_decommissioned",  # OpenAI, Copilot, Groq: their codes
    r"is not a valid model id",  # OpenRouter
    r"model not exist",  # DeepSeek
    r"unknown model\b",  # z.ai
    r"invalid model name",  # LiteLLM
    r"\binvalid_model\b",  # Mistral, Perplexity
    r"invalid model identifier",  # LM Studio
    r"\bmodel is not supported when using codex",  # ChatGPT
    r"\bmodel [`'\"\\]{0,2}[\w./:@-]{1,100}[`'\"\\]{0,2} (?:does not exist|not found)",  # OpenAI, xAI
)
"""The provider does not have this model."""

MODERATION: Final = _any(
    r"flagged_input|requires moderation",  # OpenRouter
    r"content_policy|content_filter",  # OpenAI, Azure
)
"""The prompt is refused for what it says."""

SIGNATURE: Final = re.compile(r"invalid `signature` in `thinking`")
"""Anthropic: the thinking in the conversation is another provider's. Claude Code then leaves it out."""

STATE: Final = _any(
    SIGNATURE.pattern,
    r"invalid_encrypted_content|encrypted content .{0,200}could not be (?:verified|decrypted)",  # OpenAI
    r"previous_response_not_found|items are not persisted when",  # OpenAI
    r"expected `thinking` or `redacted_thinking`",  # Anthropic
    r"missing a `?thought_signature|thought signature is not valid",  # Gemini
    r"reasoning_content.{0,60}(?:must be passed back|is missing)",  # DeepSeek, Kimi
)
"""The conversation refers to what only the provider has that served it before."""
