"""A simulated provider: a real HTTP server on loopback that behaves as the scenario says."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import replace
from typing import Final

from crtui.clock import Clock
from crtui.core.now import SECOND
from crtui.core.settings import Wire
from crtui.demo import limits
from crtui.demo.cast import Part
from crtui.demo.catalogue import engine_metrics, free_answer
from crtui.demo.library import Library
from crtui.demo.listener import Exchange, Listener, Request
from crtui.demo.render import RENDERERS
from crtui.demo.replies import Reply, compose, prompt_tokens
from crtui.demo.scenario import Behaviour, Mode, phase
from crtui.wire.jsonview import as_object, loads

JSON: Final = {"content-type": "application/json"}
NDJSON: Final = {"content-type": "application/x-ndjson"}
TEXT: Final = {"content-type": "text/plain; version=0.0.4; charset=utf-8"}
SSE: Final = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
CUT_AFTER_PIECES: Final = 2
_WIRES: Final[dict[str, Wire]] = {"/v1/messages": "messages", "/v1/chat/completions": "chat"}
_OUT_OF_MEMORY: Final = "model requires more system memory (9.4 GiB) than is available (3.1 GiB)"
_REFUSALS: Final[dict[Mode, tuple[int, str]]] = {
    "rate_limited": (429, "This request would exceed your rate limit. Please try again later."),
    "overloaded": (529, "Overloaded"),
}


class SimulatedProvider:
    """One provider of the cast. ``began_ms`` is the clock's monotonic time at which the story began."""

    def __init__(self, part: Part, clock: Clock, seed: int, began_ms: int) -> None:
        self._part = part
        self._clock = clock
        self._seed = seed
        self._began_ms = began_ms
        self._rng = random.Random(f"{seed}:server:{part.name}")
        self._cuts_done: set[int] = set()
        self._library = Library(part.models)
        self._generating = 0
        self._listener = Listener(self._handle)

    @property
    def base_url(self) -> str:
        """Where it listens, as a user would write it in a config."""
        return f"http://127.0.0.1:{self._listener.port}{self._part.base_path}"

    async def start(self) -> None:
        """Open its port."""
        await self._listener.open()

    async def follow_script(self) -> None:
        """Crash or come back if the scenario says so by now."""
        refusing = self._now().mode == "refusing"
        if refusing and self._listener.listening:
            await self._listener.crash()
        elif not refusing and not self._listener.listening:
            await self._listener.open()

    async def stop(self) -> None:
        """Close its port and break what is still running."""
        await self._listener.close()

    async def _handle(self, request: Request, exchange: Exchange) -> None:
        path = request.path.removeprefix("/api") if request.path.startswith("/api/v1/") else request.path
        wire = _WIRES.get(path.removesuffix("/count_tokens"), "chat")
        now = self._now()
        if now.mode == "loading":
            await self._refuse(exchange, wire, 503, "Loading model")
        elif not self._authorised(request, path):
            await self._refuse(exchange, wire, 401, "invalid API key")
        elif request.method == "GET":
            await self._inform(exchange, path, now)
        elif path in _WIRES and wire in self._part.wires:
            self._generating += 1
            try:
                await self._generate(request, exchange, wire, now)
            finally:
                self._generating -= 1
        elif path == "/api/pull" and self._part.kind == "ollama":
            await self._pull(request, exchange)
        elif path == "/v1/messages/count_tokens":
            await self._answer(exchange, {"input_tokens": prompt_tokens(_parse(request.body))})
        else:
            await self._refuse(exchange, wire, 404, f"no such endpoint: {path}")

    async def _inform(self, exchange: Exchange, path: str, now: Behaviour) -> None:
        if path == "/metrics" and self._part.kind == "vllm":
            await exchange.answer(200, TEXT, engine_metrics(self._part, self._generating))
            return
        part = replace(self._part, models=self._library.models)
        found = free_answer(part, path, loaded=now.mode != "out_of_memory")
        if found is None:
            await self._refuse(exchange, "chat", 404, f"no such endpoint: {path}")
        else:
            await self._answer(exchange, found)

    async def _pull(self, request: Request, exchange: Exchange) -> None:
        model = str(_parse(request.body).get("model"))
        await exchange.begin(NDJSON)
        async for line in self._library.pull(model, self._pause):
            await exchange.chunk(line)
        await exchange.end()

    async def _generate(self, request: Request, exchange: Exchange, wire: Wire, now: Behaviour) -> None:
        body = _parse(request.body)
        model = body.get("model")
        if not isinstance(body.get("messages"), list):
            await self._refuse(exchange, wire, 400, "messages: a list is required")
        elif model not in self._part.models:
            await self._refuse(exchange, wire, 404, f"model {model!r} not found")
        elif now.mode == "out_of_memory":
            await self._answer(exchange, {"error": _OUT_OF_MEMORY}, status=500)
        elif now.mode in _REFUSALS:
            await self._refuse(exchange, wire, *_REFUSALS[now.mode], self._limits(now))
        else:
            reply = compose(self._rng, body, str(model), self._clock.now().wall // SECOND)
            send = self._stream if body.get("stream") is True else self._complete
            await send(exchange, wire, reply, body, now)

    async def _complete(
        self, exchange: Exchange, wire: Wire, reply: Reply, body: dict[str, object], now: Behaviour
    ) -> None:
        await self._pause(self._first_token_ms(now) + reply.output * SECOND // now.tokens_per_s)
        await self._answer(exchange, RENDERERS[wire].answer(reply), headers=self._limits(now))

    async def _stream(
        self, exchange: Exchange, wire: Wire, reply: Reply, body: dict[str, object], now: Behaviour
    ) -> None:
        first_token_ms = self._first_token_ms(now)
        await self._pause(first_token_ms // 3)
        await exchange.begin(SSE | self._limits(now))
        await exchange.chunk(RENDERERS[wire].opening(reply))
        await self._pause(first_token_ms * 2 // 3)
        if await self._send_pieces(exchange, RENDERERS[wire].content(reply), reply, now):
            options = as_object(body.get("stream_options"))
            await exchange.chunk(RENDERERS[wire].closing(reply, options.get("include_usage") is True))
            await exchange.end()

    async def _send_pieces(
        self, exchange: Exchange, frames: list[bytes], reply: Reply, now: Behaviour
    ) -> bool:
        """Send content at the provider's pace; false if the scenario broke the stream off."""
        piece_ms = reply.output * SECOND // (now.tokens_per_s * len(frames))
        for sent, frame in enumerate(frames):
            if sent >= CUT_AFTER_PIECES and self._take_cut():
                exchange.cut()
                return False
            await exchange.chunk(frame)
            await self._pause(piece_ms)
        return True

    def _take_cut(self) -> bool:
        """Whether to break this stream off: true once in each phase that asks for it."""
        now = self._now()
        if now.mode != "cutting" or now.starts_ms in self._cuts_done:
            return False
        self._cuts_done.add(now.starts_ms)
        return True

    def _authorised(self, request: Request, path: str) -> bool:
        key = self._part.key
        if key is None or path == "/health":
            return True
        sent = request.headers.get("authorization", "").removeprefix("Bearer ")
        return key in (sent, request.headers.get("x-api-key"))

    def _first_token_ms(self, now: Behaviour) -> int:
        return round(now.ttft_ms * self._rng.triangular(0.75, 1.7, 0.95))

    def _limits(self, now: Behaviour) -> dict[str, str]:
        return limits.headers(self._part.limits, now, self._elapsed_ms(), self._clock.now().wall)

    def _now(self) -> Behaviour:
        return phase(self._part.name, self._elapsed_ms(), self._seed)

    def _elapsed_ms(self) -> int:
        return max(0, self._clock.now().mono - self._began_ms)

    async def _pause(self, ms: int) -> None:
        await asyncio.sleep(self._clock.real_seconds(ms))

    async def _refuse(
        self, exchange: Exchange, wire: Wire, status: int, message: str, headers: dict[str, str] | None = None
    ) -> None:
        await self._answer(exchange, RENDERERS[wire].error(status, message), status, headers)

    async def _answer(
        self, exchange: Exchange, body: object, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        await exchange.answer(status, JSON | (headers or {}), json.dumps(body).encode())


def _parse(body: bytes) -> dict[str, object]:
    """The body as a JSON object; empty if it is not one, which the caller then refuses."""
    try:
        return as_object(loads(body))
    except ValueError:
        return {}
