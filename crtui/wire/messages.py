"""The Anthropic Messages wire. https://docs.claude.com/en/api/messages-streaming"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import orjson

from crtui.core.settings import Wire
from crtui.text import scrub
from crtui.wire.codec import AnswerFacts
from crtui.wire.json_codec import MAX_SESSION, JsonCodec
from crtui.wire.jsonview import as_object, as_text, loads
from crtui.wire.restream import messages_stream
from crtui.wire.stream import EventReader
from crtui.wire.usage import anthropic_usage, message_usage

# https://docs.claude.com/en/api/errors
_ERROR_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


_EXCUSED: Final = ("refusal", "max_tokens", "model_context_window_exceeded")
"""Stop reasons of a message that may rightly be without content: thinking can take all of its length."""


class MessagesCodec(JsonCodec):
    """Implements ``Codec`` for ``POST /v1/messages`` and its ``count_tokens``."""

    wire: Wire = "messages"
    error_ends = False

    def heartbeat(self, originator: str) -> bytes:
        """A ping, as Anthropic sends it."""
        return b'event: ping\ndata: {"type":"ping"}\n\n'

    def stream_reader(self) -> MessagesReader:
        """A reader for one streamed answer."""
        return MessagesReader()

    def error_body(
        self, status: int, message: str, code: str | None = None, resets_at: int | None = None
    ) -> bytes:
        """An error as Anthropic writes it; the envelope has no place for the rest."""
        kind = _ERROR_TYPES.get(status) or ("api_error" if status >= 500 else "invalid_request_error")
        return orjson.dumps({"type": "error", "error": {"type": kind, "message": message}})

    def error_event(self, message: str, status: int = 502, code: str | None = None) -> bytes:
        """The in-band error that ends a stream which has begun."""
        return b"event: error\ndata: " + self.error_body(status, message) + b"\n\n"

    def _session(self, fields: dict[str, object]) -> str | None:
        return _session(as_object(fields.get("metadata")).get("user_id"))

    def _answer(self, fields: dict[str, object]) -> AnswerFacts:
        """Of a message or a token count."""
        if isinstance(fields.get("input_tokens"), int) and "content" not in fields:
            return AnswerFacts(valid=True)
        usage = anthropic_usage(fields.get("usage"))
        content = fields.get("content")
        empty = not content and not (usage and usage.output) and fields.get("stop_reason") not in _EXCUSED
        valid, model = isinstance(content, list) and not empty, as_text(fields.get("model")) or None
        return AnswerFacts(valid, usage, model=model)

    def _events(self, fields: dict[str, object]) -> bytes:
        return messages_stream(fields)


class MessagesReader(EventReader):
    """Implements ``StreamReader``: the answer is whole at ``message_stop``."""

    def __init__(self) -> None:
        super().__init__()
        self._excused = False

    def _see(self, name: str, fields: dict[str, object]) -> None:
        match as_text(fields.get("type")) or name:
            case "content_block_delta":
                self._see_part(as_object(fields.get("delta")))
            case "content_block_start":
                self._see_block(as_object(fields.get("content_block")))
            case "message_start":
                message = as_object(fields.get("message"))
                self._named(message)
                self._count(anthropic_usage(message.get("usage")))
            case "message_delta":
                self.usage = message_usage(self.usage, fields.get("usage"))
                self._excused |= as_object(fields.get("delta")).get("stop_reason") in _EXCUSED
            case "message_stop":
                self._finish(excused=self._excused)
            case _:
                pass

    def _see_block(self, block: dict[str, object]) -> None:
        """A tool's block says something by itself; a block of text does by its text, mostly empty."""
        if block.get("type") in ("text", "thinking"):
            self.thinking |= block.get("type") == "thinking"
            self._see_part(block)
        elif block:
            self._content(0)

    def _see_part(self, part: dict[str, object]) -> None:
        """Text, thinking, a tool's input or a signature; the last is content, but not output."""
        for key, value in part.items():
            if value and key != "type":
                self._content(len(value) if isinstance(value, str) and key != "signature" else 0)

    def _is_end_marker(self, data: bytes) -> bool:
        return False

    def _is_final(self, fields: dict[str, object]) -> bool:
        return fields.get("type") == "message_stop"

    def _at_end(self) -> None:
        pass


def _session(user_id: object) -> str | None:
    """The session inside ``metadata.user_id``, which Claude Code fills with JSON, else all of it."""
    text = as_text(user_id)
    if text.startswith("{"):
        with suppress(ValueError):
            text = as_text(as_object(loads(text.encode("utf-8", "replace"))).get("session_id")) or text
    return scrub(text, MAX_SESSION) or None
