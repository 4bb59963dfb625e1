"""Where an agent is run: ``crtui run`` before it, a home of its own, nothing of the developer leaks in."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.agents.agent import Agent
from tests.agents.upstreams import WORDS
from tests.fakes.terminal import ROOT

LIMIT_S = 150
_ANYWHERE = "127.0.0.1:0"


class CaseFailedError(Exception):
    """A case that failed; the message says why."""


class CaseLeftError(Exception):
    """A case that cannot be played with an agent or on this machine; the message says why."""


@dataclass(frozen=True)
class Outcome:
    """How an agent ended."""

    code: int
    out: str
    errors: str

    def expect_words(self) -> None:
        """Raises ``CaseFailedError`` unless it ended well and printed what the model says."""
        if self.code or WORDS not in self.out:
            raise CaseFailedError(str(self))

    def __str__(self) -> str:
        return f"exit {self.code}: {self.out[-300:]!r} {self.errors[-600:]!r}"


@dataclass(frozen=True)
class Stage:
    """One place to run one agent in, with a file for it to read."""

    agent: Agent
    programs: Path
    home: Path

    def __post_init__(self) -> None:
        self.note.write_text("a note\n")
        self.agent.settle(self.home)

    @property
    def note(self) -> Path:
        """A file in the directory where the agent runs."""
        return self.home / "note.txt"

    def config(self, *urls: str, kind: str = "openai-compatible", model: str | None = None) -> Path:
        """A config whose chain is these providers, asked for ``model`` or for what the agent names."""
        file = self.home / "crtui.toml"
        named = "" if model is None else f'model = "{model}"\n'
        file.write_text("".join(self._provider(f"p{i}", url, kind) + named for i, url in enumerate(urls)))
        return file

    async def ask(self, config: Path, prompt: str = "hello", *more: str, listen: str = _ANYWHERE) -> Outcome:
        """Run the agent to its end. Raises ``CaseFailedError`` where it takes too long."""
        async with self.started(config, prompt, *more, listen=listen) as process:
            return await ended(process, LIMIT_S)

    @asynccontextmanager
    async def started(
        self, config: Path, prompt: str, *more: str, listen: str = _ANYWHERE
    ) -> AsyncIterator[Process]:
        """The agent, running in a process group of its own with its prompt on the way."""
        run = [sys.executable, "-m", "crtui", "run", "--config", str(config), "--listen", listen, "--"]
        file = self.home / "prompt.txt"
        file.write_text(prompt)
        with file.open("rb") as source:
            process = await asyncio.create_subprocess_exec(
                *run,
                *self.agent.words,
                *more,
                stdin=source,
                stdout=PIPE,
                stderr=PIPE,
                env=self._environ(),
                cwd=self.home,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
                await process.communicate()

    def _provider(self, name: str, url: str, kind: str) -> str:
        return (
            f'[[provider]]\nname = "{name}"\nkind = "{kind}"\nauth = "none"\npoll_s = 0\n'
            f'base_url = "{url}"\nwires = ["{self.agent.wire}"]\n'
        )

    def _environ(self) -> dict[str, str]:
        return {
            **self.agent.environ,
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "CRTUI_STATE_DIR": str(self.home / "state"),
            "PYTHONPATH": str(ROOT),
            "LANG": "C.UTF-8",
        }


def interrupt(process: Process) -> None:
    """What ctrl+c in a terminal does: everybody in the foreground gets the signal."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)


async def ended(process: Process, within_s: float) -> Outcome:
    """How a process ended. Raises ``CaseFailedError`` where it does not."""
    try:
        async with asyncio.timeout(within_s):
            out, errors = await process.communicate()
    except TimeoutError:
        raise CaseFailedError(f"not done within {within_s:g} s") from None
    assert process.returncode is not None
    return Outcome(process.returncode, out.decode(errors="replace"), errors.decode(errors="replace"))
