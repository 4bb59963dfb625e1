"""The commands with a screen and what it shows in one program: the dashboard, the demo, ``replay --tui``."""

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
            plants.append(plant.close)
            return Stack(plant, bind_for(plant.config))

        return GatewayThread(build, link, on_failure=app.leave_from_thread)

    plants: list[Callable[[], None]] = []
    link = LocalLink("", read_only=options.read_only)
    try:
        return _run_local(options, clock, link, thread_for)
    finally:
        for close in plants:
            close()


def demo(options: Options, *, seed: int, speed: float, trace: Path | None) -> int:
    """The dashboard on simulated providers and generated traffic; everything else is the real thing."""
    need_terminal("crtui serve")
    import tempfile

    clock = SystemClock(speed)
    plants: list[Callable[[], None]] = []
    with tempfile.TemporaryDirectory(prefix="crtui-demo-") as state:
        from dataclasses import replace

        from crtui.demo.world import DemoWorld

        world = DemoWorld(clock, seed)
        there = replace(options, state_dir=Path(state))

        async def build() -> Stack:
            from crtui.compose import Stack, bind_for
            from crtui.config.load import config_from_data
            from crtui.config.override import override
            from crtui.engine.logfile import log_to_file
            from crtui.modes.plant import make_plant

            data = await world.start()
            config = override(config_from_data(data, "demo"), {}, options.listen or "127.0.0.1:0")
            plant = make_plant(there, config, clock, trace, environ=world.environ, seed=seed)
            log_to_file(plant.state.path)
            plants.append(plant.close)
            return Stack(plant, bind_for(config))

        async def beside(stack: Stack) -> None:
            await world.run_traffic(stack.url, None)

        link = LocalLink("", read_only=options.read_only)
        try:
            return _run_local(
                there,
                clock,
                link,
                lambda app: GatewayThread(
                    build,
                    link,
                    on_failure=app.leave_from_thread,
                    beside=beside,
                    cleanup=world.stop,
                    drain_s=0.5,
                ),
            )
        finally:
            for close in plants:
                close()


def replay(options: Options, trace: Path, *, speed: float) -> int:
    """The dashboard on a trace, with a time line to move along; exit 2 for a bad trace."""
    need_terminal("crtui replay` without `--tui")
    if trace == Path("/dev/stdin"):
        raise CrtuiError("--tui takes the keyboard, so it cannot read the trace from stdin; name a file")
    from crtui.config.load import load_config
    from crtui.replay.link import ReplayLink
    from crtui.replay.player import Player
    from crtui.replay.transport import ReplayClock, Transport
    from crtui.tui.replay_app import ReplayApp

    settings = None if options.config is None else load_config(options.config, {}).config.to_core()
    player = Player(trace, settings)
    clock = SystemClock()
    transport = Transport(clock, player.end, speed)
    link = ReplayLink(player, transport)
    link.start()
    try:
        app = ReplayApp(
            link,
            ReplayClock(clock, transport, player.header.start),
            transport,
            ascii=options.ascii,
            no_color=options.no_color,
        )
        app.on_first_frame = collect_again
        app.run()
        return app.return_code or 0
    finally:
        link.stop()


def _run_local(
    options: Options,
    clock: SystemClock,
    link: LocalLink,
    make_thread: Callable[[CrtuiApp], GatewayThread],
) -> int:
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
    app.run()
    if thread.running and link.latest is not None and link.latest.gateway.in_flight:
        print("crtui: finishing what runs; ctrl-c ends it now", file=sys.stderr)
    try:
        thread.stop()
    except KeyboardInterrupt:
        thread.stop(0)
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
    """What the start has made stays; from here on garbage is collected as ever."""
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
