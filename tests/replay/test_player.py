"""A trace at any moment: the same picture whichever way one came there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crtui.clock import ManualClock
from crtui.core.encode import snapshot_json
from crtui.errors import ConfigError, TraceError
from crtui.replay import player as player_module
from crtui.replay.player import CHECKPOINTS, Player
from crtui.replay.transport import FASTEST, SLOWEST, ReplayClock, Transport

TRACES = Path(__file__).parent.parent / "data" / "traces"
HEADER = {
    "crtui": "trace",
    "version": 1,
    "start": "2026-11-20T09:00:00Z",
    "config": {"provider": [{"name": "a", "kind": "ollama"}, {"name": "b", "kind": "ollama"}]},
}
EVENT = {"seq": 1, "at": "2026-11-20T08:59:00.000Z", "kind": "attempt.ok", "provider": "a"}
LOTS = 10**9


def write(path: Path, *lines: dict[str, Any], header: dict[str, Any] | None = None) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in (header or HEADER, *lines)))
    return path


def attempts(count: int) -> list[dict[str, Any]]:
    return [
        {
            "t": i / 10,
            "input": "attempt",
            "provider": "ab"[i % 2],
            "ok": i % 7 > 1,
            "status": 200 if i % 7 > 1 else 500,
            "latency_ms": i % 900,
        }
        for i in range(count)
    ]


def picture(player: Player) -> dict[str, Any]:
    return snapshot_json(player.snapshot()) | {"forecast": None}


def at(path: Path, ms: int) -> dict[str, Any]:
    """The picture for someone who went straight there."""
    player = Player(path)
    assert player.seek(ms, LOTS)
    found = picture(player)
    player.close()
    return found


@pytest.mark.parametrize("name", ["outage.jsonl", "rate-limit.jsonl"])
@given(moves=st.lists(st.integers(-5_000, 60_000), min_size=1, max_size=8))
@settings(max_examples=25, deadline=None)
def test_every_way_to_a_moment_shows_the_same_picture(name, moves):
    player = Player(TRACES / name)
    for ms in moves:
        player.seek(max(0, ms), LOTS)

    assert picture(player) == at(TRACES / name, max(0, moves[-1]))
    player.close()


def test_a_long_trace_keeps_few_checkpoints_and_goes_back_from_the_nearest(tmp_path, monkeypatch):
    monkeypatch.setattr(player_module, "EVERY", 10)
    path = write(tmp_path / "t.jsonl", *attempts(3_000))
    player = Player(path)
    assert player.end == 299_900
    assert player.seek(player.end, LOTS)

    assert len(player._checkpoints) <= CHECKPOINTS
    for ms in (150_050, 150_000, 12_345, 299_000, 0, 200_000):
        assert player.seek(ms, player._every), "no more inputs are fed than lie between two checkpoints"
        assert picture(player) == at(path, ms)
    player.close()


def test_a_long_way_is_gone_in_steps(tmp_path):
    player = Player(write(tmp_path / "t.jsonl", *attempts(100)))

    assert [player.seek(9_900, 40) for _ in range(3)] == [False, False, True]
    assert player.at == 9_900
    player.close()


def test_the_next_input_is_known_until_the_last(tmp_path):
    player = Player(write(tmp_path / "t.jsonl", *attempts(2)))
    times = [player.next_input]
    while player.next_input is not None:
        player.seek(player.next_input, LOTS)
        times.append(player.next_input)

    assert times == [0, 100, None]
    player.close()


def test_requests_are_counted_by_their_routes_or_where_there_are_none_by_attempts(tmp_path):
    live = [
        {"t": 0, "input": "route", "id": "1", "wire": "chat"},
        {"t": 0, "input": "begin", "provider": "a", "ticket": 1},
        {"t": 1, "input": "attempt", "provider": "a", "ok": True, "ticket": 1},
    ]
    counts = []
    for lines in (live, attempts(5)):
        player = Player(write(tmp_path / "t.jsonl", *lines))
        player.seek(player.end, LOTS)
        counts.append(player.snapshot().gateway.requests)
        player.close()

    assert counts == [1, 5]


def test_what_a_header_tells_of_the_time_before_is_shown(tmp_path):
    route = {"t": 0, "input": "route", "id": "1", "wire": "chat"}
    player = Player(write(tmp_path / "t.jsonl", route, header=HEADER | {"events": [EVENT], "requests": 7}))
    player.seek(0, LOTS)
    shown = snapshot_json(player.snapshot())

    assert shown["gateway"]["requests"] == 8
    assert (shown["events"][0], len(shown["events"])) == (EVENT, 2)
    player.close()


def test_what_is_in_flight_is_shown(tmp_path):
    player = Player(write(tmp_path / "t.jsonl", {"t": 0, "input": "begin", "provider": "a", "ticket": 1}))
    player.seek(0, LOTS)

    assert player.snapshot().gateway.in_flight == 1
    player.close()


def test_a_trace_without_inputs_shows_its_start(tmp_path):
    player = Player(write(tmp_path / "t.jsonl"))

    assert (player.end, player.next_input, player.seek(0, LOTS)) == (0, None, True)
    assert player.snapshot().at == player.header.start
    player.seek(500, LOTS)
    player.seek(0, LOTS)
    assert player.snapshot().at == player.header.start
    player.close()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the trace is empty"),
        (b"{}\n", "a trace starts with"),
        (b"\xff\n", "not JSON"),
        (json.dumps(HEADER | {"mono": -1}).encode(), "mono must be"),
        (json.dumps(HEADER | {"state": 3}).encode(), "state must be"),
        (json.dumps(HEADER | {"state": {}}).encode(), "crtui export"),
        (json.dumps(HEADER | {"requests": -1}).encode(), "requests must be"),
        (json.dumps(HEADER | {"events": 3}).encode(), "events must be"),
        (json.dumps(HEADER | {"events": [3]}).encode(), "events must be"),
        (json.dumps(HEADER | {"events": [{"seq": 1, "at": "soon", "kind": "x"}]}).encode(), "events must be"),
        (json.dumps(HEADER | {"events": [EVENT | {"kind": []}]}).encode(), "events must be"),
        (json.dumps(HEADER | {"events": [EVENT | {"provider": 3}]}).encode(), "events must be"),
        (json.dumps(HEADER | {"state": {"format": 1}}).encode(), "crtui export"),
        (json.dumps(HEADER).encode() + b'\n{"t":0,"input":"x"}', "input must be one of"),
    ],
)
def test_a_bad_trace_is_one_line_with_its_place(tmp_path, content, words):
    path = tmp_path / "bad.jsonl"
    path.write_bytes(content)
    with pytest.raises(TraceError) as told:
        Player(path)

    assert str(told.value).startswith("bad.jsonl:")
    assert words in str(told.value)
    assert "\n" not in str(told.value)


def test_a_trace_that_is_not_there_and_one_with_a_bad_config_are_told(tmp_path):
    with pytest.raises(TraceError, match="No such file"):
        Player(tmp_path / "none.jsonl")
    bad = HEADER | {"config": {"provider": [{"name": "a", "kind": "olama"}]}}
    with pytest.raises(ConfigError, match="ollama"):
        Player(write(tmp_path / "t.jsonl", header=bad))


def test_an_input_for_a_provider_that_is_not_there_is_told_when_it_is_reached(tmp_path):
    path = write(
        tmp_path / "t.jsonl", *attempts(3), {"t": 5, "input": "command", "command": "pin", "provider": "c"}
    )
    player = Player(path)
    assert player.seek(4_999, LOTS)
    with pytest.raises(TraceError, match=r"t\.jsonl:5: unknown provider 'c'"):
        player.seek(5_000, LOTS)
    player.close()


def test_time_plays_pauses_jumps_and_stops_at_the_end():
    clock = ManualClock()
    transport = Transport(clock, end=60_000, speed=2.0)
    clock.advance(1_000)
    assert transport.position() == 2_000
    transport.toggle()
    clock.advance(1_000)
    assert (transport.position(), transport.playing) == (2_000, False)
    transport.jump(10_000)
    transport.toggle()
    clock.advance(500)
    assert transport.position() == 13_000
    transport.jump(-LOTS)
    assert transport.position() == 0
    transport.seek(LOTS)
    assert (transport.position(), transport.playing) == (60_000, False)
    transport.toggle()
    clock.advance(100)

    assert (transport.position(), transport.playing) == (200, True), "at the end it plays from the start"


def test_the_speed_changes_from_here_on_and_has_its_bounds():
    clock = ManualClock()
    transport = Transport(clock, end=LOTS)
    clock.advance(1_000)
    transport.faster(2.0)
    clock.advance(1_000)
    assert transport.position() == 3_000
    for factor, bound in ((2.0, FASTEST), (0.5, SLOWEST)):
        for _ in range(30):
            transport.faster(factor)
        assert transport.speed == bound


def test_the_screens_clock_shows_the_traces_time_and_counts_its_own():
    clock = ManualClock()
    transport = Transport(clock, end=60_000, speed=10.0)
    shown = ReplayClock(clock, transport, start=1_000_000)
    mono = shown.now().mono
    clock.advance(1_000)

    assert (shown.now().mono - mono, shown.now().wall) == (1_000, 1_010_000)
    assert shown.real_seconds(500) == 0.5
