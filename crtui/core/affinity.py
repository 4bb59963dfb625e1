"""Which provider a session belongs to, so that its prompt cache there stays of use.

A session belongs to the provider that its first plan chose while nothing was wrong, for as long as it
is in use. One that stood in for another keeps it for one term only, and gets it at all only once the
other's prompt cache is cold: a short wait must not leave a session with the last of the chain.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from crtui.core import saved
from crtui.core.now import MINUTE

SESSIONS: Final = 10_000
"""How many sessions are remembered; beyond, the least recently used is forgotten."""
WARM_MS: Final = 5 * MINUTE
"""How long a prompt cache lasts after its last use (Anthropic's and OpenAI's shortest)."""


@dataclass(slots=True)
class _Stay:
    """``since`` and ``served`` are monotonic ms: when the term began, and the last answer from there."""

    provider: str
    since: int
    served: int | None
    settled: bool


class Affinity:
    """Session to provider, with the monotonic times of its stay. Terms are in ms."""

    def __init__(self, limit: int = SESSIONS) -> None:
        self._limit = limit
        self._sessions: OrderedDict[str, _Stay] = OrderedDict()

    def get(self, session: str, now_mono: int, term_ms: int) -> str | None:
        """The session's provider, unless its term is over. Changes nothing."""
        stay = self._sessions.get(session)
        return None if stay is None or now_mono - stay.since >= term_ms else stay.provider

    def assign(self, session: str, provider: str, now_mono: int, *, settled: bool) -> None:
        """A plan chose the provider; ``settled``: nothing kept it from choosing another."""
        before = self._sessions.get(session)
        served = before.served if before is not None and before.provider == provider else None
        self._keep(session, _Stay(provider, now_mono, served, settled))

    def served(self, session: str, provider: str, now_mono: int, term_ms: int) -> None:
        """The provider has answered."""
        stay = self._sessions.get(session)
        if stay is None or now_mono - stay.since >= term_ms:
            stay = _Stay(provider, now_mono, now_mono, settled=False)
        elif stay.provider == provider:
            stay.served = now_mono
            if stay.settled:
                stay.since = now_mono
        elif stay.served is None or now_mono - stay.served >= WARM_MS:
            stay = _Stay(provider, now_mono, now_mono, settled=False)
        self._keep(session, stay)

    def dump(self, now_mono: int) -> dict[str, object]:
        """The sessions as JSON values with the ages of their times, least recent first."""
        return {
            "sessions": [
                [key, stay.provider, now_mono - stay.since, _age(stay.served, now_mono), stay.settled]
                for key, stay in self._sessions.items()
            ]
        }

    def load(self, data: Mapping[str, Any], now_mono: int) -> None:
        """Become what ``dump`` described, as seen from a monotonic time."""
        self._sessions.clear()
        columns = ((str,), (str,), (int,), (int, saved.NOTHING), (bool,))
        for session, provider, age, unused, settled in saved.rows(data, "sessions", *columns):
            served = None if unused is None else now_mono - unused
            self._keep(session, _Stay(provider, now_mono - age, served, settled))

    def _keep(self, session: str, stay: _Stay) -> None:
        self._sessions[session] = stay
        self._sessions.move_to_end(session)
        if len(self._sessions) > self._limit:
            self._sessions.popitem(last=False)


def _age(served: int | None, now_mono: int) -> int | None:
    return None if served is None else now_mono - served
