"""Coding agents at work: turns of growing context, bursts of tool calls, pauses, second thoughts."""

from __future__ import annotations

import asyncio
import random
import uuid
from dataclasses import dataclass
from typing import Final

import httpx

from crtui.clock import Clock
from crtui.core.now import SECOND
from crtui.core.settings import Wire
from crtui.demo.client import TIMEOUT, Failed, ask
from crtui.demo.dialogue import ChatDialogue, Dialogue, Heard, Json, MessagesDialogue

CHAT_PROFILE: Final = "chat"
REVIEW_PROFILE: Final = "review"
MAIN_MODEL: Final = "claude-sonnet-4-6"
SIDE_MODEL: Final = "claude-haiku-4-5"
CHAT_MODEL: Final = "qwen3-coder"

MAX_STEPS: Final = 4
MAX_TRIES: Final = 4
COMPACT_AT_CHARS: Final = 48_000
LEAVE_SHARE: Final = 0.04
"""How often a user hangs up in the middle of an answer."""
LONGEST_WAIT_S: Final = 30.0
"""No agent waits longer than this, whatever it is told."""

_DIALOGUES: Final[dict[Wire, type[Dialogue]]] = {"messages": MessagesDialogue, "chat": ChatDialogue}
_ASKS: Final = (
    "The retry test fails about once in twenty runs. Find out why.",
    "Split the parser from the handler and keep the tests green.",
    "Why does the start take two seconds? Measure before you change anything.",
    "Add a flag that prints the plan without running it.",
    "Review the last diff for anything that could lose data.",
)
_FILE_LINE: Final = "    if attempt.deadline < now: return give_up(attempt, reason='deadline')\n"


@dataclass(frozen=True, slots=True)
class Role:
    """How an agent behaves: the ranges of its pauses (seconds) and of the files it reads (lines)."""

    name: str
    wire: Wire
    model: str
    think_s: tuple[float, float] = (1.5, 4.0)
    burst_s: tuple[float, float] = (0.2, 0.7)
    file_lines: tuple[int, int] = (8, 45)
    profile: str | None = None
    side: bool = False
    """Has a file summed up beside an agent's main work: no tools, no stream, no memory."""


ROLES: Final = (
    Role("main-1", "messages", MAIN_MODEL),
    Role("main-2", "messages", MAIN_MODEL, think_s=(3.0, 6.0)),
    Role("review-1", "messages", MAIN_MODEL, think_s=(3.0, 6.0), profile=REVIEW_PROFILE),
    Role("side-1", "messages", SIDE_MODEL, think_s=(1.0, 2.5), file_lines=(80, 220), side=True),
    Role("side-2", "messages", SIDE_MODEL, think_s=(2.0, 4.0), file_lines=(80, 220), side=True),
    Role("chat-1", "chat", CHAT_MODEL, think_s=(1.0, 2.5), profile=CHAT_PROFILE),
)


async def run_agents(base_url: str, token: str | None, clock: Clock, seed: int) -> None:
    """Keep every role of ``ROLES`` at work on the gateway at ``base_url``, until cancelled."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    # It is plain HTTP: to read the certificates of the world would take a MiB and 20 ms.
    http = httpx.AsyncClient(
        base_url=base_url, headers=headers, timeout=TIMEOUT, trust_env=False, verify=False
    )
    async with http, asyncio.TaskGroup() as group:
        for role in ROLES:
            group.create_task(Agent(role, http, clock, seed).work())


class Agent:
    """One session."""

    def __init__(self, role: Role, http: httpx.AsyncClient, clock: Clock, seed: int) -> None:
        self._role = role
        self._http = http
        self._clock = clock
        self._rng = random.Random(f"{seed}:agent:{role.name}")
        self._dialogue = _DIALOGUES[role.wire]()
        session = str(uuid.UUID(int=self._rng.getrandbits(128), version=4))
        self._headers = {"x-session-id": session}
        if role.profile:
            self._headers["x-crtui-profile"] = role.profile

    async def work(self) -> None:
        """Turn after turn, for ever."""
        while True:
            await self._pause(self._rng.uniform(*self._role.think_s))
            await self.turn()

    async def turn(self) -> None:
        """One question, and the model's steps until it calls no more tools."""
        question = self._rng.choice(_ASKS)
        if self._role.side:
            self._dialogue.compact(f"Sum this up in one sentence.\n\n{self._some_file()}")
        elif self._dialogue.chars > COMPACT_AT_CHARS:
            self._dialogue.compact(question)
        else:
            self._dialogue.ask(question)
        for _ in range(MAX_STEPS):
            heard = await self._step()
            if heard is None:
                return
            self._dialogue.take(heard, self._some_file())
            if not heard.call_id:
                return
            await self._pause(self._rng.uniform(*self._role.burst_s))

    async def _step(self) -> Heard | None:
        """One whole answer, asked for again after a wait where it fails; None: given up, or hung up."""
        body = self._body()
        for failures in range(MAX_TRIES):
            leave_after = self._rng.randint(4, 8) if self._rng.random() < LEAVE_SHARE else None
            result = await ask(self._http, self._dialogue, body, self._headers, leave_after)
            if not isinstance(result, Failed):
                return result
            await self._pause(self._wait_s(result, failures))
        return None

    def _some_file(self) -> str:
        return _FILE_LINE * self._rng.randint(*self._role.file_lines)

    def _body(self) -> Json:
        main = not self._role.side
        return self._dialogue.body(self._role.model, stream=main, tools=main)

    def _wait_s(self, failed: Failed, failures: int) -> float:
        told = failed.retry_after_s
        wait = 2.0**failures if told is None else told
        return min(LONGEST_WAIT_S, wait) + self._rng.uniform(0, 0.5)

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(self._clock.real_seconds(round(seconds * SECOND)))
