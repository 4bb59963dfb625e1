"""A link that is no gateway: it holds what a test puts there and keeps what the screen sends."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from crtui.clock import ManualClock
from crtui.core.inputs import Command
from crtui.core.views import Snapshot
from crtui.engine.link import LinkStatus
from crtui.tui.app import CrtuiApp
from tests.fakes import snapshots


class FakeLink:
    """A link whose other side is the test."""

    def __init__(self, latest: Snapshot | None = None, *, read_only: bool = False) -> None:
        self.latest = latest
        self.status = LinkStatus("live" if latest is not None else "connecting", snapshots.URL)
        self.read_only = read_only
        self.sent: list[Command] = []
        self.retries = 0
        self.refusals: list[str] = []

    def send(self, command: Command) -> None:
        self.sent.append(command)

    def take_refusal(self) -> str | None:
        return self.refusals.pop(0) if self.refusals else None

    def retry_now(self) -> None:
        self.retries += 1


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's own settings reaches a picture."""
    for name in ("NO_COLOR", "COLUMNS", "LINES", "TERM", "COLORTERM", "LC_ALL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(wall=snapshots.NOW)


def make_app(link: FakeLink, clock: ManualClock, **options: Any) -> CrtuiApp:
    """The app without a timer: a picture is taken when the test says so."""
    return CrtuiApp(link, clock, **{"hz": 0, "zone": UTC, "plot": False, **options})
