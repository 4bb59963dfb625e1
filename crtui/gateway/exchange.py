"""One data-plane request: read it, plan it, try the candidates in order, or say why nobody can."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import parse_qsl, urlencode

from crtui.core.plan import Ask, Plan, UnknownProfileError
from crtui.core.settings import Wire
from crtui.engine.engine import Engine
from crtui.gateway.attempt import Call, StoppedError, Try
from crtui.gateway.fault import AttemptError
from crtui.gateway.guard import Refusal
from crtui.gateway.refusal import Failure, all_failed, all_out
from crtui.gateway.request import RefusedError, Request
from crtui.gateway.upstream import Upstream
from crtui.text import scrub
from crtui.wire.codec import BadBodyError, RequestFacts
from crtui.wire.headers import request_headers
from crtui.wire.registry import codec_for

WIRES: Final[dict[str, Wire]] = {"/v1/messages": "messages", "/v1/chat/completions": "chat"}
LAST_WORD_S: Final = 5.0
"""How long a client may take over the error that ends its stream."""
STOPPING: Final = Refusal(503, "the gateway is stopping", "stopping", retry_after_s=1)
_IDENTITY: Final = {"accept-encoding": "identity"}
"""A compressed answer could not be looked at as it passes."""
_FORWARDED_QUERY: Final = frozenset({"beta"})
_SESSION_HEADERS: Final = (
    b"x-claude-code-session-id",
    b"session-id",
    b"x-session-id",
    b"x-session-affinity",
)


class Exchange:
    """A request whose body is here, until its answer is out."""

    def __init__(self, engine: Engine, upstream: Upstream, request: Request) -> None:
        self._engine = engine
        self._upstream = upstream
        self._request = request
        self._reply = request.reply
        self._codec = codec_for(WIRES[request.path])
        self._failures: list[Failure] = []
        self._missed: list[str] = []

    async def run(self, caller: dict[str, str], body: bytes) -> None:
        """Answer it. ``caller`` holds the headers that a provider's credential may be made of."""
        try:
            facts = self._codec.read_request(body)
            ask = self._ask(facts, body)
            plan = self._engine.route(ask)
        except BadBodyError as error:
            raise RefusedError(Refusal(400, str(error), "bad_request")) from None
        except UnknownProfileError as error:
            raise RefusedError(Refusal(400, str(error), "unknown_profile")) from None
        self._reply.profile = plan.profile
        scope = self._request.scope
        call = Call(
            engine=self._engine,
            upstream=self._upstream,
            codec=self._codec,
            ask=ask,
            plan=plan,
            stream=facts.stream,
            body=body,
            headers=dict(request_headers(scope["headers"])) | _IDENTITY,
            caller=caller,
            query=_query(scope["query_string"]),
            reply=self._reply,
            interrupt=self._request.interrupt,
        )
        await self._try_all(plan, call)

    def _ask(self, facts: RequestFacts, body: bytes) -> Ask:
        headers = self._request.headers
        named = next((headers[name] for name in _SESSION_HEADERS if name in headers), None)
        session = facts.session if named is None else named.decode("latin-1")
        profile = headers.get(b"x-crtui-profile")
        return Ask(
            wire=self._codec.wire,
            id=self._reply.id,
            profile=None if profile is None else profile.decode("latin-1"),
            model=None if facts.model is None else scrub(facts.model),
            session=None if session is None else scrub(session),
            content=self._codec.read_content(body) if self._engine.needs_content else None,
        )

    async def _try_all(self, plan: Plan, call: Call) -> None:
        for name in plan.order:
            provider = self._engine.providers.get(name)
            ticket = provider and self._engine.begin(name, plan.profile, last_resort=plan.last_resort)
            if not provider or not ticket:
                self._missed.append(name)
                continue
            self._reply.provider = name
            self._reply.attempts += 1
            fault = await Try(call, provider, ticket).run()
            if fault is None:
                return
            if isinstance(fault, StoppedError) or self._reply.begun:
                await self._break_off(name, fault)
                return
            self._failures.append((name, fault))
            if not fault.outcome.next_provider:
                break
        await self._give_up(plan)

    async def _give_up(self, plan: Plan) -> None:
        if self._failures and all(fault.outcome.passes_through for _, fault in self._failures):
            await self._pass_through()
            return
        wall = self._engine.clock.now().wall
        if plan.order:
            views = [self._engine.provider_view(name) for name, _ in self._failures]
            raise RefusedError(all_failed(plan, self._failures, self._missed, views, wall))
        raise RefusedError(all_out(plan, wall))

    async def _pass_through(self) -> None:
        # A context that is too long is the answer a client can act on; else the first in the chain's order.
        name, fault = min(self._failures, key=lambda failure: failure[1].outcome.kind != "context")
        self._reply.provider = name
        if fault.answer is not None:
            await self._reply.whole(fault.answer.status, fault.answer.body, fault.answer.headers)
        else:
            raise RefusedError(Refusal(fault.status or 502, fault.text, "upstream_error"))

    async def _break_off(self, name: str, fault: AttemptError) -> None:
        """End without the wire's end marker or HTTP's last chunk: a cut answer must not look whole."""
        gone = isinstance(fault, StoppedError) and fault.reason != "stopping"
        if not gone and not self._reply.begun:
            raise RefusedError(STOPPING)
        if not gone:
            event = self._codec.error_event(f"{name}: {fault.words}", _stream_status(fault))
            try:
                async with asyncio.timeout(LAST_WORD_S):
                    await self._reply.piece(event)
            except TimeoutError:
                gone = True
        if gone:
            self._request.scope["state"]["transport"].abort()


def _stream_status(fault: AttemptError) -> int:
    return fault.status if fault.status is not None and fault.status >= 400 else 502


def _query(raw: bytes) -> str:
    # Anything else might be the caller's credential, or mean something to this provider only.
    if not raw:
        return ""
    kept = [pair for pair in parse_qsl(raw.decode("latin-1")) if pair[0] in _FORWARDED_QUERY]
    return f"?{urlencode(kept)}" if kept else ""
