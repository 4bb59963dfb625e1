"""Times as texts, and back."""

from __future__ import annotations

import pytest

from crtui.core.now import DAY, stamp, unstamp

WALL = 1_795_165_200_123


@pytest.mark.parametrize("wall", [0, 1, WALL, 250_000_000_000_999])
def test_a_stamp_is_read_back_to_the_millisecond(wall: int) -> None:
    assert unstamp(stamp(wall)) == wall


@pytest.mark.parametrize(
    "text", ["2026-11-20T09:00:00.123Z", "2026-11-20T10:00:00.123+01:00", "2026-11-20 09:00:00.1234+00:00"]
)
def test_any_time_with_a_zone_is_read(text: str) -> None:
    assert unstamp(text) == unstamp("2026-11-20T00:00:00Z") + 9 * DAY // 24 + 123


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00"])
def test_what_is_no_time_is_told_by_one_kind_of_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words are the library's
        unstamp(text)
