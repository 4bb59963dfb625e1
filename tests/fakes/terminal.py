"""A program on a real pseudo-terminal, and what it costs: for the benchmarks and the terminal tests."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from dataclasses import dataclass, field
from pathlib import Path

import pyte

ROOT = Path(__file__).parents[2]
TICKS = os.sysconf("SC_CLK_TCK")


def environ(home: Path, **more: str) -> dict[str, str]:
    """An environment in which nothing of the developer's own leaks in."""
    kept = {key: value for key, value in os.environ.items() if key in ("PATH", "PYTHONPATH")}
    return {
        **kept,
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "CRTUI_STATE_DIR": str(home / "state"),
        "PYTHONPATH": str(ROOT),
        **more,
    }


@dataclass
class Terminal:
    """One program on one pseudo-terminal. Everything it writes is kept, and drawn on ``screen``."""

    argv: list[str]
    env: dict[str, str]
    size: tuple[int, int] = (140, 40)
    output: bytearray = field(default_factory=bytearray)
    started: float = 0.0
    heard: float = 0.0
    status: int | None = None

    def __enter__(self) -> Terminal:
        self.screen = pyte.Screen(*self.size)
        self._stream = pyte.ByteStream(self.screen)
        self.started = time.monotonic()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", self.size[1], self.size[0], 0, 0))
            os.execvpe(self.argv[0], self.argv, self.env)
        self.resize(*self.size, tell=False)
        return self

    def __exit__(self, *_: object) -> None:
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait(5)
        os.close(self.fd)

    def resize(self, columns: int, rows: int, *, tell: bool = True) -> None:
        """Give the terminal another size."""
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if tell:
            self.screen.resize(rows, columns)

    def send(self, keys: str) -> None:
        """Type."""
        os.write(self.fd, keys.encode())

    def read(self, seconds: float) -> bytes:
        """Take what is written within ``seconds``; returns at the first silence after that is over."""
        end, taken = time.monotonic() + seconds, bytearray()
        while (left := end - time.monotonic()) > 0:
            data = self._take(left)
            if not data:
                break
            taken += data
        return bytes(taken)

    def _take(self, patience: float) -> bytes:
        """All that is there to take, drawn once nothing more waits: drawing must not slow the program."""
        taken = bytearray()
        while select.select([self.fd], [], [], 0 if taken else patience)[0]:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                break
            if not data:
                break
            taken += data
            self.heard = time.monotonic()
        self.output += taken
        self._stream.feed(bytes(taken))
        return bytes(taken)

    def until(self, *words: str, within: float = 15.0) -> float:
        """Read until all words are on the screen; seconds from the start to the bytes that drew the last."""
        end = time.monotonic() + within
        while not all(word in self.text() for word in words):
            if time.monotonic() > end:
                raise TimeoutError(f"{words} not on the screen within {within} s:\n{self.text()}")
            self._take(0.02)
        return self.heard - self.started

    def text(self) -> str:
        """The screen as it stands."""
        return "\n".join(self.screen.display)

    def cpu_seconds(self) -> float:
        """Processor time so far, of all threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss_mib(self) -> float:
        """Resident memory now."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024

    def wait(self, within: float = 10.0) -> int:
        """Wait for the program's end; its exit status, negative for a signal."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            self.read(0.02)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.read(0.05)
                self.status = os.waitstatus_to_exitcode(status)
                return self.status
        raise TimeoutError(f"still running after {within} s:\n{self.text()}")


def crtui(*args: str) -> list[str]:
    """The program's command line, with this interpreter."""
    return [sys.executable, "-m", "crtui", *args]


def config_of(count: int, poll_s: int = 30) -> str:
    """A config with so many providers that nobody serves, on an address the system chooses."""
    provider = '[[provider]]\nname = "provider-{0}"\nkind = "openai-compatible"\n'
    provider += 'base_url = "http://127.0.0.1:9/v1"\nauth = "none"\npoll_s = {1}\n'
    return '[gateway]\nlisten = "127.0.0.1:0"\n' + "".join(provider.format(i, poll_s) for i in range(count))
