"""A gateway that forgets nothing: stopped, killed and started again, exported and replayed, as processes."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import signal
import sqlite3
import statistics
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.conftest import CRTUI, Place, Serving
from tests.cli.test_cli import ONE, one_line
from tests.fakes.upstream import Upstream, ok_json, status
from tests.gateway import wires

pytestmark = pytest.mark.timeout(60)

ANSWER = ok_json(wires.COMPLETION)
PROVIDER = (
    '[[provider]]\nname = "{}"\nkind = "openai-compatible"\nbase_url = "{}"\nauth = "none"\npoll_s = 0\n'
)
RUNS = 2
AT_ONCE = 8
WITHIN_S = 1.0
"""What a kill may cost at most."""
RESTART_S = 10.0
"""Far above what a restart takes, which is printed: how busy the machine is decides."""


def config_for(place: Place, **upstreams: Upstream) -> Path:
    return place.config("".join(PROVIDER.format(name, up.url) for name, up in upstreams.items()))


async def ask(client: httpx.AsyncClient, serving: Serving) -> httpx.Response:
    body = {"model": "m", "messages": [{"role": "user", "content": "a private question"}]}
    return await client.post(f"{serving.url}/v1/chat/completions", json=body)


async def run(place: Place, *args: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(place.run, *args)


async def state_of(place: Place, serving: Serving) -> dict[str, Any]:
    return json.loads((await run(place, "status", "--json", serving.url)).stdout)


def lasting(state: dict[str, Any]) -> list[Any]:
    """What does not change by time alone, so that it can be compared a moment later."""
    keys = (
        "name",
        "standing",
        "reasons",
        "health",
        "quota",
        "operator",
        "usage",
        "latency",
        "budget",
        "models",
    )
    return [{key: row[key] for key in keys} for row in state["providers"]]


def replayed(place: Place, trace: bytes) -> dict[str, Any]:
    done = subprocess.run(
        [*CRTUI, "replay", "-", "--final-state"],
        input=trace,
        capture_output=True,
        env=place.environ,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


async def exported(place: Place, serving: Serving, attempts: int) -> bytes:
    """The export of a gateway that runs, once the journal has that many attempts."""
    while True:
        done = await run(place, "export")
        if done.returncode == 0 and done.stdout.count('"input":"attempt"') >= attempts:
            return done.stdout.encode()
        assert serving.process.poll() is None


async def test_export_piped_into_replay_ends_in_the_state_that_is_shown_live(place):
    limited = status(429, {"error": {"message": "slow down"}}, ("retry-after", "600"))
    async with Upstream(limited) as a, Upstream(ANSWER) as b, httpx.AsyncClient() as client:
        with place.serving(config_for(place, a=a, b=b)) as serving:
            for _ in range(5):
                assert (await ask(client, serving)).status_code == 200
            address = serving.url.removeprefix("http://")
            assert (await run(place, "demote", "b", "--for", "1h", "--listen", address)).returncode == 0
            shown = await state_of(place, serving)
            attempts = sum(row["usage"]["requests"] for row in shown["providers"])
            trace = await exported(place, serving, attempts)
        after = (await run(place, "export")).stdout.encode()

    assert attempts == 6
    for lines in (trace, after):
        again = replayed(place, lines)
        assert lasting(again) == lasting(shown)
        assert again["gateway"]["requests"] == shown["gateway"]["requests"] == 5
    assert b"private question" not in trace + after


async def test_a_gateway_that_is_stopped_and_started_knows_what_it_knew(place):
    async with Upstream(ANSWER) as a, httpx.AsyncClient() as client:
        config = config_for(place, a=a)
        with place.serving(config) as serving:
            await ask(client, serving)
            await run(place, "drain", "a", "--listen", serving.url.removeprefix("http://"))
            before = await state_of(place, serving)
        with place.serving(config) as serving:
            after = await state_of(place, serving)

    assert (before["gateway"]["requests"], after["gateway"]["requests"]) == (1, 0)
    assert lasting(after) == lasting(before)
    assert after["providers"][0]["operator"]["override"] == "drained"
    assert [event["kind"] for event in after["events"]] == [event["kind"] for event in before["events"]]


class Counted:
    """Load from several callers at once, and when each of its answers came."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self.answered: list[float] = []
        self.sent = 0
        self._more = asyncio.Event()

    async def call(self, client: httpx.AsyncClient) -> None:
        while True:
            self.sent += 1
            assert (await ask(client, self._serving)).status_code == 200
            self.answered.append(asyncio.get_running_loop().time())
            self._more.set()

    async def until(self, answers: int) -> None:
        while len(self.answered) < answers:
            self._more.clear()
            await self._more.wait()

    def before(self, moment: float) -> int:
        return sum(at <= moment for at in self.answered)


async def load_and_kill(serving: Serving, answers: int) -> tuple[int, int]:
    """Kill it at that many answers: how many attempts must be known afterwards, and may be at most."""
    counted = Counted(serving)
    async with httpx.AsyncClient() as client:
        callers = [asyncio.create_task(counted.call(client)) for _ in range(AT_ONCE)]
        await counted.until(answers)
        killed_at = asyncio.get_running_loop().time()
        serving.process.send_signal(signal.SIGKILL)
        await asyncio.gather(*callers, return_exceptions=True)
    return counted.before(killed_at - WITHIN_S), counted.sent


def quick_check(place: Place, copy: Path) -> str:
    """The journal as the dead process left it, looked at on a copy."""
    copy.mkdir()
    for file in (place.path / "state").glob("journal.db*"):
        shutil.copy(file, copy)
    db = sqlite3.connect(copy / "journal.db")
    try:
        return db.execute("PRAGMA quick_check").fetchone()[0]
    finally:
        db.close()
        shutil.rmtree(copy)


async def kill_again_and_again(place: Place, times: int) -> list[float]:
    """Start, look what is known, load, kill: how many seconds each start after a kill took."""
    dice = random.Random(times)
    least = most = 0
    starts: list[float] = []
    now = asyncio.get_running_loop().time
    async with Upstream(ANSWER) as a, httpx.AsyncClient() as client:
        config = config_for(place, a=a)
        for _ in range(times + 1):
            began = now()
            with place.serving(config) as serving:
                starts.append(now() - began)
                state = (await client.get(f"{serving.url}/crtui/v1/state")).json()
                known = state["providers"][0]["usage"]["requests"]
                assert least <= known <= most
                assert state["gateway"]["notices"] == []
                must, may = await load_and_kill(serving, dice.randrange(20, 600))
            assert quick_check(place, place.path / "copy") == "ok"
            least, most = known + must, known + may
    return starts[1:]


@pytest.mark.fault("D07", "X05")
@pytest.mark.parametrize(
    "times", [RUNS, pytest.param(100, marks=[pytest.mark.long, pytest.mark.timeout(900)])]
)
async def test_a_kill_at_any_moment_loses_at_most_the_last_second_and_breaks_nothing(
    place: Place, times: int
) -> None:
    restarts = await kill_again_and_again(place, times)
    print(f"{times} kills; up again after {statistics.median(restarts):.2f} s, at most {max(restarts):.2f} s")
    assert statistics.median(restarts) < RESTART_S


@pytest.mark.fault("D09")
def test_a_second_gateway_on_the_same_directory_says_whose_it_is_and_serves(place):
    config = place.config(ONE)
    with place.serving(config) as first, place.serving(config) as second:
        notices = json.loads(place.run("status", "--json", second.url).stdout)["gateway"]["notices"]

    assert [f"(pid {first.process.pid})" in notice for notice in notices] == [True]


def test_a_damaged_journal_is_told_in_one_line_and_the_gateway_serves(place):
    config = place.config(ONE)
    with place.serving(config):
        pass
    (place.path / "state" / "journal.db").write_bytes(b"")
    assert "is damaged" in one_line(place.run("export").stderr)
    with place.serving(config) as serving:
        notices = json.loads(place.run("status", "--json", serving.url).stdout)["gateway"]["notices"]

    assert len(notices) == 1
    assert "the journal was damaged; it is kept as journal.db.bad-" in notices[0]


@pytest.mark.fault("D29")
def test_export_writes_a_new_private_file_and_never_over_another(place):
    with place.serving(place.config(ONE)):
        pass
    out = place.path / "out.jsonl"
    assert place.run("export", "--out", str(out)).returncode == 0
    assert json.loads(out.read_text().splitlines()[0])["crtui"] == "trace"
    assert out.stat().st_mode & 0o777 == 0o600
    again = place.run("export", "--out", str(out))
    assert again.returncode == 2
    assert "exists; name another file" in one_line(again.stderr)
    link = place.path / "link.jsonl"
    link.symlink_to("nowhere")

    assert place.run("export", "--out", str(link)).returncode == 2
    assert not (place.path / "nowhere").exists()


def test_export_without_a_journal_says_what_to_do(place):
    done = place.run("export")

    assert done.returncode == 2
    assert "no journal at" in one_line(done.stderr)


def test_export_since_says_where_it_begins_if_the_run_is_younger(place):
    with place.serving(place.config(ONE)):
        done = place.run("export", "--since", "2h")

    assert "exported from there" in one_line(done.stderr)
    assert replayed(place, done.stdout.encode())["providers"][0]["name"] == "a"


def test_export_to_a_reader_that_leaves_ends_quietly(place):
    with place.serving(place.config(ONE)):
        pass
    process = subprocess.Popen(
        [*CRTUI, "export"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=place.environ
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    told = process.stderr.read()
    process.stderr.close()

    assert (process.wait(10), told) == (0, b"")


@pytest.mark.parametrize(
    ("trace", "words"),
    [
        ("", "/dev/stdin:1: the trace is empty"),
        ("{}\n", "/dev/stdin:1: a trace starts with"),
        ('{"crtui":"trace","version":9}\n', "version 9 cannot be read"),
    ],
)
def test_a_bad_trace_on_stdin_is_one_line_with_its_number(place, trace, words):
    done = subprocess.run(
        [*CRTUI, "replay", "-"], input=trace, capture_output=True, text=True, env=place.environ
    )

    assert done.returncode == 2
    assert words in one_line(done.stderr)


def test_signals_are_read_without_a_gateway_and_refreshed_by_a_free_probe(place):
    config = place.config(ONE)
    done = place.run("signals", "--config", str(config))
    assert (done.returncode, done.stdout.split()) == (0, ["unknown", "a"])
    done = place.run("signals", "a", "--refresh", "--json", "--config", str(config))
    [signal_] = json.loads(done.stdout)

    assert (signal_["status"], signal_["fresh"]) == ("degraded", True)
    assert "refused" in signal_["last_error_msg"]
    assert "refused" in place.run("signals", "--config", str(config)).stdout
    unknown = place.run("signals", "b", "--config", str(config))
    assert unknown.returncode == 2
    assert "unknown provider 'b'" in one_line(unknown.stderr)


def test_the_state_of_a_gateway_looks_ahead(place):
    with place.serving(place.config(ONE)) as serving:
        forecast = json.loads(place.run("status", "--json", serving.url).stdout)["forecast"]

    assert [lane["provider"] for lane in forecast["lanes"]] == ["a"]
    assert forecast["start"] < forecast["end"]


KEYED = (
    '[[provider]]\nname = "a"\nkind = "openai-compatible"\nbase_url = "{}"\napi_key_env = "{}"\npoll_s = 0\n'
)


@pytest.mark.parametrize("change", ["nothing", "the key", "its variable", "the address"])
async def test_a_refused_credential_stays_refused_until_it_is_another_one(place, change):
    refused = status(401, {"error": {"message": "no such key"}})
    first, second = {"A_KEY": "canary-first-key-0123456789"}, {"A_KEY": "canary-other-key-0123456789"}
    async with Upstream(refused) as here, Upstream(ANSWER) as there, httpx.AsyncClient() as client:
        with place.serving(place.config(KEYED.format(here.url, "A_KEY")), **first) as serving:
            assert (await ask(client, serving)).status_code == 502
            [row] = (await state_of(place, serving))["providers"]
            assert (row["standing"], row["reasons"][0]["guard"]) == ("excluded", "auth")
        config, environ = {
            "nothing": ((here.url, "A_KEY"), first),
            "the key": ((here.url, "A_KEY"), second),
            "its variable": ((here.url, "B_KEY"), {**first, "B_KEY": second["A_KEY"]}),
            "the address": ((there.url, "A_KEY"), first),
        }[change]
        for _ in range(RUNS):
            with place.serving(place.config(KEYED.format(*config)), **environ) as serving:
                [row] = (await state_of(place, serving))["providers"]
                told = await exported(place, serving, 0)
            assert row["standing"] == ("excluded" if change == "nothing" else "eligible")
            assert (row["health"]["last_error"] is None) is (change != "nothing")
    kept = (place.path / "state" / "credentials.json").read_bytes()
    assert b"canary" not in kept + told
