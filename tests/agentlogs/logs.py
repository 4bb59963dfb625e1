"""Logs as the agents write them, for tests to make: one function a kind of line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from crtui.agents.ledger import Ledger
from crtui.agents.source import Source
from crtui.agents.sources import changed_files, sources_of
from crtui.agents.table import open_cache
from crtui.agents.totals import day_totals, files_read
from crtui.core.now import HOUR, MINUTE

T0 = 1_795_100_400_000
"""2026-11-19 15:00:00 UTC."""

Totals = dict[tuple[str, str, str], tuple[int, int, int, int]]
"""Day, agent and model to input, output, cache-read and cache-write tokens."""


def stamp(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def claude(
    key: str | None = "m1",
    at: int = T0,
    counts: tuple[int, int, int, int] = (100, 50, 2000, 300),
    *,
    request: str | None = "r1",
    model: str = "claude-sonnet-4-6",
    message: dict[str, Any] | None = None,
    usage: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """An assistant's row; ``counts`` are input, output, cache read and cache written."""
    told = {
        "input_tokens": counts[0],
        "output_tokens": counts[1],
        "cache_read_input_tokens": counts[2],
        "cache_creation_input_tokens": counts[3],
        **(usage or {}),
    }
    body = {"model": model, "content": [{"type": "text", "text": "hé"}], "usage": told, **(message or {})}
    if key is not None:
        body["id"] = key
    row = {"type": "assistant", "timestamp": stamp(at), "sessionId": "s1", "version": "2.1.80", "cwd": "/w"}
    if request is not None:
        row["requestId"] = request
    return {**row, "message": body, **more}


def codex_counts(entered: int, output: int, cached: int = 0, reasoning: int = 0) -> dict[str, int]:
    return {
        "input_tokens": entered,
        "cached_input_tokens": cached,
        "output_tokens": output,
        "reasoning_output_tokens": reasoning,
        "total_tokens": entered + output,
    }


def codex_meta(session: str, at: int = T0, **payload: Any) -> dict[str, Any]:
    return _codex(
        "session_meta", at, {"id": session, "timestamp": stamp(at), "cli_version": "0.99", **payload}
    )


def codex_turn(model: str, at: int = T0) -> dict[str, Any]:
    return _codex("turn_context", at, {"model": model, "effort": "high"})


def codex_answer(
    at: int, last: dict[str, int] | None, total: dict[str, int] | None, limits: dict[str, Any] | None = None
) -> dict[str, Any]:
    info = {"last_token_usage": last, "total_token_usage": total, "model_context_window": 272000}
    info = {name: value for name, value in info.items() if value is not None}
    return _codex("event_msg", at, {"type": "token_count", "info": info, "rate_limits": limits})


def codex_run(at: int, steps: Iterable[tuple[int, int, int]], gap: int = MINUTE) -> list[dict[str, Any]]:
    """Answers one after another, each of (input, output, cached), with their growing sums."""
    rows: list[dict[str, Any]] = []
    entered = output = cached = 0
    for number, step in enumerate(steps):
        entered, output, cached = entered + step[0], output + step[1], cached + step[2]
        last, total = codex_counts(*step), codex_counts(entered, output, cached)
        rows.append(codex_answer(at + number * gap, last, total))
    return rows


def _codex(kind: str, at: int, payload: dict[str, Any]) -> dict[str, Any]:
    return {"timestamp": stamp(at), "type": kind, "payload": payload}


def rollout(
    home: Path, session: str, rows: Iterable[dict[str, Any]], folder: str = "sessions/2026/11/19"
) -> Path:
    """A rollout under its proper name; ``session`` is its id, of 36 characters."""
    return write(home / folder / f"rollout-2026-11-19T15-00-00-{session}.jsonl", rows)


def gemini(key: str, at: int = T0, model: str = "gemini-3.7-flash", **tokens: int) -> dict[str, Any]:
    return {
        "id": key,
        "type": "gemini",
        "timestamp": stamp(at),
        "model": model,
        "content": "x",
        "tokens": tokens,
    }


def opencode(
    at: int = T0, model: str = "claude-sonnet-4-6", *, done: bool = True, **tokens: Any
) -> dict[str, Any]:
    time = {"created": at, **({"completed": at + MINUTE} if done else {})}
    return {"role": "assistant", "modelID": model, "providerID": "p", "time": time, "tokens": tokens}


def write(path: Path, rows: Iterable[dict[str, Any]], *, end: str = "\n") -> Path:
    """A new file of these rows, one a line, without blanks as the agents write them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(_line(row) for row in rows) + end, encoding="utf-8")
    return path


def append(path: Path, *rows: dict[str, Any]) -> None:
    with path.open("a", encoding="utf-8") as out:
        out.writelines(_line(row) + "\n" for row in rows)


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, separators=(",", ":"), ensure_ascii=False)


class Machine:
    """A home directory with agents' logs, and a state directory."""

    def __init__(self, path: Path) -> None:
        self.home = path / "home"
        self.state = path / "state"
        self.projects = self.home / ".claude" / "projects"
        self.codex = self.home / ".codex"
        self.gemini = self.home / ".gemini" / "tmp"
        self.opencode = self.home / ".local" / "share" / "opencode"
        self.state.mkdir(parents=True)

    @property
    def environ(self) -> dict[str, str]:
        return {"HOME": str(self.home)}

    def sources(self) -> list[Source]:
        return sources_of(self.environ)

    def ledger(self) -> Ledger:
        """The cache as a newly started program has it, kept in the state directory."""
        return Ledger(open_cache(self.state))

    @cached_property
    def memory(self) -> Ledger:
        """A cache for this test only."""
        return Ledger(open_cache(None))

    def totals(self, ledger: Ledger | None = None) -> Totals:
        """Everything there is now."""
        own = ledger or self.memory
        read_all(own, self.sources())
        return {(t.day, t.agent, t.model): t.usage[:4] for t in day_totals(own.db, utc=True)}

    def tokens(self, agent: str, ledger: Ledger | None = None) -> int:
        return sum(sum(counts) for (_, whose, _), counts in self.totals(ledger).items() if whose == agent)

    def skipped(self) -> int:
        """How many lines of what was read could not be understood."""
        return sum(read.skipped for read in files_read(self.memory.db).values())


def read_all(ledger: Ledger, sources: list[Source]) -> int:
    """Read what has changed; how many logs that were."""
    changed = changed_files(sources, ledger)
    for source, file in changed:
        assert ledger.read(source, file)
    return len(changed)


def touch(path: Path, at: int) -> None:
    os.utime(path, (at / 1000, at / 1000))


DAY_1 = "2026-11-19"
LATER = T0 + 10 * HOUR
