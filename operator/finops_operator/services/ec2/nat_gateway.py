"""NAT gateways: each is billed by the hour, and each gigabyte through it besides.

Loaded by the registry. Gigabytes are billed as the last 30 days brought them, from either side; the address of a public
gateway is a resource of its own (`elastic-ip`). Regional gateways are billed for each zone that they work in and
publish their metrics by zone, so that neither their cost nor their traffic is known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from finops.domain.focus.categories import BilledAs
from finops.domain.price import PriceQuery
from finops.domain.quantity import GIB
from finops.domain.resource import Gap, Resource
from finops.domain.utilization import Utilization
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.commitments import NONE_SOLD
from finops_operator.plugins.console import console_page
from finops_operator.plugins.described import gap_of, parse_time, tags_of
from finops_operator.plugins.facts import attributes_of
from finops_operator.plugins.kind import BilledPart, Listing, MetricSpec, Question, ResourceKind, Sample, States
from finops_operator.plugins.ownership import owned_by
from finops_operator.services.ec2.rules.by_day import days_of
from finops_operator.services.ec2.rules.listed import GATEWAYS
from finops_operator.services.ec2.rules.s3_endpoints import LIST_ENDPOINTS, S3_ENDPOINTS, s3_endpoints
from finops_operator.services.ec2.rules.signs import SIGNS

_OPERATION: Final = "ec2:DescribeNatGateways"
_ROUTES: Final = "ec2:DescribeRouteTables"
_PAGE: Final = 1000
_ROUTES_PAGE: Final = 100
_GONE: Final = frozenset({"deleted", "failed"})
AVAILABLE: Final = "available"
_REGIONAL: Final = "regional"
CONNECTIONS: Final = "natActiveConnections"
BYTES: Final = ("natBytesFromSource", "natBytesFromDestination")
"""All that comes in, from either side: each gigabyte passes through once and is billed once."""

PACKETS: Final = ("natPacketsFromSource", "natPacketsFromDestination")


@dataclass(frozen=True, slots=True)
class NatGatewayFacts:
    """What is known of one NAT gateway; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        availability: `zonal` or `regional`.
        connectivity: `public` or `private`.
        route_tables: how many route tables send traffic to it; None when they could not be read.
    """

    vpc_id: str | None = None
    subnet_id: str | None = None
    availability: str | None = None
    connectivity: str | None = None
    route_tables: int | None = None


# -- listing -----------------------------------------------------------------------------------------------------------


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield gateways page by page; route tables are read once, when there is a gateway."""
    routes: dict[str, int] | None = None
    asked = False
    failed: list[Gap] = []
    try:
        for page in reader.pages(_OPERATION, {"MaxResults": _PAGE}):
            for one in page.get("NatGateways", ()):
                if one.get("State") in _GONE:
                    continue
                if not asked:
                    asked, routes = True, _routes(reader, failed)
                yield _resource(one, routes, reader, partition)
    except AwsError as error:
        yield gap_of(error, reader)
    yield from failed


def _routes(reader: PageReader, failed: list[Gap]) -> dict[str, int] | None:
    """Return gateway → route tables that name it, None when one page could not be read: half of them prove nothing."""
    found: dict[str, int] = {}
    try:
        for page in reader.pages(_ROUTES, {"MaxResults": _ROUTES_PAGE}):
            for table in page.get("RouteTables", ()):
                for gateway in {str(route.get("NatGatewayId") or "") for route in table.get("Routes", ())}:
                    found[gateway] = found.get(gateway, 0) + 1
    except AwsError as error:
        failed.append(gap_of(error, reader))
        return None
    return found


def _resource(
    gateway: Mapping[str, Any], routes: Mapping[str, int] | None, reader: PageReader, partition: str
) -> Resource:
    identity, tags = str(gateway["NatGatewayId"]), tags_of(gateway)
    facts = NatGatewayFacts(
        vpc_id=gateway.get("VpcId"),
        subnet_id=gateway.get("SubnetId"),
        # Before regional gateways came, AWS did not say it, and all of them were zonal.
        availability=gateway.get("AvailabilityMode") or "zonal",
        connectivity=gateway.get("ConnectivityType"),
        route_tables=None if routes is None else routes.get(identity, 0),
    )
    return Resource(
        kind="nat-gateway",
        id=identity,
        arn=f"arn:{partition}:ec2:{reader.region}:{reader.account}:natgateway/{identity}",
        name=tags.get("Name", ""),
        account=reader.account,
        region=reader.region,
        state=str(gateway.get("State") or ""),
        tags=tags,
        created=parse_time(gateway.get("CreateTime")),
        attributes=attributes_of(facts),
    )


# -- what is billed ----------------------------------------------------------------------------------------------------


def billed_parts(gateway: Resource) -> tuple[BilledPart, ...]:
    """Return its hours and the gigabytes of the last 30 days: https://aws.amazon.com/vpc/pricing/, "NAT Gateway"."""
    if gateway.state in _GONE:
        return ()
    if gateway.text("availability") == _REGIONAL:
        return (BilledPart("hour", Decimal(1), None, "in how many zones a regional gateway works is not known"),)
    hours = BilledPart("hour", Decimal(1), PriceQuery("nat-gateway", gateway.region, "hour"))
    if gateway.state != AVAILABLE:
        return (hours,)  # Nothing passes through it yet, or any more.
    gigabytes = PriceQuery("nat-gateway", gateway.region, "data_processed")
    return (hours, *(BilledPart("data_processed", 1 / GIB, gigabytes, metric=name) for name in BYTES))


# -- what else is declared ---------------------------------------------------------------------------------------------


def _zonal(resource: Resource) -> bool:
    return resource.state == AVAILABLE and resource.text("availability") != _REGIONAL


def _carries(resource: Resource, utilization: Utilization) -> bool:
    uses = [utilization.month.get(name) for name in BYTES]
    return resource.state == AVAILABLE and any(use is not None and use.amount > 0 for use in uses)


_SAMPLES_IN_FIVE_MINUTES: Final = 5
"""One a minute, with traffic and without: VPC user guide, "Monitor NAT gateways"."""


def _packets(name: str, metric: str) -> MetricSpec:
    return MetricSpec(
        name,
        "AWS/NATGateway",
        metric,
        "NatGatewayId",
        ("Sum",),
        "count",
        samples_in_five_minutes=_SAMPLES_IN_FIVE_MINUTES,
        applies=_zonal,
    )


def _bytes(name: str, metric: str) -> MetricSpec:
    """Return what is billed by use, by days."""
    return MetricSpec(
        name, "AWS/NATGateway", metric, "NatGatewayId", ("Sum",), "bytes", hourly=False, daily=True, applies=_zonal
    )


_METRICS: Final = (
    _packets(PACKETS[0], "PacketsInFromSource"),
    _packets(PACKETS[1], "PacketsInFromDestination"),
    MetricSpec(
        CONNECTIONS,
        "AWS/NATGateway",
        "ActiveConnectionCount",
        "NatGatewayId",
        ("Average", "Maximum"),
        "connections",
        samples_in_five_minutes=_SAMPLES_IN_FIVE_MINUTES,
        applies=_zonal,
    ),
)

KIND: Final = ResourceKind(
    id="nat-gateway",
    title="NAT gateway",
    service="ec2",
    id_pattern=r"nat-[0-9a-f]{8,17}",
    arn_pattern="arn:*:ec2:*:*:natgateway/*",
    facts=NatGatewayFacts,
    listing=Listing(
        permissions=(_OPERATION, _ROUTES, "cloudwatch:GetMetricData", LIST_ENDPOINTS),
        collect=_collect,
        questions=(
            Question(id=S3_ENDPOINTS, ask=s3_endpoints, place=lambda resource: resource.region, needed=_carries),
        ),
    ),
    billed_as=BilledAs("Amazon Virtual Private Cloud", "Networking", "Network Connectivity"),
    states=States(running=frozenset({AVAILABLE}), billed=frozenset({"pending", AVAILABLE, "deleting"}), free=_GONE),
    metrics=(
        *_METRICS,
        *map(days_of, _METRICS),
        _bytes(BYTES[0], "BytesInFromSource"),
        _bytes(BYTES[1], "BytesInFromDestination"),
    ),
    billed_parts=billed_parts,
    left_out=("data_transfer_gb",),
    console_url=console_page("vpcconsole/home?region={region}#NatGatewayDetails:natGatewayId={id}"),
    sample=Sample("nat-0123456789abcdef0", "arn:aws:ec2:us-east-1:111111111111:natgateway/nat-0123456789abcdef0"),
    dry_run=True,
    owner=owned_by(SIGNS),
    type_of=lambda resource: resource.text("availability"),
    commitments=NONE_SOLD,
    listed=GATEWAYS,
)
