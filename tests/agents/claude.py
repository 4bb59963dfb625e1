"""Claude Code, on the messages wire."""

from __future__ import annotations

import json
from pathlib import Path

from tests.agents.agent import Agent
from tests.agents.install import call, from_npm
from tests.agents.upstreams import WORDS
from tests.fakes.upstream import Exchange, Script, ok_json, stream
from tests.gateway.wires import MESSAGE, MESSAGE_END, MESSAGE_START, message_text
from tests.wire.answers import event

# The newest that Node 20 runs.
_PACKAGE = "@anthropic-ai/claude-code@2.1.197"


def _install(folder: Path) -> Path:
    programs = from_npm(folder, _PACKAGE, "claude")
    # npm leaves this to the user: it links the program for this machine, which npm has fetched.
    call(["node", "install.cjs"], folder / "node_modules/@anthropic-ai/claude-code")
    return programs


async def _good(exchange: Exchange) -> None:
    """A whole message where it asks again without streaming, as it does after errors."""
    whole = {**MESSAGE, "content": [{"type": "text", "text": WORDS}]}
    streamed = stream(MESSAGE_START, message_text(WORDS), MESSAGE_END)
    await (streamed if exchange.seen.json.get("stream") else ok_json(whole))(exchange)


def _tool(file: Path) -> Script:
    block = {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {}}
    delta = {"type": "input_json_delta", "partial_json": json.dumps({"file_path": str(file)})}
    return stream(
        MESSAGE_START.partition(b"event: content_block_start")[0],
        event({"type": "content_block_start", "index": 0, "content_block": block}),
        event({"type": "content_block_delta", "index": 0, "delta": delta}),
        MESSAGE_END.replace(b'"end_turn"', b'"tool_use"'),
    )


CLAUDE = Agent(
    "claude",
    _install,
    ("claude", "-p", "--allowedTools", "Read", "--model", "claude-sonnet-4-6"),
    "messages",
    _good,
    (MESSAGE_START, message_text("The gate")),
    whole_after=1,
    tool=_tool,
    # It refuses more than its window itself, which is 200,000 tokens without this.
    large_words=("--model", "claude-sonnet-4-6[1m]"),
    environ={"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1"},
)
