"""The demo's logs: real files, so that what is shown of its agents and subscription is the real thing."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from crtui.agents.board import Board
from crtui.agents.ledger import Ledger
from crtui.agents.sources import sources_of
from crtui.agents.table import open_cache
from crtui.core.now import HOUR, MINUTE
from crtui.demo.logs import DemoLogs
from tests.agentlogs.logs import T0, read_all


def test_agents_blocks_and_windows_are_there_from_the_start_and_go_on() -> None:
    logs = DemoLogs(T0, seed=1)
    with closing(open_cache(None)) as db:
        ledger, sources = Ledger(db), sources_of(logs.environ)
        seen = []
        for minutes in (0, 10):
            logs.write(T0 + minutes * MINUTE)
            read_all(ledger, sources)
            seen.append(Board(ledger).views(T0 + minutes * MINUTE))
    logs.remove()

    claude, codex = seen[0]
    assert claude.block is not None
    assert claude.block.projected_to is not None
    assert claude.block.tokens < claude.block.projected_to
    five, week = codex.windows
    assert (five.name, five.used_percent, five.resets_at) == ("5h", 68.0, T0 + 2 * HOUR + 10 * MINUTE)
    assert five.exhausts_from is not None
    assert five.exhausts_to is not None
    assert T0 < five.exhausts_from < five.exhausts_to
    assert (week.name, week.used_percent, week.exhausts_from is not None) == ("7d", 41.0, True)
    assert seen[1][0].block is not None
    assert seen[1][0].block.tokens > claude.block.tokens
    assert (seen[1][1].windows[0].used_percent or 0) > 68
    assert claude.skipped == codex.skipped == 0


def test_nothing_is_left_behind() -> None:
    logs = DemoLogs(T0, seed=1)
    folder = Path(logs.environ["CODEX_HOME"]).parent
    assert folder.is_dir()

    logs.remove()

    assert not folder.exists()
