"""The guard: an event goes to an address on the public internet, and to the very address that was checked.

A name is resolved once. Every address it has must be public, else none is used: a name with one public and one private
address is an attempt. The caller connects to the address returned, so that a second answer of the name's server (DNS
rebinding) is never asked for.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from finops.errors import Refused, Unavailable

Resolve = Callable[[str, int], Sequence[str]]
_NAT64: Final = IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
"""All that IANA has assigned for the public internet; site-local addresses (fec0::/10) lie outside."""
_NOT_GLOBAL: Final = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"), IPv6Network("3fff::/20"))
"""Special by IANA's registries, and public to some releases of Python."""
_OF_CLOUDS: Final = (IPv4Network("168.63.129.16/32"),)
"""Public by number, and inside for what runs there: Azure's wire server, which hands out a machine's secrets."""
_LOW_32_BITS: Final = (1 << 32) - 1


def resolved(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host. Raises Unavailable."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unavailable(f"{host} has no address: {error}", code="NameNotResolved") from error
    return tuple(dict.fromkeys(str(one[4][0]) for one in found))


def address_of(host: str, port: int, resolve: Resolve, *, allow_internal: bool) -> str:
    """Return the one address to connect to.

    Raises:
        Refused: the host has an address that is not on the public internet.
        Unavailable: it has none at all.
    """
    found = resolve(host, port)
    if not found:
        raise Unavailable(f"{host} has no address", code="NameNotResolved")
    internal = [one for one in found if not is_public(one)]
    if internal and not allow_internal:
        raise Refused(
            f"{host} is {internal[0]}, which is not on the public internet",
            code="InternalAddress",
            hint="webhooks go to public addresses only",
        )
    return found[0]


def is_public(text: str) -> bool:
    """Return whether an address is on the public internet, whatever form it is written in."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        inner = _carried(address)
        if inner is not None:
            return _is_public(inner) and address.ipv4_mapped is not None
    return _is_public(address)


def _carried(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address inside an IPv6 one: mapped, translated (NAT64) or tunnelled (6to4, Teredo)."""
    if address in _NAT64:
        return IPv4Address(int(address) & _LOW_32_BITS)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    refused = (
        address.is_private,
        address.is_loopback,
        address.is_link_local,
        address.is_multicast,
        address.is_reserved,
        address.is_unspecified,
        address.version == 6 and address not in _GLOBAL_UNICAST,
        any(address in network for network in (*_NOT_GLOBAL, *_OF_CLOUDS)),
    )
    return address.is_global and not any(refused)
