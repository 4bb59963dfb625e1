"""``crtui serve``: core and gateway without a screen, one log line an event."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import orjson

from crtui.clock import SystemClock
from crtui.compose import Stack, bind_for
from crtui.core.events import Event
from crtui.core.now import stamp
from crtui.modes.options import Options
from crtui.modes.plant import plant_for


def serve(options: Options, *, log_format: str, trace: Path | None) -> int:
    """Serve until SIGTERM or SIGINT, then drain. Exit 0."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(options, log_format, trace))


async def _serve(options: Options, log_format: str, trace: Path | None) -> int:
    plant = await plant_for(options, SystemClock(), trace)
    stack = Stack(plant, bind_for(plant.config))
    log = _json_line if log_format == "json" else _text_line
    stack.engine.listen(lambda events: _print(log, events))
    stopping = _on_stop_signals()
    await stack.start()
    _say(f"crtui serves on {stack.url} ({len(stack.engine.providers)} providers)")
    for notice in stack.engine.notices:
        _warn(notice)
    stack.engine.notices.listen(_warn)
    failing = asyncio.create_task(stack.failure())
    stopped = asyncio.create_task(stopping.wait())
    try:
        done, _ = await asyncio.wait((failing, stopped), return_when=asyncio.FIRST_COMPLETED)
        if failing in done:
            await failing
        running = stack.engine.in_flight
        _say(f"stopping: {running} requests finish first" if running else "stopping")
    finally:
        failing.cancel()
        stopped.cancel()
        await stack.stop()
        plant.close()
    return 0


def _on_stop_signals() -> asyncio.Event:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    return stopping


def _print(line: Callable[[Event], str], events: list[Event]) -> None:
    # Where nobody reads the log any more, requests go on without it.
    with contextlib.suppress(OSError):
        sys.stdout.write("".join(line(event) for event in events))
        sys.stdout.flush()


def _json_line(event: Event) -> str:
    return orjson.dumps(event.to_json()).decode() + "\n"


def _text_line(event: Event) -> str:
    words = " ".join(f"{key}={_value(value)}" for key, value in event.data.items())
    return f"{stamp(event.at)} {event.kind} {event.provider or '-'} {words}".rstrip() + "\n"


def _value(value: object) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return orjson.dumps(text).decode() if isinstance(value, str) and (" " in text or '"' in text) else text


def _warn(notice: str) -> None:
    _say(f"warning: {notice}")


def _say(words: str) -> None:
    print(f"crtui: {words}" if not words.startswith("crtui") else words, file=sys.stderr, flush=True)
