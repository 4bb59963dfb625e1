"""Clients that ask in every wire, mostly hear the answer to its end, and sometimes leave."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections import Counter

from tests.fakes.client import Answer, RudeClient

LIMIT_S = 30.0
LEAVES = 0.08
EXPECTED = frozenset({200, 429, 502, 503})
"""What a gateway may say when providers fail."""
ENDED = re.compile(rb'"type":"message_stop"|data: \[DONE\]|"type":"response.completed"')
FAILED = re.compile(rb'"type":"(error|response.failed)"|"error":\{')
ASK = [{"role": "user", "content": "word " * 50}]
RESPONSES = "/v1/responses"
PATHS: dict[str, dict[str, object]] = {
    "/v1/messages": {"messages": ASK, "max_tokens": 100},
    "/v1/chat/completions": {"messages": ASK},
    RESPONSES: {"input": ASK},
}


class Heard:
    """What all clients heard."""

    def __init__(self) -> None:
        self.fates: Counter[str] = Counter()
        self.faults: list[str] = []
        self.attempts: dict[str, int] = {}
        """How many attempts a whole answer took, by the request's id; a stream tells it too early."""


class Client:
    """Asks one request after the other on one connection, as long as that lasts."""

    def __init__(self, url: str, seed: str, heard: Heard) -> None:
        self._port = int(url.rpartition(":")[2])
        self._dice = random.Random(seed)
        self._heard = heard
        self._connection: RudeClient | None = None

    async def ask_until(self, end: float, every_s: float) -> None:
        """Ask at random times, so often on average, until the loop's clock says ``end``."""
        now = asyncio.get_running_loop().time
        due = now()
        while (due := due + self._dice.uniform(0, 2 * every_s)) < end:
            await asyncio.sleep(due - now())
            try:
                async with asyncio.timeout(LIMIT_S):
                    fate = await self._ask()
            except TimeoutError:
                fate = ""
                self._fault(f"no end within {LIMIT_S:g} s")
            except (OSError, asyncio.IncompleteReadError) as error:
                fate = ""
                self._fault(f"no answer: {type(error).__name__}")
            self._heard.fates[fate] += bool(fate)
        self._hang_up()

    async def _ask(self) -> str:
        path, streamed = self._dice.choice(tuple(PATHS)), self._dice.random() < 0.6
        body = json.dumps({"model": "m", "stream": streamed, **PATHS[path]}).encode()
        if self._connection is None:
            self._connection = await RudeClient.connect(self._port)
        await self._connection.ask("POST", path, body)
        if self._dice.random() < LEAVES:
            return await self._leave(self._connection, streamed)
        answer = await self._connection.read()
        if not answer.whole or answer.header("connection") == "close":
            self._hang_up()
        return self._judged(answer, path, streamed)

    async def _leave(self, connection: RudeClient, streamed: bool) -> str:
        begun = streamed and self._dice.random() < 0.5
        if begun:
            await connection.read_head()
        connection.reset()
        self._connection = None
        return "left midstream" if begun else "left at once"

    def _judged(self, answer: Answer, path: str, streamed: bool) -> str:
        if answer.status not in EXPECTED:
            self._fault(f"a status {answer.status}: {answer.body[:200]!r}")
        if answer.status == 200 and streamed:
            ended, failed = (len(found.findall(answer.body)) for found in (ENDED, FAILED))
            # A failed response ends its stream as a completed one does; no other error does that.
            closed = ended == 1 or (path == RESPONSES and failed > 0)
            if closed != answer.whole or bool(ended) == bool(failed):
                self._fault(f"a stream with {ended} ends and {failed} errors, whole: {answer.whole}")
            return "streamed" if ended else "cut with an error"
        if not answer.whole:
            self._fault(f"half a {answer.status}")
        request, attempts = answer.header("x-crtui-request-id"), answer.header("x-crtui-attempts")
        if not request or attempts is None:
            self._fault("an answer without its request's id and attempts")
        else:
            self._heard.attempts[request] = int(attempts)
        return str(answer.status)

    def _fault(self, words: str) -> None:
        self._heard.faults.append(words)
        self._hang_up()

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
