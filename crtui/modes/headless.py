"""A gateway in a process of its own, for as long as a command needs one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import httpx

from crtui.engine.remote import MARK
from crtui.engine.state_dir import StateDir
from crtui.errors import CrtuiError
from crtui.modes.options import Options
from crtui.secret import Secret

START_S: Final = 30.0
"""Discovery may look for local servers before the gateway serves."""
STOP_S: Final = 15.0
"""It drains for ten."""
_LOOK_S: Final = 0.05
_ASK_S: Final = 2.0
_READY: Final = "crtui serves on "


def answers(url: str, token: Secret | None) -> bool:
    """Whether a gateway serves at this address."""
    headers = {"authorization": f"Bearer {token.reveal()}"} if token else {}
    try:
        answer = httpx.get(f"{url}/healthz", headers=headers, timeout=_ASK_S, trust_env=False)
    except httpx.HTTPError:
        return False
    return MARK in answer.headers


@contextmanager
def gateway(options: Options) -> Generator[str]:
    """``crtui serve`` with these options, ended again at the end; gives its address.

    Its output goes to ``<state-dir>/log/run.log``. Raises ``CrtuiError`` where it does not start.
    """
    state = StateDir(options.state_path)
    with _log(state) as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "crtui", "serve", *_flags(options)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # A ctrl+c is for the command, which may go on after it.
            start_new_session=True,
        )
        try:
            yield _address(process, log)
        finally:
            _end(process)


def _log(state: StateDir) -> IO[bytes]:
    if state.notice is not None:
        import tempfile

        return tempfile.TemporaryFile()
    folder = state.path / "log"
    folder.mkdir(mode=0o700, exist_ok=True)
    file = os.open(folder / "run.log", os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    return os.fdopen(file, "r+b")


def _flags(options: Options) -> list[str]:
    named: tuple[tuple[str, Path | str | None], ...] = (
        ("--config", options.config),
        ("--listen", options.listen),
        ("--profile", options.profile),
        ("--state-dir", options.state_dir),
    )
    return [part for name, value in named if value is not None for part in (name, str(value))]


def _address(process: subprocess.Popen[bytes], log: IO[bytes]) -> str:
    """Where it serves, once it does."""
    end = time.perf_counter() + START_S
    while time.perf_counter() < end:
        ended = process.poll() is not None
        # Another offset than the file's own, which its writer uses too.
        text = os.pread(log.fileno(), 65_536, 0).decode("utf-8", "replace")
        if _READY in text and "\n" in text.partition(_READY)[2]:
            return text.partition(_READY)[2].split()[0]
        if ended:
            words = text.strip().rpartition("\n")[2].removeprefix("crtui: ")
            raise CrtuiError(f"the gateway did not start: {words or 'it said nothing'}")
        # A plain command that waits for another process; nothing else runs here.
        time.sleep(_LOOK_S)
    raise CrtuiError(f"the gateway did not start within {START_S:g} s; try `crtui serve` by itself")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
