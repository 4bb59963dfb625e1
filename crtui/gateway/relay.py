"""From the first content on: the upstream's bytes to the client, with nothing in between.

There is no queue: the next read waits until the client has taken the last piece, so a slow
client stops the upstream. The decoder only looks. Only whole events are passed on, so that an
in-band error always starts on a line of its own.
"""

from __future__ import annotations

from typing import Final

from crtui.core.inputs import NO_LIMITS, Limits
from crtui.gateway.fault import AttemptError
from crtui.gateway.http.response import Response
from crtui.gateway.interrupt import Patience
from crtui.gateway.reply import Reply
from crtui.wire.codec import StreamReader

HELD_BYTES: Final = 1024 * 1024
_EVENT_ENDS: Final = (b"\n\n", b"\n\r\n", b"\r\r")


async def first_content(response: Response, reader: StreamReader, patience: Patience, idle_s: float) -> bytes:
    """Hold back the handshake frames; returns everything up to and with the first content.

    A model that thinks out of sight has answered, so from then on it gets ``idle_s`` between two events.
    Raises ``AttemptError`` where no content comes, and what the HTTP client raises.
    """
    held = bytearray()
    events = 0
    while not (reader.content_seen or reader.complete):
        if len(held) > HELD_BYTES:
            raise AttemptError("protocol", "no content in the first MiB of the stream")
        data = await response.read()
        if data:
            reader.feed(data)
            held += data
        else:
            reader.close()
        check(reader)
        if not data and not reader.complete:
            raise AttemptError("reset", "stream cut before its content")
        if reader.thinking and reader.events != events:
            events = reader.events
            patience.restart(idle_s)
    return bytes(held)


async def relay(
    response: Response, reader: StreamReader, reply: Reply, patience: Patience, held: bytes
) -> None:
    """Pass the stream on, ``held`` first, until its end marker. The reply is ended as whole.

    Raises ``AttemptError`` where the stream breaks, and what the HTTP client raises.
    """
    whole = WholeEvents()
    data, events = held, reader.events
    while not reader.complete:
        if piece := whole.upto(data):
            patience.client_busy()
            await reply.piece(piece)
            patience.client_ready()
        data = await response.read()
        if data:
            reader.feed(data)
        else:
            reader.close()
        check(reader)
        if not data and not reader.complete:
            raise AttemptError("reset", "stream cut before its end")
        if reader.events != events:
            events = reader.events
            patience.progress()
    patience.client_busy()
    await reply.last(whole.all(data))


def check(reader: StreamReader) -> None:
    """Raise ``AttemptError`` where the stream told an error or cannot be one of this wire."""
    if reader.error is not None:
        raise told(reader.error, reader.error_status, reader.error_code)
    if reader.broken is not None:
        raise AttemptError("protocol", reader.broken)


def told(text: str, status: int | None, code: str, limits: Limits = NO_LIMITS) -> AttemptError:
    """The fault of an error inside a 2xx; its code is looked for like any other word of it."""
    kind = None if status else "protocol"
    body = f"{text} ({code})" if code else text
    return AttemptError(kind, text, status, body=body, code=code, limits=limits)


class WholeEvents:
    """Cuts passing bytes at the last end of an event; the rest waits for what completes it."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = bytearray()

    def upto(self, data: bytes) -> bytes:
        """What is whole now."""
        if not self._rest and data.endswith(_EVENT_ENDS):
            return data
        seen = max(0, len(self._rest) - 2)
        self._rest += data
        cut = max(self._after(end, seen) for end in _EVENT_ENDS)
        piece = bytes(self._rest[:cut])
        del self._rest[:cut]
        return piece

    def all(self, data: bytes) -> bytes:
        """Everything that is left."""
        return bytes(self._rest) + data if self._rest else data

    def _after(self, end: bytes, seen: int) -> int:
        at = self._rest.rfind(end, seen)
        return 0 if at < 0 else at + len(end)
