"""What every link to something recorded has in common: pictures, and nothing that can be ordered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crtui.engine.link import LinkStatus

if TYPE_CHECKING:
    from crtui.core.inputs import Command
    from crtui.core.views import Snapshot


class Recorded:
    """The part of ``Link`` that only shows. Whoever makes the pictures sets ``_latest`` and ``_status``."""

    def __init__(self, url: str, mark: str) -> None:
        """``mark`` stands in the place of LIVE."""
        self._latest: Snapshot | None = None
        self._live = self._status = LinkStatus("live", url, mark=mark)

    @property
    def latest(self) -> Snapshot | None:
        """The picture of the newest instant that was reached."""
        return self._latest

    @property
    def status(self) -> LinkStatus:
        """Live, and marked; lost where it cannot be read on."""
        return self._status

    @property
    def read_only(self) -> bool:
        """Always: what has happened cannot be ordered about."""
        return True

    def _lost(self, fault: Exception) -> LinkStatus:
        return LinkStatus("lost", self._live.url, str(fault), mark=self._live.mark)

    def send(self, command: Command) -> None:
        """Refused."""

    def take_refusal(self) -> None:
        """Nothing is sent that could be refused."""

    def retry_now(self) -> None:
        """Nothing to do: there is no connection to lose."""
