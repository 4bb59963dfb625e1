"""The only door between the screen and everything else: the newest snapshot in, commands out.

Two forms exist: ``LocalLink`` to an engine on another thread of this process, and
``crtui.engine.remote.RemoteLink`` to a gateway over HTTP. The screen cannot tell them apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from crtui.core.inputs import Command
    from crtui.core.views import Snapshot


LinkState = Literal["connecting", "live", "lost"]


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """How well the screen is connected.

    ``detail`` is one safe line (why it is lost); ``retry_in_s`` is told while reconnecting.
    """

    state: LinkState
    url: str
    detail: str = ""
    attempt: int = 0
    retry_in_s: float | None = None
    mark: str = ""
    """What the picture is, where it is not of a running gateway, e.g. ``REPLAY``."""


class Link(Protocol):
    """What the screen needs. All methods may be called from the screen's thread at any time."""

    @property
    def latest(self) -> Snapshot | None:
        """The newest snapshot, or None before the first."""
        ...

    @property
    def status(self) -> LinkStatus:
        """Whether ``latest`` is live."""
        ...

    @property
    def read_only(self) -> bool:
        """Whether commands are refused."""
        ...

    def send(self, command: Command) -> None:
        """Hand a command over; its effect shows in a later snapshot. Never blocks."""
        ...

    def take_refusal(self) -> str | None:
        """Why a command was refused after it was sent, in safe words; each is told once."""
        ...

    def retry_now(self) -> None:
        """Try to reconnect at once (no effect while live)."""
        ...


class BaseLink:
    """What all links have in common. Whoever makes the pictures sets ``_latest`` and ``_status``."""

    def __init__(self, status: LinkStatus, *, read_only: bool) -> None:
        self._latest: Snapshot | None = None
        self._status = status
        self._read_only = read_only

    @property
    def latest(self) -> Snapshot | None:
        """The newest snapshot, or None before the first."""
        return self._latest

    @property
    def status(self) -> LinkStatus:
        """Whether ``latest`` is live."""
        return self._status

    @property
    def read_only(self) -> bool:
        """Whether commands are refused."""
        return self._read_only

    def take_refusal(self) -> str | None:
        """Nothing that was sent is refused."""
        return None

    def retry_now(self) -> None:
        """Nothing to do: there is no connection to lose."""
