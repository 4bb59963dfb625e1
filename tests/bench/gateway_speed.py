"""What the gateway adds: against the bare upstream, nginx, and other routers, interleaved in one run.

    python -m tests.bench.gateway_speed [--seconds 5] [--rounds 3] [--rivals coderouter litellm]

All run on this machine at the same time as their load, so only ratios within one run mean
anything. nginx is Debian's; rivals are started from commands on PATH (``coderouter``, ``litellm``).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.fakes.terminal import ROOT, Terminal, crtui, environ

TICKS = os.sysconf("SC_CLK_TCK")
NGINX = """
daemon off; worker_processes 1; pid {home}/nginx.pid; error_log {home}/nginx.err crit;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {home}/body; proxy_temp_path {home}/proxy;
  fastcgi_temp_path {home}/f; uwsgi_temp_path {home}/u; scgi_temp_path {home}/s;
  keepalive_requests 1000000;
  upstream up {{ server 127.0.0.1:{up}; keepalive 256; keepalive_requests 1000000; }}
  server {{ listen 127.0.0.1:{port}; location / {{ {location} }} }}
}}
"""
NGINX_WAYS = {
    "nginx": "proxy_buffering off; proxy_pass http://127.0.0.1:{up};",
    "nginx, tuned": "proxy_buffering off; proxy_pass http://up; "
    'proxy_http_version 1.1; proxy_set_header Connection "";',
}
"""As one line sets it up, with a connection to the upstream for each request; and with those kept."""
COLUMNS = (
    "way",
    "added p50",
    "× nginx",
    "added p99",
    "requests/s at 64",
    "CPU per 1 000",
    "first chunk added (50 streams)",
    "chunks/s",
    "failed",
    "memory",
)
CONFIG = """
[gateway]
listen = "127.0.0.1:{port}"
max_in_flight = 2000
[[provider]]
name = "up"
kind = "openai-compatible"
base_url = "http://127.0.0.1:{up}/v1"
auth = "none"
poll_s = 0
"""


class Way:
    """One way from the client to the upstream."""

    def __init__(self, name: str, url: str, pids: list[int]) -> None:
        self.name = name
        self.url = url
        self.pids = pids
        self.rounds: dict[str, list[dict[str, Any]]] = {}

    def cpu(self) -> float:
        """Processor seconds of its processes so far."""
        total = 0
        for pid in self.pids:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def rss(self) -> float:
        """Their resident memory in MiB."""
        pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.pids)
        return pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rivals", nargs="*", default=[])
    args = parser.parse_args()
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ways = list(_ways(stack, home, args.rivals))
        for round_ in range(args.rounds):
            for way in ways:
                print(f"\rround {round_ + 1}: {way.name:<20}", end="", file=sys.stderr)
                _measure(way, args.seconds)
        print(file=sys.stderr)
        _report(ways)


def _measure(way: Way, seconds: float) -> None:
    for kind, options in (
        ("one", ["--connections", "1"]),
        ("many", ["--connections", "64"]),
        ("streams", ["--connections", "50", "--stream"]),
    ):
        before = way.cpu()
        result = _client(way.url, seconds, options)
        result["cpu_s"] = way.cpu() - before
        result["rss"] = way.rss()
        way.rounds.setdefault(kind, []).append(result)


def _client(url: str, seconds: float, options: list[str]) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.load", "client", url, "--seconds", str(seconds), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def _report(ways: list[Way]) -> None:
    direct, nginx = ways[0], next((way for way in ways if way.name == "nginx"), None)
    base = _median(direct, "one", "p50_ms")
    added_nginx = _median(nginx, "one", "p50_ms") - base if nginx else float("nan")
    print(f"| {' | '.join(COLUMNS)} |")
    print("|---" * len(COLUMNS) + "|")
    for way in ways:
        added = _median(way, "one", "p50_ms") - base
        p99 = _median(way, "one", "p99_ms") - _median(direct, "one", "p99_ms")
        first = _median(way, "streams", "first_p50_ms") - _median(direct, "streams", "first_p50_ms")
        per_s = _median(way, "many", "per_s")
        cpu = statistics.median(1000 * r["cpu_s"] / max(1, r["requests"]) for r in way.rounds["many"])
        chunks = _median(way, "streams", "chunks_per_s")
        memory = max(r["rss"] for r in way.rounds["many"])
        failed = sum(r["failed"] for rounds in way.rounds.values() for r in rounds)
        print(
            f"| {way.name} | {added:.2f} ms | {added / added_nginx:.1f} | {p99:.2f} ms | {per_s:,.0f} | "
            f"{cpu * 1000:.0f} ms | {first:.2f} ms | {chunks:,.0f} | {failed} | {memory:.0f} MiB |"
        )


def _median(way: Way, kind: str, field: str) -> float:
    return statistics.median(r[field] for r in way.rounds[kind])


def _ways(stack: contextlib.ExitStack, home: Path, rivals: list[str]) -> Iterator[Way]:
    up = stack.enter_context(_running([sys.executable, "-m", "tests.bench.load", "upstream"], cwd=ROOT))
    assert up.stdout is not None
    port = int(up.stdout.readline())
    path = "/v1/chat/completions"
    yield Way("straight", f"http://127.0.0.1:{port}{path}", [up.pid])
    if shutil.which("nginx"):
        for name, location in NGINX_WAYS.items():
            yield _nginx(stack, home, port, path, name, location.format(up=port))
    yield _headless(stack, home, port, path)
    yield _with_dashboard(stack, home, port, path)
    if "coderouter" in rivals:
        yield _coderouter(stack, home, port, path)
    if "litellm" in rivals:
        yield _litellm(stack, home, port, path)


def _nginx(stack: contextlib.ExitStack, home: Path, up: int, path: str, name: str, location: str) -> Way:
    port = _free_port()
    home = home / name.replace(", ", "-")
    home.mkdir()
    file = home / "nginx.conf"
    file.write_text(NGINX.format(home=home, up=up, port=port, location=location))
    process = stack.enter_context(_running(["nginx", "-c", str(file), "-p", str(home)]))
    _wait(port)
    workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return Way(name, f"http://127.0.0.1:{port}{path}", [process.pid, *map(int, workers)])


def _headless(stack: contextlib.ExitStack, home: Path, up: int, path: str) -> Way:
    port = _free_port()
    file = home / "headless.toml"
    file.write_text(CONFIG.format(up=up, port=port))
    env = environ(home / "headless")
    process = stack.enter_context(
        _running([*crtui("serve", "--config", str(file)), "--state-dir", str(home / "s1")], env=env)
    )
    _wait(port)
    return Way("crtui headless", f"http://127.0.0.1:{port}{path}", [process.pid])


def _with_dashboard(stack: contextlib.ExitStack, home: Path, up: int, path: str) -> Way:
    port = _free_port()
    file = home / "dashboard.toml"
    file.write_text(CONFIG.format(up=up, port=port))
    argv = crtui("--config", str(file), "--state-dir", str(home / "s2"))
    terminal = stack.enter_context(Terminal(argv, environ(home / "dashboard")))
    terminal.until("up", "quit")
    reader = stack.enter_context(_reading(terminal))
    _wait(port)
    del reader
    return Way("crtui with dashboard", f"http://127.0.0.1:{port}{path}", [terminal.pid])


def _coderouter(stack: contextlib.ExitStack, home: Path, up: int, path: str) -> Way:
    port = _free_port()
    file = home / "providers.yaml"
    file.write_text(
        "default_profile: default\nproviders:\n  - name: up\n    kind: openai_compat\n"
        f"    base_url: http://127.0.0.1:{up}/v1\n    model: m\n"
        "profiles:\n  - name: default\n    providers: [up]\n"
    )
    command = ["coderouter", "serve", "--config", str(file), "--port", str(port)]
    process = stack.enter_context(_running(command))
    _wait(port, 60)
    return Way("CodeRouter", f"http://127.0.0.1:{port}{path}", [process.pid])


def _litellm(stack: contextlib.ExitStack, home: Path, up: int, path: str) -> Way:
    port = _free_port()
    file = home / "litellm.yaml"
    file.write_text(
        "model_list:\n  - model_name: m\n    litellm_params:\n      model: openai/m\n"
        f"      api_base: http://127.0.0.1:{up}/v1\n      api_key: sk-x\n"
    )
    command = ["litellm", "--config", str(file), "--port", str(port), "--host", "127.0.0.1"]
    process = stack.enter_context(_running(command))
    _wait(port, 120)
    return Way("LiteLLM", f"http://127.0.0.1:{port}{path}", [process.pid])


@contextlib.contextmanager
def _running(command: list[str], **more: Any) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        text=True,
        **more,
    )
    drain = None
    try:
        if "upstream" not in command:
            import threading

            drain = threading.Thread(target=process.stdout.read, daemon=True)  # type: ignore[union-attr]
            drain.start()
        yield process
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()


@contextlib.contextmanager
def _reading(terminal: Terminal) -> Iterator[None]:
    """Keep taking what the dashboard writes, as a terminal would, without drawing it."""
    import threading

    stop = threading.Event()

    def read() -> None:
        import select

        while not stop.is_set():
            if select.select([terminal.fd], [], [], 0.2)[0]:
                os.read(terminal.fd, 65536)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def _wait(port: int, within: float = 20) -> None:
    end = time.monotonic() + within
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on {port}")


if __name__ == "__main__":
    main()
