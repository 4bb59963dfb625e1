"""The pictures in this folder, made anew from a recorded run of the demo at fixed instants.

    python -m screenshots.make             all pictures (PNG too where rsvg-convert is installed)
    crtui demo --seed 7 --trace screenshots/demo.jsonl      records the run itself

The recording is replayed through the real core up to an instant, and the real app draws that
state at that time, so the same recording always gives the same bytes.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import cast

from crtui.clock import ManualClock
from crtui.core.forecast import forecast
from crtui.core.inputs import Command
from crtui.core.views import Snapshot
from crtui.engine.link import BaseLink, LinkStatus
from crtui.replay.run import Replay
from crtui.tui.app import CrtuiApp

HERE = Path(__file__).parent
URL = "http://127.0.0.1:4747"
PICTURES: tuple[tuple[str, tuple[int, int], float, tuple[str, ...]], ...] = (
    ("dashboard-80x24", (80, 24), 27.0, ()),
    ("dashboard-140x40", (140, 40), 52.0, ()),
    ("dashboard-44x30", (44, 30), 27.0, ()),
    ("provider-100x30", (100, 30), 50.0, ("enter",)),
    ("explain-80x24", (80, 24), 27.0, ("x",)),
    ("forecast-100x30", (100, 30), 52.0, ("f",)),
    ("help-100x30", (100, 30), 50.0, ("question_mark",)),
)
"""Name, size, seconds into the recording, keys pressed."""


class Still(BaseLink):
    """A link to one instant of the recording."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__(LinkStatus("live", URL), read_only=False)
        self.show(snapshot)

    def show(self, snapshot: Snapshot) -> None:
        """Go to another instant."""
        self._latest = snapshot

    def send(self, command: Command) -> None:
        """A still picture obeys nobody."""


def main() -> None:
    """Draw every picture."""
    for name, size, at, keys in PICTURES:
        svg = asyncio.run(_draw(_states_until(at), size, keys))
        (HERE / f"{name}.svg").write_text(svg, "utf-8")
        _png(name)
        print(f"{name}.svg")


def _states_until(t: float) -> list[Snapshot]:
    """The states of the recording, one a second, up to ``t`` seconds."""
    lines = (HERE / "demo.jsonl").read_bytes().splitlines()
    run = Replay(_until(lines, t), "demo.jsonl")
    states: list[Snapshot] = []
    for output in run.outputs():
        if output["output"] == "event" and cast("float", output["t"]) >= len(states):
            states.append(_as_shown(run.state()))
    coming = forecast(run._fold.core, run.now)  # noqa: SLF001 - only the engine keeps forecasts
    return [*states, replace(_as_shown(run.state()), forecast=coming)]


def _as_shown(state: Snapshot) -> Snapshot:
    requests = sum(row.usage.requests for row in state.providers)
    running = sum(row.in_flight for row in state.providers)
    return replace(state, gateway=replace(state.gateway, url=URL, requests=requests, in_flight=running))


def _until(lines: list[bytes], t: float) -> Iterator[bytes]:
    yield lines[0]
    for line in lines[1:]:
        at = re.match(rb'\{"t":([\d.]+)', line)
        if at is None or float(at[1]) > t:
            break
        yield line
    yield b'{"t":%g,"input":"tick"}' % t


async def _draw(states: list[Snapshot], size: tuple[int, int], keys: tuple[str, ...]) -> str:
    link, clock = Still(states[0]), ManualClock(wall=states[0].at)
    app = CrtuiApp(link, clock, hz=0, zone=UTC)
    async with app.run_test(size=size) as pilot:
        for state in states:
            clock.advance(state.at - clock.now().wall)
            link.show(state)
            app.tick()
        await pilot.pause()
        for key in keys:
            await pilot.press(key)
        app.tick(force=True)
        await pilot.pause()
        # librsvg eats leading spaces unless every text says that they are meant.
        return app.export_screenshot(title="crtui").replace("<text ", '<text xml:space="preserve" ')


def _png(name: str) -> None:
    if shutil.which("rsvg-convert") is None:
        return
    command = ["rsvg-convert", "--zoom", "1.0", "-o", f"{name}.png", f"{name}.svg"]
    subprocess.run(command, cwd=HERE, check=True)


if __name__ == "__main__":
    sys.exit(main())
