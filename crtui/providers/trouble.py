"""Why no answer came: the one place that names failures of the way to a host, for attempts and polls."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

import httpx


class Trouble(NamedTuple):
    """One short safe phrase, and whether not a byte came from the host: ``unreached``."""

    words: str
    unreached: bool = False


class ConnectTimeoutError(TimeoutError):
    """The time was over before the host took the connection."""


def diagnose(error: BaseException) -> Trouble:
    """Read from the whole chain of causes; nothing of their own text, which may quote a header or URL."""
    causes = list(_chain(error))
    for kind, trouble in _TROUBLES:
        if any(isinstance(cause, kind) for cause in causes):
            return trouble
    return _NO_CONNECTION if isinstance(error, OSError | httpx.TransportError) else _UNUSABLE


@contextmanager
def connecting() -> Generator[None]:
    """For the time until the host takes the connection: raises ``ConnectTimeoutError`` where that is over."""
    try:
        yield
    except TimeoutError as error:
        raise ConnectTimeoutError from error


@contextmanager
def handshaking() -> Generator[None]:
    """For the time of a TLS handshake: raises ``ssl.SSLError`` also where the host just hangs up."""
    try:
        yield
    except (ConnectionResetError, ConnectionAbortedError) as error:
        raise ssl.SSLError("the host hung up") from error


_NO_CONNECTION: Final = Trouble("no connection", unreached=True)
_NO_CONNECTION_IN_TIME: Final = Trouble("no connection in time", unreached=True)
_LATE: Final = Trouble("no answer in time")
_RESET: Final = Trouble("connection reset")
_UNUSABLE: Final = Trouble("unusable answer")

_TROUBLES: Final[tuple[tuple[type[BaseException], Trouble], ...]] = (
    (ConnectionRefusedError, Trouble("connection refused")),
    (socket.gaierror, Trouble("host name not found", unreached=True)),
    (ssl.SSLCertVerificationError, Trouble("TLS certificate refused")),
    (ssl.SSLError, Trouble("TLS handshake failed (does base_url need http instead of https?)")),
    (ConnectionResetError, _RESET),
    (BrokenPipeError, _RESET),
    (ConnectTimeoutError, _NO_CONNECTION_IN_TIME),
    (httpx.ConnectTimeout, _NO_CONNECTION_IN_TIME),
    (TimeoutError, _LATE),
    (httpx.TimeoutException, _LATE),
    (httpx.RemoteProtocolError, Trouble("connection closed without an answer")),
    (httpx.ReadError, _RESET),
    (httpx.UnsupportedProtocol, Trouble("not an http address")),
)


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
        if isinstance(at, TimeoutError):
            # Behind it is only what was going on when the time was over.
            continue
        waiting += [at.__cause__, at.__context__]
        if isinstance(at, BaseExceptionGroup):
            waiting += at.exceptions  # pyright: ignore[reportUnknownArgumentType]  # members are exceptions
