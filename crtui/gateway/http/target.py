"""Where a request goes, and its head in bytes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from crtui.gateway.http.errors import NotConnectedError

_PORTS: Final = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """What connections are made to, and shared for. ``host`` is without brackets."""

    tls: bool
    host: str
    port: int


class Target(NamedTuple):
    """A URL that requests are posted to; ``start`` is their request line and ``host`` header."""

    origin: Origin
    start: str

    def head(self, headers: Mapping[str, str], length: int) -> bytes:
        """The head of a request with a body of ``length`` bytes.

        Raises ``NotConnectedError`` where a header would become two: a key with a line break in it.
        """
        lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
        text = f"{self.start}{''.join(lines)}content-length: {length}\r\n\r\n"
        breaks = len(lines) + 4
        if text.count("\n") != breaks or text.count("\r") != breaks or "\0" in text:
            raise NotConnectedError("a header or key holds a line break, so nothing was sent; mend the key")
        return text.encode()


@lru_cache(maxsize=256)
def target_of(url: str) -> Target:
    """The target of an ``http`` or ``https`` URL; its path and query are sent as they are written."""
    parts = urlsplit(url)
    host, tls = parts.hostname or "", parts.scheme == "https"
    usual = _PORTS[parts.scheme]
    port = parts.port or usual
    name = f"[{host}]" if ":" in host else host
    query = f"?{parts.query}" if parts.query else ""
    named = name if port == usual else f"{name}:{port}"
    start = f"POST {parts.path or '/'}{query} HTTP/1.1\r\nhost: {named}\r\n"
    return Target(Origin(tls, host, port), start)
