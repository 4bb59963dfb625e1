"""What kind of provider an address belongs to."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from crtui.config.kinds import Kind

_HOSTS: Final[dict[str, Kind]] = {
    "api.anthropic.com": "anthropic",
    "api.openai.com": "openai",
    "openrouter.ai": "openrouter",
    "generativelanguage.googleapis.com": "gemini",
}
_PORTS: Final[dict[int, Kind]] = {11434: "ollama", 1234: "lmstudio"}
_ENDPOINT: Final = re.compile(r"/(chat/completions|completions|messages|responses|models)/?$")


def kind_of(url: str, otherwise: Kind = "openai-compatible") -> Kind:
    """The kind that is known to be at an address: a vendor's host, or a local server's own port."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return otherwise
    if kind := _HOSTS.get(host):
        return kind
    return _PORTS.get(port or 0, otherwise)


def base_of(url: str) -> str:
    """An endpoint's address without the endpoint."""
    return _ENDPOINT.sub("", url.strip())
