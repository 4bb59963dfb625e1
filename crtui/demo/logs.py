"""The logs that two made-up coding agents leave: a few hours of work before the demo, and more as it goes on.

They are files of the agents' own formats in a directory of the demo's, so that what reads them is the
real thing. Claude Code's has sessions; Codex's also tells of its subscription's windows.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import orjson

from crtui.core.now import DAY, HOUR, MINUTE, SECOND, stamp
from crtui.scratch import Scratch

HISTORY_MS: Final = 2 * HOUR + 30 * MINUTE
STEP_MS: Final = 45 * SECOND
"""From one answer of an agent to its next."""
SESSION: Final = "0d3c1a52-6f0e-4c1b-9a77-5c2f4e8b1d90"

_CLAUDE_MODELS: Final = ("claude-sonnet-4-6", "claude-sonnet-4-6", "claude-haiku-4-5")
_CODEX_MODEL: Final = "gpt-5.6"
# Percent used at the story's start and points an hour; the wait for the reset then.
_FIVE_HOURS: Final = (68.0, 19.0, 2 * HOUR + 10 * MINUTE)
_WEEK: Final = (41.0, 2.5, 3 * DAY + 9 * HOUR)


class DemoLogs:
    """Two growing logs. ``began`` is the story's start in wall milliseconds."""

    def __init__(self, began: int, seed: int) -> None:
        self._scratch = Scratch()
        self._folder = self._scratch.path
        self._began = began
        self._seed = seed
        self._next = began - HISTORY_MS
        self._count = 0
        self._sum = [0, 0, 0]
        self._claude = self._folder / "claude" / "projects" / "demo" / f"{SESSION}.jsonl"
        self._codex = self._folder / "codex" / "sessions" / f"rollout-{SESSION}.jsonl"
        for log in (self._claude, self._codex):
            log.parent.mkdir(parents=True)
        self._append(self._codex, self._codex_line(self._next, "turn_context", {"model": _CODEX_MODEL}))

    @property
    def environ(self) -> dict[str, str]:
        """The variables by which the agents' logs are found."""
        return {
            "CLAUDE_CONFIG_DIR": str(self._folder / "claude"),
            "CODEX_HOME": str(self._folder / "codex"),
        }

    def write(self, wall: int) -> None:
        """What the agents have done up to now."""
        claude: list[bytes] = []
        codex: list[bytes] = []
        while self._next <= wall:
            chance = random.Random(f"{self._seed}/{self._count}")
            claude.append(self._claude_answer(chance))
            codex.append(self._codex_answer(chance))
            self._count += 1
            self._next += STEP_MS
        if claude:
            self._append(self._claude, *claude)
            self._append(self._codex, *codex)

    def remove(self) -> None:
        """Leave nothing behind."""
        self._scratch.remove()

    def _claude_answer(self, chance: random.Random) -> bytes:
        usage = {
            "input_tokens": chance.randrange(5, 900),
            "output_tokens": chance.randrange(80, 2_400),
            "cache_creation_input_tokens": chance.randrange(400, 4_000),
            "cache_read_input_tokens": chance.randrange(9_000, 48_000),
        }
        message = {"id": f"msg_{self._count}", "model": chance.choice(_CLAUDE_MODELS), "usage": usage}
        row = {"type": "assistant", "timestamp": stamp(self._next), "sessionId": SESSION, "version": "2.1.80"}
        return orjson.dumps({**row, "requestId": f"req_{self._count}", "message": message})

    def _codex_answer(self, chance: random.Random) -> bytes:
        entered, output = chance.randrange(9_000, 34_000), chance.randrange(60, 1_500)
        last = [entered, entered * 4 // 5, output]
        self._sum = [before + new for before, new in zip(self._sum, last, strict=True)]
        info = {"last_token_usage": _counts(last), "total_token_usage": _counts(self._sum)}
        limits = {
            "limit_id": "codex",
            "primary": self._window(300, *_FIVE_HOURS),
            "secondary": self._window(7 * 24 * 60, *_WEEK),
        }
        payload = {"type": "token_count", "info": info, "rate_limits": limits}
        return self._codex_line(self._next, "event_msg", payload)

    def _codex_line(self, at: int, kind: str, payload: Mapping[str, object]) -> bytes:
        return orjson.dumps({"timestamp": stamp(at), "type": kind, "payload": payload})

    def _window(self, minutes: int, used: float, points_an_hour: float, wait: int) -> dict[str, object]:
        now = min(100.0, used + points_an_hour * (self._next - self._began) / HOUR)
        resets_at = (self._began + wait) // SECOND
        return {"used_percent": round(now, 1), "window_minutes": minutes, "resets_at": resets_at}

    @staticmethod
    def _append(log: Path, *lines: bytes) -> None:
        with log.open("ab") as out:
            out.writelines(line + b"\n" for line in lines)


def _counts(sums: list[int]) -> dict[str, int]:
    return {"input_tokens": sums[0], "cached_input_tokens": sums[1], "output_tokens": sums[2]}
