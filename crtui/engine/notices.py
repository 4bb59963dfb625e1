"""Standing conditions a person should know of, put up and taken down by any thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator


class Notices:
    """One short line each, oldest first. Reading never waits."""

    def __init__(self) -> None:
        self._lines: dict[str, str] = {}
        self._lock = threading.Lock()
        self._told: Callable[[str], None] | None = None
        self.version = 0
        """Grows whenever a line changes."""

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._lines.values()))

    def add(self, *lines: str) -> None:
        """Put up lines that stay; one that is there already is not doubled."""
        for line in lines:
            self.put(line, line)

    def put(self, about: str, line: str | None) -> None:
        """Put up the line about something in the place of the last one about it; None takes it down."""
        with self._lock:
            if self._lines.get(about) == line:
                return
            # Replaced, not changed: another thread may be reading the old one.
            kept = {key: text for key, text in self._lines.items() if key != about}
            self._lines = kept if line is None else {**kept, about: line}
            self.version += 1
        if line is not None and self._told is not None:
            self._told(line)

    def listen(self, told: Callable[[str], None]) -> None:
        """Call ``told`` with every line put up from now on, on whatever thread does it."""
        self._told = told
