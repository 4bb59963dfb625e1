"""``crtui replay --tui``: the dashboard on a recording."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from crtui.clock import SystemClock
from crtui.errors import CrtuiError
from crtui.modes.options import Options
from crtui.modes.screen import collect_again, need_terminal


def replay(options: Options, trace: Path, *, speed: float) -> int:
    """The dashboard on a trace, with a time line to move along; exit 2 for a bad trace."""
    need_terminal("crtui replay` without `--tui")
    if trace == Path("/dev/stdin"):
        raise CrtuiError("--tui takes the keyboard, so it cannot read the trace from stdin; name a file")
    from crtui.config.load import config_at
    from crtui.modes.settings import own_settings
    from crtui.replay.link import ReplayLink
    from crtui.replay.player import Player
    from crtui.replay.transport import ReplayClock, Transport
    from crtui.tui.replay_app import ReplayApp

    settings, amiss = own_settings(options)
    core = None if options.config is None else config_at(options.config).to_core()
    player = Player(trace, core)
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
            # What is told here has happened long ago: nobody is to be called for it.
            settings=replace(settings, notify="off", on_event={}),
        )

        def started() -> None:
            collect_again()
            app.tell_from_thread(*amiss)

        app.on_first_frame = started
        app.run()
        return app.return_code or 0
    finally:
        link.stop()
