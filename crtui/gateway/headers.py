"""Which headers go on, decided once a name: an answer has dozens that nobody wants.

What is wanted is said by ``crtui.wire.headers`` alone; here its answers are remembered.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from crtui.gateway.reply import Header
from crtui.wire.headers import is_limit, request_headers, response_headers

_NAMES: Final = 1024
_VALUES: Final = 2048
_SHORT: Final = 128
"""A longer value is not remembered."""


def asked(raw: Sequence[Header]) -> dict[str, str]:
    """Those of a caller's headers that go to the provider. Names are in lower case, here and below."""
    kept: dict[str, str] = {}
    for name, value in raw:
        if _goes_up(name) and (pair := (_readable if len(value) <= _SHORT else _read)(name, value)):
            if pair[0] in kept:
                return request_headers(raw)  # who joins what came twice
            kept[pair[0]] = pair[1]
    return kept


def answered(raw: Sequence[Header]) -> list[Header]:
    """Those of a provider's headers that go to the caller."""
    return response_headers([pair for pair in raw if _goes_back(pair[0])])


def tells_limits(raw: Sequence[Header]) -> bool:
    """Whether any of a provider's headers is about limits; ``date`` alone tells nothing."""
    return any(_is_limit(name) for name, _ in raw)


def _read(name: bytes, value: bytes) -> tuple[str, str] | None:
    return next(iter(request_headers([(name, value)]).items()), None)


_readable: Final = lru_cache(_VALUES)(_read)
"""A client sends the same dozen headers with each request. No credential is among those that go up."""


@lru_cache(_NAMES)
def _goes_up(name: bytes) -> bool:
    return bool(request_headers([(name, b"")]))


@lru_cache(_NAMES)
def _goes_back(name: bytes) -> bool:
    return bool(response_headers([(name, b"")]))


@lru_cache(_NAMES)
def _is_limit(name: bytes) -> bool:
    return name != b"date" and is_limit(name.decode("latin-1"))
