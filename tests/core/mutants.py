"""Wrong cores, each with one fault as seen in the field: a proof is worth what it catches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crtui.core import chain, health, outcome, quota, saved
from crtui.core.budget import Budget
from crtui.core.burn import Burn
from crtui.core.core import Core
from crtui.core.health import Health
from crtui.core.hold import Hold
from crtui.core.inputs import Attempt, Hearsay, Poll
from crtui.core.memory import Memory
from crtui.core.now import DAY, Now
from crtui.core.operator import Operator
from crtui.core.plan import Plan
from crtui.core.provider import ProviderState
from crtui.core.quota import Quota
from crtui.core.verdict import Verdict
from tests.core.world import START

Patch = pytest.MonkeyPatch
Mutant = Callable[[Patch], None]
MUTANTS: list[Mutant] = []


def mutant(patch: Mutant) -> Mutant:
    """Register one wrong core; its name says what is wrong."""
    MUTANTS.append(patch)
    return patch


def around(patch: Patch, cls: type, name: str, after: Callable[..., Any]) -> None:
    """Let ``after(result, self, *args)`` change what a method did and returned."""
    original = getattr(cls, name)

    def wrong(self: Any, *args: Any, **kwargs: Any) -> Any:
        return after(original(self, *args, **kwargs), self, *args)

    patch.setattr(cls, name, wrong)


@mutant
def a_second_refusal_keeps_the_first_deadline(patch: Patch) -> None:
    original = Quota._hold_on

    def wrong(self: Quota, wait: Any, code: Any, causes: Any, now: Now) -> None:
        if not self._holds:
            original(self, wait, code, causes, now)

    patch.setattr(Quota, "_hold_on", wrong)


@mutant
def a_second_refusal_replaces_the_deadline(patch: Patch) -> None:
    original = Quota._refused

    def wrong(self: Quota, attempt: Attempt, result: Any, now: Now, *, grows: bool) -> None:
        if attempt.limits.retry_after_ms is not None:
            self._holds.clear()
        original(self, attempt, result, now, grows=grows)

    patch.setattr(Quota, "_refused", wrong)


@mutant
def a_late_success_ends_a_cooldown(patch: Patch) -> None:
    original = Quota.fold

    def wrong(self: Quota, attempt: Attempt, result: Any, now: Now, newest: int = 0) -> Any:
        if result.kind == "ok":
            self._holds.clear()
        return original(self, attempt, result, now, newest) + self._settle(now)

    patch.setattr(Quota, "fold", wrong)


@mutant
def half_open_lets_everyone_in(patch: Patch) -> None:
    patch.setattr(Health, "begin", lambda self, ticket, now: None)


@mutant
def a_quota_trial_lets_everyone_in(patch: Patch) -> None:
    patch.setattr(Quota, "begin", lambda self, ticket, now: None)


@mutant
def a_lost_trial_is_never_given_back(patch: Patch) -> None:
    original = Health.expire

    def wrong(self: Health, now: Now) -> Any:
        trial = self._trial
        told = original(self, now)
        self._trial = trial
        if trial is not None:
            self._lease = now.mono + DAY
        return told

    patch.setattr(Health, "expire", wrong)


@mutant
def stale_news_decides_a_trial(patch: Patch) -> None:
    original = Health._fail

    def wrong(self: Health, now: Now, *, trial: bool, poll: bool) -> Any:
        return original(self, now, trial=True, poll=poll)

    patch.setattr(Health, "_fail", wrong)


@mutant
def the_callers_fault_counts(patch: Patch) -> None:
    patch.setattr(outcome, "CLIENT", outcome.FAULT)


@mutant
def a_caller_that_left_counts(patch: Patch) -> None:
    patch.setattr(outcome, "GONE", outcome.FAULT)


@mutant
def a_rate_limit_counts_as_a_failure(patch: Patch) -> None:
    patch.setattr(
        outcome.Outcome, "failed", property(lambda self: self.kind in ("fault", "overload", "limit"))
    )


@mutant
def waits_run_on_the_wall_clock(patch: Patch) -> None:
    original = Quota._hold_on

    def wrong(self: Quota, wait: Any, code: Any, causes: Any, now: Now) -> None:
        original(self, wait, code, causes, Now(1_000_000 + now.wall - START, now.wall))

    patch.setattr(Quota, "_hold_on", wrong)


@mutant
def a_wait_has_no_upper_bound(patch: Patch) -> None:
    patch.setattr(quota, "MAX_HOLD_MS", 10**15)


@mutant
def a_restart_lengthens_waits(patch: Patch) -> None:
    original = saved.deadline

    def wrong(data: Any, key: str, mono: int) -> int | None:
        found = original(data, key, mono)
        return None if found is None else found + 1

    patch.setattr(saved, "deadline", wrong)


@mutant
def a_restart_forgets_the_time_that_passed(patch: Patch) -> None:
    original = Core._load

    def wrong(self: Core, data: Any, now: Now, **how: Any) -> None:
        original(self, {**data, "wall": now.wall}, now, **how)

    patch.setattr(Core, "_load", wrong)


@mutant
def an_order_is_lost_at_a_restart(patch: Patch) -> None:
    patch.setattr(Operator, "load", lambda self, data, mono: None)


@mutant
def event_numbers_begin_anew_after_a_restart(patch: Patch) -> None:
    original = Core._load

    def wrong(self: Core, data: Any, now: Now, **how: Any) -> None:
        original(self, data, now, **how)
        self._seq = 0

    patch.setattr(Core, "_load", wrong)


@mutant
def a_restart_knows_the_attempts_of_the_last_process(patch: Patch) -> None:
    original = Core._load

    def wrong(self: Core, data: Any, now: Now, *, tickets: bool) -> None:
        original(self, data, now, tickets=True)

    patch.setattr(Core, "_load", wrong)


@mutant
def a_checkpoint_does_not_know_which_attempts_a_refusal_covers(patch: Patch) -> None:
    original = Quota.dump_tickets

    def wrong(self: Quota, now_mono: int) -> dict[str, object]:
        return {**original(self, now_mono), "refused_until": 0}

    patch.setattr(Quota, "dump_tickets", wrong)


@mutant
def a_checkpoint_does_not_know_who_told_a_window(patch: Patch) -> None:
    original = Quota.dump_tickets

    def wrong(self: Quota, now_mono: int) -> dict[str, object]:
        return {**original(self, now_mono), "windows": dict.fromkeys(self._windows, 0)}

    patch.setattr(Quota, "dump_tickets", wrong)


@mutant
def a_checkpoint_does_not_know_whose_the_trial_is(patch: Patch) -> None:
    patch.setattr(Health, "dump_tickets", lambda self, now_mono: {"trial": None})


@mutant
def what_is_cooling_is_picked(patch: Patch) -> None:
    patch.setattr(ProviderState, "exclusion", lambda self, profile, now: None)


@mutant
def one_is_picked_twice(patch: Patch) -> None:
    original = chain._ordered
    patch.setattr(chain, "_ordered", lambda *args: (*(order := original(*args)), *order[:1]))


@mutant
def one_refusal_is_counted_many_times(patch: Patch) -> None:
    original = Quota._refused

    def wrong(self: Quota, attempt: Attempt, result: Any, now: Now, *, grows: bool) -> None:
        original(self, attempt, result, now, grows=True)

    patch.setattr(Quota, "_refused", wrong)


@mutant
def the_wait_that_is_told_is_too_short(patch: Patch) -> None:
    def short(found: Any, self: Quota, now: Now) -> Any:
        if found is None or found.until is None:
            return found
        return Verdict(found.guard, found.code, found.effect, now.mono + (found.until - now.mono) // 2)

    around(patch, Quota, "verdict", short)


@mutant
def what_is_planned_may_not_be_tried(patch: Patch) -> None:
    patch.setattr(Core, "admits", lambda self, name, profile, now: self._providers[name].clear)


@mutant
def usage_is_charged_twice(patch: Patch) -> None:
    original = Burn.fold
    patch.setattr(Burn, "fold", lambda self, tokens, now: original(self, 2 * tokens, now))


@mutant
def interrupted_streams_are_free(patch: Patch) -> None:
    original = ProviderState.fold

    def wrong(self: ProviderState, item: Attempt, profile: Any, now: Now) -> Any:
        return original(self, item if item.ok else item._replace(usage=None), profile, now)

    patch.setattr(ProviderState, "fold", wrong)


@mutant
def money_is_spent_but_never_runs_out(patch: Patch) -> None:
    patch.setattr(Budget, "verdict", lambda self, now: None)


@mutant
def a_success_leaves_a_trace(patch: Patch) -> None:
    original = Health._succeed

    def wrong(self: Health, now: Now) -> Any:
        failures = self._failures
        told = original(self, now)
        self._failures = failures
        return told

    patch.setattr(Health, "_succeed", wrong)


@mutant
def a_failed_trial_waits_no_longer_than_the_first(patch: Patch) -> None:
    patch.setattr(health, "_MAX_DOUBLINGS", 0)


@mutant
def a_reset_clears_what_was_spent(patch: Patch) -> None:
    def forget(told: Any, self: ProviderState, item: Any, now: Now) -> Any:
        if item.command == "reset":
            self.budget = Budget(self.settings.monthly_usd, self.settings.price)
        return told

    around(patch, ProviderState, "fold_command", forget)


@mutant
def windows_are_replaced_as_a_set(patch: Patch) -> None:
    original = Quota._merge

    def wrong(self: Quota, reports: Any, now: Now, ticket: int = 0, began: int | None = None) -> None:
        if reports:
            self._windows.clear()
        original(self, reports, now, ticket, began)

    patch.setattr(Quota, "_merge", wrong)


@mutant
def a_window_past_its_reset_still_holds(patch: Patch) -> None:
    original = Quota._merge

    def wrong(self: Quota, reports: Any, now: Now, ticket: int = 0, began: int | None = None) -> None:
        original(self, reports, now, ticket, began)
        for report in reports:
            if report.resets_at is not None and report.resets_at <= now.wall:
                self._windows[report.name].resets = now.mono + 60_000

    patch.setattr(Quota, "_merge", wrong)


@mutant
def a_poll_with_any_room_lifts_every_wait(patch: Patch) -> None:
    patch.setattr(Hold, "is_lifted", lambda self, room: bool(room))


@mutant
def a_poll_from_before_the_refusal_lifts_it(patch: Patch) -> None:
    original = Quota.fold_windows
    patch.setattr(
        Quota, "fold_windows", lambda self, windows, now, took_ms=0: original(self, windows, now, 0)
    )


@mutant
def hearsay_is_taken_for_a_poll(patch: Patch) -> None:
    def wrong(self: ProviderState, item: Hearsay, now: Now) -> None:
        self.fold_poll(Poll(item.provider, ok=True, windows=item.windows), now)

    patch.setattr(ProviderState, "fold_hearsay", wrong)


@mutant
def an_order_for_a_time_never_ends(patch: Patch) -> None:
    patch.setattr(Operator, "due", lambda self: None)


@mutant
def a_cooldown_ends_a_millisecond_early(patch: Patch) -> None:
    original = Memory.fold

    def wrong(self: Memory, error: str, action: Any, cooldown_ms: int, now: Now) -> Any:
        return original(self, error, action, cooldown_ms - 1, now)

    patch.setattr(Memory, "fold", wrong)


@mutant
def one_failure_is_everyones(patch: Patch) -> None:
    original = Core._fold_attempt

    def wrong(self: Core, state: ProviderState, item: Attempt, now: Now) -> Any:
        other = self._states[(state.index + 1) % len(self._states)]
        other.health._failures += not item.ok
        other._changed()
        return original(self, state, item, now)

    patch.setattr(Core, "_fold_attempt", wrong)


@mutant
def looking_takes_from_chance(patch: Patch) -> None:
    around(patch, Core, "snapshot", lambda found, self, *args: (self._rng.random(), found)[1])


@mutant
def an_ended_attempt_stays_in_flight(patch: Patch) -> None:
    original = ProviderState.fold

    def wrong(self: ProviderState, item: Attempt, profile: Any, now: Now) -> Any:
        live = set(self._live)
        result = original(self, item, profile, now)
        self._live = live if item.error_kind == "client" else self._live
        return result

    patch.setattr(ProviderState, "fold", wrong)


@mutant
def a_dropped_provider_is_not_told(patch: Patch) -> None:
    original = chain.decide

    def wrong(*args: Any, **kwargs: Any) -> Plan:
        plan = original(*args, **kwargs)
        return Plan(plan.id, plan.profile, plan.order, plan.dropped[1:], plan.rule, plan.last_resort)

    patch.setattr("crtui.core.core.decide", wrong)


@mutant
def no_last_resort(patch: Patch) -> None:
    original = chain.decide

    def wrong(*args: Any, **kwargs: Any) -> Plan:
        plan = original(*args, **kwargs)
        return Plan(plan.id, plan.profile, () if plan.last_resort else plan.order, plan.dropped)

    patch.setattr("crtui.core.core.decide", wrong)


@mutant
def a_pin_does_not_lead(patch: Patch) -> None:
    patch.setattr(chain, "_first", lambda names, leaders: names)


@mutant
def a_drained_one_is_only_demoted(patch: Patch) -> None:
    around(
        patch,
        Operator,
        "verdict",
        lambda found, self: found and Verdict(found.guard, found.code, "demotes", found.until),
    )


@mutant
def midnight_is_missed(patch: Patch) -> None:
    patch.setattr(Burn, "due", lambda self: None)
    patch.setattr(Burn, "_day_at", lambda self, wall: self._day or wall // DAY)


@mutant
def the_next_deadline_is_told_too_late(patch: Patch) -> None:
    original = Core.next_due
    patch.setattr(Core, "next_due", lambda self: None if (due := original(self)) is None else due + 2)


@mutant
def a_tick_early_is_taken_for_due(patch: Patch) -> None:
    original = Core._advance
    patch.setattr(Core, "_advance", lambda self, now: original(self, Now(now.mono + 1, now.wall + 1)))


@mutant
def a_success_from_before_the_refusal_is_evidence_of_room(patch: Patch) -> None:
    original = Quota.fold

    def wrong(self: Quota, attempt: Attempt, result: Any, now: Now, newest: int) -> Any:
        return original(self, attempt, result, now, 0)

    patch.setattr(Quota, "fold", wrong)
