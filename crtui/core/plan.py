"""A routing question and its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from crtui.core.settings import Wire

Guard = Literal[
    "chain", "wire", "capability", "paid", "operator", "budget", "burn", "quota", "memory", "health", "auth"
]


@dataclass(frozen=True, slots=True)
class Content:
    """What rules and capability checks look at in a request's body, read by ``crtui.wire``."""

    image: bool = False
    """An image anywhere in the request."""
    latest_image: bool = False
    """An image directly in the latest user message."""
    tools: bool = False
    latest_text: str = ""
    """The text of the latest user message."""
    chars: int = 0
    """Characters of all text, system included; about four to a token."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A request as far as routing needs it."""

    wire: Wire
    id: str = ""
    profile: str | None = None
    model: str | None = None
    session: str | None = None
    content: Content | None = None
    rule: str | None = None
    """The rule it fell under, by name, in a record that leaves out the text it was matched by."""
    owners: tuple[str, ...] = ()
    """Who has the model, where it was chosen from the list of them all: they come before everyone else."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A provider of the chain that is not tried, and why. ``until`` is wall milliseconds."""

    provider: str
    guard: Guard
    code: str
    until: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Whom to try, in order, and whom not. Every provider of the chain is in exactly one of the two."""

    id: str
    profile: str
    order: tuple[str, ...]
    dropped: tuple[Dropped, ...]
    rule: str | None = None
    last_resort: bool = False
    """Only health had dropped them, so all of them are tried."""


class UnknownProfileError(LookupError):
    """A request named a profile that is not configured."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"unknown profile {name!r}; configured: {', '.join(known)}")
        self.name = name
