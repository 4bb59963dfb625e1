"""What must hold of the core after each step, whatever the step was."""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar

from hypothesis.stateful import RuleBasedStateMachine, invariant

from crtui.core.core import Core
from crtui.core.events import Event
from crtui.core.inputs import Attempt, Command, Input, Poll
from crtui.core.now import DAY, Now
from crtui.core.plan import Ask, Plan
from crtui.core.settings import CoreSettings
from crtui.core.views import GatewayView, ProviderView, Snapshot
from tests.core.ledger import MAX_HOLD, Ledger
from tests.core.world import START

NAMES = ("a", "b", "c")
GATEWAY = GatewayView("0", "", START)


class Laws(RuleBasedStateMachine):
    """A core, the ledgers beside it, and the laws. What it is driven by is the machine's."""

    visited: ClassVar[Counter[str]] = Counter()
    make: ClassVar[type[Core]] = Core
    core: Core
    settings: CoreSettings
    tactic: str
    ledgers: dict[str, Ledger]
    history: list[tuple[Input | Ask, Now]]
    told: list[Event]
    restarted: bool
    seen: tuple[int, Any] | None
    mono: int
    wall: int

    @property
    def now(self) -> Now:
        return Now(self.mono, self.wall)

    def row(self, name: str) -> ProviderView:
        return self.core.provider_view(name, self.now)

    def snapshot(self) -> Snapshot:
        return self.core.snapshot(self.now, GATEWAY)

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
        if row.quota.source != "burn_rate":
            due = ledger.quota.trial_due and until is None
            assert row.quota.trial == due, "P1: after an exhaustion a trial is due, until it has succeeded"
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
            standing = "excluded" if row.budget.monthly_usd == 0 else "eligible"
            assert (row.health.state, row.standing) == ("HEALTHY", standing), "H6: there are no trap states"

    def the_same_again(self) -> None:
        """H7: the same inputs give the same events and the same state."""
        start = Now(1_000_000, START)
        twin, told = self.make(self.settings, start, seed=7), list[Event]()
        for item, now in self.history:
            told += twin.route(item, now)[1] if isinstance(item, Ask) else twin.feed(item, now)
        assert told == self.told, "H7: the same inputs give the same events"
        assert twin.snapshot(self.now, GATEWAY) == self.snapshot(), "H7: and the same state"
