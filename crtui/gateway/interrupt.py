"""The one way a request's task is stopped from outside, and the deadline that uses it."""

from __future__ import annotations

import asyncio
from typing import Literal

Reason = Literal["gone", "stuck", "late", "stopping"]
"""The client left; the client stopped reading; the upstream made no progress; the server stops."""


class Interrupt:
    """Cancels a task, by default the one that made it, and remembers why.

    Only one cancellation is ever under way, so a client that leaves while a deadline fires cannot
    leave a second one behind.
    """

    def __init__(self, task: asyncio.Task[None] | None = None) -> None:
        task = task or asyncio.current_task()
        assert task is not None, "an Interrupt belongs to a task"
        self._task = task
        self._reason: Reason | None = None
        self._closed = False

    def fire(self, reason: Reason) -> None:
        """Stop the task at its next await. A client that has gone outweighs any other reason."""
        if self._closed:
            return
        if self._reason is None:
            self._reason = reason
            self._task.cancel()
        elif reason == "gone":
            self._reason = reason

    def take(self) -> Reason | None:
        """Called on ``CancelledError``: why, or None where somebody else cancelled the task."""
        reason, self._reason = self._reason, None
        if reason is None or self._task.uncancel() > 0:
            return None
        return reason

    def close(self) -> None:
        """Nothing stops the task any more."""
        self._closed = True


class Patience:
    """How long an attempt may go without progress. Time spent waiting on the client does not count.

    One lazy timer: progress is a mark on the loop's clock, looked at when the timer fires.
    """

    __slots__ = ("_busy_since", "_interrupt", "_limit", "_loop", "_marked", "_timer")

    def __init__(self, interrupt: Interrupt, limit_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._interrupt = interrupt
        self._busy_since: float | None = None
        self._limit = limit_s
        self._marked = self._loop.time()
        self._timer = self._loop.call_later(limit_s, self._look)

    def progress(self) -> None:
        """Something came: the wait starts anew."""
        self._marked = self._loop.time()

    def restart(self, limit_s: float) -> None:
        """Another wait begins."""
        self.close()
        self._limit = limit_s
        self._marked = self._loop.time()
        self._timer = self._loop.call_later(limit_s, self._look)

    def client_busy(self) -> None:
        """From now on the client is waited for, not the upstream."""
        self._busy_since = self._loop.time()

    def client_ready(self) -> None:
        """The client has taken what it was sent."""
        if self._busy_since is not None:
            self._marked += self._loop.time() - self._busy_since
            self._busy_since = None

    def close(self) -> None:
        """Stop waiting."""
        self._timer.cancel()

    def _look(self) -> None:
        since = self._marked if self._busy_since is None else self._busy_since
        left = since + self._limit - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._look)
        else:
            self._interrupt.fire("late" if self._busy_since is None else "stuck")
