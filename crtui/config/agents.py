"""Coding agents on this machine: which are installed, and which are logged in with a subscription.

Of a credential file only the names of its entries are looked at, never a value.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from crtui.wire.jsonview import as_object, loads

MAX_BYTES: Final = 16 * 1024 * 1024
"""Claude Code keeps its history beside its account."""
AGENTS: Final = ("claude", "codex", "aider", "opencode")


def installed(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The agents on the search path that the gateway can serve."""
    path = environ.get("PATH", "")
    return tuple(agent for agent in AGENTS if path and shutil.which(agent, path=path))


def claude_logged_in(environ: Mapping[str, str]) -> bool:
    """Whether Claude Code has a login of its own (claude.ai or Console), as opposed to a key."""
    if environ.get("CLAUDE_CODE_OAUTH_TOKEN"):
        return True
    named, home = environ.get("CLAUDE_CONFIG_DIR"), _home(environ)
    folder = Path(named) if named else home and home / ".claude"
    state = Path(named) / ".claude.json" if named else home and home / ".claude.json"
    # On macOS the credential is in the keychain; the account it belongs to is named in the state.
    return (folder is not None and "claudeAiOauth" in _entries(folder / ".credentials.json")) or (
        state is not None and "oauthAccount" in _entries(state)
    )


def codex_logged_in(environ: Mapping[str, str]) -> bool:
    """Whether Codex is logged in with ChatGPT."""
    named, home = environ.get("CODEX_HOME"), _home(environ)
    folder = Path(named) if named else home and home / ".codex"
    return folder is not None and "tokens" in _entries(folder / "auth.json")


def _home(environ: Mapping[str, str]) -> Path | None:
    named = environ.get("HOME") or environ.get("USERPROFILE")
    return Path(named) if named else None


def _entries(file: Path) -> set[str]:
    """The names of a JSON file's entries that hold something; none if it is not one."""
    try:
        with file.open("rb") as source:
            data = source.read(MAX_BYTES + 1)
        entries = as_object(loads(data)) if len(data) <= MAX_BYTES else {}
    except (OSError, ValueError):
        return set()
    return {name for name, held in entries.items() if held}
