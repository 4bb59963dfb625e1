"""An app that gives the terminal back as it was, however it ends."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from contextvars import Context, copy_context

from rich.text import Text
from textual.app import App

from crtui.tui.hygiene import ExitReason, on_continue, on_signals, tty_gone

_TTY_CHECK_S = 2.0
_CRASHED = 70


class TerminalApp(App[None]):
    """Ends on SIGTERM, SIGHUP, a terminal that is gone and a crash, and can be reached from other threads."""

    exit_reason: ExitReason = "quit"
    crash_text = ""
    """The traceback of a crash, for a log; it never reaches the terminal."""
    _loop_here: asyncio.AbstractEventLoop | None = None
    _context_here: Context | None = None

    @property
    def return_code(self) -> int | None:
        """The exit status; 70 after a crash of the screen itself."""
        return _CRASHED if self.exit_reason == "crash" else super().return_code

    def watch_terminal(self) -> None:
        """Begin to listen for what ends the program; once, on the app's own thread."""
        self._loop_here, self._context_here = asyncio.get_running_loop(), copy_context()
        if not self.is_headless:
            on_signals(self.leave)
            on_continue(lambda: self.soon(self.on_resize))
            self.set_interval(_TTY_CHECK_S, self._check_tty)

    def on_resize(self) -> None:
        """Draw everything: a terminal that is back at its size has lost what stood there all the same."""
        if self.screen_stack:
            self.screen.refresh()

    def leave(self, reason: ExitReason = "quit") -> None:
        """End the program, restoring the terminal."""
        self.exit_reason = reason
        self.exit()

    def leave_from_thread(self) -> None:
        """As ``leave``, from any thread and without waiting: the gateway has ended under the screen."""
        self.soon(lambda: self.leave("gateway"))

    def soon(self, call: Callable[[], object]) -> None:
        """Call something on the app's thread, from any thread and without waiting; not once it has ended."""
        loop = self._loop_here
        if loop is not None and not loop.is_closed():
            # In the app's context: timers made outside of it never call back.
            loop.call_soon_threadsafe(call, context=self._context_here)

    def _check_tty(self) -> None:
        if tty_gone():
            self.leave("tty")

    def _fatal_error(self) -> None:
        """A crash ends the app with one line; locals in a traceback could hold what nobody should see."""
        self.exit_reason = "crash"
        self.crash_text = traceback.format_exc()
        kind = self.crash_text.strip().splitlines()[-1].split(":")[0]
        self._exit_renderables.append(
            Text(f"crtui: the screen failed ({kind}); this is a bug, please report it")
        )
        self._close_messages_no_wait()
