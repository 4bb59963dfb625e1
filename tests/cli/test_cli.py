"""What the commands say and how they exit: one clear line, never a traceback."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import stat
import subprocess
import sys
import tomllib

import pytest

from tests.cli.conftest import CRTUI

ONE = """
[[provider]]
name = "a"
kind = "openai-compatible"
base_url = "http://127.0.0.1:9/v1"
auth = "none"
poll_s = 0
"""


def one_line(text: str) -> str:
    assert text.count("\n") == 1, text
    assert "Traceback" not in text
    return text.strip()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["nonsense"], "invalid choice"),
        (["--nonsense"], "unrecognized arguments"),
        (["demote"], "PROVIDER"),
        (["reset"], "required"),
        (["pin", "a", "--for", "soon"], "is not a time like 30m"),
        (["pin", "a", "--for", "9" * 400 + "d"], "is too long; at most 36500d"),
        (["export", "--since", "99999999999999999999999d"], "is too long; at most 36500d"),
        (["demo", "--speed", "0"], "0.1 to 100"),
        (["env", "emacs"], "invalid choice"),
    ],
)
def test_a_usage_error_is_one_line_and_exits_2(place, args, words):
    done = place.run(*args)

    assert done.returncode == 2
    assert words in one_line(done.stderr)


@pytest.mark.parametrize("args", [[], ["demo"], ["attach"]])
@pytest.mark.fault("X07")
def test_without_a_terminal_it_says_so_and_what_to_use_instead(place, args):
    done = place.run(*args, TERM="xterm")

    assert done.returncode == 2
    assert "needs a terminal" in one_line(done.stderr)
    assert "\x1b" not in done.stderr + done.stdout


def test_a_broken_config_names_file_line_key_and_remedy(place):
    config = place.config('[[provider]]\nname = "a"\nkind = "olama"\n')

    for command in (["serve"], ["check"], ["status"], ["env"]):
        done = place.run(*command, "--config", str(config))
        assert done.returncode == 2
        assert f"{config}:3: provider[1].kind" in one_line(done.stderr)
        assert "ollama" in done.stderr


def test_check_names_every_fault(place):
    config = place.config('[gateway]\nlisten = "nowhere"\n[[provider]]\nname = "a b"\nkind = "ollama"\n')
    done = place.run("check", str(config))

    assert done.returncode == 2
    assert [line.split(":")[1] for line in done.stderr.splitlines()] == ["2", "4"]


def test_check_of_a_good_config_exits_0(place):
    done = place.run("check", str(place.config(ONE)))

    assert (done.returncode, done.stderr) == (0, "")
    assert "ok: 1 provider" in done.stdout


def test_no_config_anywhere_is_said(place):
    done = place.run("check")

    assert done.returncode == 2
    assert "crtui init" in one_line(done.stderr)


@pytest.mark.fault("X15")
def test_a_taken_port_is_one_line_with_the_remedy(place):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = place.run("serve", "--config", str(place.config(ONE)), "--listen", address)

    assert done.returncode == 2
    assert "the port is taken" in one_line(done.stderr)
    assert "--listen" in done.stderr


def test_status_without_a_gateway_exits_3(place):
    done = place.run("status", "127.0.0.1:9")

    assert done.returncode == 3
    assert "no gateway answers" in one_line(done.stderr)


@pytest.mark.parametrize("status", [b"200 OK", b"404 Not Found", b"304 Not Modified"])
def test_status_of_something_else_exits_3(place, status):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        import threading

        def answer() -> None:
            client, _ = other.accept()
            client.recv(4096)
            client.sendall(b"HTTP/1.1 %b\r\ncontent-length: 2\r\n\r\n[]" % status)
            client.close()

        thread = threading.Thread(target=answer)
        thread.start()
        done = place.run("status", f"127.0.0.1:{port}")
        thread.join()

    assert done.returncode == 3
    assert "not a crtui gateway" in one_line(done.stderr)


def test_orders_reach_the_gateway_and_status_tells(place):
    with place.serving(place.config(ONE)) as serving:
        address = serving.url.removeprefix("http://")
        assert place.run("status", address).returncode == 0
        done = place.run("demote", "a", "--for", "30m", "--listen", address)
        assert done.returncode == 0, done.stderr
        assert "override=demoted" in serving.logged("operator.changed")
        state = json.loads(place.run("status", "--json", address).stdout)
        assert state["providers"][0]["operator"]["override"] == "demoted"
        assert place.run("status", address).returncode == 10
        assert place.run("drain", "a", "--listen", address).returncode == 0
        assert place.run("status", address).returncode == 11
        assert place.run("reset", "--all", "--listen", address).returncode == 0
        assert place.run("status", address).returncode == 0


@pytest.mark.parametrize("name", ["nobody", ""])
def test_an_order_for_nobody_is_refused_and_changes_nothing(place, name):
    with place.serving(place.config(ONE)) as serving:
        address = serving.url.removeprefix("http://")
        assert place.run("drain", "a", "--listen", address).returncode == 0
        unknown = place.run("pin", name, "--listen", address)
        assert unknown.returncode == 2
        assert f"unknown provider {name!r}; the gateway has: a" in one_line(unknown.stderr)
        assert place.run("status", address).returncode == 11


@pytest.mark.parametrize(("closed", "told"), [("0<&-", True), ("1>&-", False), ("2>&-", True)])
def test_a_closed_standard_stream_is_no_fault(place, tmp_path, closed, told):
    """What is opened next would get its number, and a database its words."""
    command = shlex.join([sys.executable, "-m", "crtui", "check", str(place.config(ONE))])
    done = subprocess.run(
        ["sh", "-c", f"exec {command} {closed}"],
        env=place.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert ("ok: 1 provider" in done.stdout) is told


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", ["env", "check", "usage --json", "init --force"])
def test_output_that_cannot_be_written_is_one_line_and_no_success(place, command, unbuffered):
    config = place.config(ONE)
    given = {
        "init": ["--config", str(place.path / "new.toml")],
        "check": [str(config)],
    }
    words = [*command.split(), *given.get(command.split()[0], [])]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*CRTUI, *words],
            env={**place.environ, "PYTHONUNBUFFERED": unbuffered},
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert one_line(done.stderr) == "crtui: the output cannot be written: No space left on device"


@pytest.mark.parametrize("command", ["--help", "env", "replay"])
def test_output_that_nobody_reads_any_more_is_no_fault(place, tmp_path, command):
    trace = tmp_path / "trace.jsonl"
    header = {"crtui": "trace", "version": 1, "start": "2026-04-30T23:59:00Z", "seed": 1, "config": {}}
    routes = [{"t": 0, "input": "route", "id": str(n), "wire": "chat"} for n in range(2_000)]
    trace.write_text("".join(json.dumps(line) + "\n" for line in (header, *routes)))
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as gone:
        done = subprocess.run(
            [*CRTUI, command, *([str(trace)] if command == "replay" else [])],
            env=place.environ,
            stdout=gone,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_replay_that_cannot_be_written_does_not_blame_the_trace(place, tmp_path):
    trace = tmp_path / "trace.jsonl"
    trace.write_text(
        '{"crtui": "trace", "version": 1, "start": "2026-04-30T23:59:00Z", "seed": 1, "config": {}}\n'
    )
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*CRTUI, "replay", str(trace), "--final-state"],
            env=place.environ,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert one_line(done.stderr) == "crtui: the output cannot be written: No space left on device"


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
@pytest.mark.parametrize("command", ["check", "run --help"])
def test_a_terminal_of_another_encoding_gets_what_it_can_show(place, command, encoding):
    config = place.config(ONE, "模型….toml")
    words = [*command.split(), *([str(config)] if command == "check" else [])]
    done = place.run(*words, PYTHONIOENCODING=encoding)

    assert (done.returncode, done.stderr) == (0, "")
    assert "?" in done.stdout


def test_an_order_without_the_token_says_where_it_would_be(place, tmp_path):
    with place.serving(place.config(ONE)) as serving:
        address = serving.url.removeprefix("http://")
        done = place.run("demote", "a", "--listen", address, "--state-dir", str(tmp_path / "elsewhere"))

    assert done.returncode == 2
    assert "no control token at" in one_line(done.stderr)


def test_an_order_without_a_gateway_exits_3_also_where_none_has_ever_run(place):
    done = place.run("demote", "a", "--listen", "127.0.0.1:9")

    assert done.returncode == 3
    assert "no gateway answers" in one_line(done.stderr)


@pytest.mark.parametrize("command", ["status", "demote", "run"])
@pytest.mark.parametrize("token", ["sk-CANARY\rtoken", "ünï"])
def test_a_token_that_no_header_takes_is_refused_without_being_shown(place, command, token):
    arguments = {"status": [], "demote": ["a"], "run": ["true"]}[command]
    done = place.run(command, *arguments, CRTUI_TOKEN=token)

    assert done.returncode == 2
    assert "is not a key" in one_line(done.stderr)
    assert token[:2] not in done.stderr


def test_a_token_keeps_nothing_of_the_file_with_windows_line_ends_it_comes_from(place):
    token = {"CRTUI_TOKEN": "sk-CANARYtok12345\r"}
    with place.serving(place.config(ONE), **token) as serving:
        address = serving.url.removeprefix("http://")
        assert place.run("status", address, **token).returncode == 0
        assert place.run("demote", "a", "--listen", address, **token).returncode == 0
        assert place.run("status", address, CRTUI_TOKEN="sk-CANARYtok12345").returncode == 10
    gone = place.run("status", address, **token)
    assert gone.returncode == 3
    assert "CANARY" not in one_line(gone.stderr)


def test_a_control_token_that_is_none_is_refused_without_being_shown(place):
    with place.serving(place.config(ONE)) as serving:
        address = serving.url.removeprefix("http://")
        (place.path / "state" / "token").write_text("CANARY\ntoken\n")
        done = place.run("demote", "a", "--listen", address)

    assert done.returncode == 2
    assert "is not a key" in one_line(done.stderr)
    assert "CANARY" not in done.stderr


def test_the_token_is_read_from_the_variable_that_the_config_names(place):
    config = place.config('[gateway]\ntoken_env = "TEAM_TOKEN"\n' + ONE)
    token = {"TEAM_TOKEN": "canary-token-0123456789", "CRTUI_TOKEN": "another-one"}
    with place.serving(config, **token) as serving:
        address = serving.url.removeprefix("http://")
        here = ("--config", str(config), "--listen", address)
        assert place.run("status", *here, **token).returncode == 0
        assert place.run("status", "--config", str(config), serving.url, **token).returncode == 0
        assert place.run("demote", "a", *here, **token).returncode == 0
        refused = place.run("status", *here)
        assert "token (TEAM_TOKEN) is missing or wrong" in one_line(refused.stderr)


def test_a_named_gateway_needs_no_config(place):
    broken = place.config("[gateway]\nlisten = 1\n")
    with place.serving(place.config(ONE, "good.toml"), CRTUI_TOKEN="t0ken") as serving:
        done = place.run("status", serving.url, CRTUI_CONFIG=str(broken), CRTUI_TOKEN="t0ken")
        assert (done.returncode, done.stderr) == (0, "")
        assert place.run("status", CRTUI_CONFIG=str(broken)).returncode == 2


@pytest.mark.parametrize("url", ["http://[::1", ":::", "http://host:port"])
def test_what_is_no_url_is_one_line(place, url):
    done = place.run("status", url)

    assert done.returncode == 2
    assert "is not a URL; write it as http://127.0.0.1:4747" in one_line(done.stderr)


def test_a_pipe_in_the_tokens_place_holds_nothing_up(place):
    state = place.path / "state"
    state.mkdir()
    os.mkfifo(state / "token")
    with place.serving(place.config(ONE)) as serving:
        address = serving.url.removeprefix("http://")
        assert place.run("demote", "a", "--listen", address).returncode == 0


@pytest.mark.fault("D14", "K07")
def test_state_is_private_to_its_owner(place):
    with place.serving(place.config(ONE)):
        state = place.path / "state"
        assert stat.S_IMODE(state.stat().st_mode) == 0o700
        assert stat.S_IMODE((state / "token").stat().st_mode) == 0o600


@pytest.mark.fault("D02")
def test_a_state_directory_that_cannot_be_used_is_said_and_serving_goes_on(place):
    file = place.config("", "not-a-directory")
    with place.serving(place.config(ONE), "--state-dir", str(file)) as serving:
        state = json.loads(place.run("status", "--json", serving.url).stdout)

    assert any("not saving" in notice for notice in state["gateway"]["notices"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.fault("X01", "X02")
def test_a_signal_to_end_ends_serving_with_0(place, number):
    with place.serving(place.config(ONE)) as serving:
        serving.process.send_signal(number)
        assert serving.process.wait(10) == 0


def test_serving_goes_on_where_a_lost_terminal_was_to_be_ignored(place):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with place.serving(place.config(ONE)) as serving:
            signal.signal(signal.SIGHUP, before)
            serving.process.send_signal(signal.SIGHUP)
            assert place.run("status", serving.url).returncode == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_log_line_is_json_where_asked(place):
    with place.serving(place.config(ONE), "--log-format", "json") as serving:
        address = serving.url.removeprefix("http://")
        place.run("demote", "a", "--listen", address)
        event = json.loads(serving.logged("operator.changed"))

    assert (event["provider"], event["override"], event["until"]) == ("a", "demoted", None)


def test_a_recorded_run_replays_to_the_state_that_was_shown(place, tmp_path):
    trace = tmp_path / "run.jsonl"
    with place.serving(place.config(ONE), "--trace", str(trace)) as serving:
        address = serving.url.removeprefix("http://")
        place.run("demote", "a", "--listen", address)
        shown = json.loads(place.run("status", "--json", address).stdout)
    final = json.loads(place.run("replay", str(trace), "--final-state").stdout.splitlines()[-1])

    assert final["providers"][0]["operator"] == shown["providers"][0]["operator"]
    assert final["providers"][0]["standing"] == "demoted"


@pytest.mark.fault("D01")
def test_a_trace_on_a_full_disk_is_one_warning_and_serving_goes_on(place):
    with place.serving(place.config(ONE), "--trace", "/dev/full") as serving:
        address = serving.url.removeprefix("http://")
        place.run("demote", "a", "--listen", address)
        shown = json.loads(place.run("status", "--json", address).stdout)
        serving.process.terminate()
        assert serving.process.wait(10) == 0
        assert serving.process.stderr is not None
        said = serving.process.stderr.read().splitlines()

    assert shown["providers"][0]["standing"] == "demoted"
    assert said == [
        "crtui: warning: --trace: /dev/full: No space left on device; "
        "the recording has ended, start again with another file",
        "crtui: stopping",
    ]


def test_a_start_that_fails_makes_no_trace_and_a_start_over_an_old_one_fails(place, tmp_path):
    config, new, old = place.config(ONE), tmp_path / "new.jsonl", tmp_path / "old.jsonl"
    old.write_text("kept")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = "{}:{}".format(*taken.getsockname())
        for trace in (new, old):
            done = place.run("serve", "--config", str(config), "--listen", address, "--trace", str(trace))
            assert done.returncode == 2
            assert "the port is taken" in one_line(done.stderr)
    done = place.run("serve", "--config", str(config), "--listen", "127.0.0.1:0", "--trace", str(old))

    assert done.returncode == 2
    assert one_line(done.stderr) == f"crtui: --trace: {old} exists; name another file, or remove it first"
    assert (new.exists(), old.read_text()) == (False, "kept")


@pytest.mark.parametrize(
    "agent", ["claude", "codex", "aider", "opencode", "gemini", "openai", "anthropic", None]
)
def test_env_prints_lines_a_shell_can_eval(place, agent):
    import subprocess

    done = place.run("env", *([agent] if agent else []), "--listen", "127.0.0.1:4999")
    assert done.returncode == 0, done.stderr
    script = (
        f'{done.stdout}\nprintf %s "${{ANTHROPIC_BASE_URL:-}}${{OPENAI_BASE_URL:-}}${{OPENAI_API_BASE:-}}"'
    )
    shell = subprocess.run(["sh", "-euc", script], capture_output=True, text=True, check=True)

    if agent not in ("codex", "gemini", "opencode"):
        assert "http://127.0.0.1:4999" in shell.stdout
    else:
        assert "4999" in done.stdout or agent == "gemini"


def test_env_names_the_tokens_variable_never_its_value(place):
    done = place.run("env", "claude", CRTUI_TOKEN="canary-token-0123456789")

    assert '"$CRTUI_TOKEN"' in done.stdout
    assert "canary" not in done.stdout + done.stderr


def test_init_writes_a_config_that_checks_and_is_not_overwritten(place):
    place.config("")
    target = place.path / "new" / "config.toml"
    done = place.run("init", "--config", str(target), ANTHROPIC_API_KEY="canary-key-0123456789abcdef")
    assert done.returncode == 0, done.stderr
    text = target.read_text()

    assert "canary" not in text + done.stdout + done.stderr
    assert any(p["name"] == "anthropic" for p in tomllib.loads(text)["provider"])
    assert place.run("check", str(target), ANTHROPIC_API_KEY="x" * 20).returncode == 0
    again = place.run("init", "--config", str(target))
    assert again.returncode == 2
    assert "--force" in one_line(again.stderr)
    assert place.run("init", "--config", str(target), "--force").returncode == 0


def test_init_keeps_a_link_and_takes_one_that_leads_nowhere_for_a_config(place):
    link, target = place.path / "config.toml", place.path / "dotfiles" / "crtui.toml"
    link.symlink_to(target)
    refused = place.run("init", "--config", str(link))
    assert refused.returncode == 2
    assert "--force" in one_line(refused.stderr)
    for _ in range(2):
        assert place.run("init", "--config", str(link), "--force").returncode == 0
        assert link.is_symlink()
        assert place.run("check", str(target)).returncode == 0


def test_init_leaves_nothing_half_written(place):
    target = place.path / "config.toml"
    new = place.path / "config.toml.new"
    new.symlink_to("/dev/full")
    done = place.run("init", "--config", str(target))
    assert done.returncode == 2
    assert "cannot be written: No space left on device" in one_line(done.stderr)
    assert list(place.path.glob("config.toml*")) == []


def test_a_token_that_is_removed_is_made_again_and_stays_the_same(place):
    with place.serving(place.config(ONE)) as serving:
        address = serving.url.removeprefix("http://")
        token = place.path / "state" / "token"
        before = token.read_bytes()
        token.unlink()
        while not token.exists():
            assert serving.process.poll() is None
        assert token.read_bytes() == before
        assert stat.S_IMODE(token.stat().st_mode) == 0o600
        assert place.run("demote", "a", "--listen", address).returncode == 0


def test_help_and_version(place):
    assert place.run("--version").stdout.startswith("crtui ")
    assert "demo" in place.run("--help").stdout
