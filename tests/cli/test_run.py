"""``crtui run -- COMMAND``: the command finds the gateway, and everything else about it stays its own."""

from __future__ import annotations

import json
import shlex
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

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
