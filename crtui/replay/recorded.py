"""What every link to something recorded has in common: pictures, and nothing that can be ordered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crtui.engine.link import BaseLink, LinkStatus

if TYPE_CHECKING:
    from crtui.core.inputs import Command


class Recorded(BaseLink):
    """``Link`` to what has happened: it cannot be ordered about."""

    def __init__(self, url: str, mark: str) -> None:
        """``mark`` stands in the place of LIVE."""
        self._live = LinkStatus("live", url, mark=mark)
        super().__init__(self._live, read_only=True)

    def send(self, command: Command) -> None:
        """Refused."""

    def _lost(self, fault: Exception) -> LinkStatus:
        return LinkStatus("lost", self._live.url, str(fault), mark=self._live.mark)
