"""The forecast as lanes and words: what is drawn where, and when nobody is left."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta, timezone

import pytest

from crtui.core.now import HOUR, MINUTE
from crtui.core.views import ForecastView, OutlookView, Snapshot
from crtui.engine.link import LinkStatus
from crtui.tui.feed import EventLog
from crtui.tui.forecast import forecast_lines, ruler, strip_of
from crtui.tui.frame import Frame
from crtui.tui.glyphs import plain_ascii
from crtui.tui.line import plain, width_of
from tests.fakes import snapshots as fake


def frame(snapshot: Snapshot) -> Frame:
    return Frame(snapshot, LinkStatus("live", fake.URL), fake.NOW, fake.NOW, EventLog(UTC), UTC)


def text(snapshot: Snapshot, width: int = 80, height: int = 40) -> list[str]:
    return [plain(line) for line in forecast_lines(frame(snapshot), width, height)]


def with_outlook(*outlooks: OutlookView, rate: float | None = 100.0) -> Snapshot:
    lane = fake.lane("a", ("serving", 300), rate=rate)
    view = replace(fake.forecast(lane), profiles=outlooks)
    return replace(fake.snapshot(fake.provider("a")), forecast=view)


def outlook(dry: int | None = None, until: int | None = None, profile: str = "default") -> OutlookView:
    def at(minutes: int | None) -> int | None:
        return None if minutes is None else fake.NOW + minutes * MINUTE

    return OutlookView(profile, at(dry), at(until))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (outlook(), "at this rate it lasts past 19:03"),
        (outlook(157, 182), "at this rate nobody is left from 16:40 to 17:05"),
        (outlook(157), "at this rate nobody is left from 16:40, and nobody is back by 19:03"),
        (outlook(0, 182), "nobody is left now until 17:05"),
        (outlook(0), "nobody is left now, and nobody is back by 19:03"),
    ],
)
def test_the_moment_the_chain_runs_dry_is_told_in_words(given: OutlookView, told: str) -> None:
    assert text(with_outlook(given))[0] == told


def test_without_traffic_it_says_that_there_is_nothing_to_go_by() -> None:
    assert text(with_outlook(outlook(), rate=None))[0] == "without traffic to go by it lasts past 19:03"


def test_other_profiles_are_told_of_only_if_they_run_dry() -> None:
    rows = text(with_outlook(outlook(profile="calm"), outlook(60, 90, "short"), outlook()))
    assert rows[:2] == [
        "default: at this rate it lasts past 19:03",
        "short: at this rate nobody is left from 15:03 to 15:33",
    ]
    assert not any("calm" in row for row in rows)


def lane_text(*parts: tuple[str, int], cells: int = 10) -> str:
    lane = fake.lane("a", *parts)
    return plain(strip_of(lane, fake.forecast(lane), cells))


def test_each_cell_shows_the_state_in_its_middle() -> None:
    assert lane_text(("serving", 150), ("waiting", 150)) == "▆▆▆▆▆░░░░░"
    assert lane_text(("serving", 60), ("out", 240)) == "▆▆········"


def test_the_way_back_is_marked_however_short_the_rest_was() -> None:
    assert lane_text(("out", 1), ("waiting", 299)) == "↑░░░░░░░░░"
    assert lane_text(("serving", 100), ("out", 2), ("serving", 198)) == "▆▆▆↑▆▆▆▆▆▆"
    assert lane_text(("out", 300)) == "··········"


def test_in_ascii_the_four_states_still_differ() -> None:
    drawn = plain_ascii(lane_text(("serving", 60), ("out", 60), ("waiting", 180)))
    assert drawn == "==--^....."


@pytest.mark.parametrize("width", [20, 30, 44, 59, 60, 80, 140])
def test_every_line_fits_and_every_lane_is_as_long_as_the_ruler(width: int) -> None:
    lines = forecast_lines(frame(fake.foreseen()), width, 40)
    assert all(width_of(line) <= width for line in lines)
    marks = {"▆", "░", "·", "↑"}
    lengths = {
        sum(1 for c in plain(line) if c in marks) for line in lines if plain(line)[:4] in ("groq", "cere")
    }
    assert len(lengths) == 1


def test_the_ruler_has_the_full_hours_of_the_readers_clock() -> None:
    lane = fake.lane("a", ("serving", 300))
    assert ruler(fake.forecast(lane), 50, UTC).split() == ["14:03", "15:00", "16:00", "17:00", "18:00"]
    india = timezone(timedelta(hours=5, minutes=30))
    assert ruler(fake.forecast(lane), 50, india).split() == ["19:33", "21:00", "22:00", "23:00", "00:00"]
    assert len(ruler(fake.forecast(lane), 7, UTC)) == 7


def test_where_room_is_short_those_that_only_wait_are_counted() -> None:
    lanes = [fake.lane(f"p{i}", ("waiting", 300)) for i in range(9)]
    lanes[7] = fake.lane("p7", ("serving", 300))
    made = fake.snapshot(*(fake.provider(f"p{i}") for i in range(9)))
    rows = text(replace(made, forecast=fake.forecast(*lanes)), 80, 6)
    assert len(rows) == 6
    assert any(row.startswith("p7") for row in rows)
    assert rows[-1] == "… 6 more, waiting all along"


def test_those_that_there_is_no_room_for_are_not_said_to_wait_where_they_do_not() -> None:
    made = fake.snapshot(*(fake.provider(f"p{i}") for i in range(9)))
    lanes = [fake.lane(f"p{i}", ("out", 300)) for i in range(9)]
    rows = text(replace(made, forecast=fake.forecast(*lanes)), 80, 6)
    assert rows[-1] == "… 6 more"


def test_the_next_change_is_written_beside_the_lane() -> None:
    rows = {row.split()[0]: row.split()[-2:] for row in text(fake.foreseen())[2:8]}
    assert rows["anthropic-max"] == ["out", "15:40"]
    assert rows["anthropic-api"] == ["serves", "15:40"]
    assert rows["groq"] == ["back", "16:56"]


def test_without_a_forecast_it_says_what_it_needs() -> None:
    assert text(fake.busy()) == [
        "No forecast yet. It comes with the first picture of a gateway that makes one."
    ]


def test_a_forecast_without_lanes_or_of_no_length_is_drawn_all_the_same() -> None:
    empty = ForecastView(fake.NOW, fake.NOW, (), (outlook(),))
    assert text(replace(fake.busy(), forecast=empty))[0].startswith("without traffic")
    assert ForecastView(fake.NOW, fake.NOW + HOUR, (), ()).lanes == ()
