"""What a full-screen program owes the terminal: to leave it as it was, however it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Final, Literal

ExitReason = Literal["quit", "signal", "tty", "gateway", "crash"]

_SIGNALS: Final = ("SIGTERM", "SIGHUP")


def on_signals(leave: Callable[[ExitReason], None]) -> None:
    """Leave on SIGTERM and SIGHUP, which otherwise would end the program with the terminal in raw mode."""
    loop = asyncio.get_running_loop()
    for name in _SIGNALS:
        number = getattr(signal, name, None)
        if number is None:
            continue
        try:
            loop.add_signal_handler(number, leave, "signal")
        except (NotImplementedError, RuntimeError, ValueError):
            return  # not on this platform, or not on the main thread


def on_continue(redraw: Callable[[], object]) -> None:
    """After a stop that nobody told the program of, only draw anew.

    Textual takes every SIGCONT for the end of a SIGTSTP, for which it gave the terminal back. After a
    bare SIGSTOP it would start its threads a second time, and the first ones never end.
    """
    if not hasattr(signal, "SIGTSTP"):
        return
    stop, go_on = signal.getsignal(signal.SIGTSTP), signal.getsignal(signal.SIGCONT)
    given_back = False

    def stopping(number: int, frame: FrameType | None) -> None:
        nonlocal given_back
        given_back = True
        if callable(stop):
            stop(number, frame)

    def continuing(number: int, frame: FrameType | None) -> None:
        nonlocal given_back
        if given_back and callable(go_on):
            given_back = False
            go_on(number, frame)
        else:
            redraw()

    signal.signal(signal.SIGTSTP, stopping)
    signal.signal(signal.SIGCONT, continuing)


def tty_gone() -> bool:
    """Whether standard input is no longer a terminal: its window was closed or the connection lost."""
    try:
        return not os.isatty(sys.__stdin__.fileno()) if sys.__stdin__ is not None else True
    except (OSError, ValueError):
        return True


@contextmanager
def color_choice(*, without: bool) -> Generator[bool]:
    """Inside, ``NO_COLOR`` is set exactly if colours are not wanted; the value says whether so.

    Textual takes an empty ``NO_COLOR`` for set while it is constructed; by its own rule
    (no-color.org) only a non-empty one counts.
    """
    before = os.environ.get("NO_COLOR")
    wanted = without or bool(before)
    if wanted:
        os.environ["NO_COLOR"] = "1"
    else:
        os.environ.pop("NO_COLOR", None)
    try:
        yield wanted
    finally:
        os.environ.pop("NO_COLOR", None)
        if before is not None:
            os.environ["NO_COLOR"] = before


def ascii_wanted() -> bool:
    """Whether the terminal may show nothing but ASCII: the Linux console, or a locale without UTF-8."""
    if os.environ.get("TERM") == "linux" or os.environ.get("LC_ALL") in ("C", "POSIX"):
        # Python itself goes on in UTF-8 under that locale (PEP 540), so its encoding does not tell.
        return True
    encoding = (getattr(sys.__stderr__, "encoding", None) or "").lower().replace("-", "")
    return encoding not in ("utf8", "")
