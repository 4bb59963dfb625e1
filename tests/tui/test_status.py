"""State, reason and what comes next, for every kind of trouble a provider can be in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crtui.core.now import HOUR, MINUTE, SECOND
from crtui.core.views import (
    BudgetView,
    BurnView,
    HealthView,
    OperatorView,
    ProviderView,
    QuotaView,
    ReasonView,
)
from crtui.tui.status import status_of
from crtui.tui.upcoming import upcoming
from crtui.tui.why import why
from tests.fakes import snapshots as fake

NOW = fake.NOW

SPENT_DAY = fake.provider(
    standing="excluded",
    reasons=(ReasonView("burn", "spent", "", NOW + 9 * HOUR),),
    quota=QuotaView("quota_exhausted", NOW + 9 * HOUR, "burn_rate"),
    burn=BurnView(2_000_000, 2_000_000, 0.0, 2_000_000, None, NOW + 9 * HOUR),
)
TOO_FAST = replace(SPENT_DAY, burn=BurnView(2_000_000, 900_000, 9000.0, 3_100_000, None, NOW + 9 * HOUR))
CAPPED = fake.provider(
    standing="excluded",
    reasons=(ReasonView("budget", "spent", "", NOW + 240 * HOUR),),
    budget=BudgetView(50.0, 50.0, "2026-11"),
)
REFUSED = fake.provider(standing="excluded", reasons=(ReasonView("auth", "auth", "401 invalid x-api-key"),))
GATED = fake.provider(
    paid=True, standing="excluded", reasons=(ReasonView("paid", "gated", "costs money; allow with $"),)
)
TRIAL = fake.limited("groq", fake.window())
TRIAL = replace(TRIAL, quota=replace(TRIAL.quota, trial=True))
COOLING = fake.exhausted("cerebras", 42 * SECOND, "retry_after", "rate limited")
PINNED = fake.overridden("a", "pinned")
PINNED_BUT_OUT = replace(
    COOLING,
    operator=OperatorView("pinned"),
    reasons=(*COOLING.reasons, ReasonView("operator", "pinned", "pinned by you")),
)

CASES: list[tuple[ProviderView, str, str, str]] = [
    (fake.provider(), "OK", "", "–"),
    (PINNED, "PIN", "pinned by you", "–"),
    (fake.degraded("a"), "WARN", "3 failures in a row: 500 internal server error", "–"),
    (fake.half_open("a"), "PROB", "one request is let through as a trial", "trial now"),
    (TRIAL, "PROB", "", "trial now"),
    (COOLING, "COOL", "rate limited", "retry 42s"),
    (PINNED_BUT_OUT, "COOL", "rate limited; pinned by you", "retry 42s"),
    (fake.exhausted("a", 3 * HOUR, "headers", "5h window spent"), "QUOT", "5h window spent", "reset 3h00"),
    (SPENT_DAY, "QUOT", "the day's 2M tokens are used up", "reset 9h00"),
    (TOO_FAST, "QUOT", "too fast: 3.1M by midnight UTC, budget 2M", "reset 9h00"),
    (CAPPED, "CAP", "$50.00 cap of 2026-11 reached", "reset 10d00"),
    (fake.out_of_memory("a"), "MEM", "out of memory", "retry 95s"),
    (fake.unhealthy("a", 3 * MINUTE), "DOWN", "6 failures in a row: connect timed out", "probe 3m00"),
    (REFUSED, "AUTH", "key refused: 401 invalid x-api-key", "–"),
    (GATED, "PAID", "costs money; allow with $", "–"),
    (fake.overridden("a", "demoted"), "DEMO", "demoted by you", "–"),
    (fake.overridden("a", "drained", 20 * MINUTE), "DRAIN", "drained by you", "ends 20m00"),
]


def _next(provider: ProviderView) -> str:
    from crtui.tui import fmt

    coming = upcoming(provider, NOW)
    return "–" if coming is None else f"{coming.verb} {fmt.countdown(coming.at - NOW)}"


@pytest.mark.parametrize(
    ("provider", "word", "reason", "comes"), CASES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_trouble_has_its_word_its_reason_and_its_end(
    provider: ProviderView, word: str, reason: str, comes: str
) -> None:
    assert (status_of(provider).word, why(provider), _next(provider)) == (word, reason, comes)


def test_a_provider_in_no_chain_is_off() -> None:
    assert status_of(fake.provider(), chained=False).word == "OFF"


def test_the_way_back_is_as_long_as_the_longest_reason() -> None:
    both = replace(
        COOLING,
        reasons=(*COOLING.reasons, ReasonView("budget", "spent", "", NOW + 10 * HOUR)),
        budget=BudgetView(5.0, 5.0, "2026-11"),
    )
    assert _next(both) == "reset 10h00"
    assert status_of(both).word == "CAP"


def test_a_reason_without_an_end_leaves_the_end_open() -> None:
    drained = replace(
        COOLING,
        operator=OperatorView("drained"),
        reasons=(*COOLING.reasons, ReasonView("operator", "drained", "drained by you")),
    )
    assert upcoming(drained, NOW) is None


def test_running_dry_before_the_reset_comes_before_the_reset() -> None:
    short = fake.limited("a", fake.window(empty=(77 * MINUTE, 2 * HOUR)))
    assert _next(short) == "empty 1h17"
    assert why(short) == "5h limit runs dry before it resets"


def test_lasting_until_the_reset_is_no_alarm() -> None:
    lasting = fake.limited("a", fake.window(empty=(3 * HOUR, 4 * HOUR)))
    assert _next(lasting) == "reset 2h14"
    assert why(lasting) == ""


def test_unhealthy_but_in_use_is_still_shown_as_down() -> None:
    ill = fake.provider(health=HealthView("UNHEALTHY", False, 7, NOW, None, NOW + MINUTE))
    assert status_of(ill).word == "DOWN"
    assert _next(ill) == "probe 60s"
