"""The core as a machine that is driven at random, with a plain ledger beside it.

Deadlines are looked at right after each step, not by waiting for a wrong behaviour later. What
the machine visited is counted, because a green machine that never went there proves nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from crtui.core.core import Core
from crtui.core.events import Event
from crtui.core.inputs import Attempt, Began, Command, Input, Limits, Poll, Tick, Usage, WindowReport
from crtui.core.now import DAY, HOUR, SECOND, Now
from crtui.core.plan import Ask, Plan
from crtui.core.settings import CoreSettings, Price, ProfileSettings, ProviderSettings
from crtui.core.views import GatewayView, ProviderView, Snapshot
from tests.core.ledger import MAX_HOLD, UNTOUCHED, HealthLedger, Ledger
from tests.core.world import START

NAMES = ("a", "b", "c")
GATEWAY = GatewayView("0", "", START)
OVERRIDES = {"demote": "demoted", "drain": "drained", "pin": "pinned", "release": "none"}
WINDOWED = {"5h", "7d"}

providers = st.sampled_from(NAMES)
statuses = st.sampled_from([400, 404, 401, 402, 429, 429, 500, 500, 500, 503, 529])
waits = st.sampled_from([None, None, 1, 999, 5_000, 20_000, HOUR, 40 * DAY])
counts = st.sampled_from([0, 1, 40, 300, 2_000])
usages = st.one_of(st.none(), st.builds(Usage, counts, counts))


def settings_of(action: Any, tactic: Any, affinity_s: int) -> CoreSettings:
    rows = (
        ProviderSettings("a", threshold=2, recovery_ms=10_000, daily_tokens=5_000, weight=0),
        ProviderSettings("b", threshold=2, recovery_ms=10_000, free_probe=True),
        ProviderSettings("c", threshold=2, recovery_ms=10_000, monthly_usd=0.004, price=Price(1.0, 3.0)),
    )
    profile = ProfileSettings(
        "default", NAMES, tactic, action, memory_cooldown_ms=30_000, affinity_ms=affinity_s * SECOND
    )
    return CoreSettings(rows, (profile,))


class Machine(RuleBasedStateMachine):
    """Three providers, one profile, permits of one."""

    visited: ClassVar[Counter[str]] = Counter()
    make: ClassVar[type[Core]] = Core

    @initialize(
        action=st.sampled_from(["exclude", "exclude", "demote", "warn"]),
        tactic=st.sampled_from(["priority", "priority", "random", "token_based"]),
        affinity_s=st.sampled_from([0, 60]),
    )
    def start(self, action: Any, tactic: Any, affinity_s: int) -> None:
        self.action, self.tactic = action, tactic
        self.mono, self.wall = 1_000_000, START
        self.settings = settings_of(action, tactic, affinity_s)
        self.core = self.make(self.settings, self.now, seed=7)
        self.ledgers = {
            row.name: Ledger(row, HealthLedger(row.threshold, row.recovery_ms, row.free_probe))
            for row in self.settings.providers
        }
        self.history: list[tuple[Input | Ask, Now]] = []
        self.told: list[Event] = []
        self.tickets = 0
        self.gone: list[tuple[str, int]] = []
        self.trials: dict[str, tuple[int, int]] = {}
        self.jumped = self.restarted = False
        self.sticky: dict[str, str] = {}
        self.seen: tuple[int, Any] | None = None

    @property
    def now(self) -> Now:
        return Now(self.mono, self.wall)

    def feed(self, item: Input) -> list[Event]:
        self.history.append((item, self.now))
        self.pass_time()
        events = self.core.feed(item, self.now)
        self.keep(events)
        return events

    def keep(self, events: list[Event]) -> None:
        for event in events:
            last = self.told[-1] if self.told else None
            assert last is None or event.seq == last.seq + 1, "T1: an event's number is its place"
            if event.kind == "health.changed":
                self.visited[f"health to {event.data['to']}"] += 1
                assert event.data["from"] != event.data["to"], "H2: a transition goes somewhere"
            self.told.append(event)

    def pass_time(self) -> None:
        for ledger in self.ledgers.values():
            ledger.pass_time(self.mono)
        self.trials = {name: trial for name, trial in self.trials.items() if trial[1] > self.mono}

    def row(self, name: str) -> ProviderView:
        return self.core.provider_view(name, self.now)

    def snapshot(self) -> Snapshot:
        return self.core.snapshot(self.now, GATEWAY)

    def step(self, ms: int) -> None:
        self.mono += ms
        self.wall += ms

    # -- what can happen

    @rule(ms=st.sampled_from([0, 1, 500, 5_000, 10_000, 20_000, 70_000, HOUR]))
    def tick(self, ms: int) -> None:
        self.step(ms)
        self.feed(Tick())

    @rule(edge=st.sampled_from([-1, 0, 1]))
    def tick_to_edge(self, edge: int) -> None:
        """To a millisecond before, at, or after the next deadline."""
        due = self.core.next_due()
        if due is None or due + edge < self.mono or due - self.mono > 2 * HOUR:
            return
        self.visited[f"edge {edge:+d}"] += 1
        self.step(due + edge - self.mono)
        events = self.feed(Tick())
        if edge < 0:
            assert not events, "T6: nothing time-driven happens before next_due"

    @rule(name=providers)
    def begin(self, name: str) -> None:
        self.start_attempt(name)

    @rule(name=providers)
    def begin_another(self, name: str) -> None:
        self.start_attempt(name)

    @rule()
    def arrive(self) -> None:
        """A request comes in and its first choice is tried, as the gateway does it."""
        plan = self.plan()
        if plan.order:
            first = plan.order[0]
            admitted = plan.last_resort or self.core.admits(first, "default", self.now)
            assert admitted, "F4: with nothing in between, the first pick may be tried"
            self.start_attempt(first)

    def start_attempt(self, name: str) -> None:
        self.feed(Tick())
        row, ledger = self.row(name), self.ledgers[name]
        if not self.core.admits(name, "default", self.now):
            self.visited["not admitted"] += 1
            return
        self.tickets += 1
        trial = (row.health.half_open and not ledger.settings.free_probe) or row.quota.trial
        if any(reason.code == "trial" for reason in row.reasons):
            trial = False
        self.feed(Began(name, self.tickets, "default"))
        ledger.live.add(self.tickets)
        ledger.health.begin(self.tickets, self.mono)
        if row.quota.trial and ledger.quota.trial is None:
            ledger.quota.trial = (self.tickets, self.mono + ledger.settings.recovery_ms)
        if trial:
            self.visited["trial begun"] += 1
            self.trials[name] = (self.tickets, self.mono + ledger.settings.recovery_ms)
            if self.action == "exclude" or row.quota.trial:
                admitted = self.core.admits(name, "default", self.now)
                assert not admitted, "P1: half-open lets one through"

    @precondition(lambda self: any(ledger.live for ledger in self.ledgers.values()))
    @rule(data=st.data(), status=statuses, wait=waits, usage=usages)
    def end_failing(self, data: st.DataObject, status: int, wait: int | None, usage: Usage | None) -> None:
        name, ticket = data.draw(st.sampled_from(self.in_flight()))
        windows = data.draw(self.reports())
        error = data.draw(st.sampled_from(["", "", "", "CUDA out of memory"]))
        self.end(Attempt(name, False, ticket, status, error=error, limits=Limits(wait, windows), usage=usage))

    @precondition(lambda self: any(ledger.live for ledger in self.ledgers.values()))
    @rule(data=st.data(), usage=usages)
    def end_well(self, data: st.DataObject, usage: Usage | None) -> None:
        name, ticket = data.draw(st.sampled_from(self.in_flight()))
        windows = data.draw(self.reports())
        session = data.draw(st.sampled_from([None, "s"]))
        self.end(Attempt(name, True, ticket, 200, limits=Limits(None, windows), usage=usage, session=session))

    @precondition(lambda self: any(ledger.live for ledger in self.ledgers.values()))
    @rule(data=st.data(), kind=st.sampled_from(["client", "connect", "reset"]))
    def end_cut(self, data: st.DataObject, kind: Any) -> None:
        name, ticket = data.draw(st.sampled_from(self.in_flight()))
        self.end(Attempt(name, False, ticket, error_kind=kind, usage=Usage(7, 1)))

    @rule(data=st.data(), name=providers, status=st.sampled_from([200, 500, 429, 401]))
    def end_stale(self, data: st.DataObject, name: str, status: int) -> None:
        """News of an attempt whose permit is long gone, as after a restart."""
        name, ticket = data.draw(st.sampled_from(self.gone)) if self.gone else (name, 10_000)
        self.visited["stale news"] += 1
        self.end(Attempt(name, status == 200, ticket, status))

    @rule(name=providers, ok=st.booleans(), count=st.integers(1, 5))
    def end_ticketless(self, name: str, ok: bool, count: int) -> None:
        """Attempts of a hand-written trace, which have no ticket."""
        self.end_unannounced(name, ok=ok, count=count)

    def end_unannounced(self, name: str, *, ok: bool, count: int) -> None:
        for _ in range(count):
            self.end(Attempt(name, ok, 0, 200 if ok else 500))

    @rule()
    def outage(self) -> None:
        """Every provider fails as often as it takes."""
        for name in NAMES:
            self.end_unannounced(name, ok=False, count=5)
        self.plan()

    @rule(data=st.data(), name=providers, told=st.lists(waits, min_size=2, max_size=3))
    def burst(self, data: st.DataObject, name: str, told: list[int | None]) -> None:
        """Attempts that overlap are all refused, each with its own idea of when to come back."""
        for _ in told:
            self.start_attempt(name)
        for wait, ticket in zip(told, sorted(self.ledgers[name].live), strict=False):
            self.end(Attempt(name, False, ticket, 429, limits=Limits(wait, data.draw(self.reports()))))

    def in_flight(self) -> list[tuple[str, int]]:
        return [(name, ticket) for name, ledger in self.ledgers.items() for ticket in sorted(ledger.live)]

    def reports(self) -> st.SearchStrategy[tuple[WindowReport, ...]]:
        resets = st.sampled_from([None, -1_000, 5_000, 20_000, HOUR])
        one = st.builds(
            lambda name, used, ms: WindowReport(
                name, "headers", used, resets_at=None if ms is None else self.wall + ms
            ),
            st.sampled_from(sorted(WINDOWED)),
            st.sampled_from([50, 100]),
            resets,
        )
        return st.one_of(st.just(()), st.just(()), st.tuples(one))

    def end(self, item: Attempt) -> None:
        ledger, name = self.ledgers[item.provider], item.provider
        self.feed(Tick())
        before, others = self.row(name), {n: self.row(n) for n in NAMES if n != name}
        overlapped = before.quota.state == "quota_exhausted" or before.health.state == "UNHEALTHY"
        self.visited["failure while cooling"] += overlapped and not item.ok
        self.visited["half-open ends"] += before.health.half_open
        self.feed(item)
        ledger.live.discard(item.ticket)
        if item.ticket:
            self.gone = [*self.gone[-5:], (name, item.ticket)]
        ledger.requests += 1
        ledger.health.end(item, self.mono)
        ledger.quota.end(item, self.now)
        ledger.charge(item.usage, self.now)
        if "memory" in item.error:
            ledger.memory = self.mono + 30_000
        if self.trials.get(name, (None, 0))[0] == item.ticket:
            del self.trials[name]
        if item.session is not None and item.ok:
            self.sticky[item.session] = name
        after = self.row(name)
        if item.error_kind == "client" or item.status in UNTOUCHED:
            was = (before.health.state, before.health.consecutive_failures, before.health.half_open)
            now = (after.health.state, after.health.consecutive_failures, after.health.half_open)
            assert now == was, "H3: what is the caller's or the limit's says nothing of health"
        assert others == {n: self.row(n) for n in others}, "H8: one provider's news is no other's"
        if not item.ok and before.quota.retry_after is not None and before.quota.source != "burn_rate":
            assert (after.quota.retry_after or 0) >= before.quota.retry_after, (
                "C1: a refusal shortens no wait"
            )
        told = item.limits.retry_after_ms
        if item.status == 429 and told is not None:
            asked = self.wall + min(told, MAX_HOLD)
            assert (after.quota.retry_after or 0) >= asked, "C3: a stated wait is kept"

    @rule(data=st.data(), name=providers, ok=st.booleans())
    def probe(self, data: st.DataObject, name: str, ok: bool) -> None:
        windows = data.draw(self.reports()) if ok else ()
        self.feed(Tick())
        self.feed(Poll(name, ok, "" if ok else "refused", windows=windows))
        self.ledgers[name].health.poll(Poll(name, ok), self.mono)
        if ok:
            self.ledgers[name].quota.poll(windows, self.now)

    @rule(
        name=providers,
        order=st.sampled_from([*OVERRIDES, "reset"]),
        for_ms=st.sampled_from([None, 7_000]),
    )
    def order(self, name: str, order: Any, for_ms: int | None) -> None:
        self.feed(Tick())
        spent = self.row(name).budget, self.row(name).burn.used_tokens, self.row(name).usage
        self.feed(Command(order, name, for_ms))
        ledger = self.ledgers[name]
        override = OVERRIDES.get(order, "none")
        until = None if for_ms is None or override == "none" else self.mono + for_ms
        ledger.override = (override, until)
        if order == "reset":
            self.visited["reset"] += 1
            ledger.health.heal()
            ledger.quota.reset()
            ledger.memory = None
            self.trials.pop(name, None)
            row = self.row(name)
            assert (row.budget, row.burn.used_tokens, row.usage) == spent, "M1: a reset clears no spend"
            guards = {reason.guard for reason in row.reasons}
            assert guards <= {"budget", "burn"}, "reset equals never seen, but for budget and usage"

    @rule(jump=st.sampled_from([-HOUR, HOUR]))
    def wall_jump(self, jump: int) -> None:
        """The wall clock is set, within the day: nothing that waits moves."""
        self.feed(Tick())
        before = self.waiting()
        self.wall += jump if 0 <= self.wall % DAY + jump < DAY else -jump
        self.feed(Tick())
        self.visited["wall jumps"] += 1
        assert self.waiting() == before, "C4: the wall clock moves no remaining time"

    def waiting(self) -> dict[tuple[str, str, str], int | None]:
        return {
            (row.name, reason.guard, reason.code): None if reason.until is None else reason.until - self.wall
            for row in self.snapshot().providers
            for reason in row.reasons
            if reason.guard not in ("burn", "budget")
        }

    @rule(hours=st.sampled_from([1, 9, 30]))
    def suspend(self, hours: int) -> None:
        self.visited["suspends"] += 1
        self.step(hours * HOUR)
        self.feed(Tick())

    @rule(off_ms=st.sampled_from([0, 1, 5_000, HOUR, -HOUR]), mono=st.sampled_from([0, 123, 10**10]))
    def restart(self, off_ms: int, mono: int) -> None:
        """Dump and restore on other clocks; every attempt in flight dies."""
        self.feed(Tick())
        dump = json.loads(json.dumps(self.core.dump(self.now)))
        same = self.make.restore(self.settings, dump, self.now)
        assert json.loads(json.dumps(same.dump(self.now))) == dump, "T8: dump, load, dump is a fixed point"
        cooling = {k: v for k, v in self.waiting().items() if v is not None and k[2] != "trial"}
        self.visited["restarts while cooling"] += bool(cooling)
        orders = {row.name: row.operator.override for row in self.snapshot().providers}
        if off_ms < 0 and self.wall % DAY < HOUR:
            off_ms = 0
        gone, shift = max(0, off_ms), mono - self.mono
        self.mono, self.wall = mono + gone, self.wall + off_ms
        self.core = self.make.restore(self.settings, dump, self.now)
        for name, ledger in self.ledgers.items():
            self.shift(ledger, shift)
            ledger.live.clear()
            ledger.health.trial = ledger.quota.trial = None
            if gone == 0:
                assert self.row(name).operator.override == orders[name], "H9: an order outlives a restart"
        self.trials.clear()
        self.sticky.clear()
        self.history.clear()
        self.restarted = True
        self.seen = None
        self.feed(Tick())
        for key, left in self.waiting().items():
            if left is not None and key in cooling:
                assert left <= max(0, cooling[key] or 0), "C8: a restart makes no wait longer"

    @staticmethod
    def shift(ledger: Ledger, ms: int) -> None:
        health, quota = ledger.health, ledger.quota
        health.retry = None if health.retry is None else health.retry + ms
        quota.hold = None if quota.hold is None else quota.hold + ms
        quota.windows = {
            name: (spent, None if resets is None else resets + ms, seen + ms)
            for name, (spent, resets, seen) in quota.windows.items()
        }
        ledger.memory = None if ledger.memory is None else ledger.memory + ms
        kind, until = ledger.override
        ledger.override = (kind, None if until is None else until + ms)

    @rule(session=st.sampled_from([None, "s"]))
    def ask(self, session: str | None) -> None:
        self.plan(session)

    def plan(self, session: str | None = None) -> Plan:
        self.feed(Tick())
        shown = self.snapshot().profiles[0]
        item = Ask("chat", session=session)
        self.history.append((item, self.now))
        plan, events = self.core.route(item, self.now)
        self.keep(events)
        self.judge(plan, shown.order if session is None else None)
        return plan

    def judge(self, plan: Plan, shown: tuple[str, ...] | None) -> None:
        dropped = [drop.provider for drop in plan.dropped]
        assert sorted([*plan.order, *dropped]) == list(NAMES), "F1: each is a pick or skipped, once"
        if shown is not None:
            assert plan.order == shown, "plan and state agree at the same instant"
        self.visited["refusals"] += not plan.order
        self.visited["last resorts"] += plan.last_resort
        for name in () if plan.last_resort else plan.order:
            row = self.row(name)
            assert row.standing != "excluded", "F3: no pick is cooling, forced out or spent"
            assert row.operator.override != "drained", "H9: an order beats every automatic rule"
        waits = [drop.until for drop in plan.dropped if drop.until is not None]
        if not plan.order and waits:
            self.judge_wait(min(waits))
        if (
            self.tactic == "random"
            and len(plan.order) == len(NAMES)
            and not any(self.row(name).reasons for name in NAMES)
            and shown is not None
        ):
            assert plan.order[-1] == "a", "F9: weight 0 is never picked before another"
        pinned = [name for name in plan.order if self.row(name).operator.override == "pinned"]
        if pinned and not plan.last_resort:
            assert plan.order[0] in pinned, "H9: a pin leads while it is not excluded"

    def judge_wait(self, until: int) -> None:
        self.visited["honest waits"] += 1
        assert until > self.wall, "F5: a wait is ahead"
        later = Now(self.mono + until - self.wall, until)
        fork = self.core.fork()
        plan, _ = fork.route(Ask("chat"), later)
        gone = [drop.until for drop in plan.dropped if drop.until is not None]
        assert plan.order or all(end > until for end in gone), "F5: asking again exactly then is no waste"

    # -- what must hold after each of these

    @invariant()
    def looking_changes_nothing(self) -> None:
        if not hasattr(self, "core"):
            return
        before = self.core.dump(self.now)
        first = self.snapshot()
        assert self.snapshot() == first, "H1: looking twice shows the same"
        assert self.core.dump(self.now) == before, "H1: looking changes nothing"
        if self.seen is not None and self.seen[0] == self.core.version:
            assert self.seen[1] == self.visible(first), "T4: the version grows with what is visible"
        self.seen = (self.core.version, self.visible(first))

    @staticmethod
    def visible(snapshot: Snapshot) -> Any:
        return [(row.name, row.health, row.standing, row.in_flight, row.usage) for row in snapshot.providers]

    @invariant()
    def the_ledger_agrees(self) -> None:
        if not hasattr(self, "core"):
            return
        for name, ledger in self.ledgers.items():
            row = self.row(name)
            self.compare_health(row, ledger)
            self.compare_quota(row, ledger)
            self.compare_counts(row, ledger)
            self.compare_rest(row, ledger)

    def compare_health(self, row: ProviderView, ledger: Ledger) -> None:
        health = ledger.health
        shown = (row.health.state, row.health.half_open, row.health.consecutive_failures)
        assert shown == (health.state, health.half_open, health.failures), "H2: the table of health"
        retry = None if health.retry is None else self.wall + health.retry - self.mono
        assert row.health.retry_at == retry, "C6, H4: the wait grows once an episode, up to its cap"
        wants = health.half_open or health.auth
        assert self.core.wants_probe(row.name) == wants, "P3: a probe where it decides something, only"
        trial = any(reason.code == "trial" and reason.guard == "health" for reason in row.reasons)
        assert trial == (health.half_open and (health.probed or health.trial is not None)), (
            "P2: a permit comes back once, on its end, its loss or its lease"
        )

    def compare_quota(self, row: ProviderView, ledger: Ledger) -> None:
        until = ledger.quota.until(self.mono)
        shown = row.quota.retry_after if row.quota.source != "burn_rate" else None
        assert shown == (None if until is None else self.wall + until - self.mono), (
            "C1, C3, Q6: exhausted until the latest of what is known, and only until then"
        )
        for reason in row.reasons:
            if reason.until is not None:
                left = reason.until - self.wall
                assert isinstance(left, int), "C2: a wait is a whole number of ms"
                assert 0 < left <= max(MAX_HOLD, 31 * DAY), "C2: a wait is ahead and at most 31 days"
        for window in row.quota.windows:
            assert window.remaining is None, "Q7: what was never told is not shown as a number"
            assert window.limit is None, "Q7: what was never told is not shown as a number"

    def compare_counts(self, row: ProviderView, ledger: Ledger) -> None:
        usage = row.usage
        shown = [usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.cache_write_tokens]
        assert shown == ledger.used, "M1: usage is the sum of what was told, once each"
        assert usage.requests == ledger.requests, "M1: every end is counted once"
        assert row.in_flight == len(ledger.live), "T1: what began and has not ended is in flight"
        today = ledger.days.get(self.wall // DAY, 0)
        assert row.burn.used_tokens == today, "B3, B6: the day's tokens are those of the day"
        rate = row.burn.tokens_per_min
        assert rate is None or 0 <= rate < float("inf"), "B1: a rate is unknown or a number"
        if not sum(ledger.used):
            assert rate is None, "B1: nothing seen is unknown, not 0"
        price = ledger.settings.price
        if price is None:
            assert row.budget.spent_usd is None, "M5: an unknown price is unknown money"
            assert usage.cost_usd is None, "M5: an unknown price is unknown money"
        else:
            spent = ledger.months.get(row.budget.month, 0.0)
            assert abs((row.budget.spent_usd or 0) - spent) < 1e-9, "M1: the month's spend is its sum"
            over = spent >= (ledger.settings.monthly_usd or 0) - 1e-12
            assert any(r.guard == "budget" for r in row.reasons) == over, "M2, M3: over the cap is out"

    def compare_rest(self, row: ProviderView, ledger: Ledger) -> None:
        assert row.operator.override == ledger.override[0], "H9: an order holds until lifted or over"
        until = None if ledger.memory is None else self.wall + ledger.memory - self.mono
        assert row.memory.until == until, "C5: a cooldown is over at its deadline, not before, not after"
        spent = ledger.settings.daily_tokens
        if spent is not None and row.burn.used_tokens >= spent:
            assert any(r.guard == "burn" and r.code == "spent" for r in row.reasons), "B: a spent day is out"

    @invariant()
    def the_events_tell_the_state(self) -> None:
        if not hasattr(self, "core"):
            return
        for name in NAMES:
            row = self.row(name)
            mine = [event for event in self.told if event.provider == name]
            moves = [event.data["to"] for event in mine if event.kind == "health.changed"]
            state = moves[-1] if moves else "HEALTHY"
            assert row.health.state == state, "T3, H10: the events tell the health"
            orders = [event.data["override"] for event in mine if event.kind == "operator.changed"]
            assert row.operator.override == (orders[-1] if orders else "none"), "T3: the events tell orders"
            heard = [event.kind for event in mine if event.kind in ("memory.pressured", "memory.recovered")]
            assert row.memory.pressured == (heard[-1:] == ["memory.pressured"]), "T3: the events tell memory"
            quota = [event.kind for event in mine if event.kind in ("quota.exhausted", "quota.available")]
            if not (row.burn.budget_tokens or 0):
                out = row.quota.state == "quota_exhausted"
                assert out == (quota[-1:] == ["quota.exhausted"]), "T3, H10: the events tell the quota"

    @invariant()
    def what_is_due_is_ahead(self) -> None:
        if hasattr(self, "core") and (due := self.core.next_due()) is not None:
            assert due > self.mono, "T6: what is due lies ahead"

    def teardown(self) -> None:
        if not hasattr(self, "core"):
            return
        self.visited["stories"] += 1
        self.everyone_recovers()
        if not self.restarted:
            self.the_same_again()

    def everyone_recovers(self) -> None:
        """H6: from any state, time and successes lead back."""
        fork, later = self.core.fork(), Now(self.mono + 40 * DAY, self.wall + 40 * DAY)
        for name in NAMES:
            fork.feed(Command("release", name), later)
            fork.feed(Poll(name, True), later)
            for _ in range(2):
                fork.feed(Attempt(name, True, status=200), later)
            row = fork.provider_view(name, later)
            assert (row.health.state, row.standing) == ("HEALTHY", "eligible"), "H6: there are no trap states"

    def the_same_again(self) -> None:
        """H7: the same inputs give the same events and the same state."""
        start = Now(1_000_000, START)
        twin, told = self.make(self.settings, start, seed=7), list[Event]()
        for item, now in self.history:
            told += twin.route(item, now)[1] if isinstance(item, Ask) else twin.feed(item, now)
        assert told == self.told, "H7: the same inputs give the same events"
        assert twin.snapshot(self.now, GATEWAY) == self.snapshot(), "H7: and the same state"
