"""What the dashboard costs: time to the first frame, idle processor time, memory.

    python -m tests.bench.screen_cost

Each number comes from the real program on a real pseudo-terminal. To reach: first frame under
350 ms (median of 10), idle under 2 % of a core with 20 providers.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from tests.fakes.terminal import Terminal, config_of, crtui, environ

RUNS = 10
IDLE_S = 20.0


def main() -> None:
    """Measure, and print a table."""
    with tempfile.TemporaryDirectory() as home:
        config = Path(home) / "config.toml"
        config.write_text(config_of(20))
        argv = crtui("--config", str(config))
        print(f"{'size':>8}  {'first frame':>12}  {'idle CPU':>9}  {'memory':>8}")
        for size in ((140, 40), (80, 24), (44, 30)):
            frames = [_first_frame(argv, Path(home), size) for _ in range(RUNS)]
            cpu, memory = _idle(argv, Path(home), size)
            median = statistics.median(frames) * 1000
            print(
                f"{size[0]:>4}x{size[1]:<3}  {median:>9.0f} ms  {cpu * 100:>7.2f} %  {memory:>4.0f} MiB",
                flush=True,
            )


def _first_frame(argv: list[str], home: Path, size: tuple[int, int]) -> float:
    """Seconds from exec to the first drawn frame."""
    with Terminal(argv, environ(home), size) as terminal:
        return terminal.until("crtui", "quit") if size[0] >= 80 else terminal.until("quit")


def _idle(argv: list[str], home: Path, size: tuple[int, int]) -> tuple[float, float]:
    """The share of a core it takes while nothing happens, and its resident memory in MiB."""
    with Terminal(argv, environ(home), size) as terminal:
        terminal.until("provider-0")
        terminal.read(5)
        before, began = terminal.cpu_seconds(), time.monotonic()
        terminal.read(IDLE_S)
        while time.monotonic() - began < IDLE_S:
            terminal.read(IDLE_S - (time.monotonic() - began))
        return (terminal.cpu_seconds() - before) / (time.monotonic() - began), terminal.rss_mib()


if __name__ == "__main__":
    main()
