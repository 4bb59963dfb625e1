"""What a client is told when nobody can serve it: a status, an honest wait, and every provider's reason."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from crtui.core.now import DAY, SECOND, stamp
from crtui.core.plan import Dropped, Guard, Plan
from crtui.gateway.fault import AttemptError
from crtui.gateway.guard import Refusal

Failure = tuple[str, AttemptError]
"""A provider that was tried, and why it failed."""

Missed = tuple[str, str]
"""A provider that could not be tried, and why."""

TAKEN: Final = "became unavailable meanwhile"
NO_CREDENTIAL: Final = "needs the caller's own credential, and none came"
SPARED: Final = "not asked, too many retries have failed just now"
WORTH_WAITING_S: Final = 60
"""Who is told of a longer wait is told not to come back: the SDKs would sleep through it, and Codex too."""
MOST_TOLD_S: Final = WORTH_WAITING_S - 1
"""Claude Code gives up at a minute, but waits this long; what is left is told when it asks again."""

_UNFIT: Final[frozenset[Guard]] = frozenset({"chain", "wire", "capability"})
_LIMITED: Final = ("limit", "credit")
_HELPFUL: Final = ("context", "client", "model")
"""What a client can do most about comes first."""


@dataclass(frozen=True, slots=True)
class Unserved:
    """A request that nobody served: who failed, who could not be tried, and whom the plan passed over.

    ``until`` says when the quota of those that failed is back, where that is known. Times are in ms, and
    ``wall`` is now.
    """

    plan: Plan
    failures: Sequence[Failure]
    missed: Sequence[Missed]
    until: Mapping[str, int | None]
    wall: int

    def handed_on(self) -> Failure | None:
        """The refusal that the caller gets as its provider said it, or None where ``refusal`` tells more.

        What one provider cannot take must not become final while another is only out for a moment.
        """
        own = [failure for failure in self.failures if failure[1].outcome.passes_through]
        if not own or self._is_worth_waiting():
            return None
        if own[0] is self.failures[0] and own[0][1].outcome.kind == "client":
            return own[0]
        if not self._only_limited():
            return None
        return min(own, key=lambda failure: _HELPFUL.index(failure[1].outcome.kind))

    def refusal(self) -> Refusal:
        """An answer of our own, that names everybody.

        429 while somebody's time will come, 502 where somebody failed otherwise, 503 where nobody may be
        tried at all.
        """
        return self._all_failed() if self.plan.order else self._all_out()

    def absent(self) -> str:
        """Who might have served it, but is out, and until when."""
        out = [self._failed(*failure) for failure in self.failures if not failure[1].outcome.passes_through]
        out += [self._passed_over(dropped) for dropped in self.plan.dropped if dropped.guard not in _UNFIT]
        return "; ".join(out)

    def _all_out(self) -> Refusal:
        profile, dropped = self.plan.profile, self.plan.dropped
        reasons = "; ".join(map(self._passed_over, dropped))
        if waits := self._waits():
            text = f"no provider of profile {profile} is available now: {reasons}"
            return _waiting(text, waits, self.wall)
        what = "serves this API" if all(one.guard in _UNFIT for one in dropped) else "may be used"
        text = f"no provider of profile {profile} {what}: {reasons or 'its chain is empty'}"
        return Refusal(503, text, "no_provider", retry=False)

    def _all_failed(self) -> Refusal:
        reasons = [self._failed(*failure) for failure in self.failures]
        reasons += [f"{name}: {why}" for name, why in self.missed]
        reasons += map(self._passed_over, self.plan.dropped)
        text = "every provider failed: " + "; ".join(reasons)
        if not self.failures and all(why is NO_CREDENTIAL for _, why in self.missed):
            return Refusal(401, text, "invalid_api_key", retry=False)
        if not self.failures:
            return Refusal(429, text, "rate_limited", retry_after_s=1)
        if self._only_limited() and (waits := self._waits()):
            return _waiting(text, waits, self.wall)
        keyless = all(fault.outcome.kind == "auth" for _, fault in self.failures)
        return Refusal(502, text, "all_failed", retry=not keyless)

    def _only_limited(self) -> bool:
        """Whether everybody who failed is out of quota, or could not take this request anyway."""
        outcomes = [fault.outcome for _, fault in self.failures]
        return all(outcome.passes_through or outcome.kind in _LIMITED for outcome in outcomes)

    def _is_worth_waiting(self) -> bool:
        waits = self._waits()
        return self._only_limited() and bool(waits) and _seconds(waits, self.wall) <= WORTH_WAITING_S

    def _waits(self) -> list[int]:
        limited = [name for name, fault in self.failures if fault.outcome.kind in _LIMITED]
        known = [self.until.get(name) for name in limited]
        known += [dropped.until for dropped in self.plan.dropped if dropped.guard not in _UNFIT]
        return [until for until in known if until is not None]

    def _failed(self, name: str, fault: AttemptError) -> str:
        until = self.until.get(name) if fault.outcome.kind in _LIMITED else None
        return f"{name}: {fault.words}{_until(until, self.wall)}"

    def _passed_over(self, dropped: Dropped) -> str:
        why = dropped.detail or f"{dropped.guard} {dropped.code}"
        return f"{dropped.provider}: {why}{_until(dropped.until, self.wall)}"


def _seconds(waits: Sequence[int], wall: int) -> int:
    return max(1, math.ceil((min(waits) - wall) / SECOND))


def _waiting(text: str, waits: Sequence[int], wall: int) -> Refusal:
    seconds = _seconds(waits, wall)
    if seconds <= WORTH_WAITING_S:
        return Refusal(429, text, "rate_limited", retry_after_s=min(seconds, MOST_TOLD_S))
    resets_at = wall // SECOND + seconds
    return Refusal(429, text, "rate_limited", retry=False, retry_after_s=seconds, resets_at=resets_at)


def _until(until: int | None, wall: int) -> str:
    if until is None:
        return ""
    text = stamp(until)
    return f" until {text[11:19]} UTC" if until - wall < DAY else f" until {text[:10]} {text[11:16]} UTC"
