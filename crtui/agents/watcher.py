"""The thread that follows the logs. Nothing of it runs on the gateway's loop or the screen's."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from crtui.agents import statusline
from crtui.agents.board import Board
from crtui.agents.endpoints import SOURCE as ENDPOINT
from crtui.agents.entry import Agent, Limit
from crtui.agents.files import LogFile, look
from crtui.agents.ledger import Ledger
from crtui.agents.source import Source
from crtui.agents.sources import changed_files
from crtui.agents.table import open_cache
from crtui.clock import Clock
from crtui.core.views import AgentView
from crtui.errors import origin

TAIL_S: Final = 2.0
"""Real seconds between two looks at the logs that are being written."""
LIST_S: Final = 20.0
"""Real seconds between two walks through all directories, unless walking them takes long."""
LIST_SHARE: Final = 400
"""At most one part in so many of the time goes into walks."""
TOLD_S: Final = 0.5
"""While much is being read, what is known is told so often."""
REFRESH_S: Final = 10.0
"""Projections move with time alone; they are told again so often."""
HOT_NS: Final = 30 * 60 * 10**9
"""A log that was written to so shortly before the newest one is looked at between two walks."""
WORK_S: Final = 0.003
BREATH_S: Final = 0.001
"""The pause after so much work, in which the gateway and the screen get the interpreter."""

STOP_S: Final = 2.0
ASK_S: Final = 15.0
"""Real seconds between two looks at whether a usage endpoint may be asked."""

_log = logging.getLogger(__name__)

Tell = Callable[[tuple[AgentView, ...]], None]
Warn = Callable[[str], None]
Ask = Callable[[int], list[tuple[Agent, list[Limit]]]]


class _StoppedError(Exception):
    """The watcher is to end."""


class Watcher:
    """Reads what is new and tells the agents' views, and goes on after any fault of its own.

    ``tell``, and ``warn`` with a line about such a fault, are called on the watcher's own thread. ``folder``
    is the state directory, None where nothing is to be written; ``ask`` asks usage endpoints.
    """

    def __init__(
        self,
        sources: list[Source],
        folder: Path | None,
        clock: Clock,
        tell: Tell,
        warn: Warn,
        ask: Ask | None = None,
    ) -> None:
        self._sources = sources
        self._folder = folder
        self._clock = clock
        self._tell = tell
        self._warn = warn
        self._warned = ""
        self._ask = ask
        self._asked_at = -ASK_S
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="crtui-agents", daemon=True)
        self._hot: dict[Path, tuple[Source, LogFile]] = {}
        self._listed_until = self._told_at = self._breathed = 0.0
        self._caught_up = False
        self._status: list[Limit] | None = None

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """End; a log that is being read is left as it was, an endpoint that is slow is not waited for."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(STOP_S)

    def _run(self) -> None:
        folder = self._folder
        while not self._stop.is_set():
            try:
                self._follow(folder)
            except _StoppedError:
                return
            except sqlite3.Error:
                # The disk is full or failing, or the cache is damaged: go on without keeping it.
                folder = None
                self._stop.wait(TAIL_S)
            except Exception as fault:
                self._failed(fault)
                self._stop.wait(LIST_S)

    def _follow(self, folder: Path | None) -> None:
        with contextlib.closing(open_cache(folder)) as db:
            ledger = Ledger(db)
            board = Board(ledger)
            self._listed_until, self._caught_up = 0.0, False
            while not self._stop.is_set():
                self._round(ledger, board)
                # The cache is for the first reading of years; what comes later is little.
                db.execute("PRAGMA shrink_memory")
                self._stop.wait(TAIL_S)

    def _round(self, ledger: Ledger, board: Board) -> None:
        news = self._note_status(ledger) | self._note_asked(ledger)
        for source, file in self._news(ledger):
            news = self._read(ledger, source, file) or news
            if not self._caught_up and self._since_told() >= TOLD_S:
                self._publish(board, reading=True)
        self._caught_up = True
        if news or self._since_told() >= REFRESH_S:
            self._publish(board, reading=False)

    def _read(self, ledger: Ledger, source: Source, file: LogFile) -> bool:
        try:
            return ledger.read(source, file, self._breathe)
        except (_StoppedError, sqlite3.Error):
            raise
        except Exception as fault:
            # The other logs are read all the same; this one is tried again after the next walk.
            self._failed(fault)
            self._hot.pop(file.path, None)
            return False

    def _failed(self, fault: Exception) -> None:
        """Tell of a fault of the program itself, once until there is another one."""
        if (what := origin(fault)) != self._warned:
            self._warned = what
            _log.error("agents' logs: %s", what)
            self._warn(f"what agents' logs tell may be incomplete ({what}); please report this")

    def _news(self, ledger: Ledger) -> list[tuple[Source, LogFile]]:
        """The logs to read now: after a walk all that changed, in between of those lately written."""
        began = time.perf_counter()
        if began >= self._listed_until:
            found = changed_files(self._sources, ledger)
            took = time.perf_counter() - began
            self._listed_until = began + max(LIST_S, took * LIST_SHARE)
            self._heat(found)
            return found
        looked = [(source, file, look(path)) for path, (source, file) in self._hot.items()]
        moved = [(source, file._replace(stamp=now)) for source, file, now in looked if now is not None]
        found = [(source, file) for source, file in moved if ledger.changed(source.agent, file)]
        self._hot |= {file.path: (source, file) for source, file in found}
        return found

    def _heat(self, found: list[tuple[Source, LogFile]]) -> None:
        """Keep an eye on the logs that were written to last."""
        hot = self._hot | {file.path: (source, file) for source, file in found}
        newest = max((file.stamp.mtime_ns for _, file in hot.values()), default=0)
        self._hot = {p: item for p, item in hot.items() if item[1].stamp.mtime_ns > newest - HOT_NS}

    def _note_status(self, ledger: Ledger) -> bool:
        """Take over what the status line has left, where it has left something new."""
        if self._folder is None:
            return False
        found = statusline.from_file(self._folder)
        if found is None or found == self._status:
            return False
        if not ledger.note_limits("claude", statusline.SOURCE, found):
            return False
        self._status = found
        return True

    def _note_asked(self, ledger: Ledger) -> bool:
        """Ask the usage endpoints, whose own times are longer, and take over what they tell."""
        if self._ask is None or time.perf_counter() - self._asked_at < ASK_S:
            return False
        self._asked_at = time.perf_counter()
        found = self._ask(self._clock.now().wall)
        noted = [ledger.note_limits(agent, ENDPOINT, limits) for agent, limits in found]
        return any(noted)

    def _publish(self, board: Board, *, reading: bool) -> None:
        self._tell(board.views(self._clock.now().wall, reading=reading))
        self._told_at = time.perf_counter()

    def _since_told(self) -> float:
        return time.perf_counter() - self._told_at

    def _breathe(self) -> None:
        if self._stop.is_set():
            raise _StoppedError
        if time.perf_counter() - self._breathed >= WORK_S:
            time.sleep(BREATH_S)
            self._breathed = time.perf_counter()
