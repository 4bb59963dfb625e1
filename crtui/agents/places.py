"""Where each agent keeps its logs, from the variables the agents themselves obey.

Sources: the agents' documentation, and the path rules of ccusage (``adapter/*/paths.rs``).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

_HOMES: Final = ("HOME", "USERPROFILE")


def claude_roots(environ: Mapping[str, str]) -> list[Path]:
    """The ``projects`` directories of Claude Code.

    ``CLAUDE_CONFIG_DIR`` may name several, each the config directory or its ``projects`` itself;
    where it is set, nothing else is looked at.
    """
    named = _named(environ, "CLAUDE_CONFIG_DIR")
    if named is not None:
        return [path if path.name == "projects" else path / "projects" for path in named]
    return [path / "projects" for path in (*_config(environ, "claude"), *_home(environ, ".claude"))]


def codex_homes(environ: Mapping[str, str]) -> list[Path]:
    """The directories that hold Codex's ``sessions`` and ``archived_sessions``."""
    named = _named(environ, "CODEX_HOME")
    return _home(environ, ".codex") if named is None else named


def gemini_roots(environ: Mapping[str, str]) -> list[Path]:
    """The directories below which Gemini CLI keeps its chats, by project."""
    named = _named(environ, "GEMINI_DATA_DIR")
    return [path / "tmp" for path in (_home(environ, ".gemini") if named is None else named)]


def opencode_roots(environ: Mapping[str, str]) -> list[Path]:
    """The directories that hold opencode's database, or its older ``storage``."""
    named = _named(environ, "OPENCODE_DATA_DIR")
    if named is not None:
        return named
    data = environ.get("XDG_DATA_HOME")
    return [Path(data) / "opencode"] if data else _home(environ, ".local", "share", "opencode")


def _named(environ: Mapping[str, str], variable: str) -> list[Path] | None:
    """The paths a variable lists, separated by commas; None where it is not set."""
    parts = [part.strip() for part in environ.get(variable, "").split(",")]
    paths = [_expanded(part, environ) for part in parts if part]
    return list(dict.fromkeys(paths)) or None


def _expanded(text: str, environ: Mapping[str, str]) -> Path:
    home = _home(environ)
    if home and (text == "~" or text.startswith("~/")):
        return home[0] / text[2:]
    return Path(text)


def _config(environ: Mapping[str, str], name: str) -> list[Path]:
    config = environ.get("XDG_CONFIG_HOME")
    return [Path(config) / name] if config else _home(environ, ".config", name)


def _home(environ: Mapping[str, str], *parts: str) -> list[Path]:
    """A path below the home directory, or nothing where the environment names none."""
    home = next((environ[name] for name in _HOMES if environ.get(name)), None)
    return [] if home is None else [Path(home, *parts)]
