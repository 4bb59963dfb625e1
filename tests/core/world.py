"""A small world round the core for tests: named providers, a clock that is moved by hand."""

from __future__ import annotations

from typing import Any

from crtui.core.core import Core
from crtui.core.events import Event
from crtui.core.inputs import Attempt, Began, Command, Hearsay, Limits, Poll, Tick, Usage, WindowReport
from crtui.core.now import Now
from crtui.core.plan import Ask, Plan
from crtui.core.settings import CoreSettings, ProfileSettings, ProviderSettings
from crtui.core.views import GatewayView, ProviderView, Snapshot

START = 1_795_165_200_000  # 2026-11-20T09:00:00Z


class World:
    """A core and its time, in seconds since the start."""

    def __init__(
        self, *providers: ProviderSettings | str, profile: dict[str, Any] | None = None, **core: Any
    ) -> None:
        rows = tuple(ProviderSettings(p) if isinstance(p, str) else p for p in providers)
        chain = tuple(p.name for p in rows)
        profiles = core.pop("profiles", None) or (ProfileSettings("default", chain, **(profile or {})),)
        self.start = core.pop("start", START)
        self.t = 0.0
        self.offset = 0
        """What another process's monotonic clock shows beyond this one's."""
        self.core = Core(CoreSettings(rows, profiles, **core), self.now(), seed=7)
        self.events: list[Event] = []
        self.tickets = 0

    def now(self) -> Now:
        ms = round(self.t * 1000)
        return Now(1_000_000 + self.offset + ms, self.start + ms)

    def at(self, t: float) -> World:
        assert t >= self.t
        self.t = t
        return self

    def _fed(self, events: list[Event]) -> list[Event]:
        self.events += events
        return events

    def tick(self) -> list[Event]:
        return self._fed(self.core.feed(Tick(), self.now()))

    def ok(self, provider: str, **rest: Any) -> list[Event]:
        rest.setdefault("latency_ms", 100)
        return self._fed(self.core.feed(Attempt(provider, True, status=200, **rest), self.now()))

    def fail(self, provider: str, status: int | None = None, **rest: Any) -> list[Event]:
        if status is None:
            rest.setdefault("error_kind", "connect")
        if "retry_after" in rest:
            rest["limits"] = Limits(round(rest.pop("retry_after") * 1000))
        return self._fed(self.core.feed(Attempt(provider, False, status=status, **rest), self.now()))

    def begin(self, provider: str, profile: str = "default") -> int:
        self.tickets += 1
        self._fed(self.core.feed(Began(provider, self.tickets, profile), self.now()))
        return self.tickets

    def poll(self, provider: str, ok: bool = True, **rest: Any) -> list[Event]:
        return self._fed(self.core.feed(Poll(provider, ok, **rest), self.now()))

    def hearsay(self, provider: str, *windows: WindowReport) -> list[Event]:
        return self._fed(self.core.feed(Hearsay(provider, windows), self.now()))

    def command(self, command: str, provider: str = "", **rest: Any) -> list[Event]:
        return self._fed(self.core.feed(Command(command, provider, **rest), self.now()))  # type: ignore[arg-type]

    def plan(self, wire: str = "chat", **rest: Any) -> Plan:
        plan, events = self.core.route(Ask(wire, "r", **rest), self.now())  # type: ignore[arg-type]
        self._fed(events)
        return plan

    def order(self, **rest: Any) -> str:
        return " ".join(self.plan(**rest).order)

    def dropped(self, **rest: Any) -> dict[str, str]:
        return {d.provider: f"{d.guard}:{d.code}" for d in self.plan(**rest).dropped}

    def row(self, provider: str) -> ProviderView:
        return self.core.provider_view(provider, self.now())

    def snapshot(self) -> Snapshot:
        self.tick()
        return self.core.snapshot(self.now(), GatewayView("0", "", self.start), tuple(self.events[-100:]))

    def kinds(self, provider: str | None = None) -> list[str]:
        """Kinds of all events so far, attempts, routes and the signals that follow from the rest left out."""
        return [
            e.kind
            for e in self.events
            if (provider is None or e.provider == provider)
            and not e.kind.startswith(("attempt", "route", "signal"))
        ]

    def seconds_until(self, wall: int | None) -> float | None:
        return None if wall is None else (wall - self.start) / 1000


def tokens(count: int) -> Usage:
    return Usage(input=count)
