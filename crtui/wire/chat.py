"""The OpenAI Chat Completions wire. https://platform.openai.com/docs/api-reference/chat"""

from __future__ import annotations

from typing import Final

import orjson

from crtui.core.inputs import Usage
from crtui.core.settings import Wire
from crtui.wire.codec import AnswerFacts
from crtui.wire.faults import UNKNOWN_STATUS, Fault, read_fault
from crtui.wire.json_codec import JsonCodec
from crtui.wire.jsonview import as_list, as_object, as_text
from crtui.wire.restream import chat_stream
from crtui.wire.stream import EventReader, inner_error
from crtui.wire.usage import larger, openai_usage

DONE: Final = b"[DONE]"
MAX_MARKER: Final = 16

_ERROR_TYPES: Final = {
    401: "authentication_error",
    402: "insufficient_quota",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}

_EXCUSED: Final = ("content_filter", "length")
"""Finish reasons of an answer that may rightly be without content: thinking can take all of its length."""

# What a delta or message may carry that a reader would miss if it were lost. A role is not among
# them, nor what vendors add about the answer.
_CONTENT: Final = frozenset(
    {
        "content",
        "reasoning",
        "reasoning_content",
        "tool_calls",
        "function_call",
        "refusal",
        "audio",
        "images",
    }
)


class ChatCodec(JsonCodec):
    """Implements ``Codec`` for ``POST /v1/chat/completions``; its answers may also be embeddings."""

    wire: Wire = "chat"
    error_ends = False

    def stream_reader(self) -> ChatReader:
        """A reader for one streamed answer."""
        return ChatReader()

    def error_body(
        self, status: int, message: str, code: str | None = None, resets_at: int | None = None
    ) -> bytes:
        """An error as OpenAI writes it."""
        return openai_error(status, message, code, resets_at)

    def error_event(self, message: str, status: int = 502, code: str | None = None) -> bytes:
        """The in-band error that ends a stream which has begun."""
        return b"data: " + self.error_body(status, message, code) + b"\n\n"

    def _fault(self, fields: dict[str, object]) -> Fault | None:
        return next(filter(None, map(_choice_fault, _choices(fields))), None)

    def _answer(self, fields: dict[str, object]) -> AnswerFacts:
        """Of a completion or a list of embeddings."""
        usage, model = _usage(fields), as_text(fields.get("model")) or None
        is_list = "choices" not in fields and isinstance(fields.get("data"), list)
        valid = is_list or _is_answer(_choices(fields), told=bool(usage and usage.output))
        return AnswerFacts(valid, usage, model=model)

    def _events(self, fields: dict[str, object]) -> bytes:
        return chat_stream(fields)


def openai_error(status: int, message: str, code: str | None, resets_at: int | None = None) -> bytes:
    """OpenAI's error envelope, the same for all its APIs.

    With ``resets_at`` it is the one by which Codex gives up and says until when; at any other 429 it
    sleeps without a word for as long as ``Retry-After`` asks.
    """
    kind = _ERROR_TYPES.get(status) or ("server_error" if status >= 500 else "invalid_request_error")
    error: dict[str, object] = {"message": message, "type": kind, "param": None, "code": code}
    if resets_at is not None:
        error |= {"type": "usage_limit_reached", "resets_at": resets_at}
    return orjson.dumps({"error": error})


class ChatReader(EventReader):
    """Implements ``StreamReader``: whole at ``[DONE]``, or where the bytes end after a finish reason.

    A finish reason alone does not complete the answer while bytes may still come: the usage
    follows it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._finished = False
        self._excused = False

    def _see(self, name: str, fields: dict[str, object]) -> None:
        self._named(fields)
        if fields.get("usage") or fields.get("x_groq"):
            self._count(_usage(fields))
        for choice in _choices(fields):
            self._see_delta(as_object(choice.get("delta")))
            if choice.get("finish_reason") or choice.get("error"):
                self._see_end(choice)

    def _see_delta(self, delta: dict[str, object]) -> None:
        for key, value in delta.items():
            if value and key in _CONTENT:
                self._content(_chars(value))

    def _see_end(self, choice: dict[str, object]) -> None:
        if fault := _choice_fault(choice):
            self._fail(fault, inner_error(choice))
        self._finished = True
        self._excused |= choice.get("finish_reason") in _EXCUSED

    def _is_end_marker(self, data: bytes) -> bool:
        if len(data) > MAX_MARKER or data.strip() != DONE:
            return False
        self._finish(excused=self._excused)
        return True

    def _is_final(self, fields: dict[str, object]) -> bool:
        return any(choice.get("finish_reason") for choice in _choices(fields))

    def _at_end(self) -> None:
        if self._finished:
            self._finish(excused=self._excused)


def _choices(fields: dict[str, object]) -> list[dict[str, object]]:
    return [as_object(choice) for choice in as_list(fields.get("choices"))]


def _usage(fields: dict[str, object]) -> Usage | None:
    """The usage of an answer or chunk; Groq has its own place for it in streams."""
    told, groq = openai_usage(fields.get("usage")), fields.get("x_groq")
    return told if groq is None else larger(told, openai_usage(as_object(groq).get("usage")))


def _choice_fault(choice: dict[str, object]) -> Fault | None:
    """The error OpenRouter puts into a choice."""
    if choice.get("finish_reason") != "error" and not choice.get("error"):
        return None
    return read_fault(choice) or Fault("the upstream ended its answer with an error", UNKNOWN_STATUS)


def _is_answer(choices: list[dict[str, object]], *, told: bool) -> bool:
    """Whether they are those of a completion, and not one that is finished without content and usage."""
    messages = [as_object(choice.get("message")) for choice in choices]
    if not messages or not all(messages):
        return False
    return (
        told
        or any(choice.get("finish_reason") in _EXCUSED for choice in choices)
        or any(message.get(key) for message in messages for key in _CONTENT)
    )


def _chars(value: object) -> int:
    """Characters of output in a delta's value: its strings, but for the names of things."""
    if isinstance(value, str):
        return len(value)
    fields = as_object(value)
    parts = as_list(value) or [fields.get(key) for key in ("text", "arguments", "name", "function")]
    return sum(map(_chars, parts)) if fields or isinstance(value, list) else 0
