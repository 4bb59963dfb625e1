"""``crtui statusline``: a status-line command for Claude Code that keeps the limits it is handed.

Opt-in: the user names it in Claude Code's settings, before the command that was there. It must never
break that one: whatever goes wrong here, its output is still printed.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Sequence
from typing import Final

from crtui.agents.entry import Limit
from crtui.agents.statusline import FILE, from_file, merged, read_status, to_bytes
from crtui.clock import SystemClock
from crtui.engine.state_dir import StateDir, write_private
from crtui.errors import CrtuiError
from crtui.modes.options import Options
from crtui.modes.text import span

MAX_INPUT: Final = 4 * 1024 * 1024


def statusline(options: Options, command: Sequence[str]) -> int:
    """Keep the windows that come on stdin, then be the command given after ``--``, or print one line.

    Exit with that command's code. Raises ``CrtuiError`` where it cannot be run.
    """
    data = sys.stdin.buffer.read(MAX_INPUT)
    now = SystemClock().now().wall
    try:
        found = read_status(data, now)
    except ValueError:
        found = None
    if found is not None:
        _keep(options, found)
    command = command[1:] if command[:1] == ["--"] else command
    if command:
        return _chain(command, data)
    print(_line(found or [], now))
    return 0


def _keep(options: Options, found: list[Limit]) -> None:
    """Write what is new. A status line has no room for words about a disk, so a fault stays silent."""
    state = StateDir(options.state_path)
    kept = from_file(state.path)
    if state.notice is not None or (kept is None and not found):
        return
    limits = merged(found, kept or [])
    if limits != kept:
        try:
            write_private(state.path / FILE, to_bytes(limits), sync=False)
        except OSError:
            return


def _chain(command: Sequence[str], data: bytes) -> int:
    try:
        return subprocess.run(command, input=data, check=False).returncode
    except OSError as fault:
        raise CrtuiError(
            f"{command[0]} cannot be run: {fault.strerror or fault}; mend the status line's command"
        ) from fault


def _line(limits: Iterable[Limit], now: int) -> str:
    parts = [_part(limit, now) for limit in limits]
    return " | ".join(parts) or "crtui: no subscription limits told yet"


def _part(limit: Limit, now: int) -> str:
    report = limit.report
    words = f"{report.name} {report.used_percent:.0f}% used"
    if report.resets_at is None or report.resets_at <= now:
        return words
    return f"{words}, resets in {span(report.resets_at - now)}"
