"""The answer to one client request: whole or streamed, always with the gateway's own headers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Final

from crtui.gateway.asgi import Send

Header = tuple[bytes, bytes]
JSON: Final[Header] = (b"content-type", b"application/json")
NONE: Final = "-"
"""Stands for a provider or profile where none is known."""


class Reply:
    """Wraps an ASGI ``send``.

    ``begun`` once a status has gone out: from then on there is no other. ``committed`` once content
    has: from then on nobody else may answer.
    """

    __slots__ = ("_send", "attempts", "begun", "committed", "id", "profile", "provider")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.id = os.urandom(8).hex()
        self.provider = NONE
        self.profile = NONE
        self.attempts = 0
        self.begun = False
        self.committed = False

    async def whole(self, status: int, body: bytes, headers: Iterable[Header] = (JSON,)) -> None:
        """Answer with a complete body."""
        self.committed = True
        length = (b"content-length", str(len(body)).encode())
        await self.begin(status, (*headers, length))
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    async def begin(self, status: int, headers: Sequence[Header], *, served: bool = True) -> None:
        """Send status and headers; pieces follow. ``served`` false: who will serve is still open."""
        own = self._own(self.provider if served else NONE)
        await self._send({"type": "http.response.start", "status": status, "headers": [*headers, *own]})
        self.begun = True

    async def piece(self, data: bytes) -> None:
        """Send a piece; returns when the client has room for more."""
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def last(self, data: bytes) -> None:
        """Send the last piece and end the answer as whole."""
        await self._send({"type": "http.response.body", "body": data, "more_body": False})

    def _own(self, provider: str) -> tuple[Header, ...]:
        return (
            (b"x-crtui-provider", provider.encode()),
            (b"x-crtui-attempts", b"%d" % self.attempts),
            (b"x-crtui-profile", self.profile.encode("ascii", "replace")),
            (b"x-crtui-request-id", self.id.encode()),
        )
