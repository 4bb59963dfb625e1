"""The whole program on a real pseudo-terminal: it starts, obeys keys, and gives the terminal back."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
from pathlib import Path

import pytest

from crtui.replay.player import Player
from tests.fakes.terminal import Terminal, config_of, crtui, environ

LEFT_ALTERNATE_SCREEN = b"\x1b[?1049l"
SHOWS_CURSOR = b"\x1b[?25h"
STOPS_MOUSE = b"\x1b[?1000l"

pytestmark = pytest.mark.timeout(60)


def dashboard(tmp_path: Path, count: int = 3, size: tuple[int, int] = (100, 30), *args: str) -> Terminal:
    config = tmp_path / "config.toml"
    config.write_text(config_of(count, poll_s=0))
    return Terminal(crtui("--config", str(config), *args), environ(tmp_path), size)


def restored(output: bytes) -> bool:
    end = bytes(output)[-4000:]
    return all(mark in end for mark in (LEFT_ALTERNATE_SCREEN, SHOWS_CURSOR, STOPS_MOUSE))


def after_the_screen(output: bytes) -> str:
    """What a person reads once the alternate screen is gone."""
    text = bytes(output).rpartition(LEFT_ALTERNATE_SCREEN)[2].decode("utf-8", "replace")
    return re.sub(r"\x1b[\[\]][0-9;?=>]*[A-Za-z]?|\x1b[=>]", "", text).strip()


def test_q_quits_with_0_and_gives_the_terminal_back(tmp_path):
    with dashboard(tmp_path) as terminal:
        terminal.until("provider-0")
        terminal.send("q")

        assert terminal.wait() == 0
        assert restored(terminal.output)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.fault("X01", "X02", "X21")
def test_a_signal_ends_it_and_gives_the_terminal_back(tmp_path, number):
    with dashboard(tmp_path) as terminal:
        terminal.until("provider-0")
        os.kill(terminal.pid, number)

        assert terminal.wait() == 0
        assert restored(terminal.output)


def test_keys_reach_the_gateway_and_come_back_as_state(tmp_path):
    with dashboard(tmp_path) as terminal:
        terminal.until("provider-0")
        terminal.send("d")
        terminal.until("DEMO")
        terminal.send("u")
        terminal.until("3 ok")
        terminal.send("o")
        terminal.until("DRAIN")
        terminal.send("r")
        terminal.until("3 ok")
        terminal.send("q")

        assert terminal.wait() == 0


@pytest.mark.fault("X11", "X15")
def test_a_taken_port_is_one_line_after_the_terminal_is_given_back(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with dashboard(tmp_path, 3, (100, 30), "--listen", address) as terminal:
            assert terminal.wait() == 2
            said = after_the_screen(terminal.output)

    assert "the port is taken" in said
    assert "\n" not in said


def test_a_broken_config_is_one_line_after_the_terminal_is_given_back(tmp_path):
    config = tmp_path / "config.toml"
    config.write_text('[[provider]]\nname = "a"\nkind = "olama"\n')
    with Terminal(crtui("--config", str(config)), environ(tmp_path), (120, 30)) as terminal:
        assert terminal.wait() == 2
        said = after_the_screen(terminal.output)

    assert "did you mean 'ollama'" in said
    assert "Traceback" not in said


def test_with_nothing_at_all_the_first_run_screen_says_what_to_do(tmp_path):
    argv = crtui("--listen", "127.0.0.1:0")
    with Terminal(argv, environ(tmp_path), (100, 30)) as terminal:
        terminal.until("crtui init", "crtui demo")
        terminal.send("q")

        assert terminal.wait() == 0


@pytest.mark.parametrize("size", [(140, 40), (80, 24), (44, 30), (40, 10)])
def test_it_fits_any_size_down_to_40x10(tmp_path, size):
    with dashboard(tmp_path, 3, size) as terminal:
        terminal.until("provider-0", "quit")
        terminal.send("q")

        assert terminal.wait() == 0


def test_below_that_three_lines_say_it_all(tmp_path):
    with dashboard(tmp_path, 3, (40, 3)) as terminal:
        terminal.until("LIVE", "provider-0", "nobody is out")
        terminal.send("q")

        assert terminal.wait() == 0


@pytest.mark.fault("X06")
def test_smaller_than_that_it_says_what_it_needs_and_recovers(tmp_path):
    with dashboard(tmp_path, 3, (80, 24)) as terminal:
        terminal.until("provider-0")
        terminal.resize(30, 8)
        terminal.until("needs 40x3")
        terminal.resize(1, 1)
        terminal.read(0.3)
        terminal.resize(100, 30)
        terminal.until("provider-0")
        terminal.send("q")

        assert terminal.wait() == 0


def ended_saying_yes(terminal: Terminal) -> int:
    """Wait for the end, and say yes if it asks because requests run."""
    for _ in range(200):
        if "Quit while" in terminal.text():
            terminal.send("y")
            break
        with contextlib.suppress(TimeoutError):
            return terminal.wait(0.05)
    return terminal.wait()


def test_the_demo_serves_obeys_and_quits(tmp_path):
    argv = crtui("demo", "--speed", "10")
    with Terminal(argv, environ(tmp_path), (140, 40)) as terminal:
        terminal.until("claude-max", "openrouter", "ollama", "vllm-lab", "anthropic-api")
        terminal.until("tok/min", "in flight", within=20)
        terminal.until("out of memory", within=20)
        terminal.send("q")

        assert ended_saying_yes(terminal) == 0
        assert restored(terminal.output)


@pytest.mark.fault("X02")
def test_a_terminal_that_vanishes_ends_the_program(tmp_path):
    with dashboard(tmp_path) as terminal:
        terminal.until("provider-0")
        os.close(terminal.fd)
        terminal.fd = os.open(os.devnull, os.O_RDWR)
        pid, status = 0, 0
        for _ in range(200):
            pid, status = os.waitpid(terminal.pid, os.WNOHANG)
            if pid:
                break
            terminal_pause()
        terminal.status = os.waitstatus_to_exitcode(status)

    assert pid
    assert terminal.status == 0


def terminal_pause() -> None:
    """Yield the processor for a moment; there is no descriptor left to wait on."""
    import select

    select.select([], [], [], 0.05)


def test_a_trace_opens_in_the_dashboard_and_gives_the_terminal_back(tmp_path):
    trace = Path(__file__).parents[1] / "data" / "traces" / "outage.jsonl"
    argv = crtui("replay", str(trace), "--tui", "--speed", "2")
    with Terminal(argv, environ(tmp_path), (120, 34)) as terminal:
        terminal.until("REPLAY", "2×")
        terminal.send(" ")
        terminal.until("❚❚")
        terminal.send("\x1b[F")
        terminal.until("out of memory")
        terminal.send("q")

        assert terminal.wait() == 0
        assert restored(terminal.output)


def config_at_its_usual_place(home: Path, text: str) -> None:
    folder = home / "config" / "crtui"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(text)


def test_a_recording_is_shown_as_the_config_says(tmp_path):
    config_at_its_usual_place(tmp_path, '[screen]\nkeys = { explain = "X" }\ntheme = "light"\n')
    trace = Path(__file__).parents[1] / "data" / "traces" / "outage.jsonl"
    with Terminal(crtui("replay", str(trace), "--tui"), environ(tmp_path), (120, 34)) as terminal:
        terminal.until("REPLAY", "X explain")
        terminal.send("X")
        terminal.until("plan of default")
        terminal.send("t")
        terminal.until("theme blue-orange")


def test_the_demo_runs_in_spite_of_a_broken_config_and_tells_of_it(tmp_path):
    config_at_its_usual_place(tmp_path, '[screen]\ntheme = "pink"\n')
    with Terminal(crtui("demo", "--speed", "10"), environ(tmp_path), (140, 40)) as terminal:
        terminal.until("claude-max", "! [screen] is not used, see `crtui check`: ")


def test_a_screen_over_an_old_trace_is_one_line_and_the_trace_is_kept(tmp_path):
    trace = tmp_path / "old.jsonl"
    trace.write_text("kept")
    with dashboard(tmp_path, 3, (100, 30), "--trace", str(trace)) as terminal:
        assert terminal.wait() == 2
        said = after_the_screen(terminal.output)

    assert said == f"crtui: --trace: {trace} exists; name another file, or remove it first"
    assert trace.read_text() == "kept"


@pytest.mark.fault("D01")
def test_what_could_not_be_written_at_the_end_is_told_after_the_screen(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with dashboard(tmp_path, 3, (100, 30), "--trace", str(fifo)) as terminal:
        with fifo.open("rb") as reader:
            assert reader.readline().startswith(b'{"crtui":"trace"')
        terminal.until("provider-0")
        terminal.send("d")
        terminal.until("DEMO")
        terminal.send("q")
        assert terminal.wait() == 0
        said = after_the_screen(terminal.output)

    assert said == (
        f"crtui: warning: --trace: {fifo}: Broken pipe; "
        "the recording has ended, start again with another file"
    )


def test_the_demo_records_a_private_trace_that_is_whole(tmp_path):
    trace = tmp_path / "demo.jsonl"
    argv = crtui("demo", "--speed", "10", "--trace", str(trace))
    with Terminal(argv, environ(tmp_path), (140, 40)) as terminal:
        terminal.until("claude-max")
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.wait() == 0
    player = Player(trace)
    player.seek(player.end, 10**9)

    assert {row.name for row in player.snapshot().providers} >= {"claude-max"}
    assert trace.stat().st_mode & 0o777 == 0o600
    player.close()


def test_a_bad_trace_is_one_line_and_the_screen_is_never_taken(tmp_path):
    trace = tmp_path / "bad.jsonl"
    trace.write_text("{}\n")
    with Terminal(crtui("replay", str(trace), "--tui"), environ(tmp_path), (120, 34)) as terminal:
        assert terminal.wait() == 2
        said = bytes(terminal.output)

    assert b"a trace starts with" in said
    assert b"\x1b[?1049h" not in said


def test_what_is_sent_in_one_piece_after_a_slash_is_typed_and_commands_nothing(tmp_path):
    with dashboard(tmp_path) as terminal:
        terminal.until("provider-0")
        terminal.send("/zodp1")
        terminal.until("No provider matches zodp1")
        terminal.send("\x1b")
        terminal.until("provider-0")
