"""The gauges of a Prometheus page: https://prometheus.io/docs/instrumenting/exposition_formats/."""

from __future__ import annotations

import math
import re
from typing import Final

from crtui.providers.reading import ProbeError

_SAMPLE: Final = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{[^\n]*\})?[ \t]+([^ \t\n]+)", re.MULTILINE)

_MOST: Final = 10**15
"""No gauge read here is larger; NaN is not smaller either."""

Gauges = dict[str, list[float]]


def read_gauges(body: bytes) -> Gauges:
    """Every sample by its name, whatever its labels. Raises ``ProbeError`` where there is none."""
    found: Gauges = {}
    for name, written in _SAMPLE.findall(body.decode("utf-8", "replace")):
        value = _number(written)
        if 0 <= value <= _MOST:
            found.setdefault(name, []).append(value)
    if not found:
        raise ProbeError("the answer holds no metrics; are base_url and kind right?")
    return found


def total(gauges: Gauges, name: str) -> int | None:
    """The sum over a server's engines; None where it has no such gauge."""
    values = gauges.get(name)
    return None if values is None else int(sum(values))


def fullest(gauges: Gauges, *names: str) -> float | None:
    """The largest share of 1 among engines, by the first name that is there."""
    values = next((gauges[name] for name in names if name in gauges), None)
    return None if values is None else min(1.0, max(values))


def _number(written: str) -> float:
    try:
        return float(written)
    except ValueError:
        return math.nan
