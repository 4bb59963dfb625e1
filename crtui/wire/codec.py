"""What every wire's codec offers the gateway.

Same wire in and out: the bytes of a body are kept, but for ``model``. A codec only *looks*.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from crtui.core.inputs import Usage
from crtui.core.plan import Content
from crtui.core.settings import Wire


class BadBodyError(ValueError):
    """A request body the gateway cannot route. The message is one safe line for the caller."""


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What the gateway reads of a request's body."""

    model: str | None
    stream: bool
    session: str | None
    """The agent's own session key where the body carries one."""


@dataclass(frozen=True, slots=True)
class AnswerFacts:
    """What the gateway reads of a complete, non-streamed answer.

    ``error`` is the safe text of an error object inside a 2xx, ``code`` its name, ``status`` what it
    amounts to; ``model`` is the one that answered, where the answer names it.
    ``valid`` is false when the body is not an answer of this wire at all.
    """

    valid: bool
    usage: Usage | None = None
    error: str | None = None
    status: int | None = None
    code: str = ""
    model: str | None = None


class StreamReader(Protocol):
    """Looks at one streamed answer as its bytes pass by."""

    def feed(self, data: bytes) -> None:
        """Take the next bytes, split anywhere. Never raises on hostile input; see ``broken``."""
        ...

    def close(self) -> None:
        """The upstream's bytes have ended."""
        ...

    @property
    def content_seen(self) -> bool:
        """Whether anything but handshake frames (start frame, pings, role-only deltas) has come."""
        ...

    @property
    def thinking(self) -> bool:
        """Whether the model has begun to think out of sight: it is at work, but nothing is lost yet."""
        ...

    @property
    def complete(self) -> bool:
        """Whether the wire's own end marker has been seen: only that means the answer is whole."""
        ...

    @property
    def error(self) -> str | None:
        """The safe text of an in-band error event."""
        ...

    @property
    def error_status(self) -> int | None:
        """The HTTP status an in-band error amounts to (429, 529, 500 ...)."""
        ...

    @property
    def error_code(self) -> str:
        """What an in-band error calls itself (``context_length_exceeded`` ...); may be empty."""
        ...

    @property
    def error_body(self) -> bytes:
        """The in-band error as a body of its own, in which waits are looked for; empty without one."""
        ...

    @property
    def broken(self) -> str | None:
        """Why the stream cannot be one of this wire (event too large, not SSE at all ...)."""
        ...

    @property
    def events(self) -> int:
        """Whole events so far; progress is counted in these, not in bytes."""
        ...

    @property
    def usage(self) -> Usage | None:
        """Tokens as far as told; None if the stream has told nothing."""
        ...

    @property
    def model(self) -> str | None:
        """The model that answers, once the stream has named it."""
        ...

    @property
    def output_chars(self) -> int:
        """Characters of content so far, for an estimate where usage is missing."""
        ...


class Codec(Protocol):
    """One wire: ``messages`` (Anthropic), ``chat`` or ``responses`` (OpenAI)."""

    wire: Wire

    error_ends: bool
    """Whether ``error_event`` is an end of its own of a stream, that no client takes for success."""

    def read_request(self, body: bytes) -> RequestFacts:
        """Read what the gateway needs. Raises ``BadBodyError``."""
        ...

    def read_content(self, body: bytes) -> Content:
        """Read what rules and capability checks look at; dearer, so only where they exist."""
        ...

    def with_model(self, body: bytes, model: str) -> bytes:
        """The same body with only the top-level ``model`` value exchanged (or added)."""
        ...

    def read_answer(self, body: bytes) -> AnswerFacts:
        """Read a complete, non-streamed 2xx body."""
        ...

    def as_stream(self, answer: bytes) -> bytes:
        """A whole answer that ``read_answer`` found valid, as the events of a stream."""
        ...

    def stream_reader(self) -> StreamReader:
        """A reader for one streamed answer."""
        ...

    def heartbeat(self, originator: str) -> bytes:
        """What a stream may carry before its first event without meaning anything to this client.

        ``originator`` is what the caller says in the header of that name; empty without one.
        """
        ...

    def error_body(
        self, status: int, message: str, code: str | None = None, resets_at: int | None = None
    ) -> bytes:
        """An error in the caller's own envelope, as a whole JSON body.

        ``resets_at``, in seconds since the epoch, is that of a limit which is not worth waiting for.
        """
        ...

    def error_event(self, message: str, status: int = 502, code: str | None = None) -> bytes:
        """The terminal in-band error for a stream that has begun, as SSE bytes.

        Never followed by the wire's end marker.
        """
        ...
