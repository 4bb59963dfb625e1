"""Which provider a session was last served by, so that its prompt cache there stays of use."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

from crtui.core import saved

SESSIONS: Final = 10_000
"""How many sessions are remembered; beyond, the least recently used is forgotten."""


class Affinity:
    """Session to provider, with the monotonic time of the last use."""

    def __init__(self, limit: int = SESSIONS) -> None:
        self._limit = limit
        self._sessions: OrderedDict[str, tuple[str, int]] = OrderedDict()

    def get(self, session: str, now_mono: int, ttl_ms: int) -> str | None:
        """The session's provider, unless its last use is ``ttl_ms`` or longer ago. Changes nothing."""
        found = self._sessions.get(session)
        if found is None or now_mono - found[1] >= ttl_ms:
            return None
        return found[0]

    def put(self, session: str, provider: str, now_mono: int) -> None:
        """The session is served by a provider now."""
        self._sessions[session] = (provider, now_mono)
        self._sessions.move_to_end(session)
        if len(self._sessions) > self._limit:
            self._sessions.popitem(last=False)

    def dump(self, now_mono: int) -> dict[str, object]:
        """The sessions as JSON values with the age of their last use, least recent first."""
        return {"sessions": [[key, name, now_mono - used] for key, (name, used) in self._sessions.items()]}

    def load(self, data: Mapping[str, Any], now_mono: int) -> None:
        """Become what ``dump`` described, as seen from a monotonic time."""
        self._sessions.clear()
        for session, provider, age in saved.rows(data, "sessions", (str,), (str,), (int,)):
            self.put(session, provider, now_mono - age)
