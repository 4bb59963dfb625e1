"""The plan in words: who is kept, demoted or dropped, by which guard, until when, and why the first."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest

from crtui.core.now import MINUTE
from crtui.core.views import DroppedView, ProfileView, Snapshot
from crtui.engine.link import LinkStatus
from crtui.tui.explain import candidates, explain_heading, explain_lines
from crtui.tui.feed import EventLog
from crtui.tui.frame import Frame
from crtui.tui.line import plain, width_of
from tests.fakes import snapshots as fake

LIVE = LinkStatus("live", fake.URL)


def frame(snapshot: Snapshot) -> Frame:
    log = EventLog(UTC)
    log.take(snapshot.events)
    return Frame(snapshot, LIVE, fake.NOW, fake.NOW, log, UTC)


def text(snapshot: Snapshot, width: int = 100, step: int = 0) -> str:
    shown = frame(snapshot)
    return "\n".join(map(plain, (*explain_heading(shown, step, width), *explain_lines(shown, step, width))))


def first(*providers: Any, **profile: Any) -> str:
    made = fake.snapshot(*providers)
    made = replace(made, profiles=(replace(made.profiles[0], **profile),))
    return plain(explain_heading(frame(made), 0, 200)[1]).strip()


def test_every_provider_of_the_chain_is_there_exactly_once_with_its_turn() -> None:
    busy = fake.busy()
    found = candidates(frame(busy), busy.profiles[0])
    assert sorted(one.name for one in found) == sorted(busy.profiles[0].chain)
    assert [one.name for one in found if one.place] == list(busy.profiles[0].order)
    by_verdict = {one.name: one.verdict for one in found}
    assert by_verdict["anthropic-max"] == "kept"
    assert by_verdict["mistral"] == by_verdict["deepinfra"] == "demoted"
    assert by_verdict["groq"] == by_verdict["ollama-32b"] == "dropped"


@pytest.mark.parametrize(
    "told",
    [
        "▶ anthropic-max kept",
        "groq          dropped  quota: tokens window spent, since 14:02, until 16:56 (2h53)",
        "mistral       demoted  operator: demoted by you, since 14:03",
        "cerebras      dropped  quota: rate limited, since 14:02, until 14:04 (42s)",
    ],
)
def test_guard_words_since_and_until_are_told(told: str) -> None:
    assert told in text(fake.busy())


@pytest.mark.parametrize("width", [30, 44, 60, 69, 70, 100, 140])
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    shown = frame(fake.busy())
    for line in (*explain_heading(shown, 0, width), *explain_lines(shown, 0, width)):
        assert width_of(line) <= width


def test_a_long_reason_goes_on_below_itself() -> None:
    rows = text(fake.busy(), 44).splitlines()
    at = next(index for index, row in enumerate(rows) if "deepinfra" in row)
    assert "".join(row.strip() + " " for row in rows[at + 1 : at + 4]).startswith(
        "health: 6 failures in a row: connect"
    )
    assert "until 14:06" in "".join(rows[at + 1 : at + 4])


def test_why_the_first_is_the_first() -> None:
    a, b = fake.provider("a"), fake.provider("b")
    assert first(a, b) == "first  a: the first of the chain, and nothing is against it"
    ill = fake.unhealthy("a", 5000)
    assert first(ill, b) == "first  b: the first of the chain that nothing is against"
    assert first(a, fake.overridden("b", "pinned", 20 * MINUTE), order=("b", "a")) == (
        "first  b: pinned by you, until 14:23 (20m00)"
    )
    assert (
        first(a, b, order=("b", "a")) == "first  b: it is faster lately than a, which the chain has before it"
    )
    assert "demoted ones are left" in first(ill)
    assert "all are tried all the same" in first(replace(ill, standing="excluded"), order=("a",))
    assert "answers fastest" in first(a, b, tactic="latency_based", order=("b", "a"))
    assert "drawn by chance" in first(a, b, tactic="random")


def test_where_nobody_is_left_the_first_to_be_back_is_told() -> None:
    limited = fake.exhausted("a", 42_000, "retry_after", "rate limited")
    assert (
        first(limited) == "first  nobody: each of the chain is passed over; a is back first, at 14:04 (42s)"
    )


def test_a_guard_that_only_the_plan_knows_is_told_too() -> None:
    made = fake.snapshot(fake.provider("a"), fake.provider("b"))
    profile = replace(made.profiles[0], order=("a",), dropped=(DroppedView("b", "paid", "gated"),))
    assert "b dropped  paid: gated" in text(replace(made, profiles=(profile,)))


def test_a_provider_in_the_chain_that_does_not_exist_is_said_to_be_missing() -> None:
    made = fake.snapshot(fake.provider("a"))
    profile = replace(made.profiles[0], chain=("a", "gone"))
    assert "there is no provider of that name" in text(replace(made, profiles=(profile,)))


def test_the_steps_go_through_the_profiles_from_the_default_one_round_and_round() -> None:
    made = fake.snapshot(fake.provider("a"))
    profiles = tuple(ProfileView(name, "priority", ("a",), ("a",), ()) for name in ("x", "default", "y"))
    several = replace(made, profiles=profiles)
    heads = [text(several, step=step).splitlines()[0] for step in (0, 1, 2, 3, -1)]
    names = [head.split()[3] for head in heads]
    assert names == ["default", "y", "x", "default", "x"]
    assert "2 of 3" in heads[0]


def test_a_reorder_is_told() -> None:
    made = fake.snapshot(fake.provider("a"), fake.provider("b"))
    profile = replace(made.profiles[0], order=("b", "a"))
    assert "reordered: turn 2 by the chain → turn 1" in text(replace(made, profiles=(profile,)))
    assert "reordered" not in text(fake.busy())


def test_without_a_profile_there_is_a_line_that_says_so() -> None:
    assert text(fake.no_providers()) == " No profile is configured."
