"""The link of a replay: pictures of a trace at whatever time the transport is at. Nothing can be ordered."""

from __future__ import annotations

import threading
from typing import Final

from crtui.errors import CrtuiError
from crtui.replay.player import Player
from crtui.replay.recorded import Recorded
from crtui.replay.transport import Transport

LOOK_S: Final = 0.1
BUDGET: Final = 5_000
"""Inputs between two pictures, so that a long way is seen to be gone."""


class ReplayLink(Recorded):
    """``Link`` to a trace, folded on a thread of its own."""

    def __init__(self, player: Player, transport: Transport) -> None:
        super().__init__("", "REPLAY")
        self._player = player
        self._transport = transport
        self._woken = threading.Event()
        self._stopping = False
        self._step = False
        self._thread = threading.Thread(target=self._run, name="crtui-replay", daemon=True)

    def wake(self) -> None:
        """The transport has been moved: take a picture there soon."""
        self._woken.set()

    def step(self) -> None:
        """Go to the next input, and stay there."""
        self._step = True
        self._woken.set()

    def start(self) -> None:
        """Begin to take pictures."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, and close the trace."""
        self._stopping = True
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join()
        self._player.close()

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._woken.clear()
                arrived = self._go()
                if arrived:
                    self._woken.wait(LOOK_S)
        except CrtuiError as fault:
            self._transport.hold(self._player.at)
            self._status = self._lost(fault)

    def _go(self) -> bool:
        if self._step:
            self._step = False
            self._player.seek(self._transport.position(), BUDGET)
            following = self._player.next_input
            self._transport.hold(self._transport.end if following is None else following)
        target = self._transport.position()
        if self._latest is not None and self._player.at == target:
            return True
        arrived = self._player.seek(target, BUDGET)
        self._latest = self._player.snapshot()
        return arrived
