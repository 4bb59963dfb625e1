"""A live run's inputs as a trace file, written as they come and complete up to the last line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import orjson

from crtui.core.inputs import Input
from crtui.core.now import Now, stamp
from crtui.core.plan import Ask
from crtui.errors import CrtuiError
from crtui.wire.trace_out import encode


class TraceRecorder:
    """Callable as the engine's ``record``. Keys and what people wrote are in no input, so in no trace."""

    def __init__(self, path: Path, config: Mapping[str, object], seed: int, start: Now) -> None:
        """Create the file. Raises ``CrtuiError`` where that is not possible."""
        self._start = start
        header = {
            "crtui": "trace",
            "version": 1,
            "start": stamp(start.wall),
            "seed": seed,
            "config": config,
        }
        try:
            self._file: BinaryIO = path.open("wb")
            self._write(header)
        except OSError as fault:
            raise CrtuiError(f"--trace: {path}: {fault.strerror or fault}") from fault

    def __call__(self, item: Input | Ask, now: Now) -> None:
        """Append one input."""
        t = max(0, now.mono - self._start.mono) / 1000
        self._write({"t": t, **encode(item)})

    def close(self) -> None:
        """Write out what is buffered."""
        self._file.close()

    def _write(self, line: Mapping[str, object]) -> None:
        self._file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
