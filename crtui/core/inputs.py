"""Everything that can happen to the core. Each input is stamped once, fed once, recorded once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from crtui.core.settings import Wire

ErrorKind = Literal["connect", "timeout", "reset", "protocol", "client"]
"""How an attempt ended when no usable answer came; ``client``: the caller left or ran out of patience."""

CommandName = Literal[
    "demote", "drain", "pin", "release", "reset", "reset_all", "paid", "pull", "cancel_pull"
]

ABOUT_ALL: Final[tuple[CommandName, ...]] = ("reset_all", "paid")
"""Orders that name no provider. Every other input but a tick does."""

PullStatus = Literal["queued", "started", "done", "failed", "cancelled"]


class Usage(NamedTuple):
    """Tokens of one attempt. ``input`` excludes cache tokens. Never negative.

    ``cache_write_1h`` are those of ``cache_write`` that are kept for an hour. ``cost`` is what all
    of it cost in pico-dollars, as the provider told or a price list says; None: unknown.
    """

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0
    cost: int | None = None

    @property
    def total(self) -> int:
        """All tokens, cache reads and writes included."""
        return self.input + self.output + self.cache_read + self.cache_write

    def plus(self, other: Usage) -> Usage:
        """The tokens of both together; their cost is left open."""
        return Usage(
            self.input + other.input,
            self.output + other.output,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
            self.cache_write_1h + other.cache_write_1h,
        )


CREDIT: Final = "credit"
"""The window of what may still be spent in money: running out of it is a 402, and no rate limit."""


@dataclass(frozen=True, slots=True)
class WindowReport:
    """What one message said of one limit window. ``None`` is unknown, never 0."""

    name: str
    source: str
    used_percent: float | None = None
    remaining: float | None = None
    limit: float | None = None
    resets_at: int | None = None
    """Wall milliseconds."""

    @property
    def spent(self) -> bool:
        """Whether the window has nothing left."""
        return self.remaining == 0 or (self.used_percent is not None and self.used_percent >= 100)


@dataclass(frozen=True, slots=True)
class Limits:
    """What an answer's headers and error body said about limits, read by ``crtui.wire.limits``."""

    retry_after_ms: int | None = None
    windows: tuple[WindowReport, ...] = ()


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class MemoryReport:
    """Memory of the machine or device a provider runs on, in bytes."""

    used: int
    total: int


@dataclass(frozen=True, slots=True)
class ModelReport:
    """One model as a poll saw it. ``None`` is unknown."""

    name: str
    loaded: bool | None = None
    context: int | None = None
    vram_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Began:
    """An attempt at a provider starts: it is in flight, and takes the trial where one is offered."""

    provider: str
    ticket: int
    profile: str | None = None


class Attempt(NamedTuple):
    """One try at one provider, told when it has ended.

    A named tuple, because it is made a million times in a replay and a frozen dataclass of this
    size takes four times as long to make.

    ``ticket`` is that of its ``Began``, or 0 where none was fed (a hand-written trace).
    ``status`` is the HTTP status, or None where no answer came. ``error`` is the answer's body
    (codes and phrases are looked for in it), ``message`` the one line of it that people read;
    both are already made safe for display. ``answered`` is the model that the answer names, where it
    is another than ``model``, which is the one that was sent.
    ``output_limit`` is how many output tokens were asked for, where the caller asked for more than the
    provider gives.
    """

    provider: str
    ok: bool
    ticket: int = 0
    status: int | None = None
    error_kind: ErrorKind | None = None
    error: str = ""
    message: str = ""
    wire: Wire | None = None
    profile: str | None = None
    model: str | None = None
    session: str | None = None
    request: str | None = None
    latency_ms: int | None = None
    ttft_ms: int | None = None
    output_ms: int | None = None
    midstream: bool = False
    limits: Limits = NO_LIMITS
    usage: Usage | None = None
    usage_estimated: bool = False
    answered: str | None = None
    output_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Charge:
    """What an attempt cost that had ended before its price was known; its tokens are counted already."""

    provider: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class Poll:
    """What a poller saw of one provider. ``None`` fields were not observed and change nothing.

    ``took_ms`` is how long it took: what it saw may be as old.
    """

    provider: str
    ok: bool
    error: str = ""
    models: tuple[ModelReport, ...] | None = None
    windows: tuple[WindowReport, ...] = ()
    memory: MemoryReport | None = None
    took_ms: int = 0


@dataclass(frozen=True, slots=True)
class Hearsay:
    """What somebody else was told of a provider's windows. It is shown, and decides nothing."""

    provider: str
    windows: tuple[WindowReport, ...]


@dataclass(frozen=True, slots=True)
class Command:
    """An operator's order. ``provider`` is empty for those in ``ABOUT_ALL``.

    ``release`` lifts an override and leaves the guards alone; ``reset`` does both.
    ``allow`` is for ``paid`` only. ``pull`` and ``cancel_pull`` change nothing here; they mean
    ``model``, or where that is empty every model that is declared and missing, or on its way.
    """

    command: CommandName
    provider: str = ""
    for_ms: int | None = None
    allow: bool = False
    model: str = ""


@dataclass(frozen=True, slots=True)
class Pull:
    """A model's way to a provider has come to another point. It is told, and changes nothing."""

    provider: str
    model: str
    status: PullStatus
    error: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """Nothing happened but time."""


Input = Began | Attempt | Charge | Poll | Hearsay | Command | Pull | Tick
