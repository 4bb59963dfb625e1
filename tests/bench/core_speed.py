"""How fast the core is: a million attempts replayed from a file, plans, and ten thousand providers.

``python -m tests.bench.core_speed [ATTEMPTS]`` prints one line a measurement with its target. The
times are of this process's own processor, so that a busy machine does not count against it.
"""

from __future__ import annotations

import json
import random
import resource
import sys
import tempfile
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from time import perf_counter, process_time, thread_time

from crtui.config.load import config_from_data
from crtui.core.core import Core
from crtui.core.inputs import Attempt, Input, Usage
from crtui.core.now import Now
from crtui.core.plan import Ask
from crtui.core.settings import CoreSettings, ProfileSettings, ProviderSettings
from crtui.core.settings import Tactic as TacticName
from crtui.replay.run import Replay, write_outputs

START = 1_795_165_200_000
PROVIDERS = tuple(f"p{i:02}" for i in range(50))
TACTICS: tuple[TacticName, ...] = (
    "priority", "tier", "random", "token_based", "latency_based", "speed_based", "adaptive", "capacity_based",
)  # fmt: skip


def main() -> None:
    attempts = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.jsonl"
        write_trace(trace, attempts)
        replay(trace, Path(folder) / "out.jsonl", attempts)
    plans()
    history(attempts)
    many_providers()


def write_trace(path: Path, attempts: int) -> None:
    """A trace as a gateway records it: nine in ten succeed, the rest fail in the usual ways."""
    config = {
        "provider": [{"name": name, "kind": "ollama"} for name in PROVIDERS],
        "profile": [{"name": "default", "chain": list(PROVIDERS)}],
    }
    header = {"crtui": "trace", "version": 1, "start": "2026-11-20T09:00:00Z", "seed": 1, "config": config}
    with path.open("w") as out:
        out.write(json.dumps(header) + "\n")
        for line in lines(attempts):
            out.write(json.dumps(line) + "\n")


def lines(attempts: int) -> Iterator[dict[str, object]]:
    """The attempts, fifty a second."""
    chance = random.Random(1)
    for i in range(attempts):
        line: dict[str, object] = {"t": i / 50, "input": "attempt", "provider": chance.choice(PROVIDERS)}
        kind = chance.random()
        if kind < 0.9:
            usage = {"input": 900, "output": 100, "cache_read": 0, "cache_write": 0}
            times = {"latency_ms": chance.randrange(200, 3000), "ttft_ms": chance.randrange(50, 900)}
            yield {
                **line,
                "ok": True,
                "status": 200,
                "wire": "chat",
                "output_ms": 900,
                "usage": usage,
                **times,
            }
        elif kind < 0.95:
            yield {**line, "ok": False, "status": 500, "error": '{"error":{"message":"internal error"}}'}
        elif kind < 0.98:
            yield {**line, "ok": False, "status": 429, "headers": {"Retry-After": "2"}}
        else:
            yield {**line, "ok": False, "error_kind": "connect"}


def replay(trace: Path, printed: Path, attempts: int) -> None:
    """The whole way: bytes of a file, JSON, the core, JSON, bytes of a file."""
    begun, seen, grown = process_time(), perf_counter(), 0
    with trace.open("rb") as given, printed.open("wb") as out:
        run = Replay(at_tenth(given, attempts), trace.name)
        write_outputs(run, out, final_state=True)
        grown = peak_mb() - TENTH[0]
    spent = process_time() - begun
    rate = f"{attempts / spent:,.0f} inputs/s ({attempts / (perf_counter() - seen):,.0f} by the wall clock)"
    report("replay of a file", rate, "60,000")
    report("peak memory", f"{peak_mb():.0f} MB, {grown:+.1f} MB since a tenth of the way", "flat")


TENTH = [0.0]


def at_tenth(given: Iterator[bytes], attempts: int) -> Iterator[bytes]:
    """The lines, and a look at the memory between two of them that costs the others nothing."""
    return chain(islice(given, attempts // 10), looked(), given)


def looked() -> Iterator[bytes]:
    TENTH[0] = peak_mb()
    yield from ()


def plans() -> None:
    """One routing question over fifty providers that all have a past."""
    for tactic in TACTICS:
        core = core_of(PROVIDERS, tactic)
        for item, now in inputs(5_000):
            core.feed(item, now)
        took: list[float] = []
        for place in range(5_000):
            now = Now(200_000 + place, START + 200_000 + place)
            begun = thread_time()
            core.route(Ask("chat", "r"), now)
            took.append(thread_time() - begun)
        took.sort()
        percentiles = f"p50 {took[2_500] * 1e6:.0f} µs, p99 {took[4_950] * 1e6:.0f} µs"
        report(f"plan over 50, {tactic}", percentiles, "p99 100 µs")


def history(attempts: int) -> None:
    """What one input costs after a thousand, and after all of them."""
    core = core_of(PROVIDERS)
    costs: list[float] = []
    begun = process_time()
    for place, (item, now) in enumerate(inputs(attempts), 1):
        core.feed(item, now)
        if place in (10_000, 20_000, attempts - 10_000, attempts):
            costs.append(process_time() - begun)
            begun = process_time()
    early, late = costs[1] / 1e4, costs[3] / 1e4
    report("one input, early and late", f"{early * 1e6:.1f} µs, {late * 1e6:.1f} µs", "the same")


def many_providers() -> None:
    """Ten thousand providers: reading their config, and the core."""
    names = [f"p{i}" for i in range(10_000)]
    rows = [{"name": name, "kind": "ollama", "base_url": f"http://h{name}.test/v1"} for name in names]
    begun = process_time()
    settings = config_from_data({"provider": rows}, "bench").to_core()
    Core(settings, Now(0, START))
    report("load 10,000 providers", f"{process_time() - begun:.2f} s", "2 s")


def core_of(names: tuple[str, ...], tactic: TacticName = "priority") -> Core:
    rows = tuple(ProviderSettings(name, capacity=4) for name in names)
    return Core(CoreSettings(rows, (ProfileSettings("default", names, tactic),)), Now(0, START), seed=1)


def inputs(count: int) -> Iterator[tuple[Input, Now]]:
    usage = Usage(900, 100)
    for place in range(count):
        ms = place * 20
        name, good = PROVIDERS[place % 50], place % 11 != 0
        done = {"latency_ms": 300, "ttft_ms": 90, "output_ms": 900, "usage": usage} if good else {}
        yield Attempt(name, good, status=200 if good else 500, **done), Now(ms, START + ms)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def report(what: str, found: str, target: str) -> None:
    print(f"{what:32} {found:55} target {target}", flush=True)


if __name__ == "__main__":
    main()
