"""The latency chart: plotext where it loads, blocks where it does not, never a crash."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pytest

from crtui.tui.chart import latency_chart
from crtui.tui.line import plain, width_of
from crtui.tui.plot import load_plotter
from tests.fakes.snapshots import wave

VALUES = wave(640, 200, 1)


@pytest.mark.parametrize(("width", "height"), [(20, 4), (36, 6), (50, 9), (120, 30)])
def test_the_block_chart_fits_its_panel(width: int, height: int) -> None:
    lines = latency_chart(VALUES, width, height)
    assert len(lines) == height
    assert all(width_of(line) <= width for line in lines)


def test_higher_values_make_higher_columns() -> None:
    rows = [plain(line)[7:] for line in latency_chart([100, 200, 400], 19, 5)][:-1]
    heights = [sum(row[column] != " " for row in rows) for column in (0, 4, 8)]
    assert heights == [1, 2, 4]


def test_the_scale_names_the_top_and_zero() -> None:
    lines = [plain(line) for line in latency_chart([250, 500], 40, 8)]
    assert lines[0].lstrip().startswith("500ms")
    assert lines[-2].lstrip().startswith("0")
    assert lines[-1].rstrip().endswith("now")


@pytest.mark.parametrize("values", [(), (640,)])
def test_too_few_answers_are_said_instead_of_drawn(values: Sequence[float]) -> None:
    assert "Too few" in plain(latency_chart(values, 40, 8)[0])


def test_a_sliver_of_room_gets_a_sparkline() -> None:
    (line,) = latency_chart(VALUES, 12, 2)
    assert width_of(line) == 12


def test_plotext_draws_exactly_into_the_panel() -> None:
    plot = load_plotter()
    assert plot is not None
    lines = latency_chart(VALUES, 60, 10, plot)
    assert len(lines) == 10
    assert all(width_of(line) <= 60 for line in lines)
    assert lines != latency_chart(VALUES, 60, 10)
    assert lines == latency_chart(VALUES, 60, 10, plot)


def test_a_plotter_that_fails_gives_way_to_blocks() -> None:
    def broken(_values: Sequence[float], _width: int, _height: int) -> list[str]:
        raise RuntimeError("kernel")

    assert latency_chart(VALUES, 60, 10, broken) == latency_chart(VALUES, 60, 10)


def test_without_plotext_there_is_no_plotter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plotext", None)
    assert load_plotter() is None
