"""What the journal costs: in a request's path, on its own thread, on the disk, and at the next start.

python -m tests.bench.journal_cost [INPUTS]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from crtui.clock import SystemClock
from crtui.config.load import config_from_data
from crtui.core.inputs import Attempt, Usage
from crtui.core.plan import Ask
from crtui.engine.engine import Engine
from crtui.engine.notices import Notices
from crtui.engine.run import begin_run
from crtui.engine.state_dir import StateDir

PROVIDERS = 20
A_REQUEST = 3
"""Inputs of one plain request: route, begin, attempt."""


class Bench:
    """An engine, with a journal in ``folder`` or without one."""

    def __init__(self, folder: Path | None) -> None:
        names = (f"provider-{i}" for i in range(PROVIDERS))
        url = {"kind": "openai-compatible", "base_url": "http://127.0.0.1:9/v1"}
        config = config_from_data({"provider": [{"name": name, **url} for name in names]}, "bench")
        settings, clock, notices, run = config.to_core(), SystemClock(), Notices(), None
        if folder is not None:
            run = begin_run(StateDir(folder), settings, config.to_data(), clock, notices)
        self.writer = None if run is None else run.writer
        self.engine = Engine(settings, {}, clock, url="", run=run, notices=notices)

    def load(self, requests: int) -> float:
        """Seconds for so many plain requests."""
        engine, began = self.engine, time.perf_counter()
        for i in range(requests):
            plan = engine.route(Ask("chat", f"{i:016x}", None, "gpt-5", f"session-{i % 50}"))
            ticket = engine.begin(plan.order[0], plan.profile)
            engine.end(
                Attempt(
                    plan.order[0],
                    True,
                    ticket,
                    200,
                    wire="chat",
                    profile=plan.profile,
                    model="gpt-5",
                    session=f"session-{i % 50}",
                    request=f"{i:016x}",
                    latency_ms=800,
                    ttft_ms=300,
                    output_ms=500,
                    usage=Usage(1200, 300, 5000, 0),
                )
            )
        return time.perf_counter() - began

    def turn(self) -> float:
        """Seconds for one turn of the writer."""
        assert self.writer is not None
        began = time.perf_counter()
        self.writer.turn()
        return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    inputs = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    rounds = inputs // A_REQUEST // 1_000
    with tempfile.TemporaryDirectory(prefix="crtui-bench-") as state:
        folder = Path(state) / "state"
        bare, kept = Bench(None), Bench(folder)
        times = [(bare.load(1_000), kept.load(1_000), kept.turn()) for _ in range(rounds)]
        without, with_, write = (min(column) / 1_000 / A_REQUEST * 1e6 for column in zip(*times, strict=True))
        kept.engine.close()
        assert kept.writer is not None
        kept.writer.close()
        size = (folder / "journal.db").stat().st_size / (rounds * 1_000 * A_REQUEST)
        began = time.perf_counter()
        again = Bench(folder)
        start = time.perf_counter() - began
        assert again.writer is not None
        again.writer.close()
    print(
        f"in a request's path   {with_ - without:6.2f} us an input ({without:.2f} without, {with_:.2f} with)"
    )
    print(f"on the writer's thread {write:5.2f} us an input")
    print(f"on the disk            {size:5.0f} bytes an input")
    print(f"start after {rounds * 1_000 * A_REQUEST} inputs: {start * 1000:.0f} ms")


if __name__ == "__main__":
    main()
