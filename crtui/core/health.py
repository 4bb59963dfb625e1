"""Three-state health with half-open trials.

Rule 1: nothing outside this file changes a health state. Rule 2: this file never learns a
provider's name. HEALTHY becomes DEGRADED at ``threshold`` consecutive failures and UNHEALTHY
at twice that; one success is HEALTHY again. UNHEALTHY lasts ``recovery_ms``, then half-open
lets one trial through; a failed trial doubles the wait, up to an hour.

A failed poll counts like a failed attempt, because it is the only way to see that an idle
server is down; a good poll only takes back what polls alone have said, or ends a half-open
trial, because a server that lists its models may still fail every request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_args

from crtui.core import saved
from crtui.core.inputs import Attempt, Poll
from crtui.core.now import HOUR, Now
from crtui.core.outcome import Outcome
from crtui.core.settings import HealthAction, ProviderSettings
from crtui.core.verdict import Told, Verdict
from crtui.core.views import ErrorView, HealthState, HealthView

MAX_RECOVERY_MS: Final = HOUR
_MAX_DOUBLINGS: Final = 16
"""Enough to reach an hour from a second."""


class Health:
    """The health of one provider."""

    __slots__ = (
        "_auth",
        "_doublings",
        "_failures",
        "_free_probe",
        "_half_open",
        "_last_error",
        "_lease",
        "_polls_only",
        "_recovery",
        "_retry",
        "_since",
        "_state",
        "_threshold",
        "_trial",
    )

    def __init__(self, settings: ProviderSettings, now: Now) -> None:
        self._threshold = settings.threshold
        self._recovery = settings.recovery_ms
        self._free_probe = settings.free_probe
        self._last_error: ErrorView | None = None
        self._since = now.wall
        self._clear()

    def _clear(self) -> None:
        self._state: HealthState = "HEALTHY"
        self._failures = 0
        self._polls_only = True
        self._auth = False
        self._half_open = False
        self._retry: int | None = None
        self._doublings = 0
        self._trial: int | None = None
        self._lease = 0

    @property
    def clear(self) -> bool:
        """Whether there is nothing to say: HEALTHY."""
        return self._state == "HEALTHY"

    @property
    def wants_probe(self) -> bool:
        """Whether a free probe would decide something now: half-open, or a refused credential."""
        return self._half_open or self._auth

    @property
    def awaits_probe(self) -> bool:
        """Whether it is half-open and a free probe is the trial."""
        return self._half_open and self._free_probe

    def begin(self, ticket: int, now: Now) -> None:
        """An attempt starts; in half-open the first one is the trial."""
        if self._half_open and self._trial is None and not self._free_probe:
            self._trial = ticket
            self._lease = now.mono + self._recovery

    def fold(self, attempt: Attempt, outcome: Outcome, now: Now) -> list[Told]:
        """An attempt ended."""
        if outcome.kind == "ok" and self._state == "HEALTHY" and self._failures == 0:
            return []
        if outcome.kind != "ok":
            self._remember(attempt, outcome, now)
        was_trial = attempt.ticket == 0 or attempt.ticket == self._trial
        if attempt.ticket == self._trial:
            self._trial = None
        if outcome.kind == "ok":
            return self._succeed(now)
        if outcome.kind == "auth":
            return self._refuse(now)
        if outcome.failed:
            return self._fail(now, trial=was_trial, poll=False)
        return []

    def fold_poll(self, poll: Poll, now: Now) -> list[Told]:
        """A free probe or poll ended."""
        if poll.ok:
            return self._succeed(now) if self._half_open or self._auth or self._polls_only else []
        self._last_error = ErrorView(now.wall, None, "poll", poll.error)
        return self._fail(now, trial=True, poll=True)

    def due(self) -> int | None:
        """When time alone changes something next, in monotonic ms."""
        if self._trial is not None:
            return self._lease
        return self._retry

    def expire(self, now: Now) -> list[Told]:
        """Do what is due."""
        if self._trial is not None and self._lease <= now.mono:
            self._trial = None
        if self._retry is not None and self._retry <= now.mono:
            self._retry = None
            self._half_open = True
            return [("health.half_open", {"trial": "probe" if self._free_probe else "request"})]
        return []

    def reset(self, now: Now) -> list[Told]:
        """As if never seen."""
        told = self._move("HEALTHY", now, failures=0)
        self._clear()
        self._last_error = None
        return told

    def verdict(self, action: HealthAction) -> Verdict | None:
        """What this guard says to a request whose profile takes ``action``."""
        if self._auth:
            return Verdict("auth", "auth", "excludes", detail=self._error_text())
        if self._state == "HEALTHY":
            return None
        count = self._failures
        said = f"{count} failure{'s' if count != 1 else ''} in a row"
        detail = f"{said}: {self._error_text()}" if self._last_error else said
        if self._state == "DEGRADED":
            return Verdict("health", "degraded", "notes", detail=detail)
        if self._half_open and self._trial is None and not self._free_probe:
            return Verdict("health", "half_open", "notes", detail="one request is let through as a trial")
        code = "trial" if self._half_open else "unhealthy"
        effect = {"exclude": "excludes", "demote": "demotes"}.get(action, "notes")
        return Verdict("health", code, effect, self.due(), detail)  # type: ignore[arg-type]

    def view(self, now: Now) -> HealthView:
        """The health part of the provider's row."""
        retry = None if self._retry is None else now.wall_at(self._retry)
        return HealthView(self._state, self._half_open, self._failures, self._since, self._last_error, retry)

    def dump(self, now_mono: int) -> dict[str, object]:
        """The state as JSON values, but for the trial that runs."""
        error = self._last_error
        return {
            "state": self._state,
            "failures": self._failures,
            "threshold": self._threshold,
            "polls_only": self._polls_only,
            "auth": self._auth,
            "half_open": self._half_open,
            "retry": saved.left(self._retry, now_mono),
            "doublings": self._doublings,
            "since": self._since,
            "last_error": None if error is None else _error_dump(error),
        }

    def dump_tickets(self, now_mono: int) -> dict[str, object]:
        """The trial that runs, as JSON values."""
        return {"trial": None if self._trial is None else [self._trial, self._lease - now_mono]}

    def load(self, data: Mapping[str, Any], now: Now) -> None:
        """Become what ``dump`` described; under another threshold the failures are judged anew.

        A wait is never longer than the recovery time that is configured now.
        """
        self._state = saved.chosen(data, "state", get_args(HealthState))
        self._failures = saved.take(data, "failures", int)
        self._polls_only, self._auth = (saved.take(data, key, bool) for key in ("polls_only", "auth"))
        self._half_open = saved.take(data, "half_open", bool)
        self._doublings = min(max(0, saved.take(data, "doublings", int)), _MAX_DOUBLINGS)
        self._since = saved.instant(data, "since")
        found = data["last_error"] is not None
        self._last_error = _error_of(saved.inner(data, "last_error")) if found else None
        retry = saved.deadline(data, "retry", now.mono)
        self._retry = None if retry is None else min(retry, now.mono + self._period)
        if saved.take(data, "threshold", int) != self._threshold and not self._auth:
            self._rejudge(now)

    def load_tickets(self, data: Mapping[str, Any], now_mono: int) -> None:
        """After ``load``: go on with the trial that ``dump_tickets`` described."""
        self._trial, self._lease = saved.lease(data, "trial", now_mono)

    def _rejudge(self, now: Now) -> None:
        level = min(self._failures // self._threshold, 2)
        self._state = ("HEALTHY", "DEGRADED", "UNHEALTHY")[level]
        if self._state != "UNHEALTHY":
            self._half_open, self._retry = False, None
        elif self._retry is None and not self._half_open:
            self._retry = now.mono + self._period

    @property
    def _period(self) -> int:
        return max(self._recovery, min(self._recovery << self._doublings, MAX_RECOVERY_MS))

    def _remember(self, attempt: Attempt, outcome: Outcome, now: Now) -> None:
        if outcome.kind != "gone":
            kind = attempt.error_kind or outcome.kind
            self._last_error = ErrorView(now.wall, attempt.status, kind, attempt.message)

    def _error_text(self) -> str:
        error = self._last_error
        if error is None:
            return ""
        status = f"{error.status} " if error.status is not None else ""
        return (status + (error.message or error.kind)).strip()

    def _succeed(self, now: Now) -> list[Told]:
        told = self._move("HEALTHY", now, failures=0)
        self._clear()
        return told

    def _refuse(self, now: Now) -> list[Told]:
        self._failures += 1
        self._polls_only = False
        told = self._move("UNHEALTHY", now, failures=self._failures, code="auth")
        self._auth = True
        self._half_open, self._trial = False, None
        self._retry = None
        return told

    def _fail(self, now: Now, *, trial: bool, poll: bool) -> list[Told]:
        self._polls_only = poll and (self._failures == 0 or self._polls_only)
        self._failures += 1
        if self._half_open:
            if trial:
                self._half_open, self._trial = False, None
                self._doublings = min(self._doublings + 1, _MAX_DOUBLINGS)
                self._retry = now.mono + self._period
            return []
        if self._state != "UNHEALTHY" and self._failures >= 2 * self._threshold:
            self._retry = now.mono + self._period
            return self._move("UNHEALTHY", now, failures=self._failures)
        if self._state == "HEALTHY" and self._failures >= self._threshold:
            return self._move("DEGRADED", now, failures=self._failures)
        return []

    def _move(self, state: HealthState, now: Now, *, failures: int, code: str | None = None) -> list[Told]:
        if state == self._state:
            return []
        data: dict[str, object] = {"from": self._state, "to": state, "consecutive_failures": failures}
        if code is not None:
            data["code"] = code
        if state != "HEALTHY" and self._last_error is not None:
            data["why"] = self._error_text()
        self._state = state
        self._since = now.wall
        return [("health.changed", data)]


def without_refusal(dump: Mapping[str, Any]) -> Mapping[str, Any]:
    """What ``dump`` gave, as if a credential that was refused had never been tried."""
    if not dump["auth"]:
        return dump
    healed = {"state": "HEALTHY", "failures": 0, "polls_only": True, "auth": False, "last_error": None}
    return {**dump, **healed, "half_open": False, "retry": None, "doublings": 0}


def _error_dump(error: ErrorView) -> dict[str, object]:
    return {"at": error.at, "status": error.status, "kind": error.kind, "message": error.message}


def _error_of(data: Mapping[str, Any]) -> ErrorView:
    status, kind = saved.maybe(data, "status", int), saved.take(data, "kind", str)
    return ErrorView(saved.instant(data, "at"), status, kind, saved.take(data, "message", str))
