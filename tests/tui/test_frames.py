"""Freezing: the picture stands still, the clock and the counting go on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

from crtui.clock import ManualClock
from crtui.core.events import Event
from crtui.tui.frames import FrameSource
from crtui.tui.line import plain
from crtui.tui.summary import state
from tests.fakes import snapshots as fake
from tests.tui.conftest import FakeLink


def source(link: FakeLink, clock: ManualClock) -> FrameSource:
    return FrameSource(link, clock, zone=UTC, read_only=False)


def later(count: int) -> tuple[Event, ...]:
    return tuple(Event(117 + i, fake.NOW, "poll.failed", "a", {"error": str(i)}) for i in range(1, count + 1))


def test_a_frozen_picture_keeps_its_snapshot_and_its_now(clock: ManualClock) -> None:
    link = FakeLink(fake.busy())
    frames = source(link, clock)
    before = frames.take()
    frames.toggle()
    link.latest = replace(fake.busy(), events=(*fake.events(), *later(37)))
    clock.advance(42_000)
    held = frames.take()
    assert held.snapshot is before.snapshot
    assert (held.now, held.clock) == (fake.NOW, fake.NOW + 42_000)
    assert plain(state(held)) == "❚❚ PAUSED 0:42 +37 events"


def test_going_on_shows_what_happened_meanwhile(clock: ManualClock) -> None:
    link = FakeLink(fake.busy())
    frames = source(link, clock)
    frames.toggle()
    link.latest = replace(fake.busy(), events=later(3))
    frames.toggle()
    shown = frames.take()
    assert shown.snapshot is link.latest
    assert shown.paused_ms is None
    assert shown.log.last_seq == 120


def test_there_is_nothing_to_freeze_before_the_first_picture(clock: ManualClock) -> None:
    frames = source(FakeLink(), clock)
    frames.toggle()
    assert not frames.frozen


def test_a_link_that_refuses_commands_makes_the_frame_read_only(clock: ManualClock) -> None:
    assert source(FakeLink(fake.busy(), read_only=True), clock).take().read_only
