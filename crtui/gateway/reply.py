"""The answer to one client request: whole or streamed, always with the gateway's own headers."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Final, Protocol

Header = tuple[bytes, bytes]
JSON: Final[Header] = (b"content-type", b"application/json")
NONE: Final = "-"
"""Stands for a provider or profile where none is known."""

_IDS: Final = random.Random()
"""Names requests apart; nothing is kept safe by their ids."""
_STATUS_LINES: Final = {
    status.value: b"HTTP/1.1 %d %b\r\n" % (status, status.phrase.encode()) for status in HTTPStatus
}
_OWN: Final = (
    b"x-crtui-provider: %b\r\nx-crtui-attempts: %d\r\nx-crtui-profile: %b\r\nx-crtui-request-id: %b\r\n"
)
_BODILESS: Final = (204, 304)


class Way(Protocol):
    """What an answer is written to: a client's connection."""

    @property
    def date(self) -> bytes:
        """The ``date`` header's whole line."""
        ...

    def write(self, *parts: bytes) -> None:
        """Send bytes; none go out any more once the client has gone."""
        ...

    async def room(self) -> None:
        """Wait until the client has taken most of what was sent, or has gone."""
        ...

    def answered(self, *, keep: bool) -> None:
        """The answer is out as whole. ``keep``: the connection may serve another request."""
        ...


class Reply:
    """Writes one answer.

    ``begun`` once a status has gone out: from then on there is no other. ``committed`` once content
    has: from then on nobody else may answer. ``ended`` once it is out as whole. ``bare``: a HEAD
    request's, without the body. ``chunked`` unless the client speaks HTTP/1.0.
    """

    __slots__ = (
        "_bare",
        "_chunked",
        "_keep",
        "_way",
        "attempts",
        "begun",
        "committed",
        "ended",
        "id",
        "profile",
        "provider",
    )

    def __init__(self, way: Way, *, keep: bool = True, bare: bool = False, chunked: bool = True) -> None:
        self._way = way
        self._keep = keep
        self._bare = bare
        self._chunked = chunked
        self.id = f"{_IDS.getrandbits(64):016x}"
        self.provider = NONE
        self.profile = NONE
        self.attempts = 0
        self.begun = False
        self.committed = False
        self.ended = False

    async def whole(self, status: int, body: bytes, headers: Iterable[Header] = (JSON,)) -> None:
        """Answer with a complete body, in one piece with its head."""
        self.committed = self.begun = True
        length = (b"content-length", b"%d" % len(body))
        head = self._head(status, self.provider, (*headers, length))
        self._way.write(*((head,) if self._bare or status in _BODILESS else (head, body)))
        self._end()

    async def begin(self, status: int, headers: Sequence[Header], *, served: bool = True) -> None:
        """Send status and headers; pieces follow. ``served`` false: who will serve is still open."""
        framing = ((b"transfer-encoding", b"chunked"),) if self._chunked else ()
        head = self._head(status, self.provider if served else NONE, (*headers, *framing))
        self._way.write(head)
        self.begun = True

    async def piece(self, data: bytes) -> None:
        """Send a piece; returns when the client has room for more."""
        if data:
            self._way.write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)
        await self._way.room()

    async def last(self, data: bytes) -> None:
        """Send the last piece and end the answer as whole."""
        if self._chunked:
            data = (b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data)) if data else b"0\r\n\r\n"
        self._way.write(data)
        self._end()

    def _head(self, status: int, provider: str, headers: Iterable[Header]) -> bytes:
        lines = [b"%b: %b\r\n" % header for header in headers]
        own = _OWN % (
            provider.encode(),
            self.attempts,
            self.profile.encode("ascii", "replace"),
            self.id.encode(),
        )
        close = b"" if self._keep else b"connection: close\r\n"
        line = _STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status
        return b"".join((line, self._way.date, *lines, own, close, b"\r\n"))

    def _end(self) -> None:
        self.ended = True
        self._way.answered(keep=self._keep)
