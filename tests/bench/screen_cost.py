"""What the dashboard costs: time to the first frame, idle processor time, memory; and under load.

    python -m tests.bench.screen_cost

Each number comes from a real pseudo-terminal with 50 providers. To reach: first frame under 300 ms
(median of 10), idle under 1.5 % of a core; at 200 events a second the screen under 6 %, and less
than idle while nobody looks at it (blurred) or it stands still (frozen).
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.terminal import TICKS, Terminal, config_of, crtui, environ

RUNS = 10
PROVIDERS = 50
EVENTS_A_SECOND = 200
SETTLE_S = 5.0
MEASURED_S = 20.0
SIZES = ((140, 40), (80, 24), (44, 30))
BLUR, FREEZE = "\x1b[O", " "


@dataclass(frozen=True, slots=True)
class Cost:
    """Shares of a core, and resident memory in MiB."""

    screen: float
    engine: float
    memory: float


def main() -> None:
    """Measure, and print two tables."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        _at_rest(home)
        print()
        _under_load(home)


def _at_rest(home: Path) -> None:
    config = home / "config.toml"
    config.write_text(config_of(PROVIDERS))
    argv = crtui("--config", str(config))
    print(f"the program with {PROVIDERS} providers, no traffic")
    print(f"{'size':>8}  {'first frame':>12}  {'idle CPU':>9}  {'memory':>8}")
    for size in SIZES:
        frames = [_first_frame(argv, home, size) for _ in range(RUNS)]
        with Terminal(argv, environ(home), size) as terminal:
            terminal.until("provider-0")
            cost = _measured(terminal, None)
        median = statistics.median(frames) * 1000
        print(
            f"{size[0]:>4}x{size[1]:<3}  {median:>9.0f} ms  {cost.screen * 100:>7.2f} %  "
            f"{cost.memory:>4.0f} MiB",
            flush=True,
        )


def _under_load(home: Path) -> None:
    cases = [(size, EVENTS_A_SECOND, "", "looked at") for size in SIZES]
    wide = SIZES[0]
    cases += [(wide, 0, "", "idle"), (wide, EVENTS_A_SECOND, BLUR, "blurred")]
    cases += [(wide, 0, BLUR, "idle, blurred"), (wide, EVENTS_A_SECOND, FREEZE, "frozen")]
    print(f"{PROVIDERS} providers; the engine has a thread of its own, the screen the rest of the process")
    print(f"{'size':>8}  {'events/s':>8}  {'':<14}  {'screen':>8}  {'engine':>8}  {'memory':>8}")
    for size, rate, keys, what in cases:
        cost = _loaded(home, size, rate, keys)
        print(
            f"{size[0]:>4}x{size[1]:<3}  {rate:>8}  {what:<14}  {cost.screen * 100:>6.2f} %  "
            f"{cost.engine * 100:>6.2f} %  {cost.memory:>4.0f} MiB",
            flush=True,
        )


def _loaded(home: Path, size: tuple[int, int], rate: int, keys: str) -> Cost:
    told = home / "thread"
    argv = [sys.executable, "-m", "tests.bench.screen_traffic", str(PROVIDERS), str(rate), str(told)]
    with Terminal(argv, environ(home), size) as terminal:
        terminal.until("provider-0")
        if keys:
            terminal.send(keys)
        return _measured(terminal, int(told.read_text()))


def _first_frame(argv: list[str], home: Path, size: tuple[int, int]) -> float:
    """Seconds from exec to the first drawn frame."""
    with Terminal(argv, environ(home), size) as terminal:
        return terminal.until("crtui", "quit") if size[0] >= 80 else terminal.until("quit")


def _measured(terminal: Terminal, thread: int | None) -> Cost:
    """What is taken once it has settled; ``thread`` is the engine's."""
    _read(terminal, SETTLE_S)
    whole, engine, began = terminal.cpu_seconds(), _thread_seconds(terminal.pid, thread), time.perf_counter()
    _read(terminal, MEASURED_S)
    passed = time.perf_counter() - began
    engine = (_thread_seconds(terminal.pid, thread) - engine) / passed
    return Cost((terminal.cpu_seconds() - whole) / passed - engine, engine, terminal.rss_mib())


def _read(terminal: Terminal, seconds: float) -> None:
    end = time.perf_counter() + seconds
    while (left := end - time.perf_counter()) > 0:
        terminal.read(left)


def _thread_seconds(pid: int, thread: int | None) -> float:
    if thread is None:
        return 0.0
    fields = Path(f"/proc/{pid}/task/{thread}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


if __name__ == "__main__":
    main()
