"""The operator's override: it beats every automatic rule until it is lifted or its time is up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_args

from crtui.core import saved
from crtui.core.inputs import CommandName
from crtui.core.now import Now, stamp
from crtui.core.verdict import Told, Verdict
from crtui.core.views import OperatorView, Override

OVERRIDES: Final[dict[CommandName, Override]] = {
    "demote": "demoted",
    "drain": "drained",
    "pin": "pinned",
    "release": "none",
    "reset": "none",
}


class Operator:
    """The override on one provider."""

    __slots__ = ("_override", "_until", "pinned_at")

    def __init__(self) -> None:
        self._override: Override = "none"
        self._until: int | None = None
        self.pinned_at = 0

    @property
    def clear(self) -> bool:
        """Whether no override is on."""
        return self._override == "none"

    @property
    def override(self) -> Override:
        """The override that holds now."""
        return self._override

    def set(self, override: Override, for_ms: int | None, now: Now) -> list[Told]:
        """Put an override on, for a time or until lifted; the last order wins."""
        until = None if for_ms is None or override == "none" else now.mono + for_ms
        if (override, until) == (self._override, self._until):
            return []
        self._override, self._until = override, until
        self.pinned_at = now.mono if override == "pinned" else 0
        return [self._told(now)]

    def due(self) -> int | None:
        """When the override ends, in monotonic ms."""
        return self._until

    def expire(self, now: Now) -> list[Told]:
        """Do what is due."""
        if self._until is not None and self._until <= now.mono:
            return self.set("none", None, now)
        return []

    def verdict(self) -> Verdict | None:
        """What this guard says to any request."""
        if self._override == "drained":
            return Verdict("operator", "drained", "excludes", self._until, "drained by you")
        if self._override == "demoted":
            return Verdict("operator", "demoted", "demotes", self._until, "demoted by you")
        if self._override == "pinned":
            return Verdict("operator", "pinned", "notes", self._until, "pinned by you")
        return None

    def view(self, now: Now) -> OperatorView:
        """The operator part of the provider's row."""
        return OperatorView(self._override, None if self._until is None else now.wall_at(self._until))

    def dump(self, now_mono: int) -> dict[str, object]:
        """The state as JSON values; ``until`` is the milliseconds left, ``pinned`` the pin's age."""
        pinned = now_mono - self.pinned_at if self._override == "pinned" else None
        return {"override": self._override, "until": saved.left(self._until, now_mono), "pinned": pinned}

    def load(self, data: Mapping[str, Any], now_mono: int) -> None:
        """Become what ``dump`` described, as seen from a monotonic time."""
        self._override = saved.chosen(data, "override", get_args(Override))
        self._until = saved.deadline(data, "until", now_mono)
        self.pinned_at = saved.moment(data, "pinned", now_mono) or 0

    def _told(self, now: Now) -> Told:
        until = None if self._until is None else stamp(now.wall_at(self._until))
        return ("operator.changed", {"override": self._override, "until": until})
