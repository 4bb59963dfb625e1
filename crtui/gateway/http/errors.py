"""How a request to a provider can fail. Every message is one safe line: none quotes a byte of an answer."""

from __future__ import annotations

import socket
import ssl


class HttpError(Exception):
    """A request that got no usable answer."""


class NotConnectedError(HttpError):
    """There was no connection, so nothing has been sent."""


class ClosedError(HttpError):
    """The provider closed the connection before its answer began.

    ``unread``: not a byte of one had come, so an idle connection may have been closed just then.
    """

    def __init__(self, *, unread: bool) -> None:
        super().__init__("connection closed by the provider")
        self.unread = unread


class CutError(HttpError):
    """The connection ended inside the answer's body."""

    def __init__(self) -> None:
        super().__init__("answer cut short")


class GarbledError(HttpError):
    """What came is no HTTP/1.1, or could be read in two ways."""

    def __init__(self) -> None:
        super().__init__("not a usable HTTP answer")


def not_connected(error: Exception) -> NotConnectedError:
    """What a person is told of a connection that could not be made."""
    match error:
        case TimeoutError():
            words = "no connection in time"
        case socket.gaierror() | UnicodeError():
            words = "host name not found"
        case ssl.SSLCertVerificationError():
            words = "TLS certificate refused"
        case ssl.SSLError() | ConnectionResetError() | ConnectionAbortedError():
            words = "TLS handshake failed (http or https in base_url?)"
        case ConnectionRefusedError():
            words = "connection refused"
        case _:
            words = "no connection"
    return NotConnectedError(words)
