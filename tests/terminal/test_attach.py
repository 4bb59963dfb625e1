"""``crtui attach`` on real gateways: one, several in tabs, with the local config's screen."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from crtui.scratch import PREFIX
from tests.fakes.terminal import Terminal, config_of, crtui, environ

pytestmark = pytest.mark.timeout(60)


@contextmanager
def served(home: Path, count: int) -> Iterator[str]:
    """A gateway over so many providers; its URL."""
    home.mkdir()
    config = home / "config.toml"
    config.write_text(config_of(count, poll_s=0))
    process = subprocess.Popen(
        crtui("--config", str(config), "serve"),
        env=environ(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        said = process.stdout.readline().decode()
        found = re.search(r"http://\S+", said)
        assert found is not None, said
        yield found[0]
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)


@pytest.mark.long
def test_several_gateways_are_tabs_and_one_that_ends_is_stale_alone(tmp_path):
    with ExitStack() as stack:
        one = stack.enter_context(served(tmp_path / "one", 2))
        gone = ExitStack()
        two = gone.enter_context(served(tmp_path / "two", 3))
        config = tmp_path / "screen.toml"
        config.write_text('[screen]\ntheme = "light"\nkeys = { gateway_next = "n" }\n')
        argv = crtui("--config", str(config), "--read-only", "attach", one, two)
        with Terminal(argv, environ(tmp_path), (100, 30)) as terminal:
            terminal.until("LIVE", "2 providers", f"[{one[7:]}] ● 2 ok", f" {two[7:]}  ● 3 ok", "n gateway")
            terminal.send("n")
            terminal.until("LIVE", "3 providers", f"[{two[7:]}] ● 3 ok", "provider-2")
            terminal.send("[")
            terminal.until("no history here")
            gone.close()
            terminal.until("STALE", f"[{two[7:]}] ◌ stale", f" {one[7:]}  ● 2 ok")
            terminal.send("n")
            terminal.until("LIVE", "2 providers")
            terminal.send("q")

            assert terminal.wait() == 0


def test_no_gateway_at_all_is_one_line_and_3(tmp_path):
    argv = crtui("--read-only", "attach", "127.0.0.1:9", "http://127.0.0.1:10")
    with Terminal(argv, environ(tmp_path), (100, 30)) as terminal:
        assert terminal.wait() == 3
        said = bytes(terminal.output)

    assert said.count(b"\n") == 1
    assert b"no gateway answers at http://127.0.0.1:9" in said


def test_a_config_whose_screen_cannot_be_used_is_told_before_anything_is_drawn(tmp_path):
    config = tmp_path / "config.toml"
    config.write_text('[screen]\nkeys = { demote = "x" }\n')
    with Terminal(crtui("--config", str(config), "attach", "127.0.0.1:9"), environ(tmp_path)) as terminal:
        assert terminal.wait() == 2
        said = bytes(terminal.output)

    assert b"config.toml:2: screen.keys.demote: 'x' is the key of 'explain' too" in said
    assert b"\x1b[?1049h" not in said


def test_the_dashboard_learns_its_settings_after_the_first_frame_and_travels_in_time(tmp_path):
    config = tmp_path / "config.toml"
    text = config_of(1, poll_s=0)
    config.write_text(f'{text}\n[screen]\nkeys = {{ demote = "D" }}\n')
    env = environ(tmp_path, TMPDIR=str(tmp_path))
    with Terminal(crtui("--config", str(config)), env, (100, 30)) as terminal:
        terminal.until("LIVE", "provider-0", "D demote")
        terminal.send("Dy")
        terminal.until("DEMO")
        terminal.send("[")
        terminal.until("PAST", "history begins here")
        terminal.send("D")
        terminal.until("this is the past: nothing was sent")
        terminal.send("\x1b[F")
        terminal.until("LIVE", "DEMO")
        terminal.send("[")
        terminal.until("PAST")
        assert list(tmp_path.glob(PREFIX + "*"))
        terminal.send("q")

        assert terminal.wait() == 0
    assert not list(tmp_path.glob(PREFIX + "*"))
