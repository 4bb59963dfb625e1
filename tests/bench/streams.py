"""A thousand streams at the same time through ``crtui serve``: none may break, memory must stay small.

    python -m tests.bench.streams [--streams 1000] [--every 0.2]

Each stream is 100 chunks, one every so many seconds. Exits 1 where one failed, where they were not all
under way together, or where memory passed 250 MiB.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvloop

from tests.bench import load, process
from tests.cli.conftest import Place
from tests.fakes.terminal import ROOT

LIMIT_MIB = 250
LOOK_EVERY_S = 0.5
CONFIG = """
[gateway]
max_in_flight = {limit}
[[provider]]
name = "up"
kind = "openai-compatible"
base_url = "http://127.0.0.1:{port}/v1"
auth = "none"
poll_s = 0
"""


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--every", type=float, default=0.2, help="seconds between the chunks of a stream")
    parser.add_argument("--be-upstream", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.be_upstream:
        load.CHUNK_EVERY_S = args.every
        uvloop.run(load._upstream())
    with tempfile.TemporaryDirectory() as made, _upstream(args.every) as port:
        place = Place(Path(made))
        config = place.config(CONFIG.format(limit=2 * args.streams, port=port))
        with place.serving(config, CRTUI_LISTEN="127.0.0.1:0") as gateway:
            return _measure(gateway.url, gateway.process.pid, args.streams, args.every)


def _measure(url: str, pid: int, streams: int, every_s: float) -> int:
    idle, cpu = process.rss_mib(pid), process.cpu_seconds(pid)
    together, result = _run(url, streams, every_s)
    cpu, peak = process.cpu_seconds(pid) - cpu, process.peak_rss_mib(pid)
    chunks = streams * load.CHUNKS
    print(f"{result['requests']} of {streams} streams whole, {result['failed']} failed, {together} at once")
    print(f"memory: {idle:.0f} MiB before, {peak:.0f} MiB at most (limit {LIMIT_MIB})")
    p50, p99 = result["stream_p50_ms"] / 1000, result["p99_ms"] / 1000
    print(f"{load.CHUNKS} chunks at {every_s:g} s took {p50:.2f} s (p50), {p99:.2f} s (p99)")
    print(f"processor: {cpu:.1f} s for {chunks:,} chunks, {1e6 * cpu / chunks:.0f} µs each")
    good = result["requests"] == together == streams and not result["failed"] and peak < LIMIT_MIB
    print("good" if good else "NOT GOOD")
    return int(not good)


def _run(url: str, streams: int, every_s: float) -> tuple[int, dict[str, Any]]:
    """How many were under way at the same time, and what the client saw."""
    # Every connection asks again until the time is over: half a stream's time, so each asks once.
    seconds = load.CHUNKS * every_s / 2
    command = [sys.executable, "-m", "tests.bench.load", "client", f"{url}/v1/chat/completions", "--stream"]
    command += ["--connections", str(streams), "--seconds", str(seconds)]
    together = 0
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as client:
        while client.poll() is None:
            state = httpx.get(f"{url}/crtui/v1/state", timeout=30).json()
            together = max(together, state["gateway"]["in_flight"])
            time.sleep(LOOK_EVERY_S)
        assert client.stdout is not None
        told = client.stdout.read()
    if client.returncode:
        raise SystemExit("the client ended with an error; streams never came to their end")
    return together, json.loads(told)


@contextmanager
def _upstream(every_s: float) -> Iterator[int]:
    """The provider, in a process of its own; its port."""
    command = [sys.executable, "-m", "tests.bench.streams", "--be-upstream", "--every", str(every_s)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as upstream:
        try:
            assert upstream.stdout is not None
            yield int(upstream.stdout.readline())
        finally:
            upstream.terminate()


if __name__ == "__main__":
    sys.exit(main())
