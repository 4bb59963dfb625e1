"""The latency chart: a plotter's line where one is loaded, else columns of blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from crtui.tui import fmt
from crtui.tui.glyphs import BLOCKS
from crtui.tui.line import Line, Span

if TYPE_CHECKING:
    from crtui.core.views import ProviderView

Plotter = Callable[[Sequence[float], int, int], list[str]]
"""Values, width and height to rows of text. May raise; the blocks then stand in."""

_AXIS: Final = 6
_REDRAWN_MS: Final = 2000


class ChartPanel:
    """The chart from picture to picture: a plot costs as much as all the rest, so it is drawn seldom."""

    def __init__(self) -> None:
        self._shape: tuple[object, ...] = ()
        self._of: Sequence[float] | None = None
        self._at = 0
        self._lines: Sequence[Line] = ()

    def lines(
        self, provider: ProviderView | None, now: int, width: int, height: int, plot: Plotter | None
    ) -> Sequence[Line]:
        """The provider's chart: anew for another one or size, and every two seconds for new values."""
        shape = (provider and provider.name, width, height, plot)
        values = provider.latency.recent_ms if provider else ()
        due = not self._at <= now < self._at + _REDRAWN_MS and values != self._of
        if shape != self._shape or due:
            self._shape, self._of, self._at = shape, values, now
            self._lines = latency_chart(values, width, height, plot)
        return self._lines


def latency_chart(
    values: Sequence[float], width: int, height: int, plot: Plotter | None = None
) -> list[Line]:
    """The newest values, oldest left, in at most ``height`` lines with a scale at the left."""
    if len(values) < 2:
        return [(Span("Too few answers yet for a chart.", "dim"),)]
    if height < 3 or width < _AXIS + 8:
        return [(Span(fmt.spark(values, width), "chart"),)]
    if plot is not None:
        drawn = _plotted(plot, values, width, height - 1)
        if drawn:
            return [*drawn, _foot(len(values), width)]
    return [*_blocks(values, width, height - 1), _foot(len(values), width)]


def _plotted(plot: Plotter, values: Sequence[float], width: int, height: int) -> list[Line]:
    try:
        rows = plot(values, width - _AXIS - 1, height)
    except Exception:  # a young library with a native kernel; the chart is not worth a crash
        return []
    return [(*_scale(row, height, values), Span(text, "chart")) for row, text in enumerate(rows)]


def _blocks(values: Sequence[float], width: int, height: int) -> list[Line]:
    room = width - _AXIS - 1
    shown = fmt.bucket(values, room)
    wide = max(1, room // len(shown))
    top = max(max(shown), 1e-9)
    steps = len(BLOCKS) - 1
    filled = [max(1, round(value / top * height * steps)) for value in shown]
    lines: list[Line] = []
    for row in range(height):
        base = (height - 1 - row) * steps
        text = "".join(BLOCKS[min(steps, max(0, level - base))] * wide for level in filled)
        lines.append((*_scale(row, height, values), Span(text, "chart")))
    return lines


def _scale(row: int, height: int, values: Sequence[float]) -> Line:
    """Labels at the top, the middle and the foot; the chart starts at zero."""
    top = max(values)
    label = ""
    if row == 0:
        label = fmt.latency(top)
    elif row == height - 1:
        label = "0"
    elif row == height // 2 and height >= 5:
        label = fmt.latency(top * (height - 1 - row) / (height - 1))
    if label and not label.endswith("s") and label != "0":
        label += "ms"
    return (Span(f"{label:>{_AXIS}} ", "faint"),)


def _foot(count: int, width: int) -> Line:
    left = f"{count} answers ago"
    gap = width - _AXIS - 1 - len(left) - len("now")
    if gap < 1:
        return (Span(f"{'now':>{width}}", "faint"),)
    return (Span(" " * (_AXIS + 1) + left + " " * gap + "now", "faint"),)
