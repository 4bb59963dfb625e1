"""What one provider has been used for: attempts, tokens, and the tokens of the last few minutes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from crtui.core import saved
from crtui.core.inputs import Usage
from crtui.core.now import MINUTE
from crtui.core.views import UsageView

TOKEN_WINDOW_MS: Final = 5 * MINUTE
"""The tumbling window of the ``token_based`` and ``adaptive`` tactics."""


class Tally:
    """Attempts that ended, and the tokens they used."""

    __slots__ = ("_start", "_window", "failed", "ok", "requests", "used")

    def __init__(self) -> None:
        self.requests = self.ok = self.failed = 0
        self.used = [0, 0, 0, 0]
        """Tokens by kind: input, output, cache reads, cache writes."""
        self._start: int | None = None
        self._window = 0

    def charge(self, usage: Usage, mono: int) -> int:
        """Count what an attempt used, at a monotonic time; returns how many tokens that was."""
        fresh, output, read, written, _, _ = usage
        used = self.used
        used[0] += fresh
        used[1] += output
        used[2] += read
        used[3] += written
        tokens = fresh + output + read + written
        if self._start is None or mono - self._start >= TOKEN_WINDOW_MS:
            self._start, self._window = mono, 0
        self._window += tokens
        return tokens

    def recent(self, mono: int) -> tuple[int, int | None]:
        """The tokens of the running window, and the monotonic time it ends; none of both without one."""
        if self._start is None or mono - self._start >= TOKEN_WINDOW_MS:
            return 0, None
        return self._window, self._start + TOKEN_WINDOW_MS

    def view(self, cost_usd: float | None, unpriced: int) -> UsageView:
        """The counts as shown, beside what they cost and how many attempts that lacks."""
        fresh, output, read, written = self.used
        return UsageView(
            self.requests, self.ok, self.failed, fresh, output, read, written, cost_usd, unpriced
        )

    def dump(self, now_mono: int) -> dict[str, object]:
        """The counts as JSON values; the window's start is kept by age."""
        return {
            "usage": list(self.used),
            "attempts": [self.requests, self.ok, self.failed],
            "window": None if self._start is None else now_mono - self._start,
            "window_tokens": self._window,
        }

    def load(self, data: Mapping[str, Any], now_mono: int) -> None:
        """Become what ``dump`` described, as seen from a monotonic time."""
        self.used = list(saved.values(data, "usage", (int,)))
        if len(self.used) != 4:
            raise saved.BadDumpError(f"usage: {len(self.used)} counts, not 4")
        self.requests, self.ok, self.failed = saved.values(data, "attempts", (int,))
        self._start = saved.moment(data, "window", now_mono)
        self._window = saved.take(data, "window_tokens", int)
