"""A program that is stopped and goes on finds its terminal changed, and its screen lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.terminal import Terminal, config_of, crtui, environ


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    config = tmp_path / "config.toml"
    config.write_text(config_of(3))
    with Terminal(crtui("--config", str(config)), environ(tmp_path), (100, 30)) as shown:
        shown.until("provider-2", "quit")
        yield shown


def stop(terminal: Terminal, how: signal.Signals) -> None:
    os.kill(terminal.pid, how)
    os.waitpid(terminal.pid, os.WUNTRACED)


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGTSTP])
def test_after_a_stop_the_whole_screen_is_there_and_a_key_quits(terminal: Terminal, how: signal.Signals):
    stop(terminal, how)
    terminal.resize(1, 1)
    terminal.resize(100, 30)
    os.kill(terminal.pid, signal.SIGCONT)

    terminal.until("crtui", "provider-2", "quit")
    terminal.send("q")
    assert terminal.wait() == 0
