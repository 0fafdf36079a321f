"""Site-to-Site VPN connections: DescribeVpnConnections, the state of both tunnels and what goes through them.

Loaded by the registry; walked by the discover and measure stages. A connection is billed by the hour, up or down, and
for its two public addresses; the bundled tables hold the price of the addresses alone, so that the cost is unknown.
The configuration that AWS sends along holds the keys of the tunnels and is never kept. Health probes and routing go
through an idle tunnel as well, so that little is not nothing; a missing point is unknown. AWS does not say when a
connection was made: for as long as its metrics are there it has existed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from finops.domain.focus.categories import BilledAs
from finops.domain.price import PriceQuery
from finops.domain.resource import Gap, Resource
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.commitments import NONE_SOLD
from finops_operator.plugins.console import console_page
from finops_operator.plugins.described import gap_of, moment_of, tags_of
from finops_operator.plugins.facts import attributes_of, facts_of
from finops_operator.plugins.kind import BilledPart, Listing, MetricSpec, ResourceKind, Sample, States
from finops_operator.plugins.ownership import owned_by
from finops_operator.plugins.unknown_state import billed_as_unknown
from finops_operator.services.ec2.rules.network_offers import VPN_OFFERS

_OPERATION: Final = "ec2:DescribeVpnConnections"
_GONE: Final = frozenset({"deleting", "deleted"})
AVAILABLE: Final = "available"
_BILLED: Final = frozenset({AVAILABLE, "pending"})
_PUBLIC: Final = "PublicIpv4"
TUNNELS: Final = "tunnelState"
RECEIVED: Final = "tunnelInBytes"
SENT: Final = "tunnelOutBytes"


@dataclass(frozen=True, slots=True)
class VpnFacts:
    """What is known of one connection; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        gateway: id of the gateway on AWS's side, virtual private or transit.
        customer_gateway: id of the one on the other side.
        tunnels, tunnels_up: how many there are, and how many are up now.
        status_changed: ISO time of the newest change of a tunnel.
        public_addresses: how many of its tunnels end at a public IPv4 address.
    """

    gateway: str | None = None
    customer_gateway: str | None = None
    tunnels: int | None = None
    tunnels_up: int | None = None
    status_changed: str | None = None
    static_routes: bool | None = None
    accelerated: bool | None = None
    public_addresses: int | None = None
    not_in_cost: tuple[str, ...] | None = None


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield connections; a page that cannot be read ends the listing with a Gap."""
    try:
        for page in reader.pages(_OPERATION, {}):
            for connection in page.get("VpnConnections", ()):
                if connection.get("State") not in _GONE:
                    yield _resource(connection, reader, partition)
    except AwsError as error:
        yield gap_of(error, reader)


def _resource(connection: Mapping[str, Any], reader: PageReader, partition: str) -> Resource:
    identity, tags = str(connection["VpnConnectionId"]), tags_of(connection)
    return Resource(
        kind="vpn-connection",
        id=identity,
        arn=f"arn:{partition}:ec2:{reader.region}:{reader.account}:vpn-connection/{identity}",
        name=tags.get("Name", ""),
        account=reader.account,
        region=reader.region,
        state=str(connection.get("State") or ""),
        tags=tags,
        attributes=attributes_of(_facts(connection)),
    )


def _facts(connection: Mapping[str, Any]) -> VpnFacts:
    options, tunnels = connection.get("Options") or {}, connection.get("VgwTelemetry")
    changes = [moment_of(tunnel.get("LastStatusChange")) for tunnel in tunnels or ()]
    newest = max((change for change in changes if change is not None), default=None)
    addresses = options.get("OutsideIpAddressType") or _PUBLIC
    return VpnFacts(
        gateway=connection.get("VpnGatewayId") or connection.get("TransitGatewayId"),
        customer_gateway=connection.get("CustomerGatewayId"),
        tunnels=None if tunnels is None else len(tunnels),
        tunnels_up=None if tunnels is None else sum(tunnel.get("Status") == "UP" for tunnel in tunnels),
        status_changed=None if newest is None else newest.isoformat(),
        static_routes=options.get("StaticRoutesOnly"),
        accelerated=options.get("EnableAcceleration"),
        public_addresses=2 if addresses == _PUBLIC else 0,
        not_in_cost=("data_transfer",),
    )


def billed_parts(connection: Resource) -> tuple[BilledPart, ...]:
    """Return its hours, which AWS's price list alone has, and its public addresses.

    https://aws.amazon.com/vpn/pricing/
    """
    if connection.state in _GONE:
        return ()
    if connection.state not in _BILLED:
        return billed_as_unknown("connection_hour", connection.state)
    facts = facts_of(VpnFacts, connection)
    # One that is accelerated is billed for two accelerators too.
    usual = facts.accelerated is False
    query = PriceQuery("vpn", connection.region, "connection_hour") if usual else None
    hours = BilledPart("connection_hour", Decimal(1), query, "no price for VPN connections")
    addresses = facts.public_addresses
    if not addresses:
        return (hours,)
    address = PriceQuery("vpc", connection.region, "public_ipv4_hour")
    return (hours, BilledPart("public_ipv4_hour", Decimal(addresses), address))


def _works(connection: Resource) -> bool:
    return connection.state == AVAILABLE


def _by_day(name: str, metric: str, statistics: tuple[str, ...], unit: str) -> MetricSpec:
    return MetricSpec(name, "AWS/VPN", metric, "VpnId", statistics, unit, hourly=False, daily=True, applies=_works)


KIND: Final = ResourceKind(
    id="vpn-connection",
    title="VPN connection",
    service="ec2",
    id_pattern=r"vpn-[0-9a-f]{8,17}",
    arn_pattern="arn:*:ec2:*:*:vpn-connection/*",
    facts=VpnFacts,
    listing=Listing(permissions=(_OPERATION, "cloudwatch:GetMetricData"), collect=_collect),
    billed_as=BilledAs("Amazon Virtual Private Cloud", "Networking", "Network Connectivity"),
    states=States(running=frozenset({AVAILABLE}), billed=_BILLED, free=_GONE),
    metrics=(
        _by_day(TUNNELS, "TunnelState", ("Average", "Maximum"), "tunnels up"),
        _by_day(RECEIVED, "TunnelDataIn", ("Sum",), "bytes"),
        _by_day(SENT, "TunnelDataOut", ("Sum",), "bytes"),
    ),
    billed_parts=billed_parts,
    offers=VPN_OFFERS,
    console_url=console_page("vpcconsole/home?region={region}#VpnConnectionDetails:VpnConnectionId={id}"),
    sample=Sample("vpn-0123456789abcdef0", "arn:aws:ec2:us-east-1:111111111111:vpn-connection/vpn-0123456789abcdef0"),
    dry_run=True,
    owner=owned_by(),
    commitments=NONE_SOLD,
)
