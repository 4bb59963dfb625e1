"""Why no answer came, in plain words, read from an exception's whole chain of causes."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from typing import Final

import httpx


def in_words(error: BaseException) -> str:
    """One short safe phrase; nothing of the exception's own text, which may quote a header or URL."""
    causes = list(_chain(error))
    for kind, words in _WORDS:
        if any(isinstance(cause, kind) for cause in causes):
            return words
    return "no connection" if isinstance(error, OSError | httpx.TransportError) else "unusable answer"


_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (ConnectionRefusedError, "connection refused"),
    (socket.gaierror, "name not found"),
    (ssl.SSLCertVerificationError, "certificate not accepted"),
    (ssl.SSLError, "TLS failed; does base_url need http instead of https?"),
    (TimeoutError, "timeout"),
    (httpx.TimeoutException, "timeout"),
    (ConnectionResetError, "connection reset"),
    (BrokenPipeError, "connection reset"),
    (httpx.RemoteProtocolError, "connection closed without an answer"),
    (httpx.ReadError, "connection reset"),
    (httpx.UnsupportedProtocol, "not an http address"),
)

UNREACHED: Final = frozenset({"name not found", "timeout", "no connection"})
"""What is said of a host from which not a byte came."""


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The exception, what it was raised from, and the members of groups on the way."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        at = waiting.pop(0)
        if at is None or id(at) in seen:
            continue
        seen.add(id(at))
        yield at
        waiting += [at.__cause__, at.__context__]
        if isinstance(at, BaseExceptionGroup):
            waiting += at.exceptions  # pyright: ignore[reportUnknownArgumentType]  # members are exceptions
