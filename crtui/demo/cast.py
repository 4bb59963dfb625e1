"""Who plays in the demo: facts about each simulated provider, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from crtui.core.settings import Wire

LimitStyle = Literal["none", "unified", "api"]
"""Which rate-limit headers its answers carry: a subscription's windows, or an API key's minutes."""

CLAUDE_MODELS: Final = ("claude-sonnet-4-6", "claude-haiku-4-5")


@dataclass(frozen=True, slots=True)
class Part:
    """One simulated provider. ``key`` is None where no credential is asked for."""

    name: str
    kind: str
    wires: tuple[Wire, ...]
    models: tuple[str, ...]
    limits: LimitStyle = "none"
    base_path: str = ""
    key: str | None = None

    @property
    def key_env(self) -> str:
        """The environment variable its key is given in."""
        return f"CRTUI_DEMO_{self.name.upper().replace('-', '_')}_KEY"


CAST: Final = (
    Part(
        "claude-max",
        "anthropic",
        ("messages",),
        CLAUDE_MODELS,
        limits="unified",
        key="sk-demo-claude-max-not-a-real-key",
    ),
    Part(
        "anthropic-api",
        "anthropic",
        ("messages",),
        CLAUDE_MODELS,
        limits="api",
        key="sk-demo-anthropic-api-not-a-real-key",
    ),
    Part(
        "openrouter",
        "openrouter",
        ("messages", "chat"),
        ("anthropic/claude-sonnet-4.6", "qwen/qwen3-coder"),
        base_path="/api/v1",
        key="sk-demo-openrouter-not-a-real-key",
    ),
    Part(
        "vllm-lab",
        "vllm",
        ("messages", "chat"),
        ("qwen3-coder-30b",),
        key="sk-demo-vllm-lab-not-a-real-key",
    ),
    Part("ollama", "ollama", ("messages", "chat"), ("qwen3:8b", "gemma3:4b")),
)
