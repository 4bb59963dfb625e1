"""Where the program's own complaints go while a screen is up: a small private file, never the terminal."""

from __future__ import annotations

import logging
import os
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

MAX_BYTES: Final = 1_000_000
FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def log_to_file(state: Path) -> None:
    """Send all logging to ``<state>/log/crtui.log`` (0600, two generations); nowhere if that cannot be."""
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
    # Without any handler Python would write warnings over the screen.
    root.addHandler(logging.NullHandler())
    try:
        folder = state / "log"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        root.addHandler(_PrivateFile(folder / "crtui.log"))
    except OSError:
        return


class _PrivateFile(RotatingFileHandler):
    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=MAX_BYTES, backupCount=1, encoding="utf-8", delay=True)
        self.setFormatter(logging.Formatter(FORMAT))

    def _open(self) -> TextIOWrapper:
        return os.fdopen(os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """A full disk costs a log line, nothing else."""
