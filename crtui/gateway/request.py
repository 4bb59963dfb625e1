"""One HTTP request on its way through the gateway."""

from __future__ import annotations

from dataclasses import dataclass

from crtui.gateway.asgi import BodyTooLargeError, BodyTooSlowError, Receive, Scope, read_body
from crtui.gateway.guard import Headers, Refusal, too_large
from crtui.gateway.interrupt import Interrupt
from crtui.gateway.reply import Reply


class RefusedError(Exception):
    """The request goes no further, for the reason it carries."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Request:
    """What handlers get. ``headers`` are lower-case names to values, the last of equal names."""

    scope: Scope
    headers: Headers
    receive: Receive
    reply: Reply
    interrupt: Interrupt

    @property
    def path(self) -> str:
        """The decoded path, without the query string."""
        return self.scope["path"]

    async def body(self, limit: int) -> bytes:
        """The whole body. Raises ``RefusedError`` or ``ClientGoneError``."""
        try:
            return await read_body(self.receive, limit)
        except BodyTooLargeError:
            raise RefusedError(too_large(limit)) from None
        except BodyTooSlowError:
            raise RefusedError(Refusal(408, "the body came too slowly", "request_timeout")) from None

    async def watch(self) -> None:
        """Interrupt the request when its client leaves. Only once the body has been read."""
        while (await self.receive())["type"] != "http.disconnect":
            pass
        self.interrupt.fire("gone")
