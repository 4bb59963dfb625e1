"""LiteLLM's vendor prefixes (``groq/llama-3.3-70b``) and where those vendors are.

https://docs.litellm.ai/docs/providers
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from crtui.config.kinds import Kind


@dataclass(frozen=True, slots=True)
class Vendor:
    """How a prefix is written here. Without ``base_url`` it is the kind's own."""

    kind: Kind
    base_url: str | None = None
    key_env: str | None = None


def _chat(base_url: str, key_env: str) -> Vendor:
    return Vendor("openai-compatible", base_url, key_env)


VENDORS: Final[dict[str, Vendor]] = {
    "anthropic": Vendor("anthropic"),
    "openai": Vendor("openai"),
    "openrouter": Vendor("openrouter"),
    "gemini": Vendor("gemini"),
    "ollama": Vendor("ollama"),
    "ollama_chat": Vendor("ollama"),
    "lm_studio": Vendor("lmstudio"),
    "hosted_vllm": Vendor("vllm"),
    "groq": _chat("https://api.groq.com/openai", "GROQ_API_KEY"),
    "mistral": _chat("https://api.mistral.ai", "MISTRAL_API_KEY"),
    "deepseek": _chat("https://api.deepseek.com", "DEEPSEEK_API_KEY"),
    "xai": _chat("https://api.x.ai", "XAI_API_KEY"),
    "together_ai": _chat("https://api.together.xyz", "TOGETHERAI_API_KEY"),
    "fireworks_ai": _chat("https://api.fireworks.ai/inference", "FIREWORKS_AI_API_KEY"),
    "cerebras": _chat("https://api.cerebras.ai", "CEREBRAS_API_KEY"),
    "moonshot": _chat("https://api.moonshot.ai", "MOONSHOT_API_KEY"),
    "perplexity": _chat("https://api.perplexity.ai", "PERPLEXITYAI_API_KEY"),
}

_BARE: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"claude-"), "anthropic"),
    (re.compile(r"(gpt|chatgpt|o[0-9]|text-embedding)-?"), "openai"),
)


def vendor_of(model: str, named: str | None) -> tuple[str | None, str]:
    """The prefix that stands for a model's vendor, and the model's own name; None for one unknown here."""
    if named is not None:
        return (named if named in VENDORS else None), model.removeprefix(f"{named}/")
    prefix, slash, rest = model.partition("/")
    if slash:
        return (prefix if prefix in VENDORS else None), rest
    return next((vendor for pattern, vendor in _BARE if pattern.match(model)), None), model
