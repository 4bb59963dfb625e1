"""One provider's screen in lines."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

import pytest

from crtui.clock import ManualClock
from crtui.core.views import ProfileView
from crtui.tui.detail import change_lines, heading, request_lines, speed_lines
from crtui.tui.frame import Frame
from crtui.tui.frames import FrameSource
from crtui.tui.line import plain, width_of
from tests.fakes import snapshots as fake
from tests.tui.conftest import FakeLink


@pytest.fixture
def shown() -> Frame:
    return FrameSource(FakeLink(fake.busy()), ManualClock(wall=fake.NOW), zone=UTC, read_only=False).take()


def told(shown: Frame, name: str, width: int = 100) -> list[str]:
    provider = shown.provider(name)
    assert provider is not None
    return [plain(line) for line in heading(shown, provider, width)]


def test_the_heading_tells_state_place_what_comes_and_why(shown: Frame) -> None:
    title, coming, reason = told(shown, "anthropic-max")
    assert "anthropic-max  ● OK  #1 of 10 in default" in title
    assert "empty in 1h17 (at 15:20)   anthropic · speaks messages · 2 in flight" in coming
    assert reason == " why   5h limit runs dry before it resets"


def test_an_ill_provider_tells_since_when(shown: Frame) -> None:
    title, coming, reason = told(shown, "deepinfra")
    assert "✖ DOWN since 14:01 (1m)" in title
    assert "probe in 3m30 (at 14:06)" in coming
    assert "connect timed out" in reason


def test_a_provider_that_is_passed_over_says_so(shown: Frame) -> None:
    assert "passed over in default" in told(shown, "groq")[0]
    assert "in no chain" in told(shown, "together")[0]


def test_the_place_in_another_profile_is_told_where_it_has_none_in_the_default_one() -> None:
    trio = fake.snapshot(fake.provider("a"), fake.provider("b"), fake.provider("c"))
    chains = {"default": ("a", "b"), "slow": ("b", "c")}
    profiles = (ProfileView(name, "priority", chain, chain, ()) for name, chain in chains.items())
    both = replace(trio, profiles=tuple(profiles))
    frame = FrameSource(FakeLink(both), ManualClock(wall=fake.NOW), zone=UTC, read_only=False).take()
    assert "#2 of 2 in default" in told(frame, "b")[0]
    assert "#2 of 2 in slow" in told(frame, "c")[0]


@pytest.mark.parametrize("width", [40, 44, 80, 140])
def test_every_heading_fits(shown: Frame, width: int) -> None:
    for provider in fake.busy().providers:
        assert all(width_of(line) <= width for line in heading(shown, provider, width))


def test_last_requests_are_newest_first_and_bounded(shown: Frame) -> None:
    lines = [plain(line) for line in request_lines(shown.log.of("anthropic-max"), 60, 3, shown)]
    assert lines == [
        "14:03:19 claude-opus-4-5            ok 640 tok 2.1s",
        "14:03:15 claude-haiku-4-5           529 overloaded",
        "14:02:40 claude-opus-4-5            ok 812 tok 2.1s",
    ]


def test_changes_leave_requests_out(shown: Frame) -> None:
    lines = [plain(line) for line in change_lines(shown.log.changes_of("deepinfra"), 70, 5, shown)]
    assert lines == ["14:02:54 ✖ unhealthy after 6 failures: connect timed out"]


def test_no_history_is_said(shown: Frame) -> None:
    for lines in (request_lines(iter(()), 60, 3, shown), change_lines(iter(()), 60, 3, shown)):
        assert plain(lines[0]) == "None among the newest events."


def test_speed_is_told_in_one_line_or_two() -> None:
    wide = [plain(line).rstrip() for line in speed_lines(fake.provider(), 60)]
    assert wide == ["p50 640ms  p95 1.5s  p99 2.0s  first token 288ms  tok/s 62"]
    assert len(speed_lines(fake.provider(), 36)) == 2
