"""One thread for everything that is written to the state directory while the gateway runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Final, Protocol

FLUSH_S: Final = 0.5
"""Real seconds between two turns: what a kill -9 loses at most, and a little."""
_JOIN_S: Final = 5.0


class Part(Protocol):
    """Something that is written a turn at a time."""

    def turn(self) -> None:
        """Write what there is. Called on the keeper's thread."""
        ...

    def close(self) -> None:
        """Write what is left. Called on the keeper's thread, last."""
        ...


class Keeper:
    """Gives each part its turns until it is stopped."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = tuple(parts)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="crtui-keeper", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Let every part write what is left, and wait for that, but not for ever."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)

    def _run(self) -> None:
        while not self._stopping.wait(FLUSH_S):
            self._each(lambda part: part.turn())
        self._each(lambda part: part.close())

    def _each(self, do: Callable[[Part], None]) -> None:
        for part in self._parts:
            try:
                do(part)
            except Exception:
                # A fault here must not end the others' turns, and no request waits for any of them.
                logging.getLogger(__name__).exception("the state directory is not kept")
