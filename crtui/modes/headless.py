"""A gateway in a process of its own, for as long as commands need one."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import httpx

from crtui.config.fields import Address
from crtui.engine.remote import MARK
from crtui.engine.state_dir import StateDir
from crtui.errors import CrtuiError
from crtui.modes.lease import Lease, one_at_a_time
from crtui.modes.options import Options
from crtui.modes.owner import FAILED, SERVES
from crtui.secret import Secret

START_S: Final = 30.0
"""Discovery may look for local servers before the gateway serves."""
STOP_S: Final = 15.0
"""It drains for ten."""
MAX_LOG: Final = 1_000_000
"""Bytes of a log that is begun anew."""
_ASK_S: Final = 2.0


def answers(url: str, token: Secret | None) -> bool:
    """Whether a gateway serves at this address."""
    headers = {"authorization": f"Bearer {token.reveal()}"} if token else {}
    try:
        answer = httpx.get(f"{url}/healthz", headers=headers, timeout=_ASK_S, trust_env=False)
    except httpx.HTTPError:
        return False
    return MARK in answer.headers


@contextmanager
def gateway(options: Options, address: Address, url: str, token: Secret | None) -> Generator[str]:
    """The URL of a gateway: of the one that answers at ``url``, else of one that is started.

    One that is started ends when nobody needs it any more, though they be killed; where the state
    directory cannot be used, with whoever started it. Its output goes to ``<state-dir>/log/run.log``.
    Raises ``CrtuiError`` where it does not start.
    """
    state = StateDir(options.state_path)
    with contextlib.ExitStack() as stack:
        lease = Lease.of(state, address)
        if lease is not None:
            stack.callback(lease.close)
        with one_at_a_time(state):
            if lease is not None:
                lease.share()
            if address.port and answers(url, token):
                started = None
            else:
                started = stack.enter_context(_started(options, state, lease))
        yield started or url


@contextmanager
def _started(options: Options, state: StateDir, lease: Lease | None) -> Generator[str]:
    """``crtui serve`` with these options; gives its URL."""
    ours, its = socket.socketpair()
    with ours, its, _log(state) as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "crtui", "serve", *_flags(options), "--owner", str(its.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[its.fileno()],
            # A ctrl+c is for the command, which may go on after it.
            start_new_session=True,
        )
        try:
            its.close()
            yield _url(ours)
        finally:
            # Who else needs it keeps it: it ends when it has them all for gone.
            if lease is None or lease.alone():
                _end(process)


def _log(state: StateDir) -> BinaryIO:
    file = state.path / "log" / "run.log"
    with contextlib.suppress(OSError):
        if state.notice is None:
            file.parent.mkdir(mode=0o700, exist_ok=True)
            # Several may write to it, each its own lines.
            number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            if os.fstat(number).st_size > MAX_LOG:
                os.ftruncate(number, 0)
            return os.fdopen(number, "ab")
    return tempfile.TemporaryFile()


def _flags(options: Options) -> list[str]:
    named: tuple[tuple[str, Path | str | None], ...] = (
        ("--config", options.config),
        ("--listen", options.listen),
        ("--profile", options.profile),
        ("--state-dir", options.state_dir),
    )
    return [part for name, value in named if value is not None for part in (name, str(value))]


def _url(channel: socket.socket) -> str:
    """Where it serves, once it does."""
    channel.settimeout(START_S)
    try:
        with channel.makefile() as lines:
            word, _, words = lines.readline().strip().partition(" ")
    except TimeoutError:
        word, words = FAILED, f"not within {START_S:g} s; try `crtui serve` by itself"
    if word != SERVES:
        raise CrtuiError(
            f"the gateway did not start: {words or 'it said nothing; try `crtui serve` by itself'}"
        )
    return words


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
