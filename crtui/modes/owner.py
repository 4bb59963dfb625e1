"""What a gateway tells the command that started it, and how it knows that it is needed no more."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Final

from crtui.modes.lease import Lease

SERVES: Final = "serves"
FAILED: Final = "failed"


class Owner:
    """The other end of the socket that ``crtui run`` has opened to its gateway.

    One line goes out: ``serves URL`` or ``failed WORDS``. Nothing comes in but its end, when the
    command has ended.
    """

    def __init__(self, descriptor: int) -> None:
        """Raises ``OSError`` where it is no socket."""
        self._socket = socket.socket(fileno=descriptor)
        self._socket.set_inheritable(False)

    def tell(self, word: str, words: str) -> None:
        """Say how the start went; who has gone meanwhile need not hear it."""
        first = words.partition("\n")[0]
        with contextlib.suppress(OSError):
            self._socket.sendall(f"{word} {first}\n".encode())

    def on_end(self, lease: Lease | None, call: Callable[[], None]) -> None:
        """Call, on another thread, when the command has ended and nobody else has a share."""

        def wait() -> None:
            with contextlib.suppress(OSError):
                self._socket.recv(1)
            if lease is not None:
                lease.await_end()
            call()

        threading.Thread(target=wait, name="crtui-owner", daemon=True).start()
