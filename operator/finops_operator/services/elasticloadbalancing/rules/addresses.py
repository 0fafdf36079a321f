"""How many public IPv4 addresses a load balancer has for certain, by what AWS's listing says of it.

An internet-facing one has an address in each of its zones: a network load balancer exactly one, application and classic
ones more of them while they are busy, which no listing counts. An address that the account allocated itself is an
Elastic IP of its own. Sources: Elastic Load Balancing user guide, "How Elastic Load Balancing works"; API references,
DescribeLoadBalancers (Scheme, IpAddressType, LoadBalancerAddress, IpamPools, CustomerOwnedIpv4Pool).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

INTERNAL: Final = "internal"
_INTERNET_FACING: Final = "internet-facing"
_NETWORK: Final = "network"
_GATEWAY: Final = "gateway"
_WITHOUT: Final = "dualstack-without-public-ipv4"
_SCHEMES: Final = frozenset({_INTERNET_FACING, INTERNAL})


def addresses_of(described: Mapping[str, Any]) -> int | None:
    """Return how many an application, network or gateway load balancer has at least, None where AWS did not say."""
    if described.get("Type") == _GATEWAY or described.get("IpAddressType") == _WITHOUT:
        return 0
    if described.get("CustomerOwnedIpv4Pool") or (described.get("IpamPools") or {}).get("Ipv4IpamPoolId"):
        # Addresses that the account brought along are free, and not all of a pool need be such.
        return None
    zones: Sequence[Mapping[str, Any]] = described.get("AvailabilityZones") or ()
    own = [
        zone for zone in zones if not any(one.get("AllocationId") for one in zone.get("LoadBalancerAddresses") or ())
    ]
    return _public(described, len(zones), len(own))


def classic_addresses_of(described: Mapping[str, Any]) -> int | None:
    """Return how many a classic load balancer has at least, None where AWS did not say."""
    zones = len(described.get("AvailabilityZones") or ())
    return _public(described, zones, zones)


def further_addresses(kind: str, addresses: int | None) -> tuple[str, ...]:
    """Return what a cost with so many addresses may leave out."""
    return ("further_public_ipv4_hour",) if addresses and kind != _NETWORK else ()


def _public(described: Mapping[str, Any], zones: int, own: int) -> int | None:
    scheme = described.get("Scheme")
    if scheme not in _SCHEMES:
        return None
    if scheme != _INTERNET_FACING:
        return 0
    return own if zones else None
