"""What one guard says of one provider at one instant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from crtui.core.events import EventKind
from crtui.core.now import Now
from crtui.core.plan import Dropped, Guard
from crtui.core.views import ReasonView

Effect = Literal["notes", "demotes", "excludes"]
Told = tuple[EventKind, dict[str, object]]
"""An event a guard tells: its kind and data. The core numbers it and names the provider."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One guard's word. ``until`` is a monotonic deadline in ms; None is until further notice."""

    guard: Guard
    code: str
    effect: Effect
    until: int | None = None
    detail: str = ""

    def dropped(self, provider: str, now: Now) -> Dropped:
        """The verdict as a plan's reason to pass a provider over."""
        return Dropped(provider, self.guard, self.code, self._until_wall(now), self.detail)

    def reason(self, now: Now) -> ReasonView:
        """The verdict as a reason on the provider's row."""
        return ReasonView(self.guard, self.code, self.detail, self._until_wall(now))

    def _until_wall(self, now: Now) -> int | None:
        return None if self.until is None else now.wall_at(self.until)
