"""One HTTP request on its way through the gateway."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import unquote

from crtui.gateway.body import Body, BodyTooLargeError, BodyTooSlowError
from crtui.gateway.coding import BadCodingError, UnpackedTooLargeError, unpacked
from crtui.gateway.guard import Headers, Refusal, coding_of, too_large
from crtui.gateway.interrupt import Interrupt
from crtui.gateway.reply import Header, Reply


class RefusedError(Exception):
    """The request goes no further, for the reason it carries."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class Peer(Protocol):
    """The client's connection, as far as handlers may touch it."""

    client: str
    """Its address; empty where there is none."""

    def watch(self, interrupt: Interrupt) -> None:
        """Interrupt the request when the client leaves."""
        ...

    def cut(self) -> None:
        """Drop the client at once, with what it has not taken yet."""
        ...


class Request:
    """What handlers get.

    ``target`` stands as it was sent; ``path`` is decoded and without the query string. ``raw`` are
    all headers with lower-case names, ``headers`` the same by name, the last of equal names.
    """

    __slots__ = ("_body", "headers", "interrupt", "method", "path", "peer", "query", "raw", "reply", "target")

    interrupt: Interrupt
    """Set when the request's task is made, before it runs."""

    def __init__(
        self, method: str, target: bytes, raw: list[Header], reply: Reply, peer: Peer, body: Body
    ) -> None:
        self.method = method
        self.target = target
        path, _, self.query = target.partition(b"?")
        text = path.decode("latin-1")
        self.path = unquote(text) if "%" in text else text
        self.raw = raw
        self.headers: Headers = dict(raw)
        self.reply = reply
        self.peer = peer
        self._body = body

    async def body(self, limit: int) -> bytes:
        """The whole body, unpacked to ``limit`` bytes. Raises ``RefusedError`` or ``ClientGoneError``."""
        coding = coding_of(self.headers)
        try:
            return unpacked(await self._body.whole(limit), coding, limit)
        except (BodyTooLargeError, UnpackedTooLargeError):
            raise RefusedError(too_large(limit)) from None
        except BadCodingError:
            words = f"the body is not valid {coding.decode()}, as its content-encoding says"
            raise RefusedError(Refusal(400, words, "bad_request")) from None
        except BodyTooSlowError:
            raise RefusedError(Refusal(408, "the body came too slowly", "request_timeout")) from None

    def lose(self) -> None:
        """The client has gone."""
        self._body.lose()

    def watch(self) -> None:
        """Interrupt the request from now on when its client leaves. Only once the body has been read."""
        self.peer.watch(self.interrupt)
