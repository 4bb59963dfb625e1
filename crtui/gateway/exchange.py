"""One data-plane request: read it, plan it, try the candidates in order, or say why nobody can."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl, urlencode

from crtui.core.plan import Ask, Plan, UnknownProfileError
from crtui.core.settings import Wire
from crtui.core.wordings import SIGNATURE
from crtui.engine.engine import Engine
from crtui.gateway.attempt import Call, StoppedError, Try
from crtui.gateway.ending import Ending
from crtui.gateway.fault import AttemptError, CallersFaultError
from crtui.gateway.guard import Access, Refusal
from crtui.gateway.headers import asked
from crtui.gateway.http.client import HttpClient
from crtui.gateway.models import ALIAS, behind_alias
from crtui.gateway.refusal import NO_CREDENTIAL, SPARED, TAKEN, Failure, Missed, Unserved
from crtui.gateway.request import RefusedError, Request
from crtui.gateway.retries import Retries
from crtui.gateway.waiting import Pace, Waiting
from crtui.providers.kinds import ENDPOINTS
from crtui.providers.provider import Provider
from crtui.text import mask_secrets, scrub
from crtui.wire.codec import BadBodyError, RequestFacts
from crtui.wire.registry import codec_for

API: Final = "/v1"
WIRES: Final[dict[str, Wire]] = {
    **{API + endpoint: wire for wire, endpoint in ENDPOINTS.items()},
    # Embeddings come from whoever speaks chat; the request is only passed on.
    f"{API}/embeddings": "chat",
}
_IDENTITY: Final = {"accept-encoding": "identity"}
"""A compressed answer could not be looked at as it passes."""
_FORWARDED_QUERY: Final = frozenset({"beta"})
_CLAUDE_CODE: Final = b"x-claude-code-session-id"
_SESSION_HEADERS: Final = (
    _CLAUDE_CODE,
    b"session-id",
    b"x-session-id",
    b"x-session-affinity",
)


class Exchange:
    """A request whose body is here, until its answer is out."""

    def __init__(
        self,
        engine: Engine,
        access: Access,
        upstream: HttpClient,
        request: Request,
        pace: Pace,
        retries: Retries,
    ) -> None:
        self._engine = engine
        self._access = access
        self._upstream = upstream
        self._request = request
        self._pace = pace
        self._retries = retries
        self._reply = request.reply
        self._codec = codec_for(WIRES[request.path])
        self._ending = Ending(self._codec, request)
        self._failures: list[Failure] = []
        self._missed: list[Missed] = []
        self._callers: Failure | None = None
        """What the caller is to hear at once."""

    async def run(self, body: bytes) -> None:
        """Answer it."""
        try:
            facts = self._codec.read_request(body)
            model, owners = self._model(facts.model)
            if model != facts.model and model is not None:
                body = self._codec.with_model(body, model)
            ask = self._ask(facts, model, owners, body)
            plan = self._engine.route(ask)
        except BadBodyError as error:
            raise RefusedError(Refusal(400, str(error), "bad_request")) from None
        except UnknownProfileError as error:
            raise RefusedError(Refusal(400, str(error), "unknown_profile")) from None
        self._reply.profile = plan.profile
        heartbeat = self._codec.heartbeat(self._request.headers.get(b"originator", b"").decode("latin-1"))
        waiting = Waiting(self._reply, heartbeat, self._pace) if facts.stream else None
        try:
            call = self._call(ask, plan, facts.stream, body, waiting)
            fault = await self._try_all(plan, call)
        finally:
            if waiting is not None:
                waiting.stop()
        if fault is not None:
            await self._ending.broken_off(self._reply.provider, fault)
        elif not self._reply.committed:
            await self._give_up(plan)

    def _model(self, asked: str | None) -> tuple[str | None, tuple[str, ...]]:
        """The model that is meant, and for one asked for by its alias also who has it."""
        if asked is None or not asked.startswith(ALIAS):
            return asked, ()
        providers = self._engine.providers
        return behind_alias(asked, map(self._engine.provider_view, providers), providers)

    def _ask(self, facts: RequestFacts, model: str | None, owners: tuple[str, ...], body: bytes) -> Ask:
        headers = self._request.headers
        named = next((headers[name] for name in _SESSION_HEADERS if name in headers), None)
        session = facts.session if named is None else named.decode("latin-1")
        profile = headers.get(b"x-crtui-profile")
        return Ask(
            wire=self._codec.wire,
            id=self._reply.id,
            profile=None if profile is None else profile.decode("latin-1"),
            model=None if model is None else self._shown(model),
            session=None if session is None else self._shown(session),
            content=self._codec.read_content(body) if self._engine.needs_content else None,
            owners=owners,
        )

    def _shown(self, text: str) -> str:
        """What a client says of its request, as it is kept and shown: with no key in it."""
        return scrub(mask_secrets(text, self._engine.secrets))

    def _call(self, ask: Ask, plan: Plan, stream: bool, body: bytes, waiting: Waiting | None) -> Call:
        request = self._request
        return Call(
            engine=self._engine,
            upstream=self._upstream,
            codec=self._codec,
            ask=ask,
            plan=plan,
            stream=stream,
            body=body,
            headers=asked(request.raw) | _IDENTITY,
            endpoint=request.path.removeprefix(API),
            query=_query(request.query),
            reply=self._reply,
            interrupt=request.interrupt,
            waiting=waiting,
        )

    async def _try_all(self, plan: Plan, call: Call) -> AttemptError | None:
        """Try one after the other. A fault: the answer that had begun, or the whole request, broke off."""
        for name in plan.order:
            if self._failures and not self._retries.allowed(self._engine.clock.now().mono):
                self._missed.append((name, SPARED))
                continue
            provider = self._engine.providers.get(name)
            caller = self._caller(provider)
            if provider is not None and not provider.may_serve(caller):
                self._missed.append((name, NO_CREDENTIAL))
                continue
            ticket = provider and self._engine.begin(name, plan.profile, last_resort=plan.last_resort)
            if not provider or not ticket:
                self._missed.append((name, TAKEN))
                continue
            self._reply.provider = name
            self._reply.attempts += 1
            fault = await Try(call, provider, caller, ticket).run()
            if fault is None:
                self._retries.served()
                return None
            if isinstance(fault, StoppedError) or self._reply.committed:
                return fault
            self._failures.append((name, fault))
            if self._is_callers(fault):
                self._callers = name, fault
                break
        self._retries.failed(len(self._failures) - 1)
        return None

    def _is_callers(self, fault: AttemptError) -> bool:
        """Whether the caller can do more about a failure than the next provider could.

        What a later provider refuses may be what only it does not take, so the next is asked.
        """
        if isinstance(fault, CallersFaultError):
            return True
        # Claude Code leaves out another provider's thinking by itself, and stays with this one.
        heals = fault.outcome.kind == "client" and _CLAUDE_CODE in self._request.headers
        if heals and SIGNATURE.search(fault.body.lower()):
            return True
        return len(self._failures) == 1 and not fault.outcome.next_provider

    def _caller(self, provider: Provider | None) -> dict[str, str]:
        """The caller's headers that the provider's credential may be made of."""
        own = provider is not None and provider.auth == "client"
        return self._access.forwardable(self._request.headers, credential=own)

    async def _give_up(self, plan: Plan) -> None:
        if self._callers is not None:
            await self._ending.passed_through(*self._callers)
            return
        until = {name: self._engine.provider_view(name).quota.retry_after for name, _ in self._failures}
        unserved = Unserved(plan, self._failures, self._missed, until, self._engine.clock.now().wall)
        told = unserved.handed_on()
        if told is None:
            await self._ending.refused(unserved.refusal())
        else:
            await self._ending.passed_through(*told, unserved.absent())


def _query(raw: bytes) -> str:
    # Anything else might be the caller's credential, or mean something to this provider only.
    if not raw:
        return ""
    kept = [pair for pair in parse_qsl(raw.decode("latin-1")) if pair[0] in _FORWARDED_QUERY]
    return f"?{urlencode(kept)}" if kept else ""
