"""What a client is told when nobody can serve it: a status, an honest wait, and every provider's reason."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

from crtui.core.now import DAY, SECOND, stamp
from crtui.core.plan import Dropped, Guard, Plan
from crtui.core.views import ProviderView
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


def all_out(plan: Plan, wall: int) -> Refusal:
    """Nobody may be tried: 429 while somebody's time will come, else 503. ``wall`` is now, in ms."""
    reasons = "; ".join(_passed_over(dropped, wall) for dropped in plan.dropped)
    waits = [d.until for d in plan.dropped if d.until is not None and d.guard not in _UNFIT]
    if waits:
        return _waiting(f"no provider of profile {plan.profile} is available now: {reasons}", waits, wall)
    unfit = all(dropped.guard in _UNFIT for dropped in plan.dropped)
    what = "serves this API" if unfit else "may be used"
    text = f"no provider of profile {plan.profile} {what}: {reasons or 'its chain is empty'}"
    return Refusal(503, text, "no_provider", retry=False)


def all_failed(
    plan: Plan,
    failures: Sequence[Failure],
    missed: Sequence[Missed],
    views: Iterable[ProviderView],
    wall: int,
) -> Refusal:
    """Everybody who was tried failed: 429 where all of them are out of quota now, else 502.

    ``missed`` could not be tried when their turn came; ``views`` are the rows of those that failed,
    taken after.
    """
    until = {view.name: view.quota.retry_after for view in views}
    reasons = [_failed(name, fault, until.get(name), wall) for name, fault in failures]
    reasons += [f"{name}: {why}" for name, why in missed]
    reasons += [_passed_over(dropped, wall) for dropped in plan.dropped]
    text = "every provider failed: " + "; ".join(reasons)
    if not failures and all(why is NO_CREDENTIAL for _, why in missed):
        return Refusal(401, text, "invalid_api_key", retry=False)
    if not failures:
        return Refusal(429, text, "rate_limited", retry_after_s=1)
    waits = [until.get(name) for name, fault in failures if fault.outcome.kind in _LIMITED]
    known = [wait for wait in waits if wait is not None]
    if len(waits) == len(failures) and known:
        return _waiting(text, known, wall)
    keyless = all(fault.outcome.kind == "auth" for _, fault in failures)
    return Refusal(502, text, "all_failed", retry=not keyless)


def _waiting(text: str, waits: Sequence[int], wall: int) -> Refusal:
    seconds = max(1, math.ceil((min(waits) - wall) / SECOND))
    if seconds <= WORTH_WAITING_S:
        return Refusal(429, text, "rate_limited", retry_after_s=min(seconds, MOST_TOLD_S))
    resets_at = wall // SECOND + seconds
    return Refusal(429, text, "rate_limited", retry=False, retry_after_s=seconds, resets_at=resets_at)


def _passed_over(dropped: Dropped, wall: int) -> str:
    why = dropped.detail or f"{dropped.guard} {dropped.code}"
    return f"{dropped.provider}: {why}{_until(dropped.until, wall)}"


def _failed(name: str, fault: AttemptError, until: int | None, wall: int) -> str:
    limited = fault.outcome.kind in _LIMITED
    return f"{name}: {fault.words}{_until(until, wall) if limited else ''}"


def _until(until: int | None, wall: int) -> str:
    if until is None:
        return ""
    text = stamp(until)
    return f" until {text[11:19]} UTC" if until - wall < DAY else f" until {text[:10]} {text[11:16]} UTC"
