"""What lies in files: traces, configs and the agents' own logs."""

from __future__ import annotations

import contextlib
import json
import tempfile
from pathlib import Path
from typing import Final

from crtui.agents.claude import ClaudeLogs
from crtui.agents.codex import CodexLogs
from crtui.agents.entry import Entry, Limit
from crtui.agents.files import LogFile, stamp_of
from crtui.agents.gemini import GeminiChats, GeminiDocuments
from crtui.agents.lines import no_pause
from crtui.agents.opencode import OpencodeMessages
from crtui.agents.source import Progress, Source
from crtui.agents.statusline import read_status
from crtui.config.load import parse
from crtui.errors import CrtuiError
from crtui.replay.run import Replay
from crtui.text import scrub
from tests.agentlogs import logs
from tests.fakes.terminal import config_of
from tests.replay.goldens import traces

CONFIGS = (
    (Path(__file__).parents[1] / "data" / "example.toml").read_bytes(),
    config_of(1, poll_s=0).encode(),
)
TRACES = tuple(path.read_bytes() for path in traces())
SESSION = "01234567-89ab-cdef-0123-456789abcdef"
STATUS = b'{"rate_limits":{"five_hour":{"used_percentage":41.5,"resets_at":1795104000}}}'
ROWS = (
    [logs.claude("m1"), logs.claude(None)],
    [
        logs.codex_meta(SESSION),
        logs.codex_turn("gpt-5"),
        *logs.codex_run(logs.T0, [(100, 20, 40), (50, 5, 0)]),
    ],
    [logs.gemini("g1", input=10, output=5, cached=2)],
    [logs.opencode(input=3, output=4, cache={"read": 1, "write": 2})],
)
AGENT_LOGS = (
    STATUS,
    *("\n".join(json.dumps(row, separators=(",", ":")) for row in rows).encode() for rows in ROWS),
)

_FOLDER: Final = tempfile.TemporaryDirectory(prefix="crtui-fuzz-logs-")
_LOG: Final = Path(_FOLDER.name) / "log.jsonl"
_ROOTS: Final = [Path(_FOLDER.name)]
BY_LINE: Final[tuple[Source, ...]] = (ClaudeLogs(_ROOTS), CodexLogs(_ROOTS), GeminiChats(_ROOTS))
AS_ONE: Final[tuple[Source, ...]] = (GeminiDocuments(_ROOTS), OpencodeMessages(_ROOTS))


def trace(data: bytes) -> None:
    """A trace is replayed, or refused in one line of plain text."""
    refused = ""
    try:
        replay = Replay(data.splitlines(keepends=True), "trace")
        for _ in replay.outputs():
            pass
        replay.state()
    except CrtuiError as fault:
        refused = str(fault)
    assert all(line.isprintable() for line in refused.split("\n"))


def config(data: bytes) -> None:
    """A config is good, or each fault is one line of plain text on a line of the file."""
    text = data.decode("utf-8", "replace")
    found, faults = parse(text)
    assert (found is None) == bool(faults)
    for fault in faults:
        assert fault.text("config").isprintable()
        assert fault.line is None or 1 <= fault.line <= text.count("\n") + 1
    if found is not None:
        found.to_core()


def agents(data: bytes) -> None:
    """Whoever reads the log, and in however many goes, finds entries that may be shown, and no other ones."""
    for source in (*BY_LINE, *AS_ONE):
        _LOG.write_bytes(data)
        progress = Progress()
        found = _read(source, progress)
        json.dumps(progress.state)
    for source in BY_LINE:
        progress, found = Progress(), []
        for size in (len(data) // 2, len(data)):
            _LOG.write_bytes(data[:size])
            found += _read(source, progress)
        assert found == _read(source, Progress()), "read in two goes it tells something else"
    with contextlib.suppress(ValueError):
        read_status(data, logs.T0)


def _read(source: Source, progress: Progress) -> list[Entry | Limit]:
    found = list(source.read(LogFile(str(_LOG), _LOG, stamp_of(_LOG.stat())), progress, no_pause))
    for item in found:
        if isinstance(item, Entry):
            assert min(item.usage[:4]) >= 0
            assert item.model == scrub(item.model)
    return found
