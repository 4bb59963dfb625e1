"""``crtui``: the dashboard with gateway and core in one program, and what every mode with a screen needs."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from crtui.clock import SystemClock
from crtui.engine.local import LocalLink
from crtui.errors import INTERNAL_ERROR, CrtuiError
from crtui.modes.background import GatewayThread
from crtui.modes.heap import share_one_heap
from crtui.modes.options import Options

if TYPE_CHECKING:
    from crtui.compose import Stack
    from crtui.tui.app import CrtuiApp
    from crtui.tui.travel import History, Past


def dashboard(options: Options, *, trace: Path | None) -> int:
    """The dashboard with gateway and core in the same program. Exit 0 on quit."""
    need_terminal("crtui serve", "crtui status")
    clock = SystemClock()

    def thread_for(app: CrtuiApp) -> GatewayThread:
        async def build() -> Stack:
            # On the gateway's thread, after the first frame: config and HTTP cost more than the screen.
            from crtui.compose import Stack, bind_for
            from crtui.engine.logfile import log_to_file
            from crtui.modes.plant import plant_for
            from crtui.modes.settings import screen_settings

            plant = await plant_for(options, clock, trace)
            app.use_from_thread(screen_settings(plant.config))
            log_to_file(plant.state.path)
            return Stack(plant, bind_for(plant.config))

        return GatewayThread(build, link, on_failure=app.leave_from_thread)

    link = LocalLink("", read_only=options.read_only)
    return run_local(options, clock, link, thread_for)


def run_local(
    options: Options,
    clock: SystemClock,
    link: LocalLink,
    make_thread: Callable[[CrtuiApp], GatewayThread],
) -> int:
    """Show ``link``, and after the first frame start the gateway that serves it. The exit status."""
    from crtui.tui.app import CrtuiApp

    app = CrtuiApp(
        link,
        clock,
        ascii=options.ascii,
        no_color=options.no_color,
        read_only=options.read_only,
        strip=options.strip,
        history=_history(options, clock),
    )
    thread = make_thread(app)

    def started() -> None:
        collect_again()
        thread.start()

    app.on_first_frame = started
    share_one_heap()
    app.run()
    if thread.running and link.latest is not None and link.latest.gateway.in_flight:
        print("crtui: finishing what runs; ctrl-c ends it now", file=sys.stderr)
    try:
        thread.stop()
    except KeyboardInterrupt:
        thread.stop(0)
    for notice in thread.unread:
        print(f"crtui: warning: {notice}", file=sys.stderr)
    if thread.failure is not None:
        if isinstance(thread.failure, CrtuiError):
            raise thread.failure
        print(f"crtui: the gateway has failed: {thread.failure!r:.300}; please report this", file=sys.stderr)
        return INTERNAL_ERROR
    return app.return_code or 0


def _history(options: Options, clock: SystemClock) -> History:
    def past(wall: int) -> Past:
        from crtui.engine.store import JOURNAL_FILE
        from crtui.modes.past import JournalPast

        return JournalPast(options.state_path / JOURNAL_FILE, clock, wall)

    return past


def collect_again() -> None:
    """What the start has made and still holds stays; from here on garbage is collected as ever."""
    gc.collect()
    gc.freeze()
    gc.enable()


def need_terminal(*instead: str) -> None:
    """Raise ``CrtuiError`` where there is no terminal to draw on."""
    streams = (sys.__stdin__, sys.__stdout__, sys.__stderr__)
    if all(stream is not None and stream.isatty() for stream in streams) and os.environ.get("TERM") not in (
        None,
        "",
        "dumb",
    ):
        return
    commands = " or ".join(f"`{command}`" for command in instead)
    raise CrtuiError(f"this needs a terminal; without one use {commands}")
