"""One picture's worth of facts: what every part of the screen is painted from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import TYPE_CHECKING, Literal

from crtui.actions import ACTIONS, Actions, Place
from crtui.tui.feed import EventLog
from crtui.tui.line import Role

if TYPE_CHECKING:
    from crtui.core.views import ProviderView, Snapshot
    from crtui.engine.link import LinkStatus

Scene = Literal["connecting", "lost", "empty", "idle", "busy"]


@dataclass(frozen=True, slots=True)
class Tab:
    """One of several gateways: its address, and its worst state in a glyph and a few words."""

    name: str
    told: str
    role: Role
    here: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """What is shown now. Times are wall milliseconds.

    ``now`` is what countdowns are measured from: it stands still while the picture is frozen or
    stale. ``clock`` always runs. ``paused_ms`` is None while live.
    """

    snapshot: Snapshot | None
    link: LinkStatus
    now: int
    clock: int
    log: EventLog
    zone: tzinfo | None = None
    paused_ms: int | None = None
    missed_events: int = 0
    read_only: bool = False
    recent: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    """By provider: requests and failures of the last five minutes."""
    masked: bool = False
    """Names, money and addresses are hidden: what is not known may be known and not shown."""
    behind: int | None = None
    """How far before the present this was, while history is shown."""
    fleet: tuple[Tab, ...] = ()
    """The gateways, where there are several."""
    notices: tuple[str, ...] = ()
    """What the screen itself has to tell, beside the gateway's notices."""
    actions: Actions = ACTIONS
    """The keys as they are now."""

    @property
    def extra(self) -> tuple[Place, ...]:
        """Whose keys work, too."""
        past: tuple[Place, ...] = ("past",) if self.behind is not None else ()
        return (*past, *(("fleet",) if self.fleet else ()))

    @property
    def scene(self) -> Scene:
        """Which of the screen's situations this is."""
        if self.snapshot is None:
            return "lost" if self.link.state == "lost" else "connecting"
        if not self.snapshot.providers:
            return "empty"
        if self.link.mark:  # nobody can send anything to a recording, so nothing invites to
            return "busy"
        return "busy" if self.snapshot.gateway.requests or self.snapshot.gateway.in_flight else "idle"

    @property
    def stale(self) -> bool:
        """Whether the snapshot is old because the gateway no longer answers."""
        return self.snapshot is not None and self.link.state != "live"

    def provider(self, name: str | None) -> ProviderView | None:
        """The provider of that name, if it is (still) there."""
        if self.snapshot is None or name is None:
            return None
        return next((p for p in self.snapshot.providers if p.name == name), None)
