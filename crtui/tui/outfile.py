"""Files a key writes: where crtui was started, readable by their owner, never over another file."""

from __future__ import annotations

import os
from datetime import tzinfo
from pathlib import Path
from typing import Final

from crtui.tui.fmt import file_time

_TRIES: Final = 100


def write_new(folder: Path, suffix: str, text: str, now: int, zone: tzinfo | None) -> Path:
    """Write ``crtui-<date>-<time><suffix>``, numbered where that exists; returns its path.

    Raises ``OSError`` where the folder cannot be written to.
    """
    stem = f"crtui-{file_time(now, zone)}"
    for number in range(1, _TRIES + 1):
        path = folder / f"{stem}{'' if number == 1 else f'-{number}'}{suffix}"
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        with os.fdopen(fd, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        return path
    raise FileExistsError(17, "too many files of this second", str(folder / stem))
