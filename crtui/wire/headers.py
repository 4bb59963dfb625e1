"""Which headers pass through, in each direction. Allow-lists: a header not named here stays behind.

Credentials are never among them: the gateway sets the provider's own. Names are in lower case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

RawHeaders = Iterable[tuple[bytes, bytes]]

REQUEST_NAMES: Final = frozenset(
    {
        "accept",
        "anthropic-beta",
        "anthropic-dangerous-direct-browser-access",
        "anthropic-version",
        "content-type",
        "http-referer",
        "idempotency-key",
        "openai-beta",
        "originator",
        "session-id",
        "session_id",
        "thread-id",
        "user-agent",
        "x-app",
        "x-client-request-id",
        "x-initiator",
        "x-session-affinity",
        "x-session-id",
        "x-title",
    }
)
REQUEST_PREFIXES: Final = ("x-claude-", "x-codex-", "x-openrouter-", "x-stainless-")

RESPONSE_NAMES: Final = frozenset(
    {
        "cache-control",
        "content-encoding",
        "content-type",
        "request-id",
        "x-accel-buffering",
        "x-generation-id",
        "x-groq-region",
        "x-request-id",
        "x-should-retry",
    }
)
RESPONSE_PREFIXES: Final = ("openai-",)
_WITHHELD: Final = frozenset({"date", "openai-organization", "openai-project"})
"""Our server dates its own answers; the others would tell the caller whose account serves."""

LIMIT_NAMES: Final = frozenset({"date", "retry-after", "retry-after-ms"})
LIMIT_PREFIXES: Final = ("anthropic-ratelimit-", "x-ratelimit-", "x-codex-")

_MAX_RECORDED: Final = 256
_TOKEN: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def request_headers(raw: RawHeaders) -> dict[str, str]:
    """Those of the caller's headers that go to the provider; one that came twice is joined by a comma."""
    return _joined(pair for pair in _readable(raw) if _goes_up(pair[0]))


def response_headers(raw: RawHeaders) -> list[tuple[bytes, bytes]]:
    """Those of the provider's headers that go to the caller, as an ASGI server takes them.

    The length is not among them: who sends the body knows it.
    """
    return [(name.encode(), value.encode()) for name, value in _readable(raw) if _goes_back(name)]


def recorded_headers(raw: RawHeaders) -> dict[str, str]:
    """The headers that ``read_limits`` reads, for a trace: it finds in them what it finds in all."""
    return _joined(
        (name, value) for name, value in _readable(raw) if is_limit(name) and len(value) <= _MAX_RECORDED
    )


def _goes_up(name: str) -> bool:
    return name in REQUEST_NAMES or name.startswith(REQUEST_PREFIXES)


def _goes_back(name: str) -> bool:
    wanted = name in RESPONSE_NAMES or name.startswith(RESPONSE_PREFIXES) or is_limit(name)
    return wanted and name not in _WITHHELD


def is_limit(name: str) -> bool:
    """Whether ``read_limits`` reads the header of this name, given in lower case."""
    return name in LIMIT_NAMES or name.startswith(LIMIT_PREFIXES)


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """One value a name, as HTTP allows for every header but ``set-cookie``."""
    kept: dict[str, str] = {}
    for name, value in pairs:
        kept[name] = f"{kept[name]}, {value}" if name in kept else value
    return kept


def _readable(raw: RawHeaders) -> Iterable[tuple[str, str]]:
    """Names in lower case with their values; one that could split a message, or is no UTF-8, is dropped."""
    for name, value in raw:
        if not _TOKEN.fullmatch(name):
            continue
        try:
            text = value.decode().strip(" \t")
        except UnicodeDecodeError:
            continue
        if not _CONTROL.search(text):
            yield name.decode().lower(), text
