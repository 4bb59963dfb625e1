"""Whether this machine is cut off: if several hosts are out of reach and none is not, the fault is ours."""

from __future__ import annotations

import asyncio
from typing import Final

from crtui.config.fields import is_loopback

HOSTS: Final = 2
"""With fewer, a machine that is offline cannot be told from a provider that is down."""
WITHIN_S: Final = 300.0
"""An older failure says nothing of now; polls of different providers may be minutes apart."""


class Uplink:
    """What was heard last of hosts that are not on this machine."""

    def __init__(self) -> None:
        self._unreached: dict[str, float] = {}

    def failed(self, host: str) -> bool:
        """A host could not be reached; whether that is no fault of its own."""
        if is_loopback(host):
            return False
        now = asyncio.get_running_loop().time()
        self._unreached[host] = now
        self._unreached = {name: at for name, at in self._unreached.items() if now - at <= WITHIN_S}
        return len(self._unreached) >= HOSTS

    def answered(self, host: str) -> None:
        """A host has answered, whatever it said."""
        if self._unreached and not is_loopback(host):
            self._unreached.clear()
