"""The program as a process in surroundings that are not what it would like."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from crtui import __version__
from crtui.cli import main
from tests.cli.conftest import CRTUI, Place, Serving
from tests.fakes.client import RudeClient
from tests.fakes.upstream import Upstream, cut, ok_json, status
from tests.gateway.wires import CHAT_START, COMPLETION, chat_request, chat_text
from tests.replay.goldens import TRACES, printed

TRACE = TRACES / "outage.jsonl"
VERSION = f'"version":"{__version__}"'.encode()
GOOD = ok_json(COMPLETION)
PROVIDER = (
    '[[provider]]\nname = "a"\nkind = "openai-compatible"\nbase_url = "{}"\nauth = "none"\npoll_s = 0\n'
)


def config_for(place: Place, upstream: Upstream) -> Path:
    return place.config(PROVIDER.format(upstream.url))


async def ask(serving: Serving) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        headers = {"content-type": "application/json"}
        return await client.post(
            f"{serving.url}/v1/chat/completions", content=chat_request(), headers=headers
        )


async def get(serving: Serving, path: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.get(f"{serving.url}{path}")


WATCH = """
import os, sys
kept = open(os.environ["WATCHED"], "w")
def told(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "urllib.Request"):
        print(f"connects {args[1] if event == 'socket.connect' else args[:2]}", file=kept, flush=True)
    if event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"):
        print(f"starts {args}", file=kept, flush=True)
sys.addaudithook(told)
"""


def watching(place: Place) -> dict[str, str]:
    """The variables that make Python write down whom it connects to and what it starts, from its start on."""
    (place.path / "sitecustomize.py").write_text(WATCH)
    path = f"{place.path}{os.pathsep}{place.environ['PYTHONPATH']}"
    return {"PYTHONPATH": path, "WATCHED": str(place.path / "watched")}


@pytest.mark.fault("D02", "D03", "K26", "K33", "K34", "N08", "N22", "N23", "X23")
async def test_in_strange_surroundings_it_serves_says_what_is_missing_and_connects_to_its_providers_only(
    place: Place,
) -> None:
    """No home, no state, a proxy for everything, no certificates, and then nobody who reads what it says."""
    async with Upstream(GOOD) as proxy, Upstream(status(500, {}), GOOD) as upstream:
        strange = {
            "HOME": "/dev/null",
            "CRTUI_STATE_DIR": "/dev/null/state",
            "HTTP_PROXY": proxy.url,
            "ALL_PROXY": "socks5://127.0.0.1:9",
            "HTTPS_PROXY": "gopher://127.0.0.1:9",
            "SSL_CERT_FILE": "/nowhere/ca.pem",
            "REQUESTS_CA_BUNDLE": "/nowhere/ca.pem",
            **watching(place),
        }
        with place.serving(config_for(place, upstream), **strange) as serving:
            state = (await get(serving, "/crtui/v1/state")).json()
            nobody_reads(serving.process)
            answers = [(await ask(serving)).status_code for _ in range(3)]
            serving.process.terminate()
            code = serving.process.wait(10)
    told = (place.path / "watched").read_text().splitlines()
    assert answers == [502, 200, 200]
    assert proxy.requests == []
    assert [notice for notice in state["gateway"]["notices"] if "/dev/null/state" in notice]
    assert code == 0
    assert f"connects ('127.0.0.1', {upstream.port})" in told
    assert [line for line in told if not line.startswith("connects") or "127.0.0.1" not in line] == []


def nobody_reads(process: subprocess.Popen[str]) -> None:
    """Let go of the other ends of what it writes."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for pipe in (process.stdout, process.stderr):
        assert pipe is not None
        os.dup2(nothing, pipe.fileno())
    os.close(nothing)


PYTHONS: dict[str, dict[str, str]] = {
    "strict, without UTF-8, in Turkish": {
        "PYTHONWARNINGS": "error",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "LC_CTYPE": "C",
        "LANG": "tr_TR.UTF-8",
    },
    "in development mode, in German": {"PYTHONDEVMODE": "1", "LC_ALL": "de_DE.UTF-8"},
    "optimised": {"PYTHONOPTIMIZE": "2"},
}


@pytest.mark.long
@pytest.mark.fault("X17", "X26")
@pytest.mark.parametrize("name", PYTHONS)
def test_whatever_python_and_locale_the_same_bytes_come_out(place: Place, name: str) -> None:
    done = subprocess.run(
        [*CRTUI, "replay", str(TRACE), "--final-state"],
        capture_output=True,
        env={**place.environ, **PYTHONS[name]},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.replace(VERSION, b'"version":"*"') == printed(TRACE) != b""


@pytest.mark.long
@pytest.mark.fault("X17")
async def test_optimised_and_strict_it_serves_as_ever(place: Place) -> None:
    async with Upstream(GOOD) as upstream:
        config = config_for(place, upstream)
        with place.serving(config, PYTHONOPTIMIZE="2", PYTHONWARNINGS="error", PYTHONDEVMODE="1") as serving:
            answer = await ask(serving)
    assert answer.json() == COMPLETION


@pytest.fixture
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment with nothing in it that the program reads."""
    for name in list(os.environ):
        if name == "HOME" or name.startswith(("XDG_", "CRTUI_")) or name.endswith("_API_KEY"):
            monkeypatch.delenv(name)
    return monkeypatch


def said(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[object, str]:
    """The exit code of a command in this process, and everything it printed."""
    with pytest.raises(SystemExit) as left:
        main(args)
    out, err = capsys.readouterr()
    return left.value.code, out + err


@pytest.mark.fault("D03")
@pytest.mark.parametrize("home", [None, "/nowhere/at/all", "/dev/null"])
def test_without_a_home_it_says_what_is_missing_in_a_line(
    nothing_set: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: str | None
) -> None:
    if home is not None:
        nothing_set.setenv("HOME", home)
    code, text = said(capsys, "check")
    assert (code, text.count("\n")) == (2, 1)
    assert text.startswith("crtui: ")


@pytest.mark.fault("D26")
def test_a_dotenv_file_is_never_read(
    nothing_set: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    nothing_set.chdir(tmp_path)
    (tmp_path / ".env").write_text("OPENAI_API_KEY=sk-canary-0123456789abcdef\nCRTUI_LISTEN=127.0.0.1:1\n")
    config = tmp_path / "c.toml"
    config.write_text('[[provider]]\nname = "a"\nkind = "openai"\napi_key_env = "OPENAI_API_KEY"\n')
    _, text = said(capsys, "check", str(config))
    assert "OPENAI_API_KEY is not set" in text
    assert "canary" not in text


@pytest.mark.long
@pytest.mark.fault("X03", "X04")
async def test_stopped_it_goes_on_interrupted_it_drains_and_interrupted_again_it_ends(place: Place) -> None:
    gate = asyncio.Event()
    script = cut(CHAT_START, chat_text("hi"), gate, chat_text("there"), how="stall")
    async with Upstream(script) as upstream:
        with place.serving(config_for(place, upstream)) as serving:
            client = await RudeClient.connect(int(serving.url.rpartition(":")[2]))
            await client.ask("POST", "/v1/chat/completions", chat_request(stream=True))
            await client.read_some(b"hi")
            serving.process.send_signal(signal.SIGSTOP)
            gate.set()
            serving.process.send_signal(signal.SIGCONT)
            await client.read_some(b"there")
            serving.process.send_signal(signal.SIGINT)
            await asyncio.to_thread(_refuses, serving)
            serving.process.send_signal(signal.SIGINT)
            before = asyncio.get_running_loop().time()
            rest = await client.rest()
            took = asyncio.get_running_loop().time() - before
            client.close()
            code = await asyncio.to_thread(serving.process.wait, 10)
    assert b"the gateway is stopping" in rest
    assert not rest.endswith(b"0\r\n\r\n")
    assert took < 8, "it does not wait for the end of the ten seconds"
    assert code == 0


def _refuses(serving: Serving) -> None:
    """Wait until it takes no more connections."""
    while True:
        try:
            httpx.get(f"{serving.url}/healthz", trust_env=False)
        except httpx.ConnectError:
            return


STRUCK = """
import sys
from crtui import compose
async def failure(self):
    raise KeyError("sk-canary-0123456789")
compose.Stack.failure = failure
from crtui.cli import main
main(sys.argv[1:])
"""


@pytest.mark.long
@pytest.mark.fault("X11", "K12")
def test_a_gateway_that_fails_of_itself_ends_in_one_line_without_a_traceback(place: Place) -> None:
    config = place.config(PROVIDER.format("http://127.0.0.1:9"))
    args = ["serve", "--config", str(config), "--listen", "127.0.0.1:0"]
    done = subprocess.run(
        [sys.executable, "-c", STRUCK, *args], capture_output=True, text=True, env=place.environ, check=False
    )
    serves, failed = done.stderr.splitlines()
    assert done.returncode == 70
    assert "serves on" in serves
    assert failed == "crtui: the gateway has failed: KeyError in <string>:5; please report this"
    assert "canary" not in done.stdout + done.stderr
