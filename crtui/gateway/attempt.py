"""One attempt at one provider: send, judge, hold back, commit, relay. Its end is told exactly once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from crtui.core.inputs import NO_LIMITS, Limits
from crtui.core.outcome import classify
from crtui.core.plan import Ask, Plan
from crtui.engine.engine import Engine
from crtui.gateway.coding import UNCODED, BadCodingError, UnpackedTooLargeError, unpacked
from crtui.gateway.fault import Answer, AttemptError, CallersFaultError, from_error
from crtui.gateway.headers import answered, tells_limits
from crtui.gateway.http.client import HttpClient
from crtui.gateway.http.errors import HttpError
from crtui.gateway.http.response import Response
from crtui.gateway.interrupt import Interrupt, Patience, Reason
from crtui.gateway.relay import first_content, relay, told
from crtui.gateway.reply import Header, Reply
from crtui.gateway.report import Report
from crtui.gateway.waiting import SSE, Waiting
from crtui.providers.provider import Provider
from crtui.text import mask_bytes, scrub
from crtui.wire.codec import Codec
from crtui.wire.faults import NO_MESSAGE, error_text
from crtui.wire.headers import recorded_headers
from crtui.wire.limits import read_limits
from crtui.wire.merge import with_one_system
from crtui.wire.output_limit import read_output_limit, with_output_limit

_DOCUMENTS: Final = (b"application/json", b"text/html")
_NETWORK: Final = ("connect", "timeout", "reset")
"""Faults that may be the way's and not the provider's."""
_ABOUT_THE_REQUEST: Final = ("client", "context")
ANSWER_BYTES: Final = 32 * 1024 * 1024
ERROR_BYTES: Final = 64 * 1024
ERROR_CELLS: Final = 2_000
"""How much of an error body's text is kept."""
ERROR_BODY_S: Final = 10.0
"""How long the body of an error answer is waited for."""
SMALLER_TIMES: Final = 3
"""How often one attempt asks again for less output."""
TAIL_S: Final = 0.25
"""How long an ended stream is read on, so that its connection can serve again."""


@dataclass(slots=True)
class Call:
    """What all attempts of one request share.

    ``endpoint`` is the path below the API's prefix, ``query`` what may be forwarded of the query string,
    ``waiting`` keeps a streaming client company until there is content.
    """

    engine: Engine
    upstream: HttpClient
    codec: Codec
    ask: Ask
    plan: Plan
    stream: bool
    body: bytes
    headers: dict[str, str]
    endpoint: str
    query: str
    reply: Reply
    interrupt: Interrupt
    waiting: Waiting | None = None


class StoppedError(AttemptError):
    """The attempt was stopped from outside; the provider is not to blame."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__("client", text)
        self.reason = reason


_STOPPED: Final[dict[Reason, str]] = {
    "gone": "the client left",
    "stuck": "the client stopped reading",
    "stopping": "the gateway is stopping",
}


class Try:
    """One ticket's worth of work. ``caller`` are the caller's headers a credential may be made of."""

    def __init__(self, call: Call, provider: Provider, caller: dict[str, str], ticket: int) -> None:
        self._call = call
        self._caller = caller
        self._provider = provider
        self._credential: dict[str, str] = {}
        self._report = Report(
            call.ask, call.plan.profile, provider.name, ticket, call.engine.clock.now().mono
        )
        self._patience: Patience | None = None
        self._response: Response | None = None

    async def run(self) -> AttemptError | None:
        """Try once. None: the client has its whole answer. Otherwise why not, with no content sent
        to the client unless ``reply.committed``.
        """
        try:
            fault = await self._judged()
        except BaseException:
            self._end(StoppedError("stopping", "the attempt was abandoned"))
            raise
        self._end(fault)
        return fault

    async def _judged(self) -> AttemptError | None:
        try:
            await self._serve()
        except AttemptError as fault:
            fault.mask(self._secrets())
            return fault
        except asyncio.CancelledError:
            reason = self._call.interrupt.take()
            if reason is None:
                raise
            return self._interrupted(reason)
        except HttpError as error:
            return from_error(error)
        return None

    def _end(self, fault: AttemptError | None) -> None:
        call = self._call
        if self._patience is not None:
            self._patience.close()
        if fault is None:
            call.interrupt.close()
        if self._response is not None:
            self._leave(self._response, fault)
        if fault is not None and fault.kind in _NETWORK:
            call.upstream.doubt(self._provider.base_url)
        now = call.engine.clock.now()
        attempt = self._report.attempt(fault, call.body, now.mono)
        call.engine.end(attempt, self._report.answered, now)

    def _leave(self, response: Response, fault: AttemptError | None) -> None:
        if fault is None:
            response.finish(TAIL_S)
        else:
            response.close()

    def _interrupted(self, reason: Reason) -> AttemptError:
        if reason != "late":
            return StoppedError(reason, _STOPPED[reason])
        reader = self._report.reader
        if reader is not None and (reader.content_seen or reader.thinking):
            return AttemptError("timeout", f"stalled for {self._provider.idle_timeout_s:g} s")
        return AttemptError("timeout", f"no answer within {self._first_wait():g} s")

    async def _serve(self) -> None:
        response = await self._accepted()
        self._report.limits = self._limits(response, b"", response.status)
        if response.header(b"content-encoding").lower() not in UNCODED:
            raise AttemptError("protocol", "compressed answer, though none was asked for")
        if self._call.stream and not _is_document(response):
            await self._stream(response)
        else:
            await self._whole(response)

    async def _accepted(self) -> Response:
        """The head of a good answer. A request for more output than the provider gives is made smaller."""
        body, times = self._body(), 0
        while True:
            response = await self._send(body)
            self._report.status = response.status
            if 200 <= response.status < 300:
                return response
            fault = await self._refused(response)
            limit = read_output_limit(fault.body) if fault.outcome.kind in _ABOUT_THE_REQUEST else None
            smaller = body if limit is None else with_output_limit(body, limit)
            if smaller == body or times == SMALLER_TIMES:
                raise fault
            self._report.output_limit = limit
            response.finish(TAIL_S)
            body, times = smaller, times + 1

    async def _send(self, body: bytes) -> Response:
        call, provider = self._call, self._provider
        if self._patience is not None:
            self._patience.close()
        self._credential = provider.credential(call.codec.wire, self._caller)
        self._patience = Patience(call.interrupt, self._seconds(self._first_wait()))
        self._response = await call.upstream.post(
            provider.url(call.endpoint) + call.query,
            call.headers | self._credential,
            body,
            self._seconds(provider.connect_timeout_s),
            self._report.goes_out,
        )
        return self._response

    def _body(self) -> bytes:
        call, provider = self._call, self._provider
        body, model = call.body, provider.model_for(call.ask.model)
        if model is not None:
            body = call.codec.with_model(body, model)
            self._report.model = model
        return with_one_system(call.codec.wire, body) if provider.merge_system else body

    def _first_wait(self) -> float:
        # A whole answer shows no progress until it is finished, so it gets the longer of the two.
        provider = self._provider
        if self._call.stream:
            return provider.first_byte_timeout_s
        return max(provider.first_byte_timeout_s, provider.idle_timeout_s)

    async def _stream(self, response: Response) -> None:
        call, report = self._call, self._report
        assert self._patience is not None
        reader = report.reader = call.codec.stream_reader()
        idle_s = self._seconds(self._provider.idle_timeout_s)
        try:
            held = await first_content(response, reader, self._patience, idle_s)
            self._patience.restart(idle_s)
            await self._commit(answered(response.headers))
            await relay(response, reader, call.reply, self._patience, held)
        except AttemptError as fault:
            if reader.error is not None:
                fault.limits = self._limits(response, reader.error_body, reader.error_status)
            raise

    async def _commit(self, headers: Sequence[Header]) -> None:
        """Content is there: nobody else answers this request any more."""
        call = self._call
        if call.waiting is not None:
            call.waiting.stop()
        self._report.content_at = call.engine.clock.now().mono
        call.reply.committed = True
        if not call.reply.begun:
            await call.reply.begin(200, headers)

    async def _whole(self, response: Response) -> None:
        call = self._call
        body = await _read(response, ANSWER_BYTES)
        if len(body) > ANSWER_BYTES:
            raise AttemptError("protocol", "answer too large")
        facts = call.codec.read_answer(body)
        self._report.usage, self._report.named = facts.usage, facts.model
        if facts.error is not None:
            limits = self._limits(response, body, facts.status)
            raise told(facts.error, facts.status, facts.code, limits)
        if not facts.valid:
            raise AttemptError("protocol", "not an answer of this API")
        assert self._patience is not None
        self._patience.client_busy()
        if call.stream:
            await self._commit(SSE)
            await call.reply.last(call.codec.as_stream(body))
        else:
            await call.reply.whole(response.status, body, answered(response.headers))

    async def _refused(self, response: Response) -> AttemptError:
        status = response.status
        if status < 400:
            return AttemptError("protocol", "redirects are not followed; mend base_url", status)
        body = b""
        try:
            async with asyncio.timeout(ERROR_BODY_S):
                body = await _read(response, ERROR_BYTES)
        except (TimeoutError, HttpError):
            pass
        whole, unsaid = len(body) <= ERROR_BYTES, NO_MESSAGE
        try:
            body = unpacked(body, response.header(b"content-encoding").lower(), ERROR_BYTES)
        except (BadCodingError, UnpackedTooLargeError):
            body, unsaid = b"", "an error whose body is compressed"
        # Some providers quote the key they refuse. Masked before the text is cut anywhere.
        body = mask_bytes(body, self._secrets())
        answer = Answer(status, _uncoded(answered(response.headers)), body) if whole and body else None
        text = scrub(body.decode("utf-8", "replace"), ERROR_CELLS)
        limits = self._limits(response, body, status)
        refused_key = classify(status, None, text).kind == "auth"
        kind = CallersFaultError if refused_key and self._is_callers() else AttemptError
        return kind(None, error_text(body) or unsaid, status, body=text, limits=limits, answer=answer)

    def _is_callers(self) -> bool:
        """Whether the credential that was sent is the caller's own."""
        return self._provider.auth == "client" and bool(self._credential)

    def _secrets(self) -> list[str]:
        return [value.rpartition(" ")[2] for value in self._credential.values()]

    def _limits(self, response: Response, body: bytes, status: int | None) -> Limits:
        if not (body or tells_limits(response.headers)) and response.status < 300:
            return NO_LIMITS
        told = recorded_headers(response.headers)
        return read_limits(told, body, status, wall_ms=self._call.engine.clock.now().wall)

    def _seconds(self, seconds: float) -> float:
        return self._call.engine.clock.real_seconds(int(seconds * 1000))


def _uncoded(headers: Sequence[Header]) -> tuple[Header, ...]:
    """Those of a body that has been unpacked."""
    return tuple(header for header in headers if header[0] != b"content-encoding")


def _is_document(response: Response) -> bool:
    return response.header(b"content-type").partition(b";")[0].strip().lower() in _DOCUMENTS


async def _read(response: Response, limit: int) -> bytes:
    """The body, or its first pieces where it goes past ``limit`` bytes."""
    pieces: list[bytes] = []
    size = 0
    while size <= limit and (data := await response.read()):
        pieces.append(data)
        size += len(data)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
