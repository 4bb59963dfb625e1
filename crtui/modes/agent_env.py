"""What each coding agent needs to send its requests to the gateway: shell lines, ready for ``eval``.

A comment says what a variable cannot do. Where the gateway has a token of its own the lines name
its variable, never its value; without one, agents still insist on some key, so they get a word.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import Final

_NO_KEY: Final = "crtui"


def lines_for(agent: str | None, url: str, token_env: str | None) -> list[str]:
    """The lines for one agent, or for the two wires' own SDKs where none is named."""
    key = f'"${token_env}"' if token_env else _NO_KEY
    if agent is None:
        return [*_anthropic(url, key), *_openai(url, key)]
    return _AGENTS[agent](url, key)


def _claude(url: str, key: str) -> list[str]:
    return [
        f"export ANTHROPIC_BASE_URL={shlex.quote(url)}",
        f"export ANTHROPIC_AUTH_TOKEN={key}",
        "unset ANTHROPIC_API_KEY  # else Claude Code sends both",
        "# With a local model, tell Claude Code its window, or it assumes a million tokens:",
        "#   export CLAUDE_CODE_MAX_CONTEXT_TOKENS=32768",
    ]


def _codex(url: str, key: str) -> list[str]:
    return [
        "# Codex reads its base URL from ~/.codex/config.toml only, and speaks only the responses wire,",
        "# which this version of the gateway does not serve yet. For when it does:",
        '#   model_provider = "crtui"',
        "#   [model_providers.crtui]",
        '#   name = "crtui"',
        f'#   base_url = "{url}/v1"',
        '#   env_key = "CRTUI_KEY"',
        '#   wire_api = "responses"',
        f"export CRTUI_KEY={key}",
    ]


def _aider(url: str, key: str) -> list[str]:
    return [
        f"export OPENAI_API_BASE={shlex.quote(url + '/v1')}",
        f"export OPENAI_API_KEY={key}",
        f"export ANTHROPIC_API_BASE={shlex.quote(url)}",
        f"export ANTHROPIC_API_KEY={key}",
        "# aider picks the wire by the model's prefix: --model openai/NAME or --model anthropic/NAME",
    ]


def _opencode(url: str, key: str) -> list[str]:
    options = {"baseURL": f"{url}/v1", "apiKey": "{env:CRTUI_KEY}"}
    chat = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "crtui",
        "options": options,
        "models": {"auto": {"name": "whatever the chain serves"}},
    }
    content = {"provider": {"anthropic": {"options": options}, "crtui": chat}}
    return [
        f"export CRTUI_KEY={key}",
        f"export OPENCODE_CONFIG_CONTENT={shlex.quote(json.dumps(content))}",
        "# then --model anthropic/NAME (messages) or --model crtui/auto (chat, the config's models)",
    ]


def _gemini(url: str, key: str) -> list[str]:
    return [
        "# Gemini CLI speaks only Google's own wire, which the gateway does not serve.",
        "# Gemini's models are reachable through the gateway from any agent that speaks",
        "# chat completions: see `crtui env openai`.",
    ]


def _openai(url: str, key: str) -> list[str]:
    return [f"export OPENAI_BASE_URL={shlex.quote(url + '/v1')}", f"export OPENAI_API_KEY={key}"]


def _anthropic(url: str, key: str) -> list[str]:
    return [f"export ANTHROPIC_BASE_URL={shlex.quote(url)}", f"export ANTHROPIC_API_KEY={key}"]


_AGENTS: Final[dict[str, Callable[[str, str], list[str]]]] = {
    "claude": _claude,
    "codex": _codex,
    "aider": _aider,
    "opencode": _opencode,
    "gemini": _gemini,
    "openai": _openai,
    "anthropic": _anthropic,
}
