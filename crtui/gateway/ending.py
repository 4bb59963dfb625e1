"""How a request ends that nobody served: with a status while there is none yet, else inside the stream."""

from __future__ import annotations

import asyncio
from typing import Final

from crtui.gateway.attempt import StoppedError
from crtui.gateway.fault import AttemptError
from crtui.gateway.guard import Refusal
from crtui.gateway.request import RefusedError, Request
from crtui.wire import overflow
from crtui.wire.codec import Codec
from crtui.wire.faults import with_note

LAST_WORD_S: Final = 5.0
"""How long a client may take over the error that ends its stream."""
STOPPING: Final = Refusal(503, "the gateway is stopping", "stopping", retry_after_s=1)


class Ending:
    """The last word on one request."""

    def __init__(self, codec: Codec, request: Request) -> None:
        self._codec = codec
        self._request = request
        self._reply = request.reply

    async def passed_through(self, name: str, fault: AttemptError, absent: str = "") -> None:
        """What the provider itself said, in words that the caller's client understands.

        With it goes who is ``absent`` and may serve the request later, unless it is the caller's to mend.
        """
        self._reply.provider = name
        note = f" ({absent})" if absent and fault.outcome.kind != "client" else ""
        code = overflow.CODE if fault.outcome.kind == "context" else fault.code or "upstream_error"
        refusal = Refusal(fault.status or 502, self._words(fault) + note, code)
        if code == overflow.CODE and not self._is_clear(fault):
            refusal = Refusal(400, refusal.message, code, retry=False)
        elif fault.answer is not None and not self._reply.begun:
            answer = fault.answer
            if body := with_note(answer.body, note) if note else answer.body:
                await self._reply.whole(answer.status, body, answer.headers)
                return
        await self.refused(refusal)

    async def refused(self, refusal: Refusal) -> None:
        """An error of ours. Raises ``RefusedError`` while a status can still be given."""
        if not self._reply.begun:
            raise RefusedError(refusal)
        await self._in_band(refusal.message, refusal.status, refusal.code)

    async def broken_off(self, name: str, fault: AttemptError) -> None:
        """End without the wire's end marker: a cut answer must not look whole."""
        if isinstance(fault, StoppedError) and fault.reason != "stopping":
            self._cut()
            return
        if not self._reply.begun:
            raise RefusedError(STOPPING)
        status = fault.status if fault.status is not None and fault.status >= 400 else 502
        await self._in_band(f"{name}: {fault.words}", status, fault.code or None)

    async def _in_band(self, message: str, status: int, code: str | None) -> None:
        """The error as the stream's last event, with HTTP's last chunk only where it ends the wire's streams.

        Elsewhere a client that passes over the error would take what came before it for the whole.
        """
        try:
            async with asyncio.timeout(LAST_WORD_S):
                await self._reply.piece(self._codec.error_event(message, status, code))
        except TimeoutError:
            self._cut()
            return
        if self._codec.error_ends:
            await self._reply.last(b"")

    def _cut(self) -> None:
        self._request.peer.cut()

    def _words(self, fault: AttemptError) -> str:
        if fault.outcome.kind == "context" and self._codec.wire == "messages":
            return overflow.overflow_words(fault.body, fault.text)
        return fault.text

    def _is_clear(self, fault: AttemptError) -> bool:
        """Whether the caller's client recognises the provider's own words as a prompt that is too long."""
        if fault.status != 400:
            return False
        if self._codec.wire == "messages":
            return fault.text.startswith("prompt is too long")
        return overflow.is_coded(fault.body)
