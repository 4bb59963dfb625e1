"""aider, on the chat wire. It has no tools: it edits files by what an answer's text says."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.agents.agent import Agent
from tests.agents.install import from_pypi
from tests.agents.upstreams import CHAT_BEGUN, chat_good

_PACKAGE: Final = "aider-chat==0.86.2"
_QUIET: Final = (
    "--yes-always",
    "--no-git",
    "--no-check-update",
    "--no-show-model-warnings",
    "--no-show-release-notes",
    "--analytics-disable",
    "--no-pretty",
)


def _settle(home: Path) -> None:
    """A price table of its own, so that it does not fetch one."""
    caches = home / ".aider/caches"
    caches.mkdir(parents=True)
    (caches / "model_prices_and_context_window.json").write_text('{"none": {}}')


AIDER = Agent(
    "aider",
    lambda folder: from_pypi(folder, _PACKAGE, "aider", below=(3, 13)),
    ("aider", "--model", "openai/auto", *_QUIET, "--message-file", "/dev/stdin"),
    "chat",
    chat_good,
    CHAT_BEGUN,
    whole_after=0,
    whole_words=("--no-stream",),
    environ={"LITELLM_LOCAL_MODEL_COST_MAP": "True"},
    settle=_settle,
)
