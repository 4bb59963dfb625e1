"""A live run's inputs as a trace file, written as they come and complete up to the last line.

Whatever goes wrong with the file once it is there costs the recording, never a request.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import orjson

from crtui.core.events import Event
from crtui.core.inputs import Input
from crtui.core.now import Now
from crtui.core.plan import Ask
from crtui.engine.export import trace_header
from crtui.engine.journal import Dump
from crtui.engine.notices import Notices
from crtui.errors import CrtuiError
from crtui.wire.trace_out import encode, timed

_AT_ONCE: Final = 8 * 1024
"""Bytes; a line more, and what waits is written."""
_DEVICES: Final = (Path("/dev"), Path("/dev/fd"), Path("/proc/self/fd"))
"""What is named here is meant as it is, even if a shell has made it lead to a file."""


class TraceRecorder:
    """Callable as the engine's ``record``. Keys and what people wrote are in no input, so in no trace."""

    def __init__(self, path: Path, config: Mapping[str, object], seed: int, notices: Notices) -> None:
        """Create the file, for its owner only. Raises ``CrtuiError`` where that cannot be, or it exists."""
        self._path = path
        self._config = config
        self._seed = seed
        self._notices = notices
        self._start = Now(0, 0)
        self._waiting = bytearray()
        self._whole = 0
        """Bytes of whole lines in the file."""
        self._fd: int | None
        self._fd, self._new = _open(path)

    def begin(self, state: Dump | None, events: tuple[Event, ...], now: Now) -> None:
        """Write the header of a run that starts at ``now``, knowing ``state`` and these last events."""
        self._start = now
        told = [event.to_json() for event in events]
        header = trace_header(now, self._seed, self._config, state, told)
        self._waiting += orjson.dumps(header, option=orjson.OPT_APPEND_NEWLINE)
        self._write()

    def __call__(self, item: Input | Ask, now: Now) -> None:
        """Append one input, while there is a file to append to."""
        if self._fd is None:
            return
        self._waiting += timed(max(0, now.mono - self._start.mono), encode(item))
        if len(self._waiting) >= _AT_ONCE:
            self._write()

    def close(self) -> None:
        """Write out what waits, and end the recording."""
        self._write()
        fd, self._fd = self._fd, None
        if fd is not None:
            try:
                os.close(fd)
            except OSError as fault:  # some disks tell only now
                self._tell(fault)

    def _write(self) -> None:
        if self._fd is None:
            return
        whole = self._whole + len(self._waiting)
        try:
            while self._waiting:
                del self._waiting[: os.write(self._fd, self._waiting)]
        except OSError as fault:
            self._give_up(self._fd)
            self._tell(fault)
        self._whole = whole

    def _give_up(self, fd: int) -> None:
        self._fd = None
        self._waiting.clear()
        with contextlib.suppress(OSError):
            if self._new:
                os.ftruncate(fd, self._whole)  # half a line would spoil those before it
        with contextlib.suppress(OSError):
            os.close(fd)

    def _tell(self, fault: OSError) -> None:
        why = fault.strerror or fault
        self._notices.add(
            f"--trace: {self._path}: {why}; the recording has ended, start again with another file"
        )


def _open(path: Path) -> tuple[int, bool]:
    """Where to write to, and whether that is a new file. Raises ``CrtuiError``."""
    try:
        try:
            return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), True
        except FileExistsError:
            if stat.S_ISREG(path.stat().st_mode) and path.parent not in _DEVICES:
                raise CrtuiError(f"--trace: {path} exists; name another file, or remove it first") from None
            return os.open(path, os.O_WRONLY | os.O_APPEND), False
    except OSError as fault:
        raise CrtuiError(f"--trace: {path}: {fault.strerror or fault}; name another file") from fault
