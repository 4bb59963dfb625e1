"""A live run's inputs as a trace file, written as they come and complete up to the last line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import orjson

from crtui.core.events import Event
from crtui.core.inputs import Input
from crtui.core.now import Now
from crtui.core.plan import Ask
from crtui.engine.export import trace_header
from crtui.engine.journal import Dump
from crtui.errors import CrtuiError
from crtui.wire.trace_out import encode, timed


class TraceRecorder:
    """Callable as the engine's ``record``. Keys and what people wrote are in no input, so in no trace."""

    def __init__(self, path: Path, config: Mapping[str, object], seed: int) -> None:
        """Create the file. Raises ``CrtuiError`` where that is not possible."""
        self._config = config
        self._seed = seed
        self._start = Now(0, 0)
        try:
            self._file: BinaryIO = path.open("wb")
        except OSError as fault:
            raise CrtuiError(f"--trace: {path}: {fault.strerror or fault}; name another file") from fault

    def begin(self, state: Dump | None, events: tuple[Event, ...], now: Now) -> None:
        """Write the header of a run that starts at ``now``, knowing ``state`` and these last events."""
        self._start = now
        told = [event.to_json() for event in events]
        header = trace_header(now, self._seed, self._config, state, told)
        self._file.write(orjson.dumps(header, option=orjson.OPT_APPEND_NEWLINE))

    def __call__(self, item: Input | Ask, now: Now) -> None:
        """Append one input."""
        self._file.write(timed(max(0, now.mono - self._start.mono), encode(item)))

    def close(self) -> None:
        """Write out what is buffered."""
        self._file.close()
