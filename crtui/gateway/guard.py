"""Who may come in: judged from the request's head alone, before a byte of its body is read.

Loopback is no boundary: web pages (by DNS rebinding or plain cross-site posts), other users and
forwarded ports all reach it. So Host and Origin are checked on every request, and every control
order needs a token.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from crtui.gateway.coding import CODINGS
from crtui.gateway.reply import Header

Headers = dict[bytes, bytes]

LOOPBACK_NAMES: Final = ("127.0.0.1", "localhost", "[::1]")
WILDCARDS: Final = ("0.0.0.0", "::", "[::]", "")
_SINGLE: Final = (
    b"content-length",
    b"transfer-encoding",
    b"content-encoding",
    b"content-type",
    b"authorization",
    b"x-api-key",
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request goes no further. ``retry`` false tells a client's library not to ask again.

    ``resets_at`` is when a wait is over that is too long to be slept through, in seconds since the epoch.
    ``allow`` names the methods of a path that exists.
    """

    status: int
    message: str
    code: str
    retry: bool = True
    retry_after_s: int | None = None
    resets_at: int | None = None
    allow: bytes | None = None


class Token:
    """A token that can be compared but not read back."""

    __slots__ = ("_digest",)

    def __init__(self, text: str) -> None:
        self._digest = hashlib.sha256(text.encode()).digest()

    def matches(self, offered: bytes) -> bool:
        """Whether this is the token, in time that tells nothing about it."""
        return hmac.compare_digest(hashlib.sha256(offered).digest(), self._digest)


@dataclass(frozen=True, slots=True)
class Access:
    """The gateway's rules of entry.

    ``hosts`` are the Host header values served, ``origins`` the Origins (none by default: no page
    has business here), ``token`` what every request needs (None: nothing on loopback), from the variable
    ``token_env``, ``control`` what orders need, ``max_body`` is in bytes.
    """

    hosts: frozenset[bytes]
    control: Token
    token: Token | None = None
    origins: frozenset[bytes] = field(default_factory=frozenset[bytes])
    max_body: int = 64 * 1024 * 1024
    token_env: str = "CRTUI_TOKEN"

    def head(self, raw: Sequence[Header], target: bytes) -> Refusal | None:
        """Judge how the request is framed and where it was meant for. Header names are in lower case."""
        headers = dict(raw)
        doubled = _doubled(raw) if len(headers) < len(raw) else ()
        return (
            _framing(doubled, headers)
            or self._host(target, doubled, headers)
            or self._origin(doubled, headers)
            or _upgrade(headers)
        )

    def caller(self, headers: Headers, *, order: bool) -> Refusal | None:
        """Judge the caller's token; ``order`` for a request that changes something."""
        if self.token is None and not order:
            return None
        accepted = self._tokens if order else (self.token,)
        offers = credentials(headers)
        if any(token is not None and token.matches(offer) for token in accepted for offer in offers):
            return None
        what = "control token (see <state-dir>/token)" if order else f"token ({self.token_env})"
        return Refusal(401, f"the gateway's {what} is missing or wrong", "invalid_api_key", retry=False)

    def body(self, headers: Headers, *, optional: bool = False) -> Refusal | None:
        """Judge what is said of the body that follows. ``optional``: there may be none at all."""
        length = headers.get(b"content-length")
        if optional and length in (None, b"0") and b"transfer-encoding" not in headers:
            return None
        kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        if kind != b"application/json":
            return Refusal(415, "send the body as content-type: application/json", "unsupported_media_type")
        if coding_of(headers) not in CODINGS:
            words = "send the body uncompressed, or in one content-encoding of gzip, deflate and zstd"
            return Refusal(415, words, "unsupported_media_type")
        if length is not None and int(length) > self.max_body:
            return too_large(self.max_body)
        return None

    def forwardable(self, headers: Headers, *, credential: bool) -> dict[str, str]:
        """The caller's headers a provider's credential may be made of; never the gateway's own token.

        Its own ``credential`` is among them only where it is asked for.
        """
        kept: dict[str, str] = {}
        if (version := headers.get(b"anthropic-version")) is not None:
            kept["anthropic-version"] = version.decode("latin-1")
        if not credential:
            return kept
        bearer, key = headers.get(b"authorization"), headers.get(b"x-api-key")
        if bearer is not None and not self._is_ours(_bearer(bearer)):
            kept["authorization"] = bearer.decode("latin-1")
        if key is not None and not self._is_ours(key):
            kept["x-api-key"] = key.decode("latin-1")
        return kept

    def _is_ours(self, offered: bytes) -> bool:
        return self.control.matches(offered) or (self.token is not None and self.token.matches(offered))

    @property
    def _tokens(self) -> tuple[Token | None, ...]:
        return (self.token, self.control)

    def _host(self, target: bytes, doubled: Collection[bytes], headers: Headers) -> Refusal | None:
        host = headers.get(b"host", b"").lower()
        if host in self.hosts and b"host" not in doubled and target.startswith(b"/"):
            return None
        return Refusal(
            403, "this Host is not served; name it in gateway.allowed_hosts", "forbidden_host", retry=False
        )

    def _origin(self, doubled: Collection[bytes], headers: Headers) -> Refusal | None:
        origin = headers.get(b"origin")
        if origin is None or (origin in self.origins and b"origin" not in doubled):
            return None
        return Refusal(403, "requests from web pages are refused", "forbidden_origin", retry=False)


def coding_of(headers: Headers) -> bytes:
    """What the body is compressed with, as its head says."""
    return headers.get(b"content-encoding", b"").strip().lower()


def wants_websocket(headers: Headers) -> bool:
    """Whether the caller waits for a switch: any other upgrade is an offer to pass over. RFC 9110, 7.8."""
    return b"websocket" in headers.get(b"upgrade", b"").lower()


def hosts_of(host: str, port: int, allowed: tuple[str, ...] = ()) -> frozenset[bytes]:
    """The Host values a gateway on this address serves.

    Loopback names and the bind address come with our port (and bare on port 80); an allowed host
    that names no port is taken bare and with ours.
    """
    bind = f"[{host}]" if ":" in host and not host.startswith("[") else host
    names = {name.lower() for name in (*LOOPBACK_NAMES, bind) if name not in WILDCARDS}
    values = {f"{name}:{port}" for name in names} | (names if port == 80 else set[str]())
    for name in allowed:
        values |= {name.lower()} if _has_port(name) else {name.lower(), f"{name.lower()}:{port}"}
    return frozenset(value.encode("latin-1", "replace") for value in values)


def credentials(headers: Headers) -> tuple[bytes, ...]:
    """What the caller offers as a token, as Bearer or x-api-key."""
    offered = (_bearer(headers.get(b"authorization", b"")), headers.get(b"x-api-key", b""))
    return tuple(value for value in offered if value)


def too_large(limit: int) -> Refusal:
    """The refusal of a body over its limit in bytes."""
    return Refusal(413, f"the body is over {limit // (1024 * 1024)} MiB", "request_too_large", retry=False)


def _bearer(value: bytes) -> bytes:
    scheme, _, rest = value.partition(b" ")
    return rest.strip() if scheme.lower() == b"bearer" else b""


def _has_port(name: str) -> bool:
    return name.rpartition("]")[2].rpartition(":")[2].isdigit() and ":" in name.rpartition("]")[2]


def _doubled(raw: Sequence[Header]) -> frozenset[bytes]:
    counts = Counter(name for name, _ in raw)
    return frozenset(name for name, count in counts.items() if count > 1)


def _framing(doubled: Collection[bytes], headers: Headers) -> Refusal | None:
    # A request that two parsers could cut at different places is refused whole (RFC 9112, 6.3).
    length = headers.get(b"content-length", b"0")
    if twice := next((name for name in _SINGLE if name in doubled), None):
        return Refusal(400, f"{twice.decode()} is given twice", "bad_request", retry=False)
    if b"content-length" in headers and b"transfer-encoding" in headers:
        return Refusal(400, "content-length and transfer-encoding together", "bad_request", retry=False)
    if not (length.isdigit() and len(length) <= 15):
        return Refusal(400, "content-length is not a length", "bad_request", retry=False)
    if headers.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
        return Refusal(400, "only transfer-encoding: chunked is read", "bad_request", retry=False)
    return None


def _upgrade(headers: Headers) -> Refusal | None:
    if not wants_websocket(headers):
        return None
    return Refusal(426, "only plain HTTP/1.1 is spoken here, no WebSocket", "upgrade_refused", retry=False)
