"""The log of ``serve``: every event a line, in order, whatever its reader does."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator

import pytest

from crtui.core.events import Event
from crtui.modes import eventlog
from crtui.modes.eventlog import EventLog, json_line, text_line


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def event(seq: int, **data: object) -> Event:
    return Event(seq, 1_795_165_200_000 + seq, "attempt.ok", "a", data)


def test_a_line_for_people_quotes_what_has_blanks_and_one_for_programs_is_json() -> None:
    told = event(7, model="m", error='no "room" here', status=None, latency_ms=12, ratio=0.5, order=["a"])
    assert text_line(told) == (
        "2026-11-20T09:00:00.007Z attempt.ok a "
        'model=m error="no \\"room\\" here" status=null latency_ms=12 ratio=0.5 order=["a"]\n'
    )
    assert json.loads(json_line(told))["error"] == 'no "room" here'


async def test_events_are_written_together_in_their_order(pipe: tuple[int, int]) -> None:
    log = EventLog(pipe[1], text_line)
    for seq in range(100):
        log.hear([event(seq, n=seq)])
    log.close()
    lines = os.read(pipe[0], 65_536).decode().splitlines()
    assert [line.rpartition("n=")[2] for line in lines] == [str(n) for n in range(100)]


async def test_a_reader_that_stops_holds_nobody_up_and_misses_nothing_within_bounds(
    pipe: tuple[int, int],
) -> None:
    log = EventLog(pipe[1], text_line)
    count = 5_000
    for seq in range(count):
        log.hear([event(seq, n=seq)])
    # The pipe holds a fraction of that; handing it over must not wait for the rest to be read.
    log._hand_over()
    reading = asyncio.create_task(asyncio.to_thread(_read_lines, pipe[0], count))
    lines = await reading
    log.close()
    assert [int(line.rpartition("n=")[2]) for line in lines] == list(range(count))


async def test_lines_beyond_the_bound_are_counted_in_their_place(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eventlog, "WAITING", 10)
    log = EventLog(pipe[1], text_line)
    log.hear([event(seq) for seq in range(25)])
    log.close()
    lines = os.read(pipe[0], 65_536).decode().splitlines()
    assert len(lines) == 11
    assert lines[-1] == "... 15 events are not in this log: its reader was too slow"


async def test_a_reader_that_has_left_is_nobodys_trouble() -> None:
    read, write = os.pipe()
    os.close(read)
    log = EventLog(write, text_line)
    log.hear([event(1)])
    log.close()
    log.hear([event(2)])
    log.close()
    os.close(write)


def _read_lines(file: int, count: int) -> list[str]:
    data = b""
    while data.count(b"\n") < count:
        data += os.read(file, 65_536)
    return data.decode().splitlines()
