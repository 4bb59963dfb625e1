"""What each coding agent needs to send its requests to the gateway, as data for ``run`` and ``env``.

Where the gateway has a token of its own, printed lines name its variable, never its value; without
one, agents still insist on some key, so they get a word.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

NO_KEY: Final = "crtui"
_KEY: Final = "CRTUI_KEY"


@dataclass(frozen=True, slots=True)
class AgentSetup:
    """Variables to set and to unset, arguments that come before the agent's own, and hints for people.

    The variables named in ``keys`` hold the gateway's key.
    """

    variables: dict[str, str]
    keys: tuple[str, ...] = ()
    unset: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()

    def environ(self, key: str) -> dict[str, str]:
        """The variables with their values. ``key`` opens the gateway."""
        return self.variables | dict.fromkeys(self.keys, key)


def setup_for(agent: str | None, url: str) -> AgentSetup:
    """What one agent needs; for an unknown one or none, what the two wires' own SDKs do."""
    return _AGENTS.get(agent or "", _any)(url)


def lines_for(agent: str | None, url: str, token_env: str | None) -> list[str]:
    """The lines for one agent, ready for ``eval``."""
    setup = setup_for(agent, url)
    key = f'"${token_env}"' if token_env else NO_KEY
    lines = [f"export {name}={shlex.quote(value)}" for name, value in setup.variables.items()]
    lines += [f"export {name}={key}" for name in setup.keys]
    lines += [f"unset {name}" for name in setup.unset]
    if agent is not None and setup.arguments:
        lines.append(f"alias {agent}={shlex.quote(shlex.join((agent, *setup.arguments)))}")
    return lines + [f"# {hint}" for hint in setup.hints]


def _claude(url: str) -> AgentSetup:
    return AgentSetup(
        {"ANTHROPIC_BASE_URL": url, "CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY": "1"},
        keys=("ANTHROPIC_AUTH_TOKEN",),
        # Claude Code would send both.
        unset=("ANTHROPIC_API_KEY",),
        hints=(
            "With a local model, tell Claude Code its window, or it assumes a million tokens:",
            "  export CLAUDE_CODE_MAX_CONTEXT_TOKENS=32768",
        ),
    )


def _codex(url: str) -> AgentSetup:
    provider = {
        "name": "crtui",
        "base_url": f"{url}/v1",
        "env_key": _KEY,
        "wire_api": "responses",
        # The gateway has tried every provider already: Codex's own thirty tries would only multiply that.
        "request_max_retries": 1,
        "stream_max_retries": 2,
    }
    settings = {"model_provider": "crtui"} | {
        f"model_providers.crtui.{name}": value for name, value in provider.items()
    }
    flags = [part for name, value in settings.items() for part in ("-c", f"{name}={json.dumps(value)}")]
    return AgentSetup(
        {},
        keys=(_KEY,),
        arguments=tuple(flags),
        hints=(
            "Codex takes a base URL from its flags or ~/.codex/config.toml only; for good, write there:",
            '  model_provider = "crtui"',
            "  [model_providers.crtui]",
            *(f"  {name} = {json.dumps(value)}" for name, value in provider.items()),
        ),
    )


def _aider(url: str) -> AgentSetup:
    return AgentSetup(
        {"OPENAI_API_BASE": f"{url}/v1", "ANTHROPIC_API_BASE": url},
        keys=("OPENAI_API_KEY", "ANTHROPIC_API_KEY"),
        hints=("aider picks the wire by the model's prefix: --model openai/NAME or --model anthropic/NAME",),
    )


def _opencode(url: str) -> AgentSetup:
    options = {"baseURL": f"{url}/v1", "apiKey": f"{{env:{_KEY}}}"}
    chat = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "crtui",
        "options": options,
        "models": {"auto": {"name": "whatever the chain serves"}},
    }
    content = {"provider": {"anthropic": {"options": options}, "crtui": chat}}
    return AgentSetup(
        {"OPENCODE_CONFIG_CONTENT": json.dumps(content)},
        keys=(_KEY,),
        hints=("then --model anthropic/NAME (messages) or --model crtui/auto (chat, the config's models)",),
    )


def _gemini(url: str) -> AgentSetup:
    return AgentSetup(
        {},
        hints=(
            "Gemini CLI speaks only Google's own wire, which the gateway does not serve.",
            "Gemini's models are reachable through the gateway from any agent that speaks",
            "chat completions: see `crtui env openai`.",
        ),
    )


def _openai(url: str) -> AgentSetup:
    return AgentSetup({"OPENAI_BASE_URL": f"{url}/v1"}, keys=("OPENAI_API_KEY",))


def _anthropic(url: str) -> AgentSetup:
    return AgentSetup({"ANTHROPIC_BASE_URL": url}, keys=("ANTHROPIC_API_KEY",))


def _any(url: str) -> AgentSetup:
    first, second = _anthropic(url), _openai(url)
    return AgentSetup(first.variables | second.variables, keys=first.keys + second.keys)


_AGENTS: Final[dict[str, Callable[[str], AgentSetup]]] = {
    "claude": _claude,
    "codex": _codex,
    "aider": _aider,
    "opencode": _opencode,
    "gemini": _gemini,
    "openai": _openai,
    "anthropic": _anthropic,
}
