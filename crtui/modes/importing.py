"""``crtui import``: another tool's config, as a config of this one on standard output."""

from __future__ import annotations

from pathlib import Path

from crtui.config.find import MAX_BYTES
from crtui.config.importers import imported
from crtui.errors import ConfigError


def import_config(tool: str, file: Path) -> int:
    """Print the config. Exit 0. Raises ``ConfigError``."""
    try:
        with file.open("rb") as source:
            data = source.read(MAX_BYTES + 1)
    except (OSError, ValueError) as fault:
        reason = getattr(fault, "strerror", None) or "not a usable path"
        raise ConfigError(f"{file}: cannot be read ({reason}); name {tool}'s config file") from None
    print(imported(tool, data, str(file)), end="")
    return 0
