"""A terminal that nobody reads: the dashboard waits for it, the requests do not."""

from __future__ import annotations

import asyncio
import fcntl
import json
import re
import statistics
import struct
import termios
import time
import urllib.request
from pathlib import Path

import pytest

from crtui.tui.fmt import count
from tests.fakes.terminal import Terminal, crtui, environ
from tests.fakes.upstream import JSON, Exchange, Upstream

STALL_S = 30.0
ANSWER = json.dumps(
    {"choices": [{"message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]}
)

pytestmark = [pytest.mark.long, pytest.mark.timeout(120)]


async def answer(exchange: Exchange) -> None:
    await exchange.head(200, JSON, ("content-length", str(len(ANSWER))))
    await exchange.raw(ANSWER.encode())


def config(path: Path, upstream: str) -> Path:
    path.write_text(
        '[gateway]\nlisten = "127.0.0.1:0"\n'
        f'[[provider]]\nname = "p"\nkind = "openai-compatible"\nbase_url = "{upstream}/v1"\n'
        'auth = "none"\npoll_s = 0\n'
    )
    return path


def ask(url: str) -> float:
    """Seconds that one request takes."""
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}]}).encode()
    wanted = urllib.request.Request(f"{url}/v1/chat/completions", body, {"content-type": "application/json"})
    began = time.perf_counter()
    with urllib.request.urlopen(wanted, timeout=10) as reply:
        assert reply.status == 200
        reply.read()
    return time.perf_counter() - began


async def latencies(url: str, seconds: float) -> list[float]:
    """One request after the other, for so long; whoever answers them here must not wait for it."""
    end, taken = time.perf_counter() + seconds, []
    while time.perf_counter() < end:
        taken.append(await asyncio.to_thread(ask, url))
    return taken


def unread(terminal: Terminal) -> int:
    """The bytes that wait in the terminal for a reader."""
    return struct.unpack("i", fcntl.ioctl(terminal.fd, termios.FIONREAD, b"\0" * 4))[0]


async def test_a_terminal_that_is_not_read_for_30_s_delays_no_request(tmp_path):
    async with Upstream(answer) as upstream:
        path = config(tmp_path / "config.toml", upstream.url)
        with Terminal(crtui("--config", str(path)), environ(tmp_path), (140, 40)) as terminal:
            await asyncio.to_thread(terminal.until, "No traffic yet")
            url = re.search(r"http://127\.0\.0\.1:\d+", terminal.text())[0]
            reading = asyncio.create_task(asyncio.to_thread(terminal.read, 4))
            before = await latencies(url, 3)
            await reading

            stalled = await latencies(url, STALL_S - 5)
            held = unread(terminal)
            stalled += await latencies(url, 5)
            assert held == unread(terminal) > 0, "the terminal still takes what is written: no stall"

            await asyncio.to_thread(terminal.until, "LIVE", f"{count(len(before) + len(stalled))} requests")
            terminal.send("q")
            assert await asyncio.to_thread(terminal.wait) == 0

    usual, median, worst = (
        1000 * x for x in (statistics.median(before), statistics.median(stalled), max(stalled))
    )
    print(f"{len(stalled)} requests: median {median:.1f} ms ({usual:.1f} before), worst {worst:.0f} ms")
    assert median < 2 * usual + 5
    assert worst < 1000
