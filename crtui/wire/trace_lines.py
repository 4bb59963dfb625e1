"""The shape of an attempt's trace line, declared once for both ways.

``crtui.wire.trace_out`` writes it. ``crtui.wire.trace_plain`` reads what keeps to it, each value
within its bounds; they are checked on the way in only. What is unknown or empty is left out.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from crtui.core.inputs import ErrorKind
from crtui.core.money import MOST, PICO
from crtui.core.settings import Wire

NO_TIME: Final = -1.0
_BOUNDS: Final = msgspec.Meta(ge=-(10**15), le=10**15)

_Text = Annotated[str, msgspec.Meta(min_length=1)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=10**15)]
_Number = Annotated[int, _BOUNDS] | Annotated[float, _BOUNDS]


def _always() -> int:
    """A count that is written also where it is 0, and read as 0 where it is missing."""
    return msgspec.field(default_factory=int)


class Usage(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """Tokens, and what they cost."""

    input: _Count = _always()
    output: _Count = _always()
    cache_read: _Count = _always()
    cache_write: _Count = _always()
    cache_write_1h: _Count = 0
    cost_usd: Annotated[float, msgspec.Meta(ge=0, le=MOST / PICO)] | None = None


class Window(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """One limit window. ``resets_at`` is an RFC 3339 time, which nothing here checks."""

    name: _Text
    source: _Text = "poll"
    used_percent: _Number | None = None
    remaining: _Number | None = None
    limit: _Number | None = None
    resets_at: str | None = None


class Limits(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """As they were read, not the headers they were read from."""

    retry_after_ms: _Count | None = None
    windows: tuple[Window, ...] = ()


class Attempt(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """The line. ``t`` is ``NO_TIME`` where there is none, as in the journal.

    ``limits`` is what a gateway writes; who writes by hand gives the answer's ``headers``.
    """

    # No tag: msgspec would also take a line without one.
    input: Literal["attempt"]
    provider: _Text
    ok: bool
    t: float = NO_TIME
    ticket: _Count = 0
    status: _Count | None = None
    error_kind: ErrorKind | None = None
    error: str = ""
    wire: Wire | None = None
    profile: str | None = None
    model: str | None = None
    session: str | None = None
    request: str | None = None
    latency_ms: _Count | None = None
    ttft_ms: _Count | None = None
    output_ms: _Count | None = None
    midstream: bool = False
    usage_estimated: bool = False
    answered: str | None = None
    output_limit: _Count | None = None
    usage: Usage | None = None
    limits: Limits | None = None
    headers: dict[str, str] | None = None
