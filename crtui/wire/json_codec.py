"""What the three wires have in common: a JSON object in, a JSON object or a stream of them out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final

from crtui.core.plan import Content
from crtui.text import scrub
from crtui.wire.body import read_object, read_routing, with_model
from crtui.wire.codec import AnswerFacts, RequestFacts
from crtui.wire.content import read_content
from crtui.wire.faults import Fault, read_fault
from crtui.wire.jsonview import as_object, as_text, loads

MAX_SESSION: Final = 200


class JsonCodec(ABC):
    """Implements of ``Codec`` what does not differ. ``_answer`` and ``_events`` get parsed objects."""

    def read_request(self, body: bytes) -> RequestFacts:
        """Read what the gateway needs. Raises ``BadBodyError``."""
        fields = read_object(body)
        model, stream = read_routing(body, fields)
        return RequestFacts(model, stream, self._session(fields))

    def read_content(self, body: bytes) -> Content:
        """Read what rules and capability checks look at. Raises ``BadBodyError``."""
        return read_content(body)

    def with_model(self, body: bytes, model: str) -> bytes:
        """The same body with only the top-level ``model`` value exchanged (or added)."""
        return with_model(body, model)

    def read_answer(self, body: bytes) -> AnswerFacts:
        """Read a complete 2xx body. An error inside it is not valid."""
        try:
            value = loads(body)
        except ValueError:
            return AnswerFacts(valid=False)
        fields = as_object(value)
        if fault := read_fault(value) or self._fault(fields):
            return AnswerFacts(False, None, *fault)
        return self._answer(fields)

    def heartbeat(self, originator: str) -> bytes:
        """A comment: every reader of events passes over it."""
        return b": keep-alive\n\n"

    def as_stream(self, answer: bytes) -> bytes:
        """A whole answer as the events of a stream."""
        return self._events(as_object(loads(answer)))

    def _session(self, fields: dict[str, object]) -> str | None:
        """What a request says of the conversation it belongs to, in OpenAI's words."""
        said = as_text(fields.get("prompt_cache_key")) or as_text(fields.get("user"))
        return scrub(said, MAX_SESSION) or None

    def _fault(self, fields: dict[str, object]) -> Fault | None:
        """An error that the wire tells in a way of its own."""
        return None

    @abstractmethod
    def _answer(self, fields: dict[str, object]) -> AnswerFacts: ...

    @abstractmethod
    def _events(self, fields: dict[str, object]) -> bytes: ...
