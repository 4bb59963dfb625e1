"""Where the values of top-level keys stand in the bytes of a JSON object.

The object must be valid JSON. Reading every token of it in Python is slow, so the few places
where a key's own bytes stand are looked at instead, where that is certain to find them all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from crtui.wire.jsonview import loads

STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_COLON: Final = re.compile(rb"[ \t\r\n]*:[ \t\r\n]*")

_TOKEN: Final = re.compile(STRING.pattern + rb"|[{}\[\]]", re.DOTALL)

# How a key of small ASCII letters and underscores begins to be spelt in escapes.
_ESCAPES: Final = (b"\\u005", b"\\u006", b"\\u007")
_ANY_ESCAPE: Final = b"\\u00"
_MAX_PROOFS: Final = 8


def value_offsets(body: bytes, key: bytes) -> list[int]:
    """Where the value of every top-level key named ``key`` begins.

    ``key`` has only letters a to z and underscores.
    """
    places = _places(body, key)
    if places is None:
        return _scan(body, key)
    return [value for at, value in places if _is_top_level(body, at)]


def is_repeated(body: bytes, key: bytes) -> bool:
    """Whether the object has that top-level key more than once."""
    if body.count(b'"%b"' % key) < 2 and _ANY_ESCAPE not in body:
        return False
    places = _places(body, key)
    return (places is None or len(places) > 1) and len(value_offsets(body, key)) > 1


def _places(body: bytes, key: bytes) -> list[tuple[int, int]] | None:
    """Where that key and its value stand, at any depth; None where only a scan can tell, or is quicker."""
    if _ANY_ESCAPE in body and any(escape in body for escape in _ESCAPES):
        return None
    found = list(islice(_literal_keys(body, b'"%b"' % key), _MAX_PROOFS + 1))
    return found if len(found) <= _MAX_PROOFS else None


def _literal_keys(body: bytes, token: bytes) -> Iterator[tuple[int, int]]:
    """Where ``token`` and a colon stand, and what follows them; perhaps also at the end of a longer key."""
    at = body.find(token)
    while at >= 0:
        if colon := _COLON.match(body, at + len(token)):
            yield at, colon.end()
        at = body.find(token, at + len(token))


def _is_top_level(body: bytes, at: int) -> bool:
    """A string is a top-level key if what stands before it needs one brace to be valid JSON."""
    before = body[:at].rstrip(b" \t\r\n").removesuffix(b",")
    try:
        loads(before + b"}")
    except ValueError:
        return False
    return True


def _scan(body: bytes, key: bytes) -> list[int]:
    """The same by reading every string and bracket."""
    depth, found = 0, list[int]()
    for match in _TOKEN.finditer(body):
        start = match.start()
        if body[start] == 0x22:
            colon = _COLON.match(body, match.end()) if depth == 1 else None
            if colon and _is_named(match[0], key):
                found.append(colon.end())
        else:
            depth += 1 if body[start] in b"{[" else -1
    return found


def _is_named(token: bytes, key: bytes) -> bool:
    return token[1:-1] == key if b"\\" not in token else loads(token) == key.decode()
