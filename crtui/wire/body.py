"""A request's body: what routing reads of it, and the one value that is exchanged in its bytes."""

from __future__ import annotations

import re
from typing import Final

import orjson

from crtui.wire.codec import BadBodyError
from crtui.wire.jsonview import as_object, loads
from crtui.wire.keys import STRING, is_repeated, value_offsets

_ROUTING_KEYS: Final = ("model", "stream")
_SCALAR: Final = re.compile(rb'[^\s,{}\[\]"]+')
_OPEN: Final = re.compile(rb"[ \t\r\n]*\{[ \t\r\n]*")


def read_object(body: bytes) -> dict[str, object]:
    """Parse a request. Raises ``BadBodyError`` unless it is one JSON object."""
    if not body.strip():
        raise BadBodyError("the body is empty; send a JSON object")
    try:
        value = loads(body)
    except ValueError as error:
        raise BadBodyError(f"the body is not valid JSON: {error}") from None
    fields = as_object(value)
    if fields is not value:
        raise BadBodyError("the body is not a JSON object")
    return fields


def read_routing(body: bytes, fields: dict[str, object]) -> tuple[str | None, bool]:
    """``model`` and ``stream`` of a parsed request.

    Raises ``BadBodyError`` where one has the wrong type or stands there twice: two readers of
    such a body could each believe another value.
    """
    model, stream = fields.get("model"), fields.get("stream")
    if model is not None and not isinstance(model, str):
        raise BadBodyError("model must be a string")
    if stream is not None and not isinstance(stream, bool):
        raise BadBodyError("stream must be true or false")
    for key in _ROUTING_KEYS:
        if key in fields and is_repeated(body, key.encode()):
            raise BadBodyError(f"{key} is given twice")
    return model or None, bool(stream)


def with_model(body: bytes, model: str) -> bytes:
    """The same bytes with only the top-level ``model`` value exchanged, or added in front.

    ``body`` must be one that ``read_object`` takes; raises ``BadBodyError`` where it plainly is not.
    """
    value = orjson.dumps(model)
    offsets = value_offsets(body, b"model")
    if not offsets:
        return _with_first_key(body, b'"model":' + value)
    for start in reversed(offsets):
        old = STRING.match(body, start) or _SCALAR.match(body, start)
        if not old:
            raise BadBodyError("model must be a string")
        body = body[:start] + value + body[old.end() :]
    return body


def _with_first_key(body: bytes, member: bytes) -> bytes:
    opening = _OPEN.match(body)
    if not opening:
        raise BadBodyError("the body is not a JSON object")
    at = opening.end()
    return body[:at] + member + (b"" if body[at : at + 1] == b"}" else b",") + body[at:]
