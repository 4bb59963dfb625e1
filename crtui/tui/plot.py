"""plotext behind one function, imported only when called for: it takes 4 MiB and has no wheel everywhere."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Final, cast

from crtui.tui.chart import Plotter

_UNREAD: Final = {"plotext._doc.doc": "docs", "plotext._tests.run": "test"}
"""Its manual and its own tests, and what it takes from each: 60 modules, 5 MiB, that nothing here opens."""


def load_plotter() -> Plotter | None:
    """A plotter that draws with plotext, or None where it cannot be loaded. Blocks; call it in a worker."""
    if "plotext" not in sys.modules:
        for name, taken in _UNREAD.items():
            vars(sys.modules.setdefault(name, ModuleType(name)))[taken] = None
    try:
        import plotext
    except Exception:  # its native kernel fails in ways of its own on unknown platforms
        return None
    if not hasattr(plotext, "figure"):
        return None
    return _draw


def _draw(values: Sequence[float], width: int, height: int) -> list[str]:
    """One line on a scale from zero, without axes: exactly ``height`` rows of ``width`` cells."""
    import plotext

    plotext.terminal.limit(False, False)
    figure = plotext.figure
    figure.clear()
    figure.theme("colorless")
    figure.plot_size(width, height)
    figure.axes(False)
    figure.draw(figure.signal(list(range(len(values))), list(values), marker="hd").lines())
    for axis in ("x", "y"):
        figure.ruler(axis).frequency(0)
    figure.ruler("y").lim(0, max(values) * 1.02)
    drawn = cast("object", figure.build().string(colorless=True))
    rows = str(drawn).splitlines()
    if len(rows) != height:
        raise ValueError("unexpected height")
    return [row.ljust(width)[:width] for row in rows]
