"""The log of ``crtui serve``: one line an event, written in batches by a thread of its own.

A reader that is slow, or stopped, holds up no request: lines wait for it up to a bound, and beyond
that their number is told in their place.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from typing import Final

import orjson

from crtui.core.events import Event
from crtui.core.now import stamp

BATCH_S: Final = 0.05
"""How long an event may wait for others to be written with."""
WAITING: Final = 20_000
"""Lines that wait for a slow reader at most; about 4 MB."""
LAST_S: Final = 2.0
"""How long the reader may take over what is left when the program ends."""


class EventLog:
    """Writes to one file descriptor. All methods are called on one event loop's thread."""

    def __init__(self, file: int, line: Callable[[Event], str]) -> None:
        self._line = line
        self._events: list[Event] = []
        self._timer: asyncio.TimerHandle | None = None
        self._writer = _Writer(file)

    def hear(self, events: list[Event]) -> None:
        """Take new events; a listener of the engine's."""
        self._events += events
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(BATCH_S, self._hand_over)

    def close(self) -> None:
        """Write out all that is left, as long as the reader takes it."""
        if self._timer is not None:
            self._timer.cancel()
        self._hand_over()
        self._writer.close(LAST_S)

    def _hand_over(self) -> None:
        self._timer = None
        events, self._events = self._events, []
        self._writer.put([self._line(event) for event in events])


class _Writer:
    """A thread that writes lines in order, blocked as long as it may be."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._lines: list[str] = []
        self._missing = 0
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="crtui-log", daemon=True)
        self._thread.start()

    def put(self, lines: list[str]) -> None:
        with self._changed:
            room = WAITING - len(self._lines)
            self._lines += lines[:room]
            self._missing += max(0, len(lines) - room)
            self._changed.notify()

    def close(self, within_s: float) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(within_s)

    def _run(self) -> None:
        # Where nobody reads the log any more, requests go on without it.
        with contextlib.suppress(OSError):
            while lines := self._next():
                _write(self._file, "".join(lines).encode("utf-8", "replace"))

    def _next(self) -> list[str]:
        """What is to be written now; nothing once that was all."""
        with self._changed:
            self._changed.wait_for(lambda: self._lines or self._closed)
            lines, self._lines = self._lines, []
            if self._missing:
                lines.append(f"... {self._missing} events are not in this log: its reader was too slow\n")
                self._missing = 0
            return lines


def _write(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


def json_line(event: Event) -> str:
    """An event as ``GET /crtui/v1/events`` shows it."""
    return orjson.dumps(event.to_json()).decode() + "\n"


def text_line(event: Event) -> str:
    """An event for people: when, what, who, and its fields."""
    # Nearly all fields are counts and names; asking a function of each takes as long as all the rest.
    words = [
        f"{key}={value}"
        if type(value) is int or (type(value) is str and " " not in value and '"' not in value)
        else f"{key}={orjson.dumps(value).decode()}"
        for key, value in event.data.items()
    ]
    return " ".join([stamp(event.at), event.kind, event.provider or "-", *words]) + "\n"
