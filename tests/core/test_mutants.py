"""The proofs bite: each wrong core is caught, by the machine or by a table, and soon."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from tests.core import (
    test_budget,
    test_dump,
    test_health,
    test_lifting,
    test_memory,
    test_operator,
    test_quota,
)
from tests.core.mutants import MUTANTS, Mutant
from tests.core.test_machine import run

BY_TABLE: dict[str, Callable[[], None]] = {
    "a_checkpoint_does_not_know_which_attempts_a_refusal_covers": (
        test_dump.test_an_attempt_from_before_a_refusal_is_no_evidence_of_room_after_a_checkpoint_either
    ),
    "a_checkpoint_does_not_know_who_told_a_window": (
        test_dump.test_an_answer_that_began_earlier_enlarges_no_window_after_a_checkpoint_either
    ),
    "a_cooldown_ends_a_millisecond_early": test_memory.test_the_cooldown_ends_exactly_at_its_deadline,
    "money_is_spent_but_never_runs_out": (
        test_budget.test_reaching_the_cap_excludes_until_the_months_end_and_is_told_once
    ),
    "a_restart_forgets_the_time_that_passed": partial(
        test_dump.test_the_time_that_passed_is_taken_off_a_wait_and_a_clock_set_back_adds_none, 30, 70
    ),
    "a_restart_lengthens_waits": partial(
        test_dump.test_the_time_that_passed_is_taken_off_a_wait_and_a_clock_set_back_adds_none, 0, 100
    ),
    "an_order_is_lost_at_a_restart": test_dump.test_an_override_survives_and_ends_when_it_was_to_end,
    "an_order_for_a_time_never_ends": test_operator.test_an_order_for_a_time_ends_by_itself_and_says_so,
    "a_lost_trial_is_never_given_back": test_health.test_a_trial_that_is_never_reported_is_given_back,
    "a_pin_does_not_lead": test_operator.test_a_pin_is_first_of_all_and_the_newest_pin_leads,
    "a_poll_from_before_the_refusal_lifts_it": partial(
        test_lifting.test_a_poll_that_began_before_the_refusal_lifts_nothing,
        (429, test_lifting.FULL),
        test_lifting.ROOM,
    ),
    "a_poll_with_any_room_lifts_every_wait": partial(
        test_lifting.test_no_poll_shortens_a_wait_of_which_no_window_was_the_cause, 429, test_lifting.ROOM
    ),
    "a_reset_clears_what_was_spent": test_budget.test_a_reset_does_not_clear_a_months_spend,
    "a_success_from_before_the_refusal_is_evidence_of_room": (
        test_quota.test_a_success_that_began_before_the_refusal_is_no_evidence_of_room
    ),
    "a_window_past_its_reset_still_holds": test_quota.test_a_reset_that_has_passed_already_is_none,
    "windows_are_replaced_as_a_set": test_quota.test_windows_are_merged_by_name_never_replaced_as_a_set,
}
"""Where random stories take long to find it."""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("wrong", [pytest.param(mutant, id=mutant.__name__) for mutant in MUTANTS])
def test_a_wrong_core_is_caught(wrong: Mutant, monkeypatch: pytest.MonkeyPatch):
    wrong(monkeypatch)
    proof = BY_TABLE.get(wrong.__name__, partial(run, examples=400, steps=40))

    with pytest.raises((AssertionError, LookupError)):
        proof()


def test_every_table_named_here_holds_for_the_right_core_and_names_a_wrong_one():
    for proof in BY_TABLE.values():
        proof()

    assert BY_TABLE.keys() <= {wrong.__name__ for wrong in MUTANTS}
