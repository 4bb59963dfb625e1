"""The dashboard on an engine that is fed so many attempts a second: what ``screen_cost`` measures under load.

    python -m tests.bench.screen_traffic PROVIDERS ATTEMPTS_A_SECOND FILE

The engine runs on a thread of its own, as in the real program; that thread's number goes into FILE,
so that its processor time can be told from the screen's.
"""

from __future__ import annotations

import asyncio
import random
import sys
import threading
from pathlib import Path

from crtui.clock import SystemClock
from crtui.config.load import config_from_data
from crtui.core.inputs import Attempt, Limits, Usage, WindowReport
from crtui.core.now import HOUR
from crtui.engine.engine import Engine
from crtui.engine.local import LocalLink
from crtui.tui.app import CrtuiApp

STEP_S = 0.05
FAILING = 0.05


def engine_of(count: int, clock: SystemClock) -> Engine:
    """An engine over so many providers in one chain."""
    names = [f"provider-{i}" for i in range(count)]
    table = {"kind": "openai-compatible", "base_url": "http://127.0.0.1:9/v1", "auth": "none"}
    data = {
        "provider": [{"name": name, "daily_tokens": 20_000_000, **table} for name in names],
        "profile": [{"name": "default", "chain": names}],
    }
    return Engine(config_from_data(data, "bench").to_core(), {}, clock, url="http://127.0.0.1:4747")


def attempt(rng: random.Random, name: str, now: int) -> Attempt:
    """One answer of a provider: mostly good, with the windows and tokens that answers tell."""
    if rng.random() < FAILING:
        return Attempt(name, False, status=500, error="internal error", latency_ms=rng.randint(50, 900))
    used = 20 + (now // 10_000) % 60
    window = WindowReport("5h", "headers", used_percent=used, resets_at=now - now % HOUR + 5 * HOUR)
    return Attempt(
        name,
        True,
        status=200,
        latency_ms=rng.randint(300, 2_500),
        ttft_ms=rng.randint(80, 600),
        output_ms=rng.randint(200, 1_500),
        usage=Usage(rng.randint(100, 4_000), rng.randint(20, 400)),
        limits=Limits(windows=(window,)),
    )


async def feed(engine: Engine, names: list[str], rate: float) -> None:
    """Attempts for ever, evenly spread over time, unevenly over providers."""
    rng, owed = random.Random(1), 0.0
    while True:
        owed += rate * STEP_S
        while owed >= 1:
            owed -= 1
            name = names[min(len(names) - 1, int(rng.expovariate(4 / len(names))))]
            engine.end(attempt(rng, name, engine.clock.now().wall))
        await asyncio.sleep(STEP_S)


async def _gateway(count: int, rate: float, link: LocalLink, clock: SystemClock) -> None:
    engine = engine_of(count, clock)
    engine.opened()
    names = [row.name for row in engine.snapshot().providers]
    await asyncio.gather(engine.run(), link.publish(engine), feed(engine, names, rate))


def main() -> None:
    """Run until a key quits."""
    count, rate, told = int(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3])
    clock = SystemClock()
    link = LocalLink("http://127.0.0.1:4747")
    app = CrtuiApp(link, clock, owns_gateway=False)

    def serve() -> None:
        told.write_text(str(threading.get_native_id()))
        asyncio.run(_gateway(count, rate, link, clock))

    app.on_first_frame = threading.Thread(target=serve, daemon=True).start
    app.run()


if __name__ == "__main__":
    main()
