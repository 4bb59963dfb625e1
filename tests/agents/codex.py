"""Codex CLI, on the responses wire."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from tests.agents.agent import Agent
from tests.agents.install import from_npm
from tests.agents.upstreams import WORDS
from tests.fakes.upstream import Script, stream
from tests.wire.answers import ADDED, CREATED, OUTPUT, TOKENS, ended, event

_PACKAGE: Final = "@openai/codex@0.169.0"
_ITEM = {**OUTPUT, "content": [{"type": "output_text", "text": WORDS, "annotations": []}]}


def _delta(text: str) -> bytes:
    return event({"type": "response.output_text.delta", "item_id": "msg_1", "delta": text})


def _done(item: dict[str, object]) -> bytes:
    return event({"type": "response.output_item.done", "output_index": 0, "item": item})


def _tool(file: Path) -> Script:
    arguments = json.dumps({"cmd": f"cat {file}"})
    call = {
        "type": "function_call",
        "id": "f1",
        "call_id": "c1",
        "name": "exec_command",
        "arguments": arguments,
    }
    added = event({"type": "response.output_item.added", "output_index": 0, "item": call})
    return stream(CREATED, added, _done(call), ended(output=[call], usage=TOKENS))


CODEX = Agent(
    "codex",
    lambda folder: from_npm(folder, _PACKAGE, "codex"),
    ("codex", "exec", "--skip-git-repo-check", "-s", "danger-full-access", "-"),
    "responses",
    stream(CREATED, ADDED, _delta(WORDS), _done(_ITEM), ended(output=[_ITEM], usage=TOKENS)),
    (CREATED, ADDED, _delta("The gate")),
    tool=_tool,
)
