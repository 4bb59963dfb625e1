"""The core: inputs in, events out, plans and snapshots on demand.

Every call carries its ``Now``. What fell due before it happens first, at its own time, so that
a tick between two inputs changes nothing but when things are told. The cost of a call depends
on the providers it concerns, never on how long the history is.
"""

from __future__ import annotations

import heapq
import pickle
import random
from collections.abc import Callable, Mapping
from typing import Any, Final

from crtui.core import saved
from crtui.core.adaptive import AdaptiveOrder, Stats
from crtui.core.affinity import Affinity
from crtui.core.burn import together
from crtui.core.chain import Sorting, decide, told_of
from crtui.core.demand import Demand, split
from crtui.core.events import Event, EventKind
from crtui.core.inputs import (
    ABOUT_ALL,
    Attempt,
    Began,
    Charge,
    Command,
    Hearsay,
    Input,
    Poll,
    Pull,
    Tick,
    Usage,
)
from crtui.core.now import DAY, HOUR, MINUTE, SECOND, Now
from crtui.core.plan import Ask, Plan
from crtui.core.profiles import Profiles
from crtui.core.provider import ProviderState
from crtui.core.settings import CoreSettings, ProfileSettings
from crtui.core.tactics import CHANCE
from crtui.core.verdict import Told
from crtui.core.views import DroppedView, GatewayView, ProfileView, ProviderView, Snapshot

DUMP_FORMAT: Final = 3
_WALL_JUMP_MS: Final = SECOND
_ANY: Final = Ask("chat")


class UnknownProviderError(LookupError):
    """An input or order names a provider that is not configured."""

    def __init__(self, name: str) -> None:
        super().__init__(f"unknown provider {name!r}")
        self.name = name


class Core:
    """The routing state of one gateway.

    Not thread-safe, and never blocks: whoever owns it calls it from one thread.
    """

    def __init__(self, settings: CoreSettings, now: Now, seed: int = 0) -> None:
        self.settings = settings
        self.allow_paid = settings.allow_paid
        self._offset = now.wall - now.mono
        self._rng = random.Random(seed)
        self._seq = 0
        ranked = {name for profile in settings.profiles if profile.adaptive for name in profile.chain}
        self._providers = {
            row.name: ProviderState(row, place, now, ranked=row.name in ranked)
            for place, row in enumerate(settings.providers)
        }
        self._states = list(self._providers.values())
        self._profiles = Profiles(settings)
        self._adaptive = {p.name: AdaptiveOrder() for p in settings.profiles if p.adaptive}
        self._current: dict[str, str] = {}
        # A single profile's is what all providers serve together.
        self._demand = {p.name: Demand() for p in settings.profiles} if len(settings.profiles) > 1 else {}
        self._affinity = Affinity()
        self._needs_content = bool(settings.rules) or any(
            p.capabilities.vision is False or p.capabilities.tools is False or p.capabilities.context
            for p in settings.providers
        )
        self._due: list[tuple[int, int]] = []
        self._rows: dict[str, tuple[tuple[int, int], bool, ProviderView]] = {}
        self.version = 0

    @classmethod
    def restore(
        cls, settings: CoreSettings, dump: Mapping[str, Any], now: Now, *, tickets: bool = True
    ) -> Core:
        """The core that was dumped, under the settings of today, at ``now`` on today's clocks.

        The wall time since the dump is taken off every wait (nothing if the wall clock went back),
        and what fell due meanwhile is told by the next input. A provider that is configured no
        longer is left out, a new one starts fresh. Without ``tickets`` the attempts in flight are
        forgotten, as a new process has to: they died with the last. Raises ``BadDumpError``.
        """
        core = cls(settings, now)
        try:
            core._load(dump, now, tickets=tickets)
        except saved.BadDumpError:
            raise
        except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as fault:
            raise saved.BadDumpError(f"not a dump of this core: {fault!r:.200}") from fault
        return core

    def dump(self, now: Now) -> dict[str, object]:
        """Everything the core knows but its settings, as JSON values: restored, it goes on the same.

        The caller ticks first. Wall times and counts are absolute, waits and ages relative.
        """
        return {
            "format": DUMP_FORMAT,
            "wall": now.wall,
            "seq": self._seq,
            "version": self.version,
            "rng": list(self._rng.getstate()[1]),
            "allow_paid": self.allow_paid,
            "configured_paid": self.settings.allow_paid,
            "current": dict(self._current),
            "affinity": self._affinity.dump(now.mono),
            "adaptive": {name: order.dump(now.mono) for name, order in self._adaptive.items()},
            "demand": {name: demand.dump(now.mono) for name, demand in self._demand.items()},
            "providers": {state.name: state.dump(now) for state in self._states},
        }

    def fork(self) -> Core:
        """An exact copy, attempts in flight included; neither sees what the other is fed."""
        twin: Core = pickle.loads(pickle.dumps(self, pickle.HIGHEST_PROTOCOL))
        return twin

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_rows": {}}

    def _load(self, data: Mapping[str, Any], now: Now, *, tickets: bool) -> None:
        if data["format"] != DUMP_FORMAT:
            raise saved.BadDumpError(
                f"format {data['format']!r:.20} cannot be read; this reads {DUMP_FORMAT}"
            )
        gone = max(0, now.wall - saved.instant(data, "wall"))
        then = Now(now.mono - gone, now.wall - gone)
        self._seq, self.version = saved.take(data, "seq", int), saved.take(data, "version", int)
        self._rng.setstate((3, tuple(saved.values(data, "rng", (int,))), None))
        if saved.take(data, "configured_paid", bool) == self.settings.allow_paid:
            self.allow_paid = saved.take(data, "allow_paid", bool)
        self._affinity.load(saved.inner(data, "affinity"), then.mono)
        current, orders = saved.inner(data, "current"), saved.inner(data, "adaptive")
        self._current = {name: saved.take(current, name, str) for name in current if name in self._profiles}
        for name in self._adaptive.keys() & orders.keys():
            self._adaptive[name].load(saved.inner(orders, name), then.mono)
        demands = saved.inner(data, "demand")
        for name in self._demand.keys() & demands.keys():
            self._demand[name].load(saved.inner(demands, name), then.mono)
        providers = saved.inner(data, "providers")
        for state in self._states:
            if state.name in providers:
                row = saved.inner(providers, state.name)
                state.load(row, then)
                if tickets and "tickets" in row:  # an older dump has none
                    state.load_tickets(saved.inner(row, "tickets"), then)
                self._schedule(state, then)

    @property
    def providers(self) -> tuple[str, ...]:
        """The configured providers, in file order."""
        return tuple(self._providers)

    @property
    def needs_content(self) -> bool:
        """Whether a request's body has to be read for rules or capabilities."""
        return self._needs_content

    def feed(self, item: Input, now: Now) -> list[Event]:
        """Fold one input. Raises ``UnknownProviderError`` and changes nothing where it names none of ours."""
        name = "" if isinstance(item, Tick) else item.provider
        state = self._providers.get(name)
        if state is None and (name or not _names_nobody(item)):
            raise UnknownProviderError(name)
        events = self._advance(now)
        if state is None:
            return events + self._general(item, now) if isinstance(item, Command) else events
        if isinstance(item, Attempt):
            told = self._fold_attempt(state, item, now)
            return events + told if events else told
        if isinstance(item, Began):
            state.begin(item, now)
            if state.clear:  # it waits for nothing, before and after
                self.version += 1
                return events
        elif isinstance(item, Poll):
            events += self._tell(state, state.fold_poll(item, now), now.wall)
        elif isinstance(item, Hearsay):
            state.fold_hearsay(item, now)
        elif isinstance(item, Command):
            events += self._tell(state, state.fold_command(item, now), now.wall)
        elif isinstance(item, Pull):
            events += self._tell(state, [_told_of_pull(item)], now.wall)
        elif isinstance(item, Charge):
            events += self._tell(state, state.fold_charge(item, now), now.wall)
        self._touched(state, now)
        return events

    def route(self, ask: Ask, now: Now) -> tuple[Plan, list[Event]]:
        """Answer one routing question. Raises ``UnknownProfileError``, and nothing has changed."""
        profile, rule = self._profiles.of(ask)
        events = self._advance(now)
        session = None if ask.session is None else f"{profile.name}\0{ask.session}"
        told: list[Told] = []
        if rule is not None:
            told.append(("rule.matched", {"rule": rule, "profile": profile.name, "request": ask.id}))
        sorting = Sorting(self._rng, self._current.get(profile.name))
        if session is not None and profile.affinity_ms:
            sorting.session_provider = self._affinity.get(session, now.mono, profile.affinity_ms)
        sorting.adaptive = self._reorder(profile, now, told)
        plan = decide(profile, ask, self._providers, now, sorting, allow_paid=self.allow_paid, rule=rule)
        if plan.order:
            self._current[profile.name] = plan.order[0]
            if session is not None and profile.affinity_ms and sorting.session_provider is None:
                self._affinity.assign(session, plan.order[0], now.mono, settled=self._all_clear(profile))
        told.append(told_of(plan, ask))
        self.version += 1
        return plan, events + [self._event(now.wall, kind, None, data) for kind, data in told]

    def admits(self, name: str, profile: str, now: Now) -> bool:
        """Whether a planned provider may still be tried, a moment later (its trial may be taken)."""
        state = self._providers[name]
        return state.clear or state.exclusion(self._profiles[profile], now) is None

    def wants_probe(self, name: str) -> bool:
        """Whether a free probe of the provider would decide something now."""
        return self._providers[name].health.wants_probe

    def next_due(self) -> int | None:
        """The next monotonic ms at which time alone changes something."""
        return self._due[0][0] if self._due else None

    def snapshot(self, now: Now, gateway: GatewayView, events: tuple[Event, ...] = ()) -> Snapshot:
        """The whole state at ``now``. The caller ticks first; nothing changes by looking."""
        return Snapshot(
            now.wall,
            gateway,
            tuple(self.profile_view(profile, now) for profile in self.settings.profiles),
            tuple(self._row(state, now) for state in self._states),
            events,
            self.version,
            tokens_per_min=self.tokens_per_min(now),
        )

    def provider_view(self, name: str, now: Now) -> ProviderView:
        """One provider's row. Raises ``UnknownProviderError``."""
        state = self._providers.get(name)
        if state is None:
            raise UnknownProviderError(name)
        return self._row(state, now)

    def profile_view(self, profile: ProfileSettings, now: Now) -> ProfileView:
        """The order a request of the profile would be tried in at ``now``. Nothing changes by looking."""
        rng = self._rng
        if profile.tactic in CHANCE:
            rng = random.Random()
            rng.setstate(self._rng.getstate())
        sorting = Sorting(rng, self._current.get(profile.name), adaptive=self._reorder(profile, now, None))
        plan = decide(profile, _ANY, self._providers, now, sorting, allow_paid=self.allow_paid, any_wire=True)
        dropped = tuple(DroppedView(d.provider, d.guard, d.code, d.until) for d in plan.dropped)
        return ProfileView(profile.name, profile.tactic, profile.chain, plan.order, dropped)

    def state(self, name: str) -> ProviderState:
        """One provider's guards, to look at. Raises ``KeyError``."""
        return self._providers[name]

    def judging(self, name: str) -> ProfileSettings:
        """The profile by whose actions a provider's row is judged."""
        return self._profiles.judging(name)

    def demand(self, profile: str, now: Now) -> Usage:
        """What a configured profile's callers use per hour at the recent rate."""
        if self._demand:
            return self._demand[profile].hourly(now)
        used = [sum(counts) for counts in zip(*(state.tally.used for state in self._states), strict=True)]
        return split((self.tokens_per_min(now) or 0.0) * HOUR / MINUTE, used)

    def tokens_per_min(self, now: Now) -> float | None:
        """What all providers serve together at the recent rate; None if that is unknown."""
        return together((state.burn.recent for state in self._states), now.mono)

    def _advance(self, now: Now) -> list[Event]:
        """Let everything happen that falls due up to ``now``, each at its own time."""
        events: list[Event] = []
        if abs((now.wall - now.mono) - self._offset) > _WALL_JUMP_MS:
            events += self._wall_jumped(now)
        while self._due and self._due[0][0] <= now.mono:
            at, index = heapq.heappop(self._due)
            state = self._states[index]
            state.scheduled.pop(0)
            then = Now(at, now.wall_at(at))
            if (due := state.due(then)) is not None and due <= at:
                events += self._tell(state, state.expire(then), then.wall)
                self.version += 1
            self._schedule(state, then)
        return events

    def _wall_jumped(self, now: Now) -> list[Event]:
        """The wall clock was set: calendar days and months are looked at anew, cooldowns are not."""
        self._offset = now.wall - now.mono
        self._rows.clear()
        self.version += 1
        events: list[Event] = []
        for state in self._states:
            events += self._tell(state, state.expire_calendar(now), now.wall)
            self._schedule(state, now)
        return events

    def _touched(self, state: ProviderState, now: Now) -> None:
        self.version += 1
        self._schedule(state, now)

    def _schedule(self, state: ProviderState, now: Now) -> None:
        """Enter a deadline, unless an earlier entry of the provider will come up and lead to it."""
        due = state.due(now)
        if due is not None and (not state.scheduled or due < state.scheduled[0]):
            state.scheduled.insert(0, due)
            heapq.heappush(self._due, (due, state.index))

    def _fold_attempt(self, state: ProviderState, item: Attempt, now: Now) -> list[Event]:
        profile = self._profiles.behind(item.profile, state.name)
        outcome, told = state.fold(item, profile, now)
        if item.session is not None and outcome.kind == "ok" and profile.affinity_ms:
            key = f"{profile.name}\0{item.session}"
            self._affinity.served(key, state.name, now.mono, profile.affinity_ms)
        if item.usage is not None and self._demand:
            self._demand[profile.name].add(item.usage, now.mono)
        self.version += 1
        if not (state.calm and state.is_scheduled(now)):
            self._schedule(state, now)
        return self._tell(state, told, now.wall)

    def _all_clear(self, profile: ProfileSettings) -> bool:
        """Whether nothing keeps any provider of the chain from its usual place."""
        members = (self._providers.get(name) for name in profile.chain)
        return all(state is None or state.clear for state in members)

    def _general(self, item: Command, now: Now) -> list[Event]:
        if item.command == "paid":
            if self.allow_paid == item.allow:
                return []
            self.allow_paid = item.allow
            self._rows.clear()
            self.version += 1
            return [self._event(now.wall, "paid.changed", None, {"allow": item.allow})]
        events: list[Event] = []
        for state in self._states:
            order = Command("reset", state.name)
            events += self._tell(state, state.fold_command(order, now), now.wall)
            self._touched(state, now)
        return events

    def _reorder(
        self, profile: ProfileSettings, now: Now, told: list[Told] | None
    ) -> Callable[[tuple[str, ...]], tuple[str, ...]] | None:
        """The adaptive step; with ``told`` it is for good and says so, without it only looks."""
        adaptive = self._adaptive.get(profile.name)
        if adaptive is None:
            return None

        def stats(name: str) -> Stats:
            return self._providers[name].adaptive.stats(now.mono)

        def reorder(names: tuple[str, ...]) -> tuple[str, ...]:
            after = adaptive.reorder(names, stats, now.mono, commit=told is not None)
            if told is not None and adaptive.moved_from is not None:
                before = list(adaptive.moved_from)
                data: dict[str, object] = {"profile": profile.name, "from": before, "to": list(after)}
                told.append(("adaptive.reordered", data))
            return after

        return reorder

    def _row(self, state: ProviderState, now: Now) -> ProviderView:
        # A row moves with its inputs, with what falls due, at midnight, and as its rate and windows go on.
        key, warm = (state.version, now.wall // DAY), state.burn.warm(now)
        cached = self._rows.get(state.name)
        if cached is not None and cached[0] == key and not (warm or cached[1]):
            return cached[2]
        view = state.view(self._profiles.judging(state.name), now, allow_paid=self.allow_paid)
        fills = any(window.lasts or window.exhausts_from is not None for window in view.quota.windows)
        self._rows[state.name] = (key, warm or fills, view)
        return view

    def _tell(self, state: ProviderState, told: list[Told], wall: int) -> list[Event]:
        events: list[Event] = []
        for kind, data in told:
            self._seq += 1
            events.append(Event(self._seq, wall, kind, state.name, data))
        return events

    def _event(self, wall: int, kind: EventKind, provider: str | None, data: dict[str, object]) -> Event:
        self._seq += 1
        return Event(self._seq, wall, kind, provider, data)


def _names_nobody(item: Input) -> bool:
    return isinstance(item, Tick) or (isinstance(item, Command) and item.command in ABOUT_ALL)


def _told_of_pull(item: Pull) -> Told:
    data: dict[str, object] = {"model": item.model, "status": item.status}
    return ("model.pull", {**data, "error": item.error} if item.error else data)
