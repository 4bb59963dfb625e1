"""On a real pseudo-terminal: however the program ends, the terminal is given back as it was."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from crtui.clock import SystemClock
from crtui.tui.app import CrtuiApp
from tests.fakes import snapshots
from tests.tui.conftest import FakeLink

app = CrtuiApp(FakeLink(snapshots.busy()), SystemClock(), plot=False)
if "crash" in sys.argv:
    app.on_first_frame = lambda: app.set_timer(0.01, lambda: {}["secret-value-of-a-local"])
app.run()
print("left by", app.exit_reason, app.return_code)
sys.exit(app.return_code)
"""


class Terminal:
    """A program on a pseudo-terminal of 80x24, and everything it wrote there."""

    def __init__(self, *args: str) -> None:
        self.master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(slave)
        self._slave = slave
        environ = {**os.environ, "TERM": "xterm-256color", "TEXTUAL_ANIMATIONS": "none"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *args],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=ROOT,
            env=environ,
            start_new_session=True,
        )
        self.written = b""

    def read_until(self, wanted: bytes, timeout: float = 20) -> None:
        deadline = time.perf_counter() + timeout
        while wanted not in self.written:
            left = deadline - time.perf_counter()
            assert left > 0, f"no {wanted!r} in {self.written[-600:]!r}"
            ready, _, _ = select.select([self.master], [], [], min(left, 0.2))
            if ready:
                self.written += os.read(self.master, 65536)

    def modes(self) -> list[object]:
        return list(termios.tcgetattr(self._slave))

    def hang_up(self) -> None:
        """The terminal's window is closed."""
        os.close(self._slave)
        os.close(self.master)
        self.master = self._slave = -1

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        if self.master >= 0:
            os.close(self.master)
            os.close(self._slave)


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    made: list[Terminal] = []
    yield made
    for terminal in made:
        terminal.close()


def start(terminals: list[Terminal], *args: str) -> Terminal:
    terminal = Terminal(*args)
    terminals.append(terminal)
    terminal.read_until(b"anthropic-max")
    return terminal


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.fault("X01", "X02", "X21")
def test_a_signal_restores_the_terminal(terminals: list[Terminal], number: signal.Signals) -> None:
    terminal = start(terminals)
    assert terminal.modes() != terminal.before
    terminal.process.send_signal(number)
    terminal.read_until(b"left by signal 0")
    assert terminal.process.wait(10) == 0
    assert b"\x1b[?1049l" in terminal.written
    assert terminal.modes() == terminal.before


@pytest.mark.fault("X10", "X21")
def test_a_crash_restores_the_terminal_and_shows_no_traceback(terminals: list[Terminal]) -> None:
    terminal = start(terminals, "crash")
    terminal.read_until(b"left by crash 70")
    assert terminal.process.wait(10) == 70
    assert b"\x1b[?1049l" in terminal.written
    assert terminal.modes() == terminal.before
    assert b"this is a bug" in terminal.written
    assert b"Traceback" not in terminal.written
    assert b"secret-value-of-a-local" not in terminal.written


@pytest.mark.fault("X02")
def test_a_terminal_that_is_gone_ends_the_program(terminals: list[Terminal]) -> None:
    terminal = start(terminals)
    terminal.hang_up()
    terminal.process.wait(15)
    assert terminal.process.returncode is not None


def test_quitting_by_key_restores_the_terminal(terminals: list[Terminal]) -> None:
    terminal = start(terminals)
    os.write(terminal.master, b"q")
    terminal.read_until(b"Quit while 3 requests run?")
    os.write(terminal.master, b"y")
    terminal.read_until(b"left by quit 0")
    assert terminal.process.wait(10) == 0
    assert terminal.modes() == terminal.before


def test_importing_the_screen_loads_nothing_heavy() -> None:
    heavy = ("httpx", "plotext", "pydantic", "aiohttp")
    code = f"import sys, crtui.tui.app; print([m for m in {heavy} if m in sys.modules])"
    command = [sys.executable, "-c", code]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=20)
    assert ran.stdout.strip() == "[]"
