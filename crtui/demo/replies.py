"""What a simulated model says: a few sentences of an agent's work, and sometimes a tool call."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Final, cast

CHARS_PER_TOKEN: Final = 4
WORDS_PER_PIECE: Final = 6
TOOL_CALL_SHARE: Final = 0.55
"""How often a model that is offered tools calls one."""

SENTENCES: Final = (
    "I will look at the failing test first, then at the function it covers.",
    "The retry loop never sees the second timeout because the counter is reset too early.",
    "This reads the file twice; one pass with a small buffer is enough.",
    "The type says optional, yet every caller passes a value, so the check can go.",
    "Let me run the suite again with the seed from the report.",
    "The lock is held while the callback runs, which explains the stall.",
    "I moved the parsing out of the handler, so it can be tested on its own.",
    "Two of the three branches return the same thing; here is the shorter form.",
    "The migration is safe to run twice, since it looks for the column first.",
    "The diff is small: one guard, one test, and a line in the changelog.",
    "That import costs a second at start, so I made it late.",
    "The cache key lacks the locale, hence the wrong greeting for half of the users.",
)

TOOL_CALLS: Final = (
    ("read_file", {"path": "src/retry.py"}),
    ("read_file", {"path": "tests/test_retry.py"}),
    ("search", {"pattern": "def backoff", "path": "src"}),
    ("run", {"command": "pytest -q tests/test_retry.py"}),
    ("run", {"command": "git diff --stat"}),
)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool the model wants called, with its arguments as JSON text."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, independent of any wire. ``input`` excludes ``cached``; all counts are tokens."""

    id: str
    model: str
    created: int
    pieces: tuple[str, ...]
    call: ToolCall | None
    input: int
    cached: int
    output: int

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.pieces)


def compose(rng: random.Random, body: dict[str, object], model: str, created: int) -> Reply:
    """Make up an answer to the request ``body``. ``created`` is Unix seconds."""
    wanted = rng.randint(1, 4) if "tools" in body else rng.randint(2, 6)
    pieces = _pieces(" ".join(rng.sample(SENTENCES, wanted)))
    call = _tool_call(rng) if "tools" in body and rng.random() < TOOL_CALL_SHARE else None
    chars = sum(map(len, pieces)) + (len(call.arguments) if call else 0)
    fresh, cached = _prompt_tokens(body)
    return Reply(_id(rng), model, created, pieces, call, fresh, cached, max(1, chars // CHARS_PER_TOKEN))


def prompt_tokens(body: dict[str, object]) -> int:
    """About how many tokens the request's prompt has."""
    return sum(_prompt_tokens(body))


def _prompt_tokens(body: dict[str, object]) -> tuple[int, int]:
    """Tokens that are new in this request, and those a prompt cache would hold from the turn before."""
    raw = body.get("messages")
    messages = cast("list[object]", raw) if isinstance(raw, list) else []
    fixed = sum(_chars(body[key]) for key in ("system", "tools") if key in body)
    fresh = sum(map(_chars, messages[-2:]))
    cached = sum(map(_chars, messages[:-2]))
    if cached:
        return fresh // CHARS_PER_TOKEN, (cached + fixed) // CHARS_PER_TOKEN
    return (fresh + fixed) // CHARS_PER_TOKEN, 0


def _chars(value: object) -> int:
    return len(value) if isinstance(value, str) else len(json.dumps(value))


def _pieces(text: str) -> tuple[str, ...]:
    words = text.split(" ")
    groups = (" ".join(words[at : at + WORDS_PER_PIECE]) for at in range(0, len(words), WORDS_PER_PIECE))
    return tuple(group if at == 0 else f" {group}" for at, group in enumerate(groups))


def _tool_call(rng: random.Random) -> ToolCall:
    name, arguments = rng.choice(TOOL_CALLS)
    return ToolCall(f"toolu_{_id(rng)}", name, json.dumps(arguments))


def _id(rng: random.Random) -> str:
    return f"{rng.getrandbits(64):016x}"
