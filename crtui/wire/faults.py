"""What an answer that is an error says: its inner text, and the HTTP status it amounts to."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import orjson

from crtui.text import scrub
from crtui.wire.jsonview import as_list, as_object, as_text, loads

TEXT_LIMIT: Final = 300
_CODE_LIMIT: Final = 64
LOOKED_AT: Final = 64 * 1024
"""Bytes of an error body that are read; an error needs no more."""

NO_MESSAGE: Final = "an error without a message"

UNKNOWN_STATUS: Final = 502
"""An in-band error that names nothing known: the upstream is at fault."""

# `type` and `code` of Anthropic, OpenAI, llama.cpp, vLLM, GLM and Codex, and Google's status names.
_STATUS: Final = {
    "invalid_request_error": 400,
    "badrequesterror": 400,
    "context_length_exceeded": 400,
    "exceed_context_size_error": 400,
    "invalid_prompt": 400,
    "invalid_argument": 400,
    "failed_precondition": 400,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "unauthenticated": 401,
    "billing_error": 402,
    "insufficient_quota": 402,
    "insufficient_credits": 402,
    "permission_error": 403,
    "permission_denied": 403,
    "not_found_error": 404,
    "not_found": 404,
    "model_not_found": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "resource_exhausted": 429,
    "usage_limit_reached": 429,
    "1302": 429,
    "api_error": 500,
    "server_error": 500,
    "internal_error": 500,
    "internal_server_error": 500,
    "internal": 500,
    "unavailable": 503,
    "unavailable_error": 503,
    "service_unavailable": 503,
    "timeout_error": 504,
    "deadline_exceeded": 504,
    "overloaded_error": 529,
    "overloaded": 529,
    "server_is_overloaded": 529,
    "slow_down": 529,
}

_MESSAGE_KEYS: Final = ("error", "message", "detail", "errors", "msg", "error_description")
_TITLE: Final = re.compile(r"<title[^>]{0,200}>([^<]{1,500})", re.IGNORECASE)


class Fault(NamedTuple):
    """An error a body tells. ``text`` is safe to show and never empty.

    ``code`` is the error's own name for itself (``type`` or ``code``), safe too, empty if it has none.
    """

    text: str
    status: int
    code: str = ""


def error_text(body: bytes) -> str:
    """The message inside an error body, safe and at most 300 cells; empty for an empty body.

    Knows Anthropic's, OpenAI's, Google's, OpenRouter's, FastAPI's and Ollama's shapes, one
    wrapped in a list or in a JSON string, HTML pages (their title) and plain text. Never raises.
    """
    head = body[:LOOKED_AT]
    try:
        return _message(loads(head)) or _plain_text(head)
    except ValueError:
        return _plain_text(head)


def with_note(body: bytes, note: str) -> bytes | None:
    """The same error with something added to its message; None where it has none in the usual place."""
    try:
        fields = as_object(loads(body))
    except ValueError:
        return None
    error = as_object(fields.get("error"))
    message = as_text(error.get("message"))
    return orjson.dumps({**fields, "error": {**error, "message": message + note}}) if message else None


def read_fault(value: object) -> Fault | None:
    """The error a parsed answer or stream event is, or None if it is not one.

    An ``error`` member decides, or ``object`` or ``type`` with the value ``error``; the first
    element speaks for a list.
    """
    fields = as_object(value) or as_object(next(iter(as_list(value)), None))
    if not fields.get("error") and "error" not in (fields.get("object"), fields.get("type")):
        return None
    return Fault(_message(fields) or NO_MESSAGE, error_status(fields), _code(fields))


def error_status(fields: dict[str, object]) -> int:
    """The HTTP status an error object amounts to: a number it carries, else what its type means."""
    inner = as_object(fields.get("error"))
    told = [source.get(key) for source in (inner, fields) for key in ("code", "status", "type")]
    for value in told:
        number = int(value) if isinstance(value, str) and re.fullmatch("[45][0-9][0-9]", value) else value
        if isinstance(number, int) and 400 <= number <= 599:
            return number
    known = (_STATUS.get(str(value).lower()) for value in told if isinstance(value, (str, int)))
    return next((status for status in known if status), UNKNOWN_STATUS)


def _code(fields: dict[str, object]) -> str:
    """The most telling of ``code`` and ``type``: a word beats a number, the inner object the outer."""
    inner = as_object(fields.get("error"))
    told = (as_text(source.get(key)) for source in (inner, fields) for key in ("code", "type"))
    return next((scrub(word, _CODE_LIMIT) for word in told if word not in ("", "error")), "")


def _message(value: object, depth: int = 6) -> str:
    """The innermost message of an error in any known shape, safe; empty if there is none."""
    if depth == 0 or not value:
        return ""
    if isinstance(value, str):
        return _string_message(value, depth - 1)
    if items := as_list(value):
        return _message(items[0], depth - 1)
    fields = as_object(value)
    for key in _MESSAGE_KEYS:
        if text := _message(fields.get(key), depth - 1):
            return _with_upstream(text, fields)
    return scrub(as_text(fields.get("type")), TEXT_LIMIT).removeprefix("error")


def _string_message(text: str, depth: int) -> str:
    """A message, unless it is JSON once more (Google behind some relays)."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            return _message(loads(text.encode("utf-8", "replace")), depth) or scrub(text, TEXT_LIMIT)
        except ValueError:
            pass
    return scrub(text, TEXT_LIMIT)


def _with_upstream(text: str, fields: dict[str, object]) -> str:
    """OpenRouter says only "Provider returned error" and keeps the provider's words beside it."""
    raw = _message(as_object(fields.get("metadata")).get("raw"), 4)
    return scrub(f"{text}: {raw}", TEXT_LIMIT) if raw else text


def _plain_text(head: bytes) -> str:
    text = head.decode("utf-8", "replace")
    title = _TITLE.search(text)
    if title is None:
        return scrub(text, TEXT_LIMIT)
    # Its table of entities takes half a MiB.
    from html import unescape

    return scrub(unescape(title[1]), TEXT_LIMIT)
