"""The single writer round the core.

Every method is called on one thread, the one whose event loop runs ``run``. Because ``feed`` never
awaits, a call is its own lock. Each input is stamped once, fed once and handed to the recorder once.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from crtui import __version__
from crtui.clock import Clock
from crtui.core.core import Core, UnknownProviderError
from crtui.core.events import Event
from crtui.core.forecast import forecast
from crtui.core.inputs import Attempt, Began, Charge, Command, Hearsay, Input, Poll, Pull, Tick
from crtui.core.now import SECOND, Now
from crtui.core.plan import Ask, Plan, UnknownProfileError
from crtui.core.settings import CoreSettings
from crtui.core.views import AgentView, ForecastView, GatewayView, ProviderView, Snapshot
from crtui.engine.fold import TAIL
from crtui.engine.inventory import Inventory
from crtui.engine.notices import Notices
from crtui.engine.pricing import Pricing
from crtui.engine.run import Run
from crtui.providers.probing import Observation
from crtui.providers.provider import Provider

KEPT_EVENTS: Final = 1_000
FORECAST_MS: Final = 5 * SECOND
FORECAST_SHARE: Final = 100
"""At most one part in a hundred of the time goes into forecasts."""
MAX_WAIT_MS: Final = SECOND
"""The timer never sleeps longer, so that a suspended machine is noticed when it wakes."""

Record = Callable[[Input | Ask, Now], None]
Listener = Callable[[list[Event]], None]
Obey = Callable[[Command], None]


class Engine:
    """The live core: its clock, its timer, its last events."""

    def __init__(
        self,
        settings: CoreSettings,
        providers: Mapping[str, Provider],
        clock: Clock,
        *,
        url: str,
        seed: int = 0,
        record: Record | None = None,
        run: Run | None = None,
        notices: Notices | None = None,
        pricing: Pricing | None = None,
    ) -> None:
        now = clock.now()
        self.clock = clock
        self.providers = providers
        self.secrets = tuple(key for provider in providers.values() for key in provider.secrets)
        self.draining = False
        self.notices = notices or Notices()
        run = run or Run(Core(settings, now, seed), now)
        self._core = run.core
        self._journal = run.journal
        self._record = record
        self._pricing = pricing
        self._url = url
        self._started_at = now.wall
        self._changed: set[str] = set()
        self._forecast: ForecastView | None = None
        self._forecast_until = 0
        self._agents: tuple[AgentView, ...] = ()
        self._events: deque[Event] = deque(run.events, maxlen=KEPT_EVENTS)
        self._tickets = 0
        self._in_flight = 0
        self._requests = 0
        self._told: asyncio.Event | None = None
        self._poked = asyncio.Event()
        self._failure: Exception | None = None
        self._listeners: list[Listener] = []
        self._obeying: list[Obey] = []
        self.inventory = Inventory(providers)

    @property
    def needs_content(self) -> bool:
        """Whether a request's body has to be read for rules or capabilities."""
        return self._core.needs_content

    @property
    def version(self) -> tuple[int, ...]:
        """Changes whenever a snapshot would show something else (but for passing time)."""
        return (
            self._core.version,
            self._in_flight,
            self._requests,
            self.notices.version,
            self.inventory.version,
        )

    @property
    def tag(self) -> str:
        """Names the picture a snapshot would give: its version, and the second, since rates decay."""
        parts = (self._started_at, self.clock.now().wall // SECOND, *self.version)
        return "-".join(f"{part:x}" for part in parts)

    @property
    def last_seq(self) -> int:
        """The number of the newest event, 0 before the first."""
        return self._events[-1].seq if self._events else 0

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` with every batch of new events, on this thread."""
        self._listeners.append(listener)

    def listen_for_orders(self, obey: Obey) -> None:
        """Call ``obey`` with every command once the core has been fed with it, on this thread."""
        self._obeying.append(obey)

    def route(self, ask: Ask) -> Plan:
        """Plan one request. Raises ``UnknownProfileError``."""
        now = self._stamp()
        try:
            plan, events = self._core.route(ask, now)
        except Exception as fault:  # whatever it was, half of a change may have been made
            self._failed(fault)
            raise
        self._requests += 1
        self._keep(self._settled(ask, plan), now, events)
        return plan

    def begin(self, provider: str, profile: str, *, last_resort: bool = False) -> int:
        """Start an attempt; its ticket, or 0 where the provider may not be tried any more.

        ``last_resort`` is the plan's: then health does not stand in the way.
        """
        now = self._stamp()
        due = self._core.next_due()
        if due is not None and due <= now.mono:
            self._feed(Tick(), now, recorded=False)
        if not last_resort and not self._core.admits(provider, profile, now):
            return 0
        self._tickets += 1
        self._feed(Began(provider, self._tickets, profile), now)
        return self._tickets

    def end(self, attempt: Attempt, answered: str | None = None, now: Now | None = None) -> None:
        """An attempt has ended, ``now`` at this instant of the engine's clock. Exactly once for every ticket.

        ``answered`` is the model that its answer names, which may be another than was asked for.
        """
        now = self._stamp(now)
        if self._pricing is not None:
            attempt = self._pricing.priced(attempt, answered, now.wall)
        self._feed(attempt, now)

    def charge(self, charge: Charge) -> None:
        """The price of an attempt that had ended has become known."""
        self._feed(charge, self._stamp())

    def poll(self, poll: Poll) -> None:
        """A poll has ended."""
        self._changed.add(poll.provider)
        self._feed(poll, self._stamp())

    def observe(self, seen: Observation) -> None:
        """A poll has ended, which also told what is only shown."""
        self.inventory.saw(seen)
        self.poll(replace(seen.poll, took_ms=max(0, self.clock.now().mono - seen.asked.mono)))

    def hear(self, hearsay: Hearsay) -> None:
        """Somebody else was told of a provider's windows."""
        self._changed.add(hearsay.provider)
        self._feed(hearsay, self._stamp())

    def pulled(self, pull: Pull) -> None:
        """A model's way to a provider has come to another point."""
        self._feed(pull, self._stamp())

    def command(self, command: Command) -> None:
        """Obey an order. Raises ``UnknownProviderError``."""
        self._feed(command, self._stamp())
        for obey in self._obeying:
            obey(command)

    def show_agents(self, agents: tuple[AgentView, ...]) -> None:
        """What was last seen of the coding agents' own logs; snapshots carry it along."""
        self._agents = agents

    def wants_probe(self, provider: str) -> bool:
        """Whether a free probe of the provider would decide something now."""
        return self._core.wants_probe(provider)

    def opened(self) -> None:
        """A request of a client has come in."""
        self._in_flight += 1

    def closed(self) -> None:
        """It has been answered, or its client has gone."""
        self._in_flight -= 1

    @property
    def in_flight(self) -> int:
        """Client requests that are open now."""
        return self._in_flight

    def snapshot(self) -> Snapshot:
        """The whole state now, with the last hundred events."""
        now = self._stamp()
        self._feed(Tick(), now, recorded=False)
        gateway = GatewayView(
            __version__,
            self._url,
            self._started_at,
            self._in_flight,
            self._requests,
            self._core.allow_paid,
            self.draining,
            self._core.settings.default_profile,
            tuple(self.notices),
        )
        shown = self._core.snapshot(now, gateway, self._tail())
        rows = tuple(map(self.inventory.dress, shown.providers))
        return replace(shown, providers=rows, forecast=self._look_ahead(now), agents=self._agents)

    def provider_view(self, name: str) -> ProviderView:
        """One provider's row now. Raises ``UnknownProviderError``."""
        return self.inventory.dress(self._core.provider_view(name, self.clock.now()))

    def take_changed(self) -> list[ProviderView]:
        """The rows that something was heard or decided of since the last call."""
        names, self._changed = self._changed, set()
        now = self.clock.now()
        return [self._core.provider_view(name, now) for name in names]

    def events_since(self, seq: int) -> list[Event]:
        """The kept events with a number above ``seq``, oldest first."""
        if not self._events or self._events[-1].seq <= seq:
            return []
        return [event for event in self._events if event.seq > seq]

    async def next_event(self, after: int) -> None:
        """Wait until an event with a number above ``after`` exists."""
        while self.last_seq <= after:
            told = self._told = self._told or asyncio.Event()
            await told.wait()

    async def run(self) -> None:
        """Let time pass until cancelled: one timer for everything that falls due.

        Ends with an exception where the core has failed: what it holds then may be half of something.
        """
        while True:
            self._poked.clear()
            now = self._stamp()
            self._feed(Tick(), now, recorded=False)
            due = self._core.next_due()
            wait = MAX_WAIT_MS if due is None else max(0, min(due - now.mono, MAX_WAIT_MS))
            try:
                async with asyncio.timeout(self.clock.real_seconds(wait + 1)):
                    await self._poked.wait()
            except TimeoutError:
                continue

    def close(self) -> None:
        """The run ends: the last instant is recorded, and all that is known then."""
        if self._journal is not None and self._failure is None:
            now = self._stamp()
            self._feed(Tick(), now)
            self._save(now)

    def _stamp(self, now: Now | None = None) -> Now:
        """This instant, before which a checkpoint is taken if one is wanted. None follows a failure."""
        if self._failure is not None:
            raise RuntimeError("the core has failed") from self._failure
        now = now or self.clock.now()
        if self._journal is not None and self._journal.wants_checkpoint(now):
            self._save(now)
        return now

    def _save(self, now: Now) -> None:
        if self._journal is not None:
            self._feed(Tick(), now, recorded=False)
            self._journal.checkpoint(self._core.dump, self._tail(), self._requests, now)

    def _feed(self, item: Input, now: Now, *, recorded: bool = True) -> None:
        before = self._core.next_due()
        try:
            events = self._core.feed(item, now)
        except Exception as fault:  # whatever it was, half of a change may have been made
            self._failed(fault)
            raise
        if recorded:
            self._keep(item, now, events)
        elif events:
            self._publish(events)
        due = self._core.next_due()
        if due is not None and (before is None or due < before):
            self._poked.set()

    def _failed(self, fault: Exception) -> None:
        """The core raised this. After a change that failed in the middle there is no other."""
        if not isinstance(fault, (UnknownProviderError, UnknownProfileError)):
            self._failure = fault
            self._poked.set()

    def _look_ahead(self, now: Now) -> ForecastView:
        """The forecast of the last few seconds; a large configuration's may take its time, but rarely."""
        if self._forecast is None or now.mono >= self._forecast_until:
            began = time.perf_counter_ns()
            self._forecast = forecast(self._core, now)
            cost_ns = time.perf_counter_ns() - began
            self._forecast_until = now.mono + max(FORECAST_MS, cost_ns * FORECAST_SHARE // 1_000_000)
        return self._forecast

    def _settled(self, ask: Ask, plan: Plan) -> Ask:
        """The question as it is recorded: without its text no rule could be matched again."""
        if ask.profile is not None or not self._core.settings.rules:
            return ask
        if plan.rule is not None:
            return replace(ask, rule=plan.rule)
        return replace(ask, profile=plan.profile)

    def _keep(self, item: Input | Ask, now: Now, events: list[Event]) -> None:
        if self._journal is not None:
            self._journal.record(item, now)
        if self._record is not None:
            self._record(item, now)
        if events:
            self._publish(events)

    def _publish(self, events: list[Event]) -> None:
        self._events.extend(events)
        for event in events:
            if event.provider is not None:
                self._changed.add(event.provider)
        for listener in self._listeners:
            listener(events)
        if self._told is not None:
            self._told.set()
            self._told = None

    def _tail(self) -> tuple[Event, ...]:
        count = len(self._events)
        return tuple(self._events[i] for i in range(max(0, count - TAIL), count))
