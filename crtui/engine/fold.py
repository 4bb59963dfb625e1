"""A history folded: what the core has come to, its last events, and how many requests the run had."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from crtui import __version__
from crtui.core.core import Core
from crtui.core.events import Event
from crtui.core.inputs import Attempt, Input
from crtui.core.now import Now
from crtui.core.plan import Ask, Plan
from crtui.core.settings import CoreSettings
from crtui.core.views import GatewayView, Snapshot

TAIL: Final = 100
"""Events that a state shows."""


def core_at(now: Now, settings: CoreSettings, seed: int, dump: Mapping[str, Any] | None) -> Core:
    """The core that was dumped at ``now``; None: one that had seen nothing. Raises ``BadDumpError``."""
    return Core(settings, now, seed) if dump is None else Core.restore(settings, dump, now)


class Fold:
    """Fed with a run's inputs, in order, it shows what the gateway showed then.

    ``requests`` are those of clients that were routed since the run began.
    """

    def __init__(self, core: Core, events: Iterable[Event] = (), requests: int = 0) -> None:
        """``core`` is the state to begin with, and ``events`` and ``requests`` are those until then."""
        self.core = core
        self.events = deque(events, maxlen=TAIL)
        self.requests = requests

    def feed(self, item: Input | Ask, now: Now) -> tuple[list[Event], Plan | None]:
        """What the core tells of an input, and of a request its plan.

        Raises ``UnknownProviderError`` or ``UnknownProfileError``.
        """
        plan = None
        if isinstance(item, Ask):
            plan, events = self.core.route(item, now)
            self.requests += 1
        else:
            events = self.core.feed(item, now)
            # A gateway records a route for every request, a written trace may have attempts only.
            self.requests += isinstance(item, Attempt) and not item.ticket
        self.events.extend(events)
        return events, plan

    def fork(self) -> Fold:
        """An exact copy; neither sees what the other is fed."""
        return Fold(self.core.fork(), self.events, self.requests)

    def snapshot(self, now: Now, name: str, start: int) -> Snapshot:
        """The state at ``now`` of a history of this name that begins at the wall time ``start``."""
        core = self.core
        gateway = GatewayView(
            __version__,
            name,
            start,
            requests=self.requests,
            allow_paid=core.allow_paid,
            default_profile=core.settings.default_profile,
        )
        shown = core.snapshot(now, gateway, tuple(self.events))
        in_flight = sum(row.in_flight for row in shown.providers)
        return replace(shown, gateway=replace(gateway, in_flight=in_flight))
