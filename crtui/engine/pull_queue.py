"""What one server is to be sent for, in its order, one model at a time. Pure: times are arguments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from crtui.core.now import HOUR, SECOND
from crtui.providers.ollama import canonical

FIRST_RETRY_MS: Final = 15 * SECOND
LONGEST_RETRY_MS: Final = HOUR


@dataclass(slots=True)
class Job:
    """One model on its way. ``ready_at`` is when it may be tried (again), in monotonic milliseconds.

    ``asked``: by a person; else because it is declared. ``given_up``: it waits to be asked for again.
    """

    model: str
    asked: bool
    ready_at: int = 0
    attempts: int = 0
    error: str = ""
    given_up: bool = False


class PullQueue:
    """Two wishes for one model are one job, by Ollama's rules for names.

    A cancelled model is not fetched for being declared until a person asks for it.
    """

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._cancelled: set[str] = set()
        self.running: Job | None = None

    @property
    def jobs(self) -> tuple[Job, ...]:
        """All of them, the running one and those given up included."""
        return tuple(self._jobs.values())

    @property
    def asked(self) -> tuple[str, ...]:
        """What people asked for and has not come yet."""
        return tuple(job.model for job in self._jobs.values() if job.asked and not job.given_up)

    def is_cancelled(self, model: str) -> bool:
        """Whether it is not to be fetched for being declared."""
        return canonical(model) in self._cancelled

    def want(self, model: str, *, asked: bool) -> bool:
        """Add a model; whether that makes a job, or brings one back to life."""
        key = canonical(model)
        if asked:
            self._cancelled.discard(key)
        job = self._jobs.get(key)
        if job is None:
            if key in self._cancelled:
                return False
            self._jobs[key] = Job(model, asked)
            return True
        job.asked = job.asked or asked
        revived = asked and job.given_up
        if asked and job is not self.running:
            job.ready_at, job.attempts, job.given_up = 0, 0, False
        return revived

    def cancel(self, model: str) -> Job | None:
        """Drop a model for good; its job, where it had one. The caller ends a running pull."""
        key = canonical(model)
        self._cancelled.add(key)
        return self._jobs.pop(key, None)

    def arrived(self, models: frozenset[str]) -> None:
        """These (by their full names) are there now, however they came: no job is left for them."""
        for key in [key for key, job in self._jobs.items() if key in models and job is not self.running]:
            del self._jobs[key]

    def next_at(self) -> int | None:
        """When something can be done next, or None while nothing waits or one runs."""
        if self.running is not None:
            return None
        return min((job.ready_at for job in self._jobs.values() if not job.given_up), default=None)

    def take(self, now: int) -> Job | None:
        """The first model that is ready; it runs until ``finished`` or ``failed``."""
        if self.running is None:
            ready = (job for job in self._jobs.values() if not job.given_up and job.ready_at <= now)
            self.running = next(ready, None)
        return self.running

    def finished(self) -> None:
        """The running one has come, or was cancelled (and perhaps asked for anew since)."""
        job, self.running = self.running, None
        if job is not None and self._jobs.get(canonical(job.model)) is job:
            del self._jobs[canonical(job.model)]

    def failed(self, error: str, now: int, *, final: bool) -> None:
        """The running one has failed. It is tried again later and later.

        One that is asked for is given up where that would ``final``-ly end the same.
        """
        job, self.running = self.running, None
        if job is None:
            return
        job.error, job.attempts = error, job.attempts + 1
        job.given_up = final and job.asked
        job.ready_at = now + min(FIRST_RETRY_MS << min(job.attempts - 1, 20), LONGEST_RETRY_MS)
