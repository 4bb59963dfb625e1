"""The history of a live run: every input, and now and then everything the core knows.

This is the engine's side of it. Nothing here touches a disk or waits: inputs go into a bounded
queue that ``crtui.engine.journal_writer`` empties on a thread of its own. A history is told in
*segments*: within one, nothing is missing and the two clocks keep their distance, so the core's
state at its start and the inputs since then give the state at any later time.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from crtui.core.events import Event
from crtui.core.inputs import Input
from crtui.core.now import SECOND, Now
from crtui.core.plan import Ask

QUEUED: Final = 20_000
"""Inputs that wait for the disk at most; about 20 MB."""
CHECKPOINT_MS: Final = 30 * SECOND
CHECKPOINT_INPUTS: Final = 2_000
CHECKPOINT_SHARE: Final = 50
"""A checkpoint of a large core may take its time; at most one part in fifty goes into them."""

Dump = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Save:
    """A checkpoint on its way to the disk. ``core`` is None for one that has seen nothing.

    ``requests`` are those of the run so far.
    """

    now: Now
    core: Dump | None
    events: tuple[Event, ...]
    requests: int
    new_segment: bool


Entry = tuple[Input | Ask, Now]


class Journal:
    """What the engine tells its history, on the engine's thread, and where the writer takes it from."""

    def __init__(self, limit: int = QUEUED) -> None:
        self.queue: deque[Entry | Save] = deque()
        """Oldest first; the writer takes from the left."""
        self.dropped = 0
        """Inputs that are not in the history because the disk was too slow or full."""
        self.broken = False
        """Whether the history has a gap, so that a new segment has to begin."""
        self.stalled = False
        """Whether nothing can be written at present: a checkpoint more would only take memory."""
        self._limit = limit
        self._ahead = 0
        self._since = 0
        self._next = self._least = 0

    def record(self, item: Input | Ask, now: Now) -> None:
        """Append one input that was fed at ``now``."""
        if len(self.queue) >= self._limit:
            # Without the oldest the rest would not tell a whole story, so the queue goes as a whole.
            lost = self.queue.copy()
            self.queue.clear()
            self.dropped += 1 + sum(not isinstance(entry, Save) for entry in lost)
            self.broken = True
            return
        self._since += 1
        self.queue.append((item, now))

    def take(self) -> list[Entry | Save]:
        """All that waits, oldest first, which then waits no more. On the writer's thread."""
        taken: list[Entry | Save] = []
        while self.queue:
            try:
                taken.append(self.queue.popleft())
            except IndexError:  # the engine has just emptied it
                break
        return taken

    def put_back(self, taken: list[Entry | Save]) -> None:
        """What could not be written waits again, before all that has come since. On the writer's thread."""
        self.queue.extendleft(reversed(taken))

    def wants_checkpoint(self, now: Now) -> bool:
        """Whether the core should be dumped before anything else is fed at ``now``."""
        if now.wall - now.mono != self._ahead or self.broken:
            return True
        if self.stalled or now.mono < self._least or not self._since:
            return False
        return self._since >= CHECKPOINT_INPUTS or now.mono >= self._next

    def begin(self, core: Dump | None, events: tuple[Event, ...], now: Now) -> None:
        """The run starts, with a core that knows this."""
        self._append(core, events, 0, now, new_segment=True)

    def checkpoint(
        self, dump: Callable[[Now], Dump], events: tuple[Event, ...], requests: int, now: Now
    ) -> None:
        """Keep what the core knows at ``now``; ``dump`` is its own."""
        began = time.perf_counter_ns()
        core = dump(now)
        cost_ns = time.perf_counter_ns() - began
        new_segment = self.broken or now.wall - now.mono != self._ahead
        self.broken = False
        self._append(core, events, requests, now, new_segment=new_segment)
        self._least = now.mono + cost_ns * CHECKPOINT_SHARE // 1_000_000

    def _append(
        self, core: Dump | None, events: tuple[Event, ...], requests: int, now: Now, *, new_segment: bool
    ) -> None:
        self.queue.append(Save(now, core, events, requests, new_segment))
        self._ahead = now.wall - now.mono
        self._since = 0
        self._next = now.mono + CHECKPOINT_MS
