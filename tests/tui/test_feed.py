"""The event feed: merged without loss or doubles, bounded, and in plain words."""

from __future__ import annotations

from datetime import UTC
from typing import get_args

import pytest

from crtui.core.events import Event, EventKind
from crtui.core.now import HOUR, MINUTE, stamp
from crtui.tui.feed import EventLog, FeedLines
from crtui.tui.line import plain, width_of
from crtui.tui.words import QUIET, words
from tests.fakes import snapshots as fake

NOW = fake.NOW


def failed(seq: int, provider: str = "a", error: str = "boom") -> Event:
    return Event(seq, NOW + seq, "attempt.failed", provider, {"status": 500, "error": error})


def texts(log: EventLog, *, everything: bool = False) -> list[str]:
    return [note.text for note in log.notes(everything=everything)]


def test_overlapping_tails_are_merged_without_doubles() -> None:
    log = EventLog(UTC)
    log.take([failed(1, error="one"), failed(2, error="two")])
    log.take([failed(1, error="one"), failed(2, error="two"), failed(3, error="three")])
    assert texts(log) == ["500 one", "500 two", "500 three"]
    assert log.last_seq == 3


@pytest.mark.fault("X19")
def test_what_was_missed_is_counted() -> None:
    log = EventLog(UTC)
    log.take([failed(1, error="one")])
    log.take([failed(8, error="eight")])
    assert texts(log) == ["500 one", "… 6 more", "500 eight"]


def test_the_first_tail_has_no_gap() -> None:
    log = EventLog(UTC)
    log.take([failed(900, error="late")])
    assert texts(log) == ["500 late"]


def test_numbers_that_begin_anew_begin_a_new_feed() -> None:
    log = EventLog(UTC)
    log.take([failed(70, error="before")])
    log.take([failed(1, error="after restart")])
    assert texts(log) == ["500 after restart"]


def test_repeats_are_counted_instead_of_listed() -> None:
    log = EventLog(UTC)
    log.take([failed(1), failed(2), failed(3), failed(4, provider="b")])
    (first, second) = log.notes()
    assert (first.count, second.count) == (3, 1)
    line = plain(FeedLines().lines(log.notes(), 60, UTC)[0])
    assert line == "14:03:22 ! a 500 boom ×3"


def test_plain_successes_cannot_push_an_outage_out() -> None:
    log = EventLog(UTC)
    log.take([Event(1, NOW, "chain.exhausted", None, {"profile": "default"})])
    log.take([Event(seq, NOW, "attempt.ok", "a", {"latency_ms": seq}) for seq in range(2, 900)])
    assert len(texts(log, everything=True)) == 400
    assert texts(log)[0].startswith("nobody left in profile default")


def test_a_providers_own_lines_come_newest_first() -> None:
    log = EventLog(UTC)
    log.take(fake.events())
    assert [note.event.seq for note in log.of("anthropic-max") if note.event] == [117, 116, 109, 103]
    assert [note.event.seq for note in log.changes_of("gemini-cli") if note.event] == [115]


@pytest.mark.parametrize("width", [20, 30, 44, 59, 60, 100])
def test_every_line_fits(width: int) -> None:
    log = EventLog(UTC)
    log.take(fake.events())
    lines = FeedLines().lines(log.notes(), width, UTC)
    assert all(width_of(line) <= width for line in lines)
    flat = " ".join(plain(line).strip() for line in lines)
    for note in log.notes():
        assert note.text in flat or "…" in flat
    assert len(lines) == len(log.notes()) or width < 60


def test_in_a_narrow_feed_trouble_goes_on_in_a_second_line() -> None:
    log = EventLog(UTC)
    log.take([failed(1, error="the upstream said that it is overloaded")])
    log.take([failed(2, error="the upstream said that it is overloaded")])
    assert [plain(line) for line in FeedLines().lines(log.notes(), 44, UTC)] == [
        "14:03 ! a 500 the upstream said that it is",
        "        overloaded ×2",
    ]
    assert len(FeedLines().lines(log.notes(), 60, UTC)) == 1


def test_narrow_feeds_drop_the_seconds() -> None:
    log = EventLog(UTC)
    log.take([failed(1)])
    assert plain(FeedLines().lines(log.notes(), 44, UTC)[0]).startswith("14:03 !")
    assert plain(FeedLines().lines(log.notes(), 60, UTC)[0]).startswith("14:03:22 !")


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        ("attempt.ok", {"output_tokens": 812, "latency_ms": 2100}, "ok 812 tok 2.1s"),
        ("attempt.ok", {"latency_ms": 2100, "substituted": "gpt-4o-mini"}, "ok 2.1s by gpt-4o-mini"),
        ("attempt.ok", {"latency_ms": 2100, "output_limit": 4096}, "ok 2.1s (max 4.1k tok)"),
        ("attempt.failed", {"status": 429, "error": "slow down"}, "429 slow down"),
        ("attempt.failed", {"error_kind": "connect", "class": "fault"}, "connect"),
        ("attempt.interrupted", {"error_kind": "reset"}, "broke off after content: reset"),
        (
            "attempt.interrupted",
            {"status": 200, "error": "answer cut short"},
            "broke off after content: answer cut short",
        ),
        ("attempt.cancelled", {"error_kind": "client"}, "the client left early"),
        (
            "health.changed",
            {"from": "DEGRADED", "to": "HEALTHY", "consecutive_failures": 0},
            "healthy again, was degraded",
        ),
        (
            "health.changed",
            {"to": "UNHEALTHY", "consecutive_failures": 6, "why": "500"},
            "unhealthy after 6 failures: 500",
        ),
        ("health.half_open", {"trial": "probe"}, "recovery time over, a probe decides"),
        (
            "quota.exhausted",
            {"until": stamp(NOW + 2 * MINUTE), "why": "rate limited"},
            "rate limited, out for 2m00",
        ),
        (
            "quota.exhausted",
            {"until": stamp(NOW + 3 * HOUR), "source": "burn_rate"},
            "day's token budget, out until 17:03",
        ),
        ("quota.exhausted", {"until": stamp(NOW + 50 * HOUR)}, "quota exhausted, out until 16:03 +2d"),
        ("quota.available", {"trial": True}, "quota may be back, one trial request"),
        ("memory.pressured", {"until": stamp(NOW + MINUTE)}, "out of memory, resting for 60s"),
        ("memory.detected", {"ratio": 0.962}, "memory 96% used"),
        ("budget.exceeded", {"monthly_usd": 50.0}, "monthly cap $50.00 reached"),
        ("burn.projected", {"exhausts_at": stamp(NOW + HOUR)}, "at this rate empty ~15:03"),
        ("operator.changed", {"override": "none", "until": None}, "override lifted"),
        (
            "operator.changed",
            {"override": "drained", "until": stamp(NOW + 30 * MINUTE)},
            "drained by you for 30m00",
        ),
        ("paid.changed", {"allow": False}, "paid providers switched off"),
        (
            "chain.exhausted",
            {
                "profile": "fast",
                "until": stamp(NOW + MINUTE),
                "dropped": [{"provider": "a", "guard": "quota"}],
            },
            "nobody left in profile fast for 60s: a (quota)",
        ),
        (
            "route.decided",
            {"profile": "default", "model": "opus", "order": ["a", "b"]},
            "default opus → a → b",
        ),
        ("adaptive.reordered", {"profile": "default", "to": ["b", "a"]}, "profile default reordered: b → a"),
        ("poll.failed", {"error": "refused"}, "poll failed: refused"),
    ],
)
def test_events_are_told_in_plain_words(kind: EventKind, data: dict[str, object], said: str) -> None:
    assert words(Event(1, NOW, kind, "a", data), UTC) == said


@pytest.mark.parametrize("kind", get_args(EventKind))
def test_every_kind_has_words_even_without_data(kind: EventKind) -> None:
    said = words(Event(1, NOW, kind, None, {}), UTC)
    assert said
    assert "." not in said.split()[0]


@pytest.mark.parametrize(
    "data", [{"until": 7}, {"until": "yesterday"}, {"until": []}, {"dropped": "x"}, {"order": 3}]
)
def test_data_of_the_wrong_shape_does_no_harm(data: dict[str, object]) -> None:
    for kind in get_args(EventKind):
        assert words(Event(1, NOW, kind, "a", data), UTC)


def test_quiet_kinds_show_only_when_asked_for() -> None:
    log = EventLog(UTC)
    log.take(fake.events())
    assert not {note.event.kind for note in log.notes() if note.event} & QUIET
    assert {note.event.kind for note in log.notes(everything=True) if note.event} & QUIET


def served(seq: int, provider: str) -> Event:
    return Event(seq, NOW + seq, "attempt.ok", provider, {"latency_ms": 1000 + seq})


def test_successes_are_one_line_a_provider_until_something_notable_happens() -> None:
    log = EventLog(UTC)
    log.take([served(1, "a"), served(2, "b"), served(3, "a"), failed(4, "a"), served(5, "b"), served(6, "b")])
    assert [(note.provider, note.text, note.count) for note in log.notes()] == [
        ("b", "ok 1.0s", 1),
        ("a", "ok 1.0s", 2),
        ("a", "500 boom", 1),
        ("b", "ok 1.0s", 2),
    ]


def test_memory_words_that_lead_to_a_rest_are_told_once() -> None:
    log = EventLog(UTC)
    log.take(
        [Event(1, NOW, "memory.detected", "a", {"action": "skip"}), Event(2, NOW, "memory.pressured", "a")]
    )
    assert texts(log) == ["out of memory, resting"]
    log.take([Event(3, NOW, "memory.detected", "b", {"action": "warn"})])
    assert texts(log)[-1] == "out of memory reported"


def test_lines_written_before_are_the_same_as_new_ones() -> None:
    log, lines = EventLog(UTC), FeedLines()
    log.take(fake.events()[:9])
    lines.lines(log.notes(), 60, UTC)
    log.take(fake.events())
    for width in (60, 44, 60):
        assert lines.lines(log.notes(), width, UTC) == FeedLines().lines(log.notes(), width, UTC)
