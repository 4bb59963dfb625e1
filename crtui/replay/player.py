"""A trace that can be looked at at any moment: folded forward, and back from the nearest checkpoint."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final

import orjson

from crtui.core.core import UnknownProviderError
from crtui.core.forecast import forecast
from crtui.core.inputs import Tick
from crtui.core.now import SECOND, Now
from crtui.core.plan import UnknownProfileError
from crtui.core.settings import CoreSettings
from crtui.core.views import ForecastView, Snapshot
from crtui.engine.fold import Fold
from crtui.errors import TraceError
from crtui.replay.begin import first_fold
from crtui.replay.reader import MAX_LINE, Header, Step, read_header, read_steps

CHECKPOINTS: Final = 64
FORECAST_MS: Final = 5 * SECOND
EVERY: Final = 1_000
"""Inputs between two checkpoints, to begin with; doubled whenever there are too many of them."""


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    """Everything at one line's beginning, before it is fed."""

    inputs: int
    ms: int
    offset: int
    line: int
    fold: Fold


class Player:
    """Times are milliseconds since the trace's start. Not thread-safe."""

    def __init__(self, path: Path, settings: CoreSettings | None = None) -> None:
        """Open a trace file; ``settings`` replaces its config. Raises ``TraceError`` or ``ConfigError``."""
        self._name = path.name
        try:
            self._file = path.open("rb")
        except OSError as fault:
            raise TraceError(f"{path}: {fault.strerror or fault}") from fault
        try:
            self._begin(settings)
        except OSError as fault:
            self._file.close()
            raise TraceError(f"{path}: {fault.strerror or fault}; name a file") from fault
        except BaseException:
            self._file.close()
            raise

    def _begin(self, settings: CoreSettings | None) -> None:
        self.end = _end(self._file)
        self._offset = self._begins = self._line = 0
        self.header: Header = read_header(self._numbered(), self._name)
        self._fold = first_fold(self.header, self._name, settings)
        self._inputs = 0
        self._every = EVERY
        self._forecast: tuple[int, ForecastView] | None = None
        self._checkpoints: list[_Checkpoint] = []
        self.at = 0
        self._steps = self._read_on()
        self._next = self._take()
        self.end = max(self.end, self._next_ms or 0)
        self._keep()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def next_input(self) -> int | None:
        """When the next input comes; None after the last."""
        return self._next_ms

    def seek(self, ms: int, budget: int) -> bool:
        """Go to a time, feeding at most ``budget`` inputs; whether that was enough. Raises ``TraceError``."""
        near = self._checkpoints[max(0, bisect_right(self._checkpoints, ms, key=lambda found: found.ms) - 1)]
        if ms < self.at or near.inputs > self._inputs:
            self._load(near, ms)
        while self._next is not None and self._ms(self._next) <= ms:
            if budget == 0:
                return False
            budget -= 1
            self._feed(self._next)
        if ms > self.at:
            self.at = ms
            self._fold.feed(Tick(), self._now(ms))
        return True

    def snapshot(self) -> Snapshot:
        """The state now, with the last hundred events."""
        found = self._fold.snapshot(self._now(self.at), self._name, self.header.start)
        return replace(found, forecast=self._look_ahead())

    def _look_ahead(self) -> ForecastView:
        """The forecast from about here; it costs more than all the rest of a picture."""
        if self._forecast is None or abs(self.at - self._forecast[0]) >= FORECAST_MS:
            self._forecast = self.at, forecast(self._fold.core, self._now(self.at))
        return self._forecast[1]

    def _now(self, ms: int) -> Now:
        return self.header.at(ms / 1000)

    def _ms(self, step: Step) -> int:
        return step.now.wall - self.header.start

    @property
    def _next_ms(self) -> int | None:
        return None if self._next is None else self._ms(self._next)

    def _feed(self, step: Step) -> None:
        if self._inputs % self._every == 0:
            self._keep()
        try:
            self._fold.feed(step.item, step.now)
        except (UnknownProviderError, UnknownProfileError) as fault:
            raise TraceError(f"{self._name}:{step.line}: {fault}") from fault
        self._inputs += 1
        self.at = self._ms(step)
        self._next = self._take()

    def _keep(self) -> None:
        known = self._checkpoints
        if known and known[-1].inputs >= self._inputs:
            return
        at_end = self._next is None
        if len(known) >= CHECKPOINTS:
            del known[1::2]
            self._every *= 2
        known.append(
            _Checkpoint(
                self._inputs,
                self.at,
                self._offset if at_end else self._begins,
                self._line + at_end,
                self._fold.fork(),
            )
        )

    def _load(self, there: _Checkpoint, ms: int) -> None:
        self._fold = there.fold.fork()
        self._inputs, self.at = there.inputs, min(there.ms, ms)
        self._offset, self._line = there.offset, there.line - 1
        self._steps = self._read_on()
        self._next = self._take()

    def _read_on(self) -> Iterator[Step]:
        self._file.seek(self._offset)
        return read_steps(self._numbered(), self.header, self._name)

    def _take(self) -> Step | None:
        return next(self._steps, None)

    def _numbered(self) -> Iterator[tuple[int, bytes]]:
        """Lines with their numbers; ``_begins`` is where the last one began."""
        while raw := self._file.readline(MAX_LINE + 2):
            self._begins = self._offset
            self._offset += len(raw)
            self._line += 1
            yield self._line, raw


def _end(file: BinaryIO) -> int:
    """The time of the last input, as far as the end of the file tells. Raises ``OSError``."""
    size = file.seek(0, os.SEEK_END)
    span = 4096
    while True:
        file.seek(max(0, size - span))
        lines = [line for line in file.read().splitlines() if line.strip()]
        if len(lines) > 1 or span >= min(size, MAX_LINE):
            break
        span *= 8
    file.seek(0)
    try:
        return round(orjson.loads(lines[-1])["t"] * 1000)
    except (LookupError, TypeError, ValueError, OverflowError):
        return 0
