"""Complete lines of a log from an offset on, picked by what they contain before anything is parsed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final, cast

from crtui.agents.files import LogFile, Stamp

CHUNK: Final = 256 * 1024
MAX_LINE: Final = 32 * 1024 * 1024
"""A longer line is damage; it is passed over."""

Pause = Callable[[], None]


def no_pause() -> None:
    """Read on at once."""


class LineReader:
    """The lines of one file that hold one of the markers; a half line at the end waits.

    ``offset`` is behind the last line that was given out or passed over, ``overlong`` how many
    lines were longer than ``MAX_LINE``. ``pause`` is called after each chunk.
    """

    def __init__(self, markers: tuple[bytes, ...], pause: Pause = no_pause) -> None:
        self._markers = markers
        self._pause = pause
        self.offset = 0
        self.overlong = 0

    def read(self, path: Path, offset: int) -> Iterator[bytes]:
        """Lines from ``offset`` on, without their ends. Raises ``OSError``."""
        self.offset = offset
        rest = b""
        with open_log(path) as file:
            file.seek(offset)
            while chunk := file.read(CHUNK):
                end = chunk.rfind(b"\n") + 1
                if end:
                    whole, rest = rest + chunk[:end], chunk[end:]
                    yield from self._picked(whole)
                    self.offset += len(whole)
                else:
                    rest += chunk
                if len(rest) > MAX_LINE:
                    self.overlong += 1
                    self.offset += len(rest)
                    rest = b""
                self._pause()

    def _picked(self, data: bytes) -> Iterator[bytes]:
        marks = {marker: data.find(marker) for marker in self._markers}
        while (at := min((mark for mark in marks.values() if mark >= 0), default=-1)) >= 0:
            start, end = data.rfind(b"\n", 0, at) + 1, data.find(b"\n", at)
            yield data[start:end]
            for marker, mark in marks.items():
                if 0 <= mark < end:
                    marks[marker] = data.find(marker, end)


def open_log(path: Path) -> IO[bytes]:
    """A log to read from, decompressed where it is ``.zst``. Raises ``OSError``."""
    return _unpacked(path) if path.suffix == ".zst" else path.open("rb")


def goes_on(file: LogFile, before: Stamp, offset: int) -> bool:
    """Whether a log that was read up to ``offset`` has only grown: no rotation, no truncation.

    A file that was written anew in place is known by the offset no longer standing behind a line.
    Raises ``OSError``.
    """
    now = file.stamp
    same = (now.device, now.inode) == (before.device, before.inode)
    if not same or now.size < max(offset, before.size) or file.path.suffix == ".zst":
        return False
    if not offset:
        return True
    with file.path.open("rb") as log:
        log.seek(offset - 1)
        return log.read(1) == b"\n"


def _unpacked(path: Path) -> IO[bytes]:
    import zstandard

    out = cast("IO[bytes]", tempfile.TemporaryFile())  # noqa: SIM115 - it is the caller's to close
    try:
        with (
            path.open("rb") as packed,
            zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True) as plain,
        ):
            shutil.copyfileobj(plain, out, CHUNK)
    except zstandard.ZstdError as fault:
        out.close()
        raise OSError(f"not zstd: {fault}") from fault
    except BaseException:
        out.close()
        raise
    out.seek(0)
    return out
