"""What a run that finds the files of another one knows of it."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from crtui.clock import ManualClock
from crtui.core.now import MINUTE
from tests.engine.conftest import Live


def counts(live: Live) -> list[int]:
    return [live.engine.provider_view(name).usage.requests for name in ("a", "b")]


def after_a_restart(folder: Path) -> list[int]:
    """What a new run knows; the journal must be whole, and nothing of it put aside."""
    if (folder / "journal.db").exists():
        with contextlib.closing(sqlite3.connect(folder / "journal.db")) as db:
            assert db.execute("PRAGMA quick_check").fetchone() == ("ok",)
    live = Live(folder, ManualClock(wall=1_795_165_200_000 + 10 * MINUTE))
    live.start()
    try:
        assert list(live.notices) == []
        assert list(folder.glob("*.bad-*")) == []
        return counts(live)
    finally:
        live.kill()
