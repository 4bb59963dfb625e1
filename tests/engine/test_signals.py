"""Runtime signals: what other programs read of each provider, whole at any moment, and nowhere else."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crtui.clock import ManualClock, SystemClock
from crtui.core.inputs import Limits, Poll, WindowReport
from crtui.core.now import HOUR
from crtui.engine.lock import FileLock
from crtui.engine.refresh import Refresher
from crtui.engine.signals import TTL_MS, WRITE_EVERY_MS, Signal, SignalFiles, SignalWriter, after_poll
from tests.engine.conftest import Live

FULL = Signal("a", "degraded", 7, 1_795_165_200_000, 850_000_000, 5, 6, "boom", 1_795_165_200_123)


@pytest.fixture
def files(tmp_path: Path) -> SignalFiles:
    return SignalFiles(tmp_path)


@pytest.mark.parametrize(
    "signal", [FULL, Signal("b"), replace(FULL, quota_remaining=None, last_error_msg="")]
)
@pytest.mark.fault("D14")
def test_what_is_written_is_read_back_and_private(files, signal):
    old = os.umask(0)
    try:
        files.write(signal)
    finally:
        os.umask(old)

    assert files.read(signal.provider) == signal
    assert stat.S_IMODE(files.path(signal.provider).stat().st_mode) == 0o600
    assert stat.S_IMODE(files.folder.stat().st_mode) == 0o700


def test_the_file_has_the_keys_that_other_programs_know_and_leaves_out_what_is_unknown(files):
    files.write(FULL)
    files.write(Signal("b"))

    assert json.loads(files.path("a").read_text()) == {
        "provider": "a",
        "status": "degraded",
        "quota_remaining": 7,
        "recent_p50_latency_ns": 850_000_000,
        "quota_reset_at": "2026-11-20T09:00:00.000Z",
        "last_success_at": "1970-01-01T00:00:00.005Z",
        "last_error_at": "1970-01-01T00:00:00.006Z",
        "last_error_msg": "boom",
        "recorded_at": "2026-11-20T09:00:00.123Z",
    }
    assert json.loads(files.path("b").read_text()) == {"provider": "b", "status": "unknown"}


@pytest.mark.parametrize(
    "name", ["../a", "a/b", "", ".", "..", ".a", "a\0", "a\n", "ä", "a" * 65, "/etc/passwd"]
)
@pytest.mark.fault("D28", "K21")
def test_no_name_leads_out_of_the_directory(files, name):
    with pytest.raises(ValueError, match="no provider's name"):
        files.path(name)
    assert files.read(name) is None


@given(st.binary(max_size=300))
def test_a_damaged_file_reads_as_none(tmp_path_factory, data):
    files = SignalFiles(tmp_path_factory.mktemp("signals"))
    files.write(FULL)
    files.path("a").write_bytes(data)

    assert files.read("a") is None


@pytest.mark.parametrize(
    "change",
    [
        {"status": "fine"},
        {"status": None},
        {"provider": "b"},
        {"recorded_at": "yesterday"},
        {"recorded_at": 3},
        {"quota_reset_at": []},
    ],
)
def test_a_file_that_says_what_cannot_be_reads_as_none(files, change):
    files.write(FULL)
    files.path("a").write_text(json.dumps({**FULL.to_json(), **change}))

    assert files.read("a") is None


def test_a_signal_holds_for_five_minutes_and_never_ahead_of_time():
    at = FULL.recorded_at
    assert at is not None

    assert [FULL.fresh(at + ms) for ms in (-1, 0, TTL_MS - 1, TTL_MS)] == [False, True, True, False]
    assert not Signal("a").fresh(at)


def written(live: Live, writer: SignalWriter, files: SignalFiles) -> Signal | None:
    writer.offer(live.engine.take_changed())
    writer.turn()
    return files.read("a")


@pytest.fixture
def writer(live: Live, files: SignalFiles) -> SignalWriter:
    live.start()
    return SignalWriter(files, live.clock, live.notices)


def test_a_signal_follows_the_provider_through_its_states(live, writer, files):
    assert written(live, writer, files) is None
    live.serve()
    good = written(live, writer, files)
    assert (good.status, good.recent_p50_latency_ns) == ("available", 700_000_000)
    assert good.last_success_at == good.recorded_at == live.clock.now().wall

    live.clock.advance(WRITE_EVERY_MS)
    live.serve(2, ok=False, message="boom")
    bad = written(live, writer, files)
    assert (bad.status, bad.last_error_msg) == ("degraded", "boom")
    assert bad.last_success_at == good.last_success_at
    assert bad.last_error_at == live.clock.now().wall

    live.clock.advance(WRITE_EVERY_MS)
    window = WindowReport("5h", "headers", 100.0, 0.0, 100.0, live.clock.now().wall + HOUR)
    live.answer("a", ok=False, status=429, limits=Limits(windows=(window,)))
    out = written(live, writer, files)
    assert (out.status, out.quota_remaining) == ("exhausted", 0)
    assert out.quota_reset_at == window.resets_at


def test_a_provider_is_written_at_most_every_two_seconds_and_last_of_all_at_the_end(live, writer, files):
    live.serve()
    first = written(live, writer, files)
    live.serve(2, ok=False)
    assert written(live, writer, files) == first
    writer.close()

    assert files.read("a").status == "degraded"


def test_a_provider_of_which_nothing_was_heard_is_not_written(live, writer, files):
    live.serve()
    written(live, writer, files)

    assert files.read("b") is None


def test_a_directory_that_cannot_be_written_harms_nobody_and_is_told(live):
    live.start()
    writer = SignalWriter(SignalFiles(Path("/dev/null")), live.clock, live.notices)
    live.serve()
    writer.offer(live.engine.take_changed())
    writer.turn()
    writer.close()
    assert list(live.notices) == ["signals are not kept: /dev/null/runtime is no directory; remove it"]


@pytest.mark.parametrize(
    ("poll", "before", "status"),
    [
        (Poll("a", ok=True), None, "available"),
        (Poll("a", ok=True), FULL, "available"),
        (Poll("a", ok=False, error="refused"), None, "degraded"),
        (Poll("a", ok=True, windows=(WindowReport("5h", "poll", 100.0),)), None, "exhausted"),
        (Poll("a", ok=False), replace(FULL, status="exhausted"), "exhausted"),
    ],
)
def test_a_poll_decides_the_status(poll, before, status):
    signal = after_poll(poll, before, 1_795_165_200_124)

    assert (signal.status, signal.recorded_at) == (status, 1_795_165_200_124)
    assert (signal.last_error_at == signal.recorded_at) == (not poll.ok)


class Endpoint:
    """A provider's free endpoint that answers when it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.answers = asyncio.Event()

    async def __call__(self, name: str) -> Poll:
        self.asked += 1
        await self.answers.wait()
        return Poll(name, ok=True)


async def test_however_many_ask_at_once_one_probe_is_sent(files):
    endpoint = Endpoint()
    refresher = Refresher(files, endpoint, ManualClock())
    tasks = [asyncio.create_task(refresher.refresh("a")) for _ in range(20)]
    while not endpoint.asked:  # noqa: ASYNC110
        await asyncio.sleep(0)
    tasks[0].cancel()
    endpoint.answers.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)

    assert endpoint.asked == 1
    assert isinstance(found[0], asyncio.CancelledError)
    assert {signal.status for signal in found[1:]} == {"available"}
    await refresher.refresh("a")
    assert endpoint.asked == 2


async def test_who_finds_another_process_asking_waits_and_reads_what_it_wrote(files):
    endpoint = Endpoint()
    refresher = Refresher(files, endpoint, ManualClock())
    files.write(Signal("a"))
    other = FileLock(files.path("a", ".lock"))
    assert other.take()
    waiting = asyncio.create_task(refresher.refresh("a"))
    for _ in range(5):  # it has looked at the lock by then, and waits
        await asyncio.sleep(0)
    files.write(FULL)
    other.release()

    assert await waiting == FULL
    assert endpoint.asked == 0


def test_a_process_that_dies_while_it_asks_blocks_nobody(files):
    files.folder.mkdir()
    script = (
        "import os; from pathlib import Path; from crtui.engine.lock import FileLock\n"
        f"assert FileLock(Path({str(files.path('a', '.lock'))!r})).take(); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -9

    async def ask(name: str) -> Poll:
        return Poll(name, ok=True)

    signal = asyncio.run(Refresher(files, ask, ManualClock()).refresh("a"))
    assert signal.status == "available"


async def test_an_endpoint_that_does_not_answer_in_time_leaves_what_was_known(files):
    files.write(FULL)
    refresher = Refresher(files, Endpoint(), SystemClock(), deadline_s=0.01)

    assert await refresher.refresh("a") == FULL
    assert await refresher.refresh("b") == Signal("b")
    assert FileLock(files.path("a", ".lock")).take(), "the lock is free again"
