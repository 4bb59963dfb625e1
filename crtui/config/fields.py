"""The kinds of value a config holds, each with its grammar and bounds."""

from __future__ import annotations

import ipaddress
import re
import warnings
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Annotated, Final, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, Strict

from crtui import patterns

T = TypeVar("T")
H = TypeVar("H", bound=Hashable)

_URL_CHARACTERS: Final = re.compile(r"[A-Za-z0-9._~:/?#@!$&'()*+,;=%\[\]-]+")  # RFC 3986
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEY: Final = re.compile(
    r"(gsk_|csk_|hf_|gh[opsu]_|github_pat_|r8_|fw_|sk_|pk_|tgp_v1_|vck_|AIza)[A-Za-z0-9_]{16}|AKIA[A-Z0-9]{16}"
)
"""Keys of vendors whose shape a variable's name may have too."""
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?\.?")


@dataclass(frozen=True, slots=True)
class Address:
    """Where the gateway listens. ``host`` is without brackets; port 0 lets the system choose one."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether a host name or literal, without brackets, is this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") in {"localhost", "ip6-localhost"}


def parse_address(text: str) -> Address:
    """Read ``HOST:PORT``, with an IPv6 host in brackets. Raises ``ValueError`` with the remedy."""
    host, colon, port = text.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit() and int(port[:6]) <= 65535):
        raise ValueError('is not HOST:PORT; write it as "127.0.0.1:4747"')
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        if not _is_ipv6(host):
            raise ValueError('has no IPv6 address in the brackets; write it as "[::1]:4747"')
    elif not _HOST.fullmatch(host):
        raise ValueError('has no usable host; write it as "127.0.0.1:4747" or "[::1]:4747"')
    return Address(host, int(port))


def _is_ipv6(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).version == 6
    except ValueError:
        return False


def _listen(text: str) -> str:
    parse_address(text)
    return text


def _pattern(text: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"is not a regular expression ({error}); escape it or correct it") from None
    return text


def _text_pattern(text: str) -> str:
    try:
        patterns.Pattern(text)
    except ValueError as error:
        raise ValueError(
            f"is not a regular expression ({error}); escape it or correct it, without look-around "
            "and back-references"
        ) from None
    return text


def check_base_url(text: str) -> str:
    """The text, if it may be a provider's base URL. Raises ``ValueError`` with the remedy."""
    if not _URL_CHARACTERS.fullmatch(text):
        raise ValueError("has characters that no URL has; give a plain one")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("is not a URL; check the host and the port") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError('is not an http or https URL; write it as "https://host[:port]"')
    if "@" in parts.netloc:
        raise ValueError("holds a user name or password; name the key with api_key_env instead")
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        raise ValueError("has a query or fragment; leave out everything from ? or # on")
    if _is_link_local(host):
        raise ValueError("is a link-local address, which cloud metadata services use; use another address")
    return text


def _is_link_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_link_local
    except ValueError:
        return False


def _shared_url(text: str) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ValueError('is not a URL; write it as "redis://127.0.0.1:6379/0"') from None
    if parts.scheme not in ("redis", "rediss", "valkey", "valkeys", "unix"):
        raise ValueError('is not a Redis URL; write it as "redis://127.0.0.1:6379/0"')
    if "@" in parts.netloc:
        raise ValueError("holds a password; a config holds none, take it out")
    return text


def _variable(text: str) -> str:
    # The text is not repeated: what stands here by mistake is most often the key itself.
    if not _VARIABLE.fullmatch(text) or _KEY.match(text):
        raise ValueError("is not a variable's name; give the name of the variable, not the key itself")
    return text


def _key_path(text: str) -> str:
    if not text.startswith(("/", "~/")):
        raise ValueError("is not an absolute path; start it with / or ~/")
    if "\0" in text:
        raise ValueError("holds a NUL character; give a plain path")
    return text


def _host_name(text: str) -> str:
    if not (_HOST.fullmatch(text) or _is_ipv6(text.removeprefix("[").removesuffix("]"))):
        raise ValueError("is not a host name; give the name alone, without scheme and port")
    return text


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("holds control characters; take them out")
    return text


def _rare_enough(seconds: float) -> float:
    if 0 < seconds < 1:
        raise ValueError("is too often; use at least 1, or 0 for no polling")
    return seconds


def _unique(values: tuple[H, ...]) -> tuple[H, ...]:
    if len(set(values)) < len(values):
        twice = next(value for i, value in enumerate(values) if value in values[:i])
        raise ValueError(f"names {str(twice)!r} more than once; leave one")
    return values


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")]
Items = Annotated[tuple[T, ...], Strict(False)]
UniqueItems = Annotated[tuple[H, ...], Strict(False), AfterValidator(_unique)]
Listen = Annotated[str, AfterValidator(_listen)]
Pattern = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_pattern)]
TextPattern = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_text_pattern)]
BaseUrl = Annotated[str, Field(max_length=2000), AfterValidator(check_base_url)]
SharedUrl = Annotated[str, Field(max_length=2000), AfterValidator(_shared_url)]
Variable = Annotated[str, AfterValidator(_variable)]
KeyPath = Annotated[str, Field(max_length=4096), AfterValidator(_key_path)]
HostName = Annotated[str, AfterValidator(_host_name)]
ModelName = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_printable)]
Phrase = Annotated[str, Field(min_length=1, max_length=1000)]
PollSeconds = Annotated[float, Field(ge=0, le=86_400), AfterValidator(_rare_enough)]
Timeout = Annotated[float, Field(ge=0.01, le=86_400)]
Recovery = Annotated[float, Field(ge=1, le=86_400)]
Threshold = Annotated[int, Field(ge=2, le=20)]
Dollars = Annotated[float, Field(ge=0, le=1_000_000_000)]
Tokens = Annotated[int, Field(ge=0, le=10**15)]
