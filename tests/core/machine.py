"""The core as a machine that is driven at random, with a plain ledger beside it.

Deadlines are looked at right after each step, not by waiting for a wrong behaviour later. What
the machine visited is counted, because a green machine that never went there proves nothing.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from crtui.core.events import Event
from crtui.core.inputs import Attempt, Began, Command, Hearsay, Input, Limits, Poll, Tick, Usage, WindowReport
from crtui.core.now import DAY, HOUR, SECOND, Now
from crtui.core.plan import Ask, Plan
from crtui.core.settings import CoreSettings, Price, ProfileSettings, ProviderSettings
from tests.core.laws import NAMES, Laws
from tests.core.ledger import MAX_HOLD, UNTOUCHED, HealthLedger, Ledger
from tests.core.world import START

OVERRIDES = {"demote": "demoted", "drain": "drained", "pin": "pinned", "release": "none"}
WINDOWED = {"5h", "7d"}

providers = st.sampled_from(NAMES)
statuses = st.sampled_from([400, 404, 401, 402, 429, 429, 500, 500, 500, 503, 529])
waits = st.sampled_from([None, None, 1, 999, 5_000, 20_000, HOUR, 40 * DAY])
counts = st.sampled_from([0, 1, 40, 300, 2_000])
usages = st.one_of(st.none(), st.builds(lambda sent, got: Usage(sent, got), counts, counts))


def settings_of(action: Any, tactic: Any, affinity_s: int, cap_usd: float) -> CoreSettings:
    rows = (
        ProviderSettings("a", threshold=2, recovery_ms=10_000, daily_tokens=5_000, weight=0),
        ProviderSettings("b", threshold=2, recovery_ms=10_000, free_probe=True),
        ProviderSettings("c", threshold=2, recovery_ms=10_000, monthly_usd=cap_usd, price=Price(1.0, 3.0)),
    )
    profile = ProfileSettings(
        "default", NAMES, tactic, action, memory_cooldown_ms=30_000, affinity_ms=affinity_s * SECOND
    )
    return CoreSettings(rows, (profile,))


class Machine(Laws):
    """Three providers, one profile, permits of one."""

    @initialize(
        action=st.sampled_from(["exclude", "exclude", "demote", "warn"]),
        tactic=st.sampled_from(["priority", "priority", "random", "token_based"]),
        affinity_s=st.sampled_from([0, 60]),
        cap_usd=st.sampled_from([0.004, 0.004, 0.0]),
    )
    def start(self, action: Any, tactic: Any, affinity_s: int, cap_usd: float) -> None:
        self.action, self.tactic = action, tactic
        self.mono, self.wall = 1_000_000, START
        self.settings = settings_of(action, tactic, affinity_s, cap_usd)
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
        self.restarted = False
        self.seen: tuple[int, Any] | None = None

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
        self.tickets += 1
        name, ticket = data.draw(st.sampled_from(self.gone)) if self.gone else (name, self.tickets)
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
        ledger.quota.end(item, self.now, ledger.live)
        ledger.charge(item.usage, self.now)
        if "memory" in item.error:
            ledger.memory = self.mono + 30_000
        if self.trials.get(name, (None, 0))[0] == item.ticket:
            del self.trials[name]
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
        took_ms = data.draw(st.sampled_from([0, 3_000]))
        self.feed(Tick())
        poll = Poll(name, ok, "" if ok else "refused", windows=windows, took_ms=took_ms)
        self.feed(poll)
        self.ledgers[name].health.poll(poll, self.mono)
        if windows:
            self.ledgers[name].quota.poll(poll, self.now)

    @rule(data=st.data(), name=providers)
    def gossip(self, data: st.DataObject, name: str) -> None:
        windows = data.draw(self.reports())
        self.feed(Tick())
        before = self.row(name)
        assert not self.feed(Hearsay(name, windows)), "no event follows from hearsay"
        self.ledgers[name].quota.hearsay(windows, self.now)
        after = self.row(name)
        assert (after.standing, after.reasons) == (before.standing, before.reasons), "hearsay decides nothing"

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

    @rule()
    def reload(self) -> None:
        """Dump and restore in the same process: the story goes on as if nothing had been."""
        self.feed(Tick())
        dump = json.loads(json.dumps(self.core.dump(self.now)))
        self.visited["reloads in flight"] += bool(self.in_flight())
        self.core = self.make.restore(self.settings, dump, self.now)
        again = json.loads(json.dumps(self.core.dump(self.now)))
        assert again == dump, "T8: dump, load, dump is a fixed point"

    @rule(off_ms=st.sampled_from([0, 1, 5_000, HOUR, -HOUR]), mono=st.sampled_from([0, 123, 10**10]))
    def restart(self, off_ms: int, mono: int) -> None:
        """Dump and restore on other clocks; every attempt in flight dies."""
        self.feed(Tick())
        dump = json.loads(json.dumps(self.core.dump(self.now)))
        cooling = {k: v for k, v in self.waiting().items() if v is not None and k[2] != "trial"}
        self.visited["restarts while cooling"] += bool(cooling)
        orders = {row.name: row.operator.override for row in self.snapshot().providers}
        if off_ms < 0 and self.wall % DAY < HOUR:
            off_ms = 0
        gone, shift = max(0, off_ms), mono - self.mono
        self.mono, self.wall = mono + gone, self.wall + off_ms
        self.core = self.make.restore(self.settings, dump, self.now, tickets=False)
        for name, ledger in self.ledgers.items():
            self.shift(ledger, shift)
            ledger.live.clear()
            ledger.health.trial = ledger.quota.trial = None
            ledger.quota.refused_until = 0
            for window in ledger.quota.windows.values():
                window.ticket = 0
            if gone == 0:
                assert self.row(name).operator.override == orders[name], "H9: an order outlives a restart"
        self.trials.clear()
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
        quota.holds = {why: (end + ms, of) for why, (end, of) in quota.holds.items()}
        quota.refused_at = None if quota.refused_at is None else quota.refused_at + ms
        for window in quota.windows.values():
            window.resets = None if window.resets is None else window.resets + ms
            window.seen += ms
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
