"""The few ASGI shapes the gateway uses, and reading a request's body within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
RawHeaders = Iterable[tuple[bytes, bytes]]

BODY_PIECE_S: Final = 30.0
"""The longest pause between two pieces of a request's body."""


class BodyTooLargeError(Exception):
    """A body went past its limit while it was read."""


class BodyTooSlowError(Exception):
    """No further piece of a body came within ``BODY_PIECE_S``."""


class ClientGoneError(Exception):
    """The client closed its connection."""


async def read_body(receive: Receive, limit: int) -> bytes:
    """The whole request body, counted while it is read.

    Raises ``BodyTooLargeError``, ``BodyTooSlowError`` or ``ClientGoneError``.
    """
    message = await _next(receive)
    first: bytes = message["body"]
    if len(first) > limit:
        raise BodyTooLargeError
    if not message["more_body"]:
        return first
    body = bytearray(first)
    while message["more_body"]:
        message = await _next(receive)
        body += message["body"]
        if len(body) > limit:
            raise BodyTooLargeError
    return bytes(body)


async def _next(receive: Receive) -> Message:
    try:
        async with asyncio.timeout(BODY_PIECE_S):
            message = await receive()
    except TimeoutError:
        raise BodyTooSlowError from None
    if message["type"] == "http.disconnect":
        raise ClientGoneError
    return message
