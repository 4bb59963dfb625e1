"""``crtui serve``: core and gateway without a screen, one log line an event."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from crtui.clock import SystemClock
from crtui.compose import Plant, Stack, bind_for
from crtui.errors import INTERNAL_ERROR, CrtuiError, origin
from crtui.modes.eventlog import EventLog, json_line, text_line
from crtui.modes.lease import Lease
from crtui.modes.options import Options
from crtui.modes.owner import FAILED, SERVES, Owner
from crtui.modes.pace import settle
from crtui.modes.plant import plant_for


def serve(options: Options, *, log_format: str, trace: Path | None, owner: int | None = None) -> int:
    """Serve until SIGTERM, SIGINT or SIGHUP, then drain; a second one ends what still runs. Exit 0.

    ``owner`` is the descriptor of an ``Owner``: with it, serve only as long as somebody needs that.
    """
    import uvloop

    owned = None if owner is None else Owner(owner)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            return runner.run(_serve(options, log_format, trace, owned))
        except CrtuiError as fault:
            if owned is not None:
                owned.tell(FAILED, str(fault))
            raise


async def _serve(options: Options, log_format: str, trace: Path | None, owner: Owner | None) -> int:
    plant = await plant_for(options, SystemClock(), trace)
    stack = Stack(plant, bind_for(plant.config))
    log = EventLog(sys.stdout.fileno(), json_line if log_format == "json" else text_line)
    stack.engine.listen(log.hear)
    stopping = _on_stop_signals(stack.hurry)
    await stack.start()
    settle()
    if owner is not None:
        _serve_for(owner, plant, stack.url, stopping)
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


def _serve_for(owner: Owner, plant: Plant, url: str, stopping: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended before
            loop.call_soon_threadsafe(stopping.set)

    owner.tell(SERVES, url)
    owner.on_end(Lease.of(plant.state, plant.config.gateway.address), stop)


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
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup has it
        loop.add_signal_handler(signal.SIGHUP, hear)
    return stopping


def _warn(notice: str) -> None:
    _say(f"warning: {notice}")


def _say(words: str) -> None:
    # Where nobody reads it any more, requests go on without it.
    with contextlib.suppress(OSError):
        print(f"crtui: {words}" if not words.startswith("crtui") else words, file=sys.stderr, flush=True)
