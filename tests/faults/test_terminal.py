"""Terminals that are no use, take nothing more, change all the time, or are typed at without mercy."""

from __future__ import annotations

import os
import signal
import urllib.request
from pathlib import Path

import pytest
from textual import events

from tests.fakes import snapshots as fake
from tests.fakes.terminal import Terminal, config_of, crtui, environ
from tests.tui.test_app import stage

pytestmark = pytest.mark.timeout(60)


def dashboard(folder: Path, *args: str, **variables: str) -> Terminal:
    config = folder / "config.toml"
    config.write_text(config_of(3, poll_s=0))
    return Terminal(crtui("--config", str(config), *args), environ(folder, **variables), (100, 30))


@pytest.mark.fault("X07")
@pytest.mark.parametrize("kind", ["dumb", pytest.param("", marks=pytest.mark.long)])
def test_a_terminal_that_can_do_nothing_gets_a_line_and_no_escape(tmp_path: Path, kind: str) -> None:
    with dashboard(tmp_path, TERM=kind) as terminal:
        assert terminal.wait() == 2
        said = bytes(terminal.output)
    assert b"needs a terminal" in said
    assert said.strip().count(b"\n") == 0
    assert b"\x1b" not in said


@pytest.mark.long
@pytest.mark.fault("X06")
def test_five_hundred_resizes_leave_a_screen_that_works(tmp_path: Path) -> None:
    with dashboard(tmp_path) as terminal:
        terminal.until("provider-0")
        for step in range(500):
            terminal.resize(1 + step * 7 % 200, 1 + step * 3 % 60)
            os.kill(terminal.pid, signal.SIGWINCH)
        terminal.resize(110, 31)
        terminal.until("provider-0", "quit")
        terminal.send("q")
        assert terminal.wait() == 0


@pytest.mark.long
@pytest.mark.fault("X09")
def test_a_terminal_that_takes_nothing_more_holds_no_request_up(tmp_path: Path) -> None:
    with dashboard(tmp_path) as terminal:
        terminal.until("provider-0", "http://127.0.0.1:")
        listen = terminal.text().partition("http://")[2].split()[0]
        terminal.send("?" * 2_000)  # far more to draw than a pty holds, and nobody reads
        for _ in range(50):
            with urllib.request.urlopen(f"http://{listen}/healthz", timeout=2) as answer:
                assert answer.status == 200
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.wait() == 0


@pytest.mark.long
@pytest.mark.fault("X20")
@pytest.mark.parametrize("size", [20_000, 1_000_000])
async def test_however_much_is_pasted_into_the_filter_it_does_no_harm(size: int) -> None:
    hostile = "\x1b[2J\x07x\u202e"
    async with stage(fake.busy()) as on:
        await on.press("slash")
        on.app.screen.focused.post_message(events.Paste(hostile * (size // len(hostile)) + "\nsecond"))
        await on.press("enter")
        drawn = "".join(on.text(name) for name in ("keys", "filter-count"))
        assert drawn.isprintable() or "\n" in drawn
        assert "\x1b" not in drawn
        await on.press("escape")
        assert len(on.names) == 14
