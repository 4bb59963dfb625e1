"""The OpenAI Responses wire. https://platform.openai.com/docs/api-reference/responses-streaming"""

from __future__ import annotations

from typing import Final

import orjson

from crtui.core.plan import Content
from crtui.core.settings import Wire
from crtui.wire.chat import DONE, MAX_MARKER, openai_error
from crtui.wire.codec import AnswerFacts
from crtui.wire.content import read_input
from crtui.wire.faults import NO_MESSAGE, UNKNOWN_STATUS, Fault, read_fault
from crtui.wire.json_codec import JsonCodec
from crtui.wire.jsonview import as_list, as_object, as_text
from crtui.wire.restream import responses_stream
from crtui.wire.stream import EventReader, inner_error
from crtui.wire.usage import responses_usage

_BACKGROUND: Final = ("queued", "in_progress")
"""An answer asked for with ``background`` has no content yet, and that is no fault."""

# Codex waits and asks again after the first, and gives up at the second; all else it retries.
_CODES: Final = {429: "rate_limit_exceeded", 402: "insufficient_quota"}

_PLAIN_ITEMS: Final = frozenset({"message", "reasoning"})
"""Items that say something only by their parts; any other (a tool's call) does by being there."""


class ResponsesCodec(JsonCodec):
    """Implements ``Codec`` for ``POST /v1/responses``."""

    wire: Wire = "responses"
    error_ends = True

    def heartbeat(self, originator: str) -> bytes:
        """A comment, but for Codex the event that OpenAI keeps its streams alive with.

        Codex counts events alone and gives up where none comes in time. Others must not get one:
        OpenAI's library refuses any event before ``response.created``.
        """
        if not originator.lower().startswith("codex"):
            return super().heartbeat(originator)
        return b'event: keepalive\ndata: {"type":"keepalive","sequence_number":0}\n\n'

    def read_content(self, body: bytes) -> Content:
        """Read what rules and capability checks look at. Raises ``BadBodyError``."""
        return read_input(body)

    def stream_reader(self) -> ResponsesReader:
        """A reader for one streamed answer."""
        return ResponsesReader()

    def error_body(
        self, status: int, message: str, code: str | None = None, resets_at: int | None = None
    ) -> bytes:
        """An error as OpenAI writes it."""
        return openai_error(status, message, code, resets_at)

    def error_event(self, message: str, status: int = 502, code: str | None = None) -> bytes:
        """The in-band error that ends a stream which has begun.

        Codex reads the error inside ``response``, OpenAI's libraries the one beside it.
        """
        error = {"code": code or _CODES.get(status, "server_error"), "message": message}
        response = {"id": "", "object": "response", "status": "failed", "error": error}
        event = {"type": "response.failed", "sequence_number": 0, "response": response, "error": error}
        return b"event: response.failed\ndata: " + orjson.dumps(event) + b"\n\n"

    def _fault(self, fields: dict[str, object]) -> Fault | None:
        return _failure(fields)

    def _answer(self, fields: dict[str, object]) -> AnswerFacts:
        usage = responses_usage(fields.get("usage"))
        output = fields.get("output")
        told = bool(output or (usage and usage.output) or _excused(fields))
        model = as_text(fields.get("model")) or None
        return AnswerFacts(isinstance(output, list) and told, usage, model=model)

    def _events(self, fields: dict[str, object]) -> bytes:
        return responses_stream(fields)


class ResponsesReader(EventReader):
    """Implements ``StreamReader``: whole at ``response.completed`` or ``response.incomplete``."""

    def _see(self, name: str, fields: dict[str, object]) -> None:
        kind = as_text(fields.get("type")) or name
        match kind:
            case "response.created":
                self._named(as_object(fields.get("response")))
            case "response.completed" | "response.incomplete":
                self._see_end(as_object(fields.get("response")))
            case "response.failed":
                response = as_object(fields.get("response"))
                fault = _failure(response) or Fault(NO_MESSAGE, UNKNOWN_STATUS)
                self._fail(fault, inner_error(response))
            case "response.output_item.added" | "response.output_item.done":
                self._see_item(as_object(fields.get("item")))
            case _ if kind.endswith(".delta"):
                self._see_delta(fields.get("delta"))
            case _:
                pass

    def _see_delta(self, delta: object) -> None:
        if delta:
            self._content(len(delta) if isinstance(delta, str) else 0)

    def _see_item(self, item: dict[str, object]) -> None:
        """An item's text counts only where no delta told it before."""
        self.thinking |= item.get("type") == "reasoning"
        if not self.content_seen and item and (item.get("type") not in _PLAIN_ITEMS or _parts(item)):
            self._content(sum(len(as_text(part.get("text"))) for part in _parts(item)))

    def _see_end(self, response: dict[str, object]) -> None:
        self._named(response)
        self._count(responses_usage(response.get("usage")))
        for item in as_list(response.get("output")):
            self._see_item(as_object(item))
        self._finish(excused=_excused(response))

    def _is_end_marker(self, data: bytes) -> bool:
        # Some servers write chat's marker here too; it says nothing of how the response went.
        return len(data) < MAX_MARKER and data.strip() == DONE

    def _is_final(self, fields: dict[str, object]) -> bool:
        return fields.get("type") in ("response.completed", "response.incomplete", "response.failed")

    def _at_end(self) -> None:
        pass


def _failure(response: dict[str, object]) -> Fault | None:
    if response.get("status") != "failed":
        return None
    return read_fault(response) or Fault(NO_MESSAGE, UNKNOWN_STATUS)


def _parts(item: dict[str, object]) -> list[dict[str, object]]:
    return [as_object(part) for key in ("content", "summary") for part in as_list(item.get(key))]


def _excused(response: dict[str, object]) -> bool:
    """Whether a response may rightly be without content."""
    why = as_object(response.get("incomplete_details")).get("reason")
    return why in ("content_filter", "max_output_tokens") or response.get("status") in _BACKGROUND
