"""opencode, on the chat wire."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from tests.agents.agent import Agent
from tests.agents.install import call, from_npm
from tests.agents.upstreams import CHAT_BEGUN, chat_good
from tests.fakes.upstream import Script, stream
from tests.gateway.wires import CHAT_DONE, CHAT_START, CHAT_USAGE, chat_chunk

_PACKAGE: Final = "opencode-ai@1.18.33"


def _install(folder: Path) -> Path:
    programs = from_npm(folder, _PACKAGE, "opencode")
    # As with Claude Code: npm has fetched the program for this machine, this links it.
    call(["node", "postinstall.mjs"], folder / "node_modules/opencode-ai")
    return programs


def _tool(file: Path) -> Script:
    function = {"name": "read", "arguments": json.dumps({"filePath": str(file)})}
    call_ = {"index": 0, "id": "call_1", "type": "function", "function": function}
    asked = chat_chunk({"tool_calls": [call_]})
    return stream(CHAT_START, asked, chat_chunk({}, "tool_calls"), CHAT_USAGE, CHAT_DONE)


OPENCODE = Agent(
    "opencode",
    _install,
    # With a title it does not ask for one beside the first request.
    ("opencode", "run", "--pure", "--title", "a case", "--model", "crtui/auto"),
    "chat",
    chat_good,
    CHAT_BEGUN,
    tool=_tool,
    environ={
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
        # It would install a package for plugins beside its work.
        "npm_config_offline": "true",
    },
)
