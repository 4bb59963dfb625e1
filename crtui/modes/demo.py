"""``crtui demo``: the dashboard on simulated providers and generated traffic."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from crtui.clock import SystemClock
from crtui.engine.local import LocalLink
from crtui.modes.background import GatewayThread
from crtui.modes.options import Options
from crtui.modes.screen import need_terminal, run_local
from crtui.scratch import Scratch

if TYPE_CHECKING:
    from crtui.compose import Stack
    from crtui.demo.world import DemoWorld
    from crtui.tui.app import CrtuiApp

_DRAIN_S: Final = 0.5


def demo(options: Options, *, seed: int, speed: float, trace: Path | None) -> int:
    """Everything but the providers and the agents is the real thing. Exit 0 on quit."""
    need_terminal("crtui serve")
    clock = SystemClock(speed)
    link = LocalLink("", read_only=options.read_only)
    with Scratch() as state:
        stage = _Stage(replace(options, state_dir=state.path), clock, seed, trace)

        def thread_for(app: CrtuiApp) -> GatewayThread:
            return GatewayThread(
                partial(stage.build, app),
                link,
                on_failure=app.leave_from_thread,
                beside=stage.play,
                cleanup=stage.clear,
                drain_s=_DRAIN_S,
            )

        return run_local(stage.options, clock, link, thread_for)


class _Stage:
    """The simulated world and the gateway in it. Built after the first frame, on the gateway's thread."""

    def __init__(self, options: Options, clock: SystemClock, seed: int, trace: Path | None) -> None:
        self.options = options
        self._clock = clock
        self._seed = seed
        self._trace = trace
        self._world: DemoWorld | None = None

    async def build(self, app: CrtuiApp) -> Stack:
        """Start the providers, and make the gateway that leads to them."""
        from crtui.compose import Stack, bind_for
        from crtui.config.load import config_from_data
        from crtui.config.override import override
        from crtui.demo.world import DemoWorld
        from crtui.engine.logfile import log_to_file
        from crtui.modes.plant import make_plant
        from crtui.modes.settings import own_settings

        settings, amiss = own_settings(self.options)
        app.use_from_thread(settings)
        app.tell_from_thread(*amiss)
        world = self._world = DemoWorld(self._clock, self._seed)
        data = await world.start()
        config = override(config_from_data(data, "demo"), {}, self.options.listen or "127.0.0.1:0")
        plant = make_plant(
            self.options, config, self._clock, self._trace, environ=world.environ, seed=self._seed
        )
        log_to_file(plant.state.path)
        return Stack(plant, bind_for(config))

    async def play(self, stack: Stack) -> None:
        """Let the agents work, until cancelled."""
        if self._world is not None:
            await self._world.run_traffic(stack.url, None)

    async def clear(self) -> None:
        """Take the world down."""
        if self._world is not None:
            await self._world.stop()
