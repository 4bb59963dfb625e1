"""What following agents' logs costs: time to the first numbers, to all of them, memory, and tailing.

    python -m tests.bench.log_cost --gb 2

makes a tree of Claude Code logs of that size and lets a watcher loose on it, in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FILE_MB = 4
TAILED_S = 30.0
HOUR_S = 3600


def make_tree(root: Path, gb: float) -> int:
    """Logs as Claude Code writes them: half the bytes are what tools and people said. Returns the answers."""
    rng = random.Random(1)
    filler = "".join(rng.choice("abcdefghij klmnop\\n") for _ in range(20_000))
    now, answers = time.time(), 0
    count = max(1, round(gb * 1024 / FILE_MB))
    for number in range(count):
        folder = root / "projects" / f"project-{number % 40}"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"session-{number:05d}.jsonl"
        ended = now - number * 2 * HOUR_S
        with file.open("w", encoding="utf-8") as out:
            while out.tell() < FILE_MB << 20:
                at = ended - HOUR_S + HOUR_S * out.tell() / (FILE_MB << 20)
                out.write(_tool_line(rng, filler))
                out.write(_answer_line(rng, filler, f"{number}-{answers}", at))
                answers += 1
        os.utime(file, (ended, ended))
    return answers


def _stamp(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + ".000Z"


def _tool_line(rng: random.Random, filler: str) -> str:
    text = filler[: rng.randrange(200, 12_000)]
    return (
        json.dumps({"type": "user", "message": {"content": [{"type": "tool_result", "content": text}]}})
        + "\n"
    )


def _answer_line(rng: random.Random, filler: str, key: str, at: float) -> str:
    usage = {
        "input_tokens": rng.randrange(2_000),
        "output_tokens": rng.randrange(4_000),
        "cache_creation_input_tokens": rng.randrange(20_000),
        "cache_read_input_tokens": rng.randrange(150_000),
    }
    content = [{"type": "text", "text": filler[: rng.randrange(100, 5_000)]}]
    message = {"id": f"msg_{key}", "model": "claude-sonnet-4-6", "content": content, "usage": usage}
    record = {"type": "assistant", "timestamp": _stamp(at), "sessionId": "s", "requestId": f"req_{key}"}
    return json.dumps({**record, "version": "2.1.80", "message": message}, separators=(",", ":")) + "\n"


def measure(root: Path, state: Path) -> None:
    """Follow the tree and print the figures; a process that does nothing else."""
    import threading

    from crtui.agents.sources import sources_of
    from crtui.agents.watcher import Watcher
    from crtui.clock import SystemClock
    from crtui.core.views import AgentView

    began = time.perf_counter()
    first: list[float] = []
    done = threading.Event()
    newest: list[AgentView] = []

    def tell(views: tuple[AgentView, ...]) -> None:
        if views and views[0].block is not None and not first:
            first.append(time.perf_counter() - began)
        newest[:] = views
        if views and not views[0].reading:
            done.set()

    watcher = Watcher(sources_of({"CLAUDE_CONFIG_DIR": str(root)}), state, SystemClock(), tell, print)
    watcher.start()
    done.wait()
    whole = time.perf_counter() - began
    print(f"first numbers after {first[0]:.2f} s, all of them after {whole:.1f} s")
    print(
        f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB of the whole process"
    )
    print(f"cache {sum(f.stat().st_size for f in state.iterdir()) / 1e6:.1f} MB, {newest[0].files} files")
    tail(root)
    watcher.stop()


def tail(root: Path) -> None:
    """A line a second to the newest log, and what following it takes."""
    rng = random.Random(2)
    file = root / "projects" / "project-0" / "session-00000.jsonl"
    cpu, began = time.process_time(), time.perf_counter()
    written = 0
    while time.perf_counter() - began < TAILED_S:
        time.sleep(1)
        with file.open("a", encoding="utf-8") as out:
            out.write(_answer_line(rng, "x" * 5_000, f"tail-{written}", time.time()))
        written += 1
    used = (time.process_time() - cpu) / (time.perf_counter() - began)
    print(f"tailing {100 * used:.2f} % of a core, the writer of {written} lines included")


def main() -> None:
    """Make the tree, then measure a cold and a warm start."""
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--gb", type=float, default=0.5)
    args.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    args.add_argument("--state", type=Path, help=argparse.SUPPRESS)
    given = args.parse_args()
    if given.measure is not None:
        measure(given.measure, given.state)
        return
    with tempfile.TemporaryDirectory(prefix="crtui-logs-") as folder:
        root, state = Path(folder, "claude"), Path(folder, "state")
        state.mkdir()
        print(f"{make_tree(root, given.gb)} answers in {given.gb} GB")
        for words in ("cold", "warm"):
            print(f"-- {words} start")
            command = [sys.executable, "-m", "tests.bench.log_cost", "--measure", str(root)]
            subprocess.run([*command, "--state", str(state)], check=True)


if __name__ == "__main__":
    main()
