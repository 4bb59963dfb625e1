"""``crtui replay``: a trace in, its events and plans out, as bytes that are always the same."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

import orjson

from crtui.config.load import config_at
from crtui.core.core import UnknownProviderError
from crtui.core.encode import snapshot_json
from crtui.core.now import Now, stamp
from crtui.core.plan import Plan, UnknownProfileError
from crtui.core.settings import CoreSettings
from crtui.core.views import Snapshot
from crtui.errors import TraceError
from crtui.replay.begin import first_fold
from crtui.replay.reader import Header, read_header, read_steps

_Output = dict[str, object]
COLLECT_EVERY: Final = 100_000
"""Objects made between two looks for garbage."""


class Replay:
    """The core on a trace's time. Iterate ``outputs``; ``state`` is what it has come to by then."""

    def __init__(self, lines: Iterable[bytes], name: str, settings: CoreSettings | None = None) -> None:
        """Read the header. ``settings`` replaces its config. Raises ``TraceError`` or ``ConfigError``."""
        self._name = name
        self._lines = enumerate(lines, 1)
        self.header: Header = read_header(self._lines, name)
        self.now: Now = self.header.at(0)
        self._fold = first_fold(self.header, name, settings)

    def outputs(self) -> Iterator[_Output]:
        """Every event and plan, in order. Raises ``TraceError`` at a bad line."""
        start, fold = self.header.start, self._fold
        for line, now, item in read_steps(self._lines, self.header, self._name):
            self.now = now
            try:
                events, plan = fold.feed(item, now)
            except (UnknownProviderError, UnknownProfileError) as fault:
                raise TraceError(f"{self._name}:{line}: {fault}") from fault
            for event in events:
                yield event.to_json({"t": (event.at - start) / 1000, "output": "event"})
            if plan is not None:
                yield self._plan(plan, now)

    def state(self) -> Snapshot:
        """The state at the last input's time, with the last hundred events."""
        return self._fold.snapshot(self.now, "", self.header.start)

    def _plan(self, plan: Plan, now: Now) -> _Output:
        return {
            "t": (now.wall - self.header.start) / 1000,
            "output": "plan",
            "id": plan.id,
            "profile": plan.profile,
            "rule": plan.rule,
            "order": list(plan.order),
            "dropped": [
                {
                    "provider": drop.provider,
                    "guard": drop.guard,
                    "code": drop.code,
                    "until": None if drop.until is None else stamp(drop.until),
                }
                for drop in plan.dropped
            ],
        }


def replay(trace: Path, *, config: Path | None = None, final_state: bool = False) -> int:
    """Run a trace file and write its outputs to standard output, one JSON object a line."""
    settings = None if config is None else config_at(config).to_core()
    write_outputs(Replay(_lines(trace), str(trace), settings), sys.stdout.buffer, final_state=final_state)
    return 0


def _lines(trace: Path) -> Iterator[bytes]:
    try:
        with trace.open("rb") as lines:
            yield from lines
    except OSError as fault:
        raise TraceError(f"{trace}: {fault.strerror or fault}") from fault


def write_outputs(run: Replay, out: BinaryIO, *, final_state: bool) -> None:
    """Write a replay's outputs, one JSON object a line. Raises ``TraceError`` after what came before it."""
    thresholds = gc.get_threshold()
    # Millions of short-lived objects and no cycles among them: looking for some is a tenth of the time.
    gc.set_threshold(COLLECT_EVERY, *thresholds[1:])
    try:
        for output in run.outputs():
            out.write(orjson.dumps(output, option=orjson.OPT_APPEND_NEWLINE))
        if final_state:
            state = {
                "t": (run.now.wall - run.header.start) / 1000,
                "output": "state",
                **snapshot_json(run.state()),
            }
            out.write(orjson.dumps(state, option=orjson.OPT_APPEND_NEWLINE))
    finally:
        gc.set_threshold(*thresholds)
        out.flush()
