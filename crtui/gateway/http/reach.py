"""Which addresses a host name may lead to. One that a config writes out itself is what its writer meant."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Final

from crtui.gateway.http.errors import MisledError
from crtui.gateway.http.names import Address

# RFC 1918 and RFC 4193. Not what is kept for carriers (RFC 6598) or for benchmarks (RFC 2544): tunnels
# and proxies on the machine itself give public names such addresses.
_PRIVATE: Final = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))
)
_IP = ipaddress.IPv4Address | ipaddress.IPv6Address


def reachable(addresses: Sequence[Address], *, public: bool) -> list[Address]:
    """Those of a name's addresses that may be connected to; ``public``: it is a name of the public internet.

    A link-local address is that of a cloud's metadata service, and no provider's. Raises ``MisledError``
    where none is left.
    """
    left = [address for address in addresses if not _is_wrong(address, public=public)]
    if not left:
        raise MisledError(private=public)
    return left


def is_address(host: str) -> bool:
    """Whether a host is an address already, and no name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_wrong(address: Address, *, public: bool) -> bool:
    ip = ipaddress.ip_address(str(address[1][0]).partition("%")[0])
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return ip.is_link_local or (public and _is_private(ip))


def _is_private(ip: _IP) -> bool:
    return ip.is_loopback or ip.is_unspecified or any(ip in network for network in _PRIVATE)
