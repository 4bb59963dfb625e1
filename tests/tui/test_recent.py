"""The failures of the last five minutes, by difference: exact, and honest about what was not seen."""

from __future__ import annotations

from dataclasses import replace

from crtui.core.now import MINUTE, SECOND
from crtui.core.views import Snapshot, UsageView
from crtui.tui.recent import WINDOW_MS, RecentErrors
from tests.fakes import snapshots as fake
from tests.tui.test_app import stage


def at(seconds: int, requests: int, failed: int, name: str = "a") -> Snapshot:
    usage = UsageView(requests, requests - failed, failed, 0, 0, 0, 0, None)
    return replace(fake.snapshot(fake.provider(name, usage=usage)), at=fake.NOW + seconds * SECOND)


def test_what_was_before_the_screen_was_opened_is_not_counted() -> None:
    assert RecentErrors().take(at(0, 900, 450)) == {"a": (0, 0)}


def test_it_counts_what_came_since() -> None:
    recent = RecentErrors()
    recent.take(at(0, 100, 10))
    assert recent.take(at(1, 101, 11)) == {"a": (1, 1)}
    assert recent.take(at(60, 140, 12)) == {"a": (40, 2)}


def test_what_is_older_than_five_minutes_is_forgotten() -> None:
    recent = RecentErrors()
    for second in range(0, 400, 5):
        counted = recent.take(at(second, 100 + second, min(second, 50)))
    requests, failed = counted["a"]
    assert WINDOW_MS / SECOND <= requests <= WINDOW_MS / SECOND + 10
    assert failed == 0


def test_it_keeps_no_more_than_the_window_holds() -> None:
    recent = RecentErrors()
    for second in range(3000):
        recent.take(at(second, second, 0))
    assert len(recent._kept) <= 32


def test_a_provider_that_is_new_counts_from_nothing_and_totals_that_began_anew_are_all_new() -> None:
    recent = RecentErrors()
    recent.take(at(0, 100, 10))
    assert recent.take(at(5, 3, 1)) == {"a": (3, 1)}
    assert recent.take(at(6, 7, 2, name="b")) == {"b": (7, 2)}


def test_a_recording_that_is_wound_back_begins_anew() -> None:
    recent = RecentErrors()
    recent.take(at(100, 100, 10))
    assert recent.take(at(0, 40, 4)) == {"a": (0, 0)}
    assert recent.take(at(30, 50, 5)) == {"a": (10, 1)}


async def test_the_table_shows_the_rate_of_the_window_and_names_it() -> None:
    async with stage(at(0, 900, 450), size=(140, 40)) as on:
        assert "ERR 5m" in on.text("header")
        assert "%" not in on.text("table").replace("33%", "")
        on.clock.advance(MINUTE)
        await on.show(at(60, 1000, 460))
        assert "10%" in on.text("table")
