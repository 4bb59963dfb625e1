"""How a request to a provider can fail. Every message is one safe line: none quotes a byte of an answer."""

from __future__ import annotations

import socket

from crtui.providers.trouble import diagnose


class HttpError(Exception):
    """A request that got no usable answer."""


class NotConnectedError(HttpError):
    """There was no connection, so nothing has been sent. ``unreached``: not a byte came from there."""

    def __init__(self, words: str, *, unreached: bool = False) -> None:
        super().__init__(words)
        self.unreached = unreached


class OfflineError(NotConnectedError):
    """No host can be reached, so this machine is to blame and not the provider."""

    def __init__(self, fault: NotConnectedError) -> None:
        super().__init__(f"{fault}, nor to any other provider: this machine seems to be offline")


class MisledError(OSError):
    """A name leads to no address that its provider can have. ``private``: it should be a public one."""

    def __init__(self, *, private: bool) -> None:
        remedy = "; if that is meant, set allow_private = true" if private else ""
        super().__init__(
            f"the host's name leads to {'a private' if private else 'a link-local'} address{remedy}"
        )


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
    if isinstance(error, MisledError):
        return NotConnectedError(str(error))
    # Nobody has a host name that can be none.
    trouble = diagnose(socket.gaierror() if isinstance(error, UnicodeError) else error)
    return NotConnectedError(trouble.words, unreached=trouble.unreached)
