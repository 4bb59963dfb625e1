"""What is gathered of one attempt while it runs, and told to the core when it has ended."""

from __future__ import annotations

from typing import Final

from crtui.core.inputs import NO_LIMITS, Attempt, Limits, Usage
from crtui.core.plan import Ask
from crtui.gateway.fault import AttemptError
from crtui.text import scrub
from crtui.wire.body import read_object
from crtui.wire.codec import BadBodyError, StreamReader
from crtui.wire.estimate import CHARS_PER_TOKEN, estimated_tokens
from crtui.wire.model_names import is_another

MODEL_LENGTH: Final = 200
"""Of a longer name the rest is not looked at."""


class Report:
    """One attempt's record. Times are monotonic milliseconds."""

    __slots__ = (
        "_ask",
        "_profile",
        "_provider",
        "_started",
        "_ticket",
        "content_at",
        "limits",
        "model",
        "named",
        "output_limit",
        "reader",
        "sent",
        "status",
        "usage",
    )

    def __init__(self, ask: Ask, profile: str, provider: str, ticket: int, started: int) -> None:
        self._ask = ask
        self._profile = profile
        self._provider = provider
        self._ticket = ticket
        self._started = started
        self.model = ask.model
        """The model that is sent."""
        self.named: str | None = None
        """The model that a whole answer names."""
        self.output_limit: int | None = None
        """The most output tokens that were asked for in the end, where the caller asked for more."""
        self.sent = False
        """Whether the request has gone out: nothing is charged before."""
        self.status: int | None = None
        self.limits: Limits = NO_LIMITS
        self.usage: Usage | None = None
        self.reader: StreamReader | None = None
        self.content_at: int | None = None
        """When the answer was committed to: content has gone to the client from then on."""

    def goes_out(self) -> None:
        """The request is on its way to the provider."""
        self.sent, self.status = True, None

    @property
    def answered(self) -> str | None:
        """The model that answered, where that was told."""
        return self.named if self.reader is None else self.reader.model

    def attempt(self, fault: AttemptError | None, body: bytes, now: int) -> Attempt:
        """The whole story, with what was told or guessed of tokens. ``now`` is when it ended."""
        usage, estimated = self._usage(fault, body)
        content_at = self.content_at
        return Attempt(
            provider=self._provider,
            ok=fault is None,
            ticket=self._ticket,
            status=self.status if fault is None or fault.status is None else fault.status,
            error_kind=None if fault is None else fault.blamed,
            error="" if fault is None else fault.body,
            message="" if fault is None else fault.text,
            wire=self._ask.wire,
            profile=self._profile,
            model=self.model,
            session=self._ask.session,
            request=self._ask.id,
            latency_ms=now - self._started,
            ttft_ms=None if content_at is None else content_at - self._started,
            output_ms=None if content_at is None else now - content_at,
            midstream=fault is not None and content_at is not None,
            limits=self.limits if fault is None or fault.limits is NO_LIMITS else fault.limits,
            usage=usage,
            usage_estimated=estimated,
            answered=self._substitute(),
            output_limit=self.output_limit,
        )

    def _substitute(self) -> str | None:
        """The model that answered, where it is another than was sent for."""
        sent, answered = self.model, self.answered
        if sent is None or answered is None or not is_another(sent, answered[:MODEL_LENGTH]):
            return None
        return scrub(answered, MODEL_LENGTH)

    def _usage(self, fault: AttemptError | None, body: bytes) -> tuple[Usage | None, bool]:
        """The tokens, and whether some of them are estimated."""
        reader = self.reader
        told, guess = self.usage, 0
        if reader is not None:
            told, guess = reader.usage, reader.output_chars // CHARS_PER_TOKEN
        if told is None:
            return (Usage(_input_guess(body), guess), True) if self._worked(fault) else (None, False)
        if fault is None or told.output >= guess:
            return told, False
        # A stream cut short has told its input, but its output only at the start.
        return told._replace(output=guess, cost=None), True

    def _worked(self, fault: AttemptError | None) -> bool:
        """Whether the provider has read the prompt for all that is known, and so charges for it.

        It has where it began to answer, and where it had the request and was left before it said no.
        """
        reader = self.reader
        if reader is not None and (reader.content_seen or reader.thinking):
            return True
        left = fault is not None and fault.kind in ("client", "timeout")
        return left and self.sent and (self.status is None or self.status < 400)


def _input_guess(body: bytes) -> int:
    try:
        return estimated_tokens(read_object(body))
    except BadBodyError:
        return 0
