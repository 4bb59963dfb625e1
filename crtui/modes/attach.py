"""``crtui attach``: the dashboard on gateways that run already."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from crtui.clock import SystemClock
from crtui.modes.options import Options
from crtui.modes.screen import collect_again, need_terminal

if TYPE_CHECKING:
    from crtui.engine.link import Link
    from crtui.engine.remote import RemoteLink
    from crtui.tui.settings import ScreenSettings


def attach(options: Options, urls: Sequence[str]) -> int:
    """The dashboard on gateways that run already, each in a tab. Exit 3 where not one answers."""
    need_terminal("crtui status")
    from crtui.config.load import load_config
    from crtui.engine.logfile import log_to_file
    from crtui.modes.settings import screen_settings

    settings = screen_settings(load_config(options.config, os.environ, options.listen).config)
    links = _connected(options, list(dict.fromkeys(urls)))
    log_to_file(options.state_path)
    for link in links:
        link.start()
    try:
        return _run(options, SystemClock(), links, settings)
    finally:
        for link in links:
            link.stop()


def _connected(options: Options, urls: Sequence[str]) -> list[RemoteLink]:
    """A link to each gateway. Raises ``NoGatewayError`` where the only one, or every one, is not there."""
    from crtui.engine.remote import RemoteLink
    from crtui.errors import NoGatewayError
    from crtui.modes.ask import connect

    gateways = [connect(options, url) for url in urls or [None]]
    absent: list[NoGatewayError] = []
    for gateway in gateways:
        try:
            gateway.state()
        except NoGatewayError as fault:
            absent.append(fault)
    if len(absent) == len(gateways):
        raise absent[0]
    return [RemoteLink(gateway, read_only=options.read_only) for gateway in gateways]


def _run(options: Options, clock: SystemClock, links: Sequence[Link], settings: ScreenSettings) -> int:
    from crtui.tui.app import CrtuiApp

    app = CrtuiApp(
        links[0],
        clock,
        others=links[1:],
        ascii=options.ascii,
        no_color=options.no_color,
        read_only=options.read_only,
        strip=options.strip,
        owns_gateway=False,
        settings=settings,
    )
    app.on_first_frame = collect_again
    app.run()
    return app.return_code or 0
