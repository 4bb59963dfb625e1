"""``crtui serve``: core and gateway without a screen, one log line an event."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from crtui.clock import SystemClock
from crtui.compose import Stack, bind_for
from crtui.errors import INTERNAL_ERROR, origin
from crtui.modes.eventlog import EventLog, json_line, text_line
from crtui.modes.options import Options
from crtui.modes.pace import settle
from crtui.modes.plant import plant_for


def serve(options: Options, *, log_format: str, trace: Path | None) -> int:
    """Serve until SIGTERM or SIGINT, then drain; a second one ends what still runs. Exit 0."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(options, log_format, trace))


async def _serve(options: Options, log_format: str, trace: Path | None) -> int:
    plant = await plant_for(options, SystemClock(), trace)
    stack = Stack(plant, bind_for(plant.config))
    log = EventLog(sys.stdout.fileno(), json_line if log_format == "json" else text_line)
    stack.engine.listen(log.hear)
    stopping = _on_stop_signals(stack.hurry)
    await stack.start()
    settle()
    _say(f"crtui serves on {stack.url} ({len(stack.engine.providers)} providers)")
    for notice in stack.engine.notices:
        _warn(notice)
    stack.engine.notices.listen(_warn)
    failing = asyncio.create_task(stack.failure())
    stopped = asyncio.create_task(stopping.wait())
    try:
        done, _ = await asyncio.wait((failing, stopped), return_when=asyncio.FIRST_COMPLETED)
        failure = failing.exception() if failing in done else None
        running = stack.engine.in_flight
        if failure is not None:
            _say(f"the gateway has failed: {origin(failure)}; please report this")
        else:
            _say(f"stopping: {running} requests finish first" if running else "stopping")
    finally:
        failing.cancel()
        stopped.cancel()
        await stack.stop()
        log.close()
    return 0 if failure is None else INTERNAL_ERROR


def _on_stop_signals(hurry: Callable[[], None]) -> asyncio.Event:
    """Set by the first of them; by any further one, what still runs is ended."""
    stopping = asyncio.Event()

    def hear() -> None:
        if stopping.is_set():
            hurry()
        stopping.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, hear)
    return stopping


def _warn(notice: str) -> None:
    _say(f"warning: {notice}")


def _say(words: str) -> None:
    # Where nobody reads it any more, requests go on without it.
    with contextlib.suppress(OSError):
        print(f"crtui: {words}" if not words.startswith("crtui") else words, file=sys.stderr, flush=True)
