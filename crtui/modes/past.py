"""The past of a gateway, read from its journal: what the dashboard's time travel looks at.

The stretch of history round the wanted instant is written out as a trace and folded by the same
player that shows recordings. The journal is only read, on a thread of its own.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING

from crtui.clock import Clock
from crtui.core.saved import BadDumpError
from crtui.engine import database
from crtui.engine.store import reason
from crtui.errors import CrtuiError
from crtui.modes.stretch import Stretch, first_instant
from crtui.replay.recorded import Recorded
from crtui.scratch import Scratch

if TYPE_CHECKING:
    from crtui.core.views import Snapshot


class JournalPast(Recorded):
    """``Past`` of a journal. Pictures are made on a thread of its own."""

    def __init__(self, path: Path, clock: Clock, wall: int) -> None:
        """Open it at ``wall``, and make the first picture. Blocks; raises ``CrtuiError``."""
        super().__init__("journal", "PAST")
        self._path = path
        self._clock = clock
        self._arrived: Callable[[], None] | None = None
        self._woken = threading.Event()
        self._stopping = False
        self._stretch: Stretch | None = None
        self._scratch = Scratch()
        try:
            with self._reading() as db:
                self.begin = first_instant(db, path)
            self.position = max(self.begin, wall)
            self._latest = self._picture(self.position)
        except BaseException:
            self._let_go()
            raise
        self._thread = threading.Thread(target=self._run, name="crtui-past", daemon=True)
        self._thread.start()

    def go(self, wall: int) -> None:
        """Show another instant, as far as there is one."""
        self.position = max(self.begin, wall)
        self._woken.set()

    def listen(self, arrived: Callable[[], None]) -> None:
        """Call ``arrived`` with every new picture, on the thread that makes it."""
        self._arrived = arrived

    def close(self) -> None:
        """Stop, and remove what was written out."""
        self._stopping = True
        self._woken.set()
        self._thread.join()
        self._let_go()

    def _let_go(self) -> None:
        if self._stretch is not None:
            self._stretch.close()
        self._scratch.remove()

    def _run(self) -> None:
        while True:
            self._woken.wait()
            self._woken.clear()
            if self._stopping:
                return
            wanted = self.position
            try:
                self._latest = self._picture(wanted)
                self._status = self._live
            except CrtuiError as fault:
                self._status = self._lost(fault)
            if self._arrived is not None:
                self._arrived()

    def _picture(self, wall: int) -> Snapshot:
        if self._stretch is None or not self._stretch.holds(wall):
            if self._stretch is not None:
                self._stretch.close()
                self._stretch = None
            with self._reading() as db:
                self._stretch = Stretch(db, self._scratch.path, wall, self._clock.now().wall)
        return self._stretch.picture(wall)

    @contextlib.contextmanager
    def _reading(self) -> Generator[sqlite3.Connection]:
        """The journal, while something is read from it. Raises ``CrtuiError`` for whatever goes wrong."""
        try:
            with contextlib.closing(database.open_reader(self._path)) as db:
                yield db
        except FileNotFoundError:
            raise CrtuiError(f"there is no journal at {self._path}") from None
        except (OSError, sqlite3.Error) as fault:
            said = reason(fault) if isinstance(fault, sqlite3.Error) else fault.strerror or fault
            raise CrtuiError(f"{self._path} cannot be read: {said}; try again") from fault
        except (database.NewerError, database.DamagedError, BadDumpError) as fault:
            raise CrtuiError(f"{self._path} cannot be read: {fault or 'it is of a newer crtui'}") from fault
