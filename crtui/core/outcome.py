"""What the end of an attempt means: whose fault it was, and whether another provider may help.

The table is CORE's: status or error kind first, then the words of the body where a status
alone is ambiguous. Nothing here knows a provider or a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from crtui.core import wordings
from crtui.core.events import EventKind
from crtui.core.inputs import Attempt, ErrorKind
from crtui.core.verdict import Told

OutcomeClass = Literal[
    "ok", "client", "model", "context", "auth", "credit", "fault", "limit", "overload", "gone"
]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended.

    ``next_provider``: another provider may do better, as long as no content has gone out.
    ``passes_through``: where no other is left, the upstream's own answer goes to the caller as it is.
    """

    kind: OutcomeClass
    next_provider: bool = False
    passes_through: bool = False

    @property
    def failed(self) -> bool:
        """Whether it counts as a failure of the provider's health."""
        return self.kind in ("fault", "overload")


OK: Final = Outcome("ok")
CLIENT: Final = Outcome("client", passes_through=True)
UNFIT: Final = Outcome("client", next_provider=True, passes_through=True)
"""Nobody's fault, but nothing for this provider."""
MODEL: Final = Outcome("model", next_provider=True, passes_through=True)
CONTEXT: Final = Outcome("context", next_provider=True, passes_through=True)
AUTH: Final = Outcome("auth", next_provider=True)
CREDIT: Final = Outcome("credit", next_provider=True)
FAULT: Final = Outcome("fault", next_provider=True)
LIMIT: Final = Outcome("limit", next_provider=True)
OVERLOAD: Final = Outcome("overload", next_provider=True)
GONE: Final = Outcome("gone")

_BY_STATUS: Final[dict[int, Outcome]] = {
    401: AUTH,
    402: CREDIT,
    403: AUTH,
    404: MODEL,
    408: FAULT,
    425: FAULT,
    429: LIMIT,
    501: CLIENT,
    529: OVERLOAD,
}


def classify(status: int | None, error_kind: ErrorKind | None, error: str) -> Outcome:
    """Classify a failed attempt by its status, how its connection ended, and its body's words."""
    if error_kind == "client":
        return GONE
    if error_kind is not None or status is None or status < 400:
        return OVERLOAD if "overloaded_error" in error else FAULT
    return _by_words(status, error.lower()) or _BY_STATUS.get(status) or (FAULT if status >= 500 else CLIENT)


def _by_words(status: int, words: str) -> Outcome | None:
    """What the words say, where they may say more than the status."""
    if status in (413, 429) and wordings.OVER_A_RATE.search(words):
        return UNFIT
    # LM Studio and some relays give a prompt that is too long as a failure of their own.
    if (
        (status in (400, 413, 422) or status >= 500)
        and wordings.CONTEXT.search(words)
        and not wordings.RATE.search(words)
    ):
        return CONTEXT
    if status in (400, 403, 429) and wordings.CREDIT.search(words):
        return CREDIT
    if status in (400, 403, 422) and wordings.MODEL.search(words):
        return MODEL
    if status == 400 and wordings.STATE.search(words):
        return UNFIT
    if status == 403 and wordings.MODERATION.search(words):
        return CLIENT
    return OVERLOAD if status >= 500 and "overloaded_error" in words else None


def told_of(item: Attempt, outcome: Outcome) -> Told:
    """The event that tells how an attempt ended."""
    data: dict[str, object] = {}
    if item.request is not None:
        data["request"] = item.request
    if item.profile is not None:
        data["profile"] = item.profile
    if item.model is not None:
        data["model"] = item.model
    if item.status is not None:
        data["status"] = item.status
    if item.latency_ms is not None:
        data["latency_ms"] = item.latency_ms
    if item.ttft_ms is not None:
        data["ttft_ms"] = item.ttft_ms
    if item.usage is not None:
        data["output_tokens"] = item.usage.output
    if item.answered is not None:
        data["substituted"] = item.answered
    if item.output_limit is not None:
        data["output_limit"] = item.output_limit
    if item.ok:
        return ("attempt.ok", data)
    data["class"] = outcome.kind
    if item.error_kind is not None:
        data["error_kind"] = item.error_kind
    data["error"] = item.message or item.error[:200]
    kind: EventKind = "attempt.interrupted" if item.midstream else "attempt.failed"
    return ("attempt.cancelled" if outcome.kind == "gone" else kind, data)
