"""Five-hour blocks, their pace and where it leads."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crtui.agents.blocks import LENGTH_MS, Answer, Block, last_block
from crtui.core.inputs import Usage
from crtui.core.now import DAY, HOUR, MINUTE
from tests.agentlogs.logs import T0

LATE = T0 + 20 * MINUTE


def answers(*times: int, tokens: int = 100) -> list[Answer]:
    return [(at, tokens, 0, 0, 0) for at in times]


def block(times: Iterable[int], now: int = LATE) -> Block:
    found = last_block(answers(*times), now)
    assert found is not None
    return found


def test_without_an_answer_there_is_no_block() -> None:
    assert last_block([], T0) is None


def test_a_block_begins_with_the_hour_of_its_first_answer_and_lasts_five() -> None:
    found = block([LATE, LATE + HOUR])

    assert (found.start, found.end, found.first, found.last) == (T0, T0 + LENGTH_MS, LATE, LATE + HOUR)
    assert found.usage == Usage(200)


@pytest.mark.parametrize(
    ("times", "start"),
    [
        ([LATE, T0 + 5 * HOUR], T0),  # at five hours to the millisecond it is still the same
        ([LATE, T0 + 3 * HOUR, T0 + 5 * HOUR + 1], T0 + 5 * HOUR),
        ([LATE, T0 + 4 * HOUR, T0 + 9 * HOUR + 59 * MINUTE], T0 + 9 * HOUR),
    ],
)
def test_the_next_block_begins_more_than_five_hours_later(times: list[int], start: int) -> None:
    assert block(times).start == start


def test_a_block_runs_until_its_end_or_five_hours_without_an_answer() -> None:
    found = block([LATE])

    assert found.active(LATE + 1)
    assert found.active(T0 + LENGTH_MS - 1)
    assert not found.active(T0 + LENGTH_MS)
    assert not Block(T0, LATE, LATE, Usage(1)).active(LATE + LENGTH_MS)


def test_the_pace_is_that_between_the_first_answer_and_the_last() -> None:
    assert block([LATE, LATE + 10 * MINUTE]).per_minute == 20.0
    assert block([LATE]).per_minute is None


def test_the_projection_lies_between_the_blocks_pace_and_the_last_hours() -> None:
    """600 tokens in the first hour, 100 in the last one of three."""
    now = T0 + 3 * HOUR
    rows = [*answers(*(T0 + n * 10 * MINUTE for n in range(6))), (now, 100, 0, 0, 0)]
    found = last_block(rows, now)
    assert found is not None

    assert found.projection(now) == (700 + 2 * 100, 700 + round(2 * 700 / 3))


def test_nothing_is_projected_from_less_than_ten_minutes() -> None:
    assert block([LATE], LATE + 9 * MINUTE).projection(LATE + 9 * MINUTE) is None
    assert block([LATE], LATE + 10 * MINUTE).projection(LATE + 10 * MINUTE) is not None


@given(st.lists(st.integers(0, 3 * DAY), min_size=1, max_size=60), st.integers(0, 2 * DAY))
def test_blocks_follow_from_a_blocks_start_as_from_the_beginning(offsets: list[int], extra: int) -> None:
    """What lets the newest block be added up without all that was before it."""
    times = sorted(T0 + offset for offset in offsets)
    now = times[-1] + extra
    whole = last_block(answers(*times), now)
    assert whole is not None

    assert last_block([a for a in answers(*times) if a[0] >= whole.first], now) == whole


@given(st.lists(st.integers(0, 3 * DAY), min_size=1, max_size=60))
def test_every_answer_of_a_block_lies_within_it(offsets: list[int]) -> None:
    times = sorted(T0 + offset for offset in offsets)
    found = block(times, times[-1])
    inside = [at for at in times if at >= found.first]

    assert found.usage.total == 100 * len(inside)
    assert all(found.start <= at <= found.end for at in inside)
    low, high = found.projection(found.first + HOUR) or (0, 0)
    assert found.usage.total <= low <= high
