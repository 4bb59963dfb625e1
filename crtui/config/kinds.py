"""What each kind of provider stands for where a config leaves it out: facts as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from crtui.core.settings import Wire

Kind = Literal[
    "anthropic",
    "openai",
    "openrouter",
    "gemini",
    "ollama",
    "lmstudio",
    "llamacpp",
    "vllm",
    "openai-compatible",
]

ALL_WIRES: Final[tuple[Wire, ...]] = ("messages", "chat", "responses")


@dataclass(frozen=True, slots=True)
class KindDefaults:
    """What a config may leave out for one kind.

    ``speaks`` are the wires a server of the kind can have, ``wires`` those assumed without being told.
    ``key_env`` is the variable the vendor's own tools read. ``local``: usually on this machine, no key.
    """

    base_url: str | None
    speaks: tuple[Wire, ...]
    wires: tuple[Wire, ...]
    key_env: str | None = None
    local: bool = False


# The default wires are those that were measured (llama.cpp, vLLM), that Codex's own ``--oss`` mode asks by
# (Ollama), or that the vendor documents for coding agents: https://lmstudio.ai/docs/developer/anthropic-compat,
# https://openrouter.ai/docs.
KINDS: Final[dict[Kind, KindDefaults]] = {
    "anthropic": KindDefaults(
        "https://api.anthropic.com", ("messages", "chat"), ("messages",), "ANTHROPIC_API_KEY"
    ),
    "openai": KindDefaults(
        "https://api.openai.com", ("chat", "responses"), ("chat", "responses"), "OPENAI_API_KEY"
    ),
    "openrouter": KindDefaults("https://openrouter.ai/api", ALL_WIRES, ALL_WIRES, "OPENROUTER_API_KEY"),
    "gemini": KindDefaults(
        "https://generativelanguage.googleapis.com", ("chat",), ("chat",), "GEMINI_API_KEY"
    ),
    "ollama": KindDefaults("http://127.0.0.1:11434", ALL_WIRES, ALL_WIRES, local=True),
    "lmstudio": KindDefaults("http://127.0.0.1:1234", ALL_WIRES, ALL_WIRES, local=True),
    "llamacpp": KindDefaults("http://127.0.0.1:8080", ALL_WIRES, ALL_WIRES, local=True),
    "vllm": KindDefaults("http://127.0.0.1:8000", ALL_WIRES, ALL_WIRES, local=True),
    "openai-compatible": KindDefaults(None, ALL_WIRES, ("chat",)),
}


def with_kind_defaults(provider: dict[str, object]) -> dict[str, object]:
    """A ``[[provider]]`` table with what its kind implies filled in; what it says itself stays.

    Without ``auth``: a named key means ``key``; else a kind with a usual variable gets that one;
    else ``none``. An unknown kind is left for validation to refuse.
    """
    kind = provider.get("kind")
    facts = KINDS.get(kind) if isinstance(kind, str) else None  # type: ignore[call-overload]
    if facts is None:
        return provider
    implied: dict[str, object] = {"wires": list(facts.wires)}
    if facts.base_url is not None:
        implied["base_url"] = facts.base_url
    if "auth" not in provider:
        implied |= _implied_auth(provider, facts)
    return implied | provider


def _implied_auth(provider: dict[str, object], facts: KindDefaults) -> dict[str, object]:
    if any(provider.get(source) for source in ("api_key_env", "api_key_file", "keyring")):
        return {"auth": "key"}
    if facts.key_env is not None:
        return {"auth": "key", "api_key_env": facts.key_env}
    return {"auth": "none"}
