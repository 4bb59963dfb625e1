"""An attempt that failed: what is known of it, in the core's words and in a person's."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from crtui.core.inputs import NO_LIMITS, ErrorKind, Limits
from crtui.core.outcome import CLIENT, Outcome, classify
from crtui.gateway.http.errors import ClosedError, CutError, HttpError, NotConnectedError, OfflineError
from crtui.gateway.reply import Header
from crtui.text import mask_secrets


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer of an upstream, as it may be handed on."""

    status: int
    headers: tuple[Header, ...]
    body: bytes


class AttemptError(Exception):
    """Why an attempt failed.

    ``text`` is one safe line for people, ``body`` the error's whole safe text, in which codes and
    phrases are looked for; ``code`` is what an error inside an answer calls itself; ``answer`` is what
    the upstream itself said, where that may be handed on.
    """

    def __init__(
        self,
        kind: ErrorKind | None,
        text: str,
        status: int | None = None,
        *,
        body: str = "",
        code: str = "",
        limits: Limits = NO_LIMITS,
        answer: Answer | None = None,
    ) -> None:
        super().__init__(text)
        self.kind: ErrorKind | None = kind
        self.text = text
        self.body = body or text
        self.code = code
        self.status = status
        self.limits = limits
        self.answer = answer

    def mask(self, secrets: Collection[str]) -> None:
        """Make the secrets among what the provider said unreadable."""
        self.text, self.body, self.code = (
            mask_secrets(said, secrets) for said in (self.text, self.body, self.code)
        )

    @property
    def outcome(self) -> Outcome:
        """What it means for health, quota and the next provider."""
        return classify(self.status, self.kind, self.body)

    @property
    def blamed(self) -> ErrorKind | None:
        """How the core is told that it ended."""
        return self.kind

    @property
    def words(self) -> str:
        """Status and reason in one line."""
        return self.text if self.status is None else f"{self.status} {self.text}".rstrip()


class CallersFaultError(AttemptError):
    """The provider refused the caller's own credential: the caller must hear it, to renew it.

    Another provider would hide it from then on, and this one is not to blame.
    """

    @property
    def outcome(self) -> Outcome:
        """Handed on at once; the core is told that it was nobody's failure."""
        return CLIENT

    @property
    def blamed(self) -> ErrorKind | None:
        """The caller."""
        return "client"


class OfflineFaultError(AttemptError):
    """This machine could not reach it: another is tried, but the core is told of nobody's failure."""

    @property
    def blamed(self) -> ErrorKind | None:
        """Whoever is not the provider."""
        return "client"


def from_error(error: HttpError) -> AttemptError:
    """The fault behind an exception of the HTTP client."""
    match error:
        case OfflineError():
            return OfflineFaultError("connect", str(error))
        case NotConnectedError():
            kind: ErrorKind = "connect"
        case ClosedError() | CutError():
            kind = "reset"
        case _:
            kind = "protocol"
    return AttemptError(kind, str(error))
