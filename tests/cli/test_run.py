"""``crtui run -- COMMAND``: the command finds the gateway, and everything else about it stays its own."""

from __future__ import annotations

import contextlib
import json
import shlex
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.cli.conftest import CRTUI, Place

NOBODY = '[[provider]]\nname = "a"\nkind = "openai-compatible"\nbase_url = "http://127.0.0.1:9"\npoll_s = 0\n'
SHOW = "import json, os, sys; print(json.dumps([sys.argv[1:], dict(os.environ)]))"


def agent(place: Place, name: str, body: str = SHOW) -> str:
    """A program of that name which tells its arguments and environment."""
    file = place.path / name
    file.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {shlex.quote(body)} "$@"\n')
    file.chmod(0o755)
    return str(file)


def shown(place: Place, *command: str, **environ: str) -> tuple[list[str], dict[str, str]]:
    done = place.run(
        "run", "--config", str(place.config(NOBODY)), "--listen", "127.0.0.1:0", "--", *command, **environ
    )
    assert done.returncode == 0, done.stderr
    return tuple(json.loads(done.stdout))


def test_the_commands_exit_code_output_and_input_are_its_own(place: Place) -> None:
    config = str(place.config(NOBODY))
    done = subprocess.run(
        [
            *CRTUI,
            "run",
            "--config",
            config,
            "--listen",
            "127.0.0.1:0",
            "sh",
            "-c",
            "cat; echo oh >&2; exit 7",
        ],
        input="typed",
        capture_output=True,
        text=True,
        env=place.environ,
        timeout=20,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (7, "typed", "oh\n")


def test_a_gateway_serves_while_the_command_runs_and_has_ended_after_it(place: Place) -> None:
    ask = "import os, urllib.request as u; b = os.environ['OPENAI_BASE_URL']; "
    ask += "print(b, u.urlopen(b + '/models').status)"
    done = place.run(
        "run",
        "--listen",
        "127.0.0.1:0",
        "--config",
        str(place.config(NOBODY)),
        "--",
        sys.executable,
        "-c",
        ask,
    )
    base, status = done.stdout.split()
    assert status == "200"
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{base}/models")
    assert "stopping" in (place.path / "state" / "log" / "run.log").read_text()


def test_a_gateway_that_runs_already_is_used_and_left_running(place: Place) -> None:
    config = place.config(NOBODY)
    with place.serving(config) as serving:
        address = serving.url.removeprefix("http://")
        ran = ["run", "--config", str(config), "--listen", address, "--", agent(place, "any")]
        _, environ = json.loads(place.run(*ran).stdout)
        with urllib.request.urlopen(f"{serving.url}/healthz") as answer:
            assert answer.status == 200
    assert environ["ANTHROPIC_BASE_URL"] == serving.url
    assert environ["OPENAI_BASE_URL"] == f"{serving.url}/v1"


def test_claude_code_gets_its_variables_and_loses_the_key_it_would_send_too(place: Place) -> None:
    arguments, environ = shown(place, agent(place, "claude"), "-p", "--", "hi", ANTHROPIC_API_KEY="own")
    assert arguments == ["-p", "--", "hi"]
    assert environ["ANTHROPIC_BASE_URL"].startswith("http://127.0.0.1:")
    assert environ["ANTHROPIC_AUTH_TOKEN"] == "crtui"
    assert environ["CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY"] == "1"
    assert "ANTHROPIC_API_KEY" not in environ


def test_it_keeps_its_own_login_for_a_provider_that_forwards_it(place: Place) -> None:
    config = place.config('[[provider]]\nname = "plan"\nkind = "anthropic"\nauth = "client"\npoll_s = 0\n')
    ran = ["run", "--config", str(config), "--listen", "127.0.0.1:0", "--", agent(place, "claude")]
    _, environ = json.loads(place.run(*ran, ANTHROPIC_API_KEY="own").stdout)
    assert environ["ANTHROPIC_API_KEY"] == "own"
    assert "ANTHROPIC_AUTH_TOKEN" not in environ


def test_codex_gets_flags_before_its_own_arguments(place: Place) -> None:
    arguments, environ = shown(place, agent(place, "codex"), "exec", "hi")
    assert arguments[-2:] == ["exec", "hi"]
    assert arguments[:2] == ["-c", 'model_provider="crtui"']
    assert 'model_providers.crtui.wire_api="responses"' in arguments
    assert environ["CRTUI_KEY"] == "crtui"


def test_the_gateways_token_is_what_agents_send(place: Place) -> None:
    _, environ = shown(place, agent(place, "opencode"), CRTUI_TOKEN="canary-token-0123456789")
    assert environ["CRTUI_KEY"] == "canary-token-0123456789"
    assert "canary" not in environ["OPENCODE_CONFIG_CONTENT"]


def test_a_signal_to_end_reaches_the_command(place: Place) -> None:
    told = place.path / "told"
    wait = f"import pathlib, signal; pathlib.Path({str(told)!r}).touch(); signal.pause()"
    process = subprocess.Popen(
        [
            *CRTUI,
            "run",
            "--config",
            str(place.config(NOBODY)),
            "--listen",
            "127.0.0.1:0",
            agent(place, "a", wait),
        ],
        env=place.environ,
    )
    try:
        while not told.exists():
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 128 + signal.SIGTERM
    finally:
        process.kill()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


@contextmanager
def working(place: Place, config: Path, port: int, name: str, **environ: str) -> Iterator[Working]:
    """``crtui run`` with an agent that asks its gateway whenever it is told to."""
    asks = "import os, sys, urllib.request as u; url = os.environ['OPENAI_BASE_URL'] + '/models'\n"
    asks += "for line in sys.stdin: print(u.urlopen(url).status, flush=True)"
    ran = ["run", "--config", str(config), "--listen", f"127.0.0.1:{port}", agent(place, name, asks)]
    process = subprocess.Popen(
        [*CRTUI, *ran],
        env={**place.environ, **environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield Working(process)
        finally:
            process.kill()


@dataclass
class Working:
    """A running ``crtui run`` of an agent that asks."""

    process: subprocess.Popen[str]

    def asks(self) -> bool:
        """Whether its gateway answers it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("ask\n")
        self.process.stdin.flush()
        return self.process.stdout.readline() == "200\n"

    def quits(self) -> int:
        """End of its input ends it; the exit code."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(20)


def await_nobody_at(port: int) -> None:
    """Until nobody listens there. A gateway that ends closes what is open, though nothing was asked."""
    try:
        while True:
            with socket.create_connection(("127.0.0.1", port)) as there:
                there.settimeout(15)
                assert there.recv(1) == b""
    except (ConnectionRefusedError, ConnectionResetError):
        return


@pytest.mark.parametrize("end", ["quits", "is killed"])
def test_a_gateway_lives_as_long_as_one_of_those_that_use_it(place: Place, end: str) -> None:
    config, port = place.config(NOBODY), free_port()
    with working(place, config, port, "first") as first, working(place, config, port, "second") as second:
        assert first.asks()
        assert second.asks()
        if end == "quits":
            assert first.quits() == 0
        else:
            first.process.kill()
            first.process.wait(20)
        assert second.asks()
        assert second.quits() == 0
    await_nobody_at(port)


def test_several_that_start_at_once_share_one_gateway(place: Place) -> None:
    config, port = place.config(NOBODY), free_port()
    with ExitStack() as stack:
        runs = [stack.enter_context(working(place, config, port, f"agent-{n}")) for n in range(3)]
        assert all(run.asks() for run in runs)
        log = (place.path / "state" / "log" / "run.log").read_text()
        assert log.count("crtui serves on ") == 1
        assert [run.quits() for run in runs] == [0, 0, 0]
    await_nobody_at(port)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_signal_before_the_command_runs_leaves_no_gateway(place: Place, number: signal.Signals) -> None:
    asked = socket.create_server(("127.0.0.1", 0))
    # Discovery asks a server that never answers: the start takes as long as the test wants.
    environ = {**place.environ, "OLLAMA_HOST": f"127.0.0.1:{asked.getsockname()[1]}"}
    with (
        asked,
        subprocess.Popen([*CRTUI, "run", "--listen", "127.0.0.1:0", "true"], env=environ) as run,
    ):
        asking, _ = asked.accept()
        [gateway] = psutil.Process(run.pid).children()
        try:
            with asking:
                run.send_signal(number)
                code = run.wait(15)
            assert code == (-number if number == signal.SIGKILL else 128 + number)
            gateway.wait(15)
        finally:
            with contextlib.suppress(psutil.NoSuchProcess):
                gateway.kill()


@pytest.mark.parametrize("log", ["is a file", "leads to a full disk"])
def test_a_log_that_cannot_be_written_holds_nothing_up(place: Place, log: str) -> None:
    folder = place.path / "state" / "log"
    if log == "is a file":
        folder.parent.mkdir()
        folder.touch()
    else:
        folder.mkdir(parents=True)
        (folder / "run.log").symlink_to("/dev/full")
    done = place.run("run", "--config", str(place.config(NOBODY)), "--listen", "127.0.0.1:0", "--", "true")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Name a command"),
        (("--", "no-such-agent"), "no-such-agent: not found"),
    ],
)
def test_what_cannot_run_is_one_line(place: Place, arguments: tuple[str, ...], words: str) -> None:
    done = place.run("run", "--config", str(place.config(NOBODY)), "--listen", "127.0.0.1:0", *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_gateway_that_does_not_start_says_why(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = place.run("run", "--config", str(place.config(NOBODY)), "--listen", address, "--", "true")
    assert done.returncode == 2
    assert "the gateway did not start: " in done.stderr
    assert "the port is taken" in done.stderr
    assert done.stderr.count("\n") == 1
