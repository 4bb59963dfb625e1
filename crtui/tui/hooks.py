"""Commands of a person's own, run when a provider goes out, runs empty, is back.

Without a shell, without anything secret in their environment, a few at a time and not for long;
the screen never waits for one.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import threading
from collections.abc import Callable, Collection, Mapping
from typing import Final

from crtui.core.now import stamp
from crtui.text import scrub
from crtui.tui.notify import Turn
from crtui.tui.settings import Change

LIMIT_S: Final = 10.0
AT_ONCE: Final = 4
_SECRET: Final = re.compile(r"KEY|TOKEN|SECRET|PASS|CREDENTIAL|COOKIE|PRIVATE|_AUTH$", re.IGNORECASE)
"""Names of variables that may hold one."""


class Hooks:
    """Runs the commands. ``failed`` is told of the first failure for each kind of change, on any thread."""

    def __init__(
        self,
        commands: Mapping[Change, str],
        failed: Callable[[str], None],
        *,
        secrets: Collection[str] = (),
        environ: Mapping[str, str] = os.environ,
        limit_s: float = LIMIT_S,
    ) -> None:
        """``secrets`` are the names of variables that hold one, whatever they are called."""
        self._commands: dict[Change, list[str]] = {c: shlex.split(line) for c, line in commands.items()}
        self._failed = failed
        self._environ = {
            name: value for name, value in environ.items() if name not in secrets and not _SECRET.search(name)
        }
        self._limit_s = limit_s
        self._room = threading.BoundedSemaphore(AT_ONCE)
        self._told: set[Change] = set()

    def run(self, turn: Turn) -> None:
        """Start the command for a change, if there is one; returns at once."""
        argv = self._commands.get(turn.change)
        if argv is None:
            return
        if not self._room.acquire(blocking=False):
            self._tell(turn.change, f"was left out: {AT_ONCE} commands run already")
            return
        # A daemon: quitting does not wait for somebody else's program.
        threading.Thread(target=self._run, args=(argv, turn), name="crtui-hook", daemon=True).start()

    def _run(self, argv: list[str], turn: Turn) -> None:
        try:
            code = self._ended(argv, turn)
        except (OSError, ValueError) as fault:
            self._tell(turn.change, getattr(fault, "strerror", None) or str(fault))
        else:
            if code is None:
                self._tell(turn.change, f"took more than {self._limit_s:g} s and was ended")
            elif code:
                self._tell(turn.change, f"exited with {code}")
        finally:
            self._room.release()

    def _ended(self, argv: list[str], turn: Turn) -> int | None:
        """The command's exit code; None if it took too long. Raises ``OSError`` where it cannot be run."""
        nothing = subprocess.DEVNULL
        process = subprocess.Popen(
            argv, env=self._env(turn), stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True
        )
        try:
            return process.wait(self._limit_s)
        except subprocess.TimeoutExpired:
            # With whatever it has started itself.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return None

    def _env(self, turn: Turn) -> dict[str, str]:
        until = "" if turn.until is None else stamp(turn.until)
        told = {"CRTUI_EVENT": turn.change, "CRTUI_PROVIDER": scrub(turn.provider), "CRTUI_UNTIL": until}
        return {**self._environ, **told}

    def _tell(self, change: Change, what: str) -> None:
        if change not in self._told:
            self._told.add(change)
            self._failed(f"on_event.{change}: {self._commands[change][0]}: {scrub(what, 80)}")
