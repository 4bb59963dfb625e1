"""Other routers' configs, read as configs of this one. What has no counterpart becomes a comment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from crtui.config.importers import claude_code_router, coderouter, litellm, source
from crtui.config.importers.draft import Draft
from crtui.config.importers.look import Data

READERS: Final[dict[str, Callable[[Data], Draft]]] = {
    "coderouter": coderouter.read,
    "litellm": litellm.read,
    "claude-code-router": claude_code_router.read,
}


def imported(tool: str, data: bytes, name: str) -> str:
    """Another tool's file as the text of a valid config. Raises ``ConfigError`` with ``name`` in it."""
    return READERS[tool](source.read(data, name)).text()
