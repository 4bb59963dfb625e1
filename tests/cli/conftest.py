"""The program as a user starts it: a process with arguments, a config file and an environment."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

CRTUI = [sys.executable, "-m", "crtui"]


@dataclass
class Place:
    """Where a process finds its config and state; nothing of the developer's own leaks in."""

    path: Path

    @property
    def environ(self) -> dict[str, str]:
        kept = {
            key: value for key, value in os.environ.items() if key in ("PATH", "LANG", "LC_ALL", "PYTHONPATH")
        }
        return {
            **kept,
            "HOME": str(self.path),
            "XDG_CONFIG_HOME": str(self.path / "config"),
            "CRTUI_STATE_DIR": str(self.path / "state"),
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }

    def config(self, text: str, name: str = "config.toml") -> Path:
        file = self.path / name
        file.write_text(text)
        return file

    def run(self, *args: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*CRTUI, *args],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env={**self.environ, **environ},
            timeout=20,
            check=False,
        )

    @contextmanager
    def serving(
        self, config: Path, *args: str, limit: int | None = None, **environ: str
    ) -> Iterator[Serving]:
        """``crtui serve``; ``limit`` is how many file descriptors it may have."""
        shell = [] if limit is None else ["sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh"]
        process = subprocess.Popen(
            [*shell, *CRTUI, "serve", "--config", str(config), "--listen", "127.0.0.1:0", *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            env={**self.environ, **environ},
        )
        try:
            yield Serving(process)
        finally:
            process.terminate()
            try:
                process.wait(10)
            finally:
                process.kill()
                for pipe in (process.stdout, process.stderr):
                    assert pipe is not None
                    pipe.close()


class Serving:
    """A running ``crtui serve``."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stderr is not None
        first = process.stderr.readline()
        assert "serves on " in first, first + process.stderr.read()
        self.url = first.split("serves on ")[1].split()[0]
        self.log: list[str] = []
        self._more = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._more:
                self.log.append(line.rstrip("\n"))
                self._more.notify_all()

    def logged(self, *words: str, within: float = 15) -> str:
        """The first log line that holds all of these words, once it is there."""

        def found() -> str | None:
            return next((line for line in self.log if all(word in line for word in words)), None)

        with self._more:
            assert self._more.wait_for(lambda: found() is not None, within), f"{words} not in {self.log}"
            line = found()
        assert line is not None
        return line


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)
