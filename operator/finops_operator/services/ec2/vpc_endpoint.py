"""Interface endpoints of VPCs: each is billed by the hour for every zone that it stands in, and by the gigabyte.

Loaded by the registry. Gateway endpoints are free and are left out, and so are endpoints for load balancers, resources
and service networks, which have prices of their own. No table holds the price of a gigabyte: an endpoint that carried
some in the last 30 days has a part without a price.
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
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.commitments import NONE_SOLD
from finops_operator.plugins.console import console_page
from finops_operator.plugins.described import gap_of, parse_time, tags_of
from finops_operator.plugins.facts import attributes_of
from finops_operator.plugins.kind import BilledPart, Listing, MetricSpec, ResourceKind, Sample, States
from finops_operator.plugins.ownership import Sign, owned_by
from finops_operator.plugins.unknown_state import billed_as_unknown
from finops_operator.services.ec2.rules.by_day import by_day, days_of
from finops_operator.services.ec2.rules.listed import ENDPOINTS
from finops_operator.services.ec2.rules.signs import SIGNS

_OPERATION: Final = "ec2:DescribeVpcEndpoints"
_PAGE: Final = 1000
_INTERFACE: Final = "Interface"
_GONE: Final = frozenset({"deleted", "failed", "rejected", "expired"})
AVAILABLE: Final = "available"
_BILLED: Final = frozenset({AVAILABLE, "pending", "deleting", "partial"})
BYTES: Final = "endpointBytes"
_SIGNS: Final = (
    Sign(("AWSMSKManaged",), "Amazon MSK", "Change the cluster that it leads to.", ("ClusterArn",)),
    Sign(("GuardDutyManaged",), "Amazon GuardDuty", "Change Runtime Monitoring there."),
)
"""Services that make endpoints by roles of their own and mark them; sources: their service-linked roles' policies."""


@dataclass(frozen=True, slots=True)
class EndpointFacts:
    """What is known of one endpoint; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        subnets: how many subnets it has an interface in, one for each zone.
        private_dns: whether the service's own name leads to it.
        requester_managed: whether another service of AWS made it.
    """

    service_name: str | None = None
    vpc_id: str | None = None
    subnets: int | None = None
    private_dns: bool | None = None
    requester_managed: bool | None = None
    service_region: str | None = None


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield interface endpoints page by page; a page that cannot be read ends the listing with a Gap."""
    try:
        for page in reader.pages(_OPERATION, {"MaxResults": _PAGE}):
            for one in page.get("VpcEndpoints", ()):
                if one.get("VpcEndpointType") == _INTERFACE and _state(one) not in _GONE:
                    yield _resource(one, reader, partition)
    except AwsError as error:
        yield gap_of(error, reader)


def _state(endpoint: Mapping[str, Any]) -> str:
    """Return the state in lower case: AWS writes it both ways."""
    return str(endpoint.get("State") or "").lower()


def _resource(endpoint: Mapping[str, Any], reader: PageReader, partition: str) -> Resource:
    identity, tags = str(endpoint["VpcEndpointId"]), tags_of(endpoint)
    subnets = endpoint.get("SubnetIds")
    facts = EndpointFacts(
        service_name=endpoint.get("ServiceName"),
        vpc_id=endpoint.get("VpcId"),
        subnets=None if subnets is None else len(subnets),
        private_dns=endpoint.get("PrivateDnsEnabled"),
        requester_managed=endpoint.get("RequesterManaged"),
        service_region=endpoint.get("ServiceRegion") or "",
    )
    return Resource(
        kind="vpc-endpoint",
        id=identity,
        arn=f"arn:{partition}:ec2:{reader.region}:{reader.account}:vpc-endpoint/{identity}",
        name=tags.get("Name", ""),
        account=reader.account,
        region=reader.region,
        state=_state(endpoint),
        tags=tags,
        created=parse_time(endpoint.get("CreationTimestamp")),
        attributes=attributes_of(facts),
    )


# -- what is billed ----------------------------------------------------------------------------------------------------


def billed_parts(endpoint: Resource) -> tuple[BilledPart, ...]:
    """Return the hours of its zones, and what passed through it: https://aws.amazon.com/privatelink/pricing/."""
    if endpoint.state in _GONE:
        return ()
    if endpoint.state not in _BILLED:
        return billed_as_unknown("interface_az_hour", endpoint.state)
    zones = endpoint.number("subnets")
    if zones is None:
        return (BilledPart("interface_az_hour", Decimal(0), None, "in how many zones it stands is not known"),)
    query = PriceQuery("vpc-endpoint", endpoint.region, "interface_az_hour")
    hours = BilledPart("interface_az_hour", Decimal(zones), query)
    if endpoint.state != AVAILABLE:
        return (hours,)  # Nothing passes through it yet, or any more.
    (metric,) = by_day((BYTES,))
    return (hours, BilledPart("data_processed", 1 / GIB, None, "no price for data processed", metric=metric))


# -- what else is declared ---------------------------------------------------------------------------------------------


def _dimensions(resource: Resource) -> tuple[tuple[str, str], ...]:
    """Return the set under which AWS publishes the traffic: all four, with spaces in their names."""
    return (
        ("Endpoint Type", _INTERFACE),
        ("Service Name", resource.text("service_name")),
        ("VPC Endpoint Id", resource.id),
        ("VPC Id", resource.text("vpc_id")),
    )


def _measured(resource: Resource) -> bool:
    """AWS publishes nothing of endpoints to another region."""
    named = bool(resource.text("service_name") and resource.text("vpc_id"))
    return resource.state == AVAILABLE and named and resource.text("service_region") in ("", resource.region)


_TRAFFIC: Final = MetricSpec(
    BYTES,
    "AWS/PrivateLinkEndpoints",
    "BytesProcessed",
    "VPC Endpoint Id",
    ("Sum",),
    "bytes",
    missing_means_zero=True,
    samples_in_five_minutes=0,
    dimensions=_dimensions,
    applies=_measured,
)
"""AWS reports it only while there is traffic."""

KIND: Final = ResourceKind(
    id="vpc-endpoint",
    title="Interface endpoint",
    service="ec2",
    id_pattern=r"vpce-[0-9a-f]{8,17}",
    arn_pattern="arn:*:ec2:*:*:vpc-endpoint/*",
    facts=EndpointFacts,
    listing=Listing(permissions=(_OPERATION, "cloudwatch:GetMetricData"), collect=_collect),
    billed_as=BilledAs("Amazon Virtual Private Cloud", "Networking", "Network Connectivity"),
    states=States(running=frozenset({AVAILABLE}), billed=_BILLED, free=_GONE),
    metrics=(_TRAFFIC, days_of(_TRAFFIC)),
    billed_parts=billed_parts,
    left_out=("data_transfer_gb",),
    console_url=console_page("vpcconsole/home?region={region}#EndpointDetails:vpcEndpointId={id}"),
    sample=Sample("vpce-0123456789abcdef0", "arn:aws:ec2:us-east-1:111111111111:vpc-endpoint/vpce-0123456789abcdef0"),
    dry_run=True,
    owner=owned_by(
        (*_SIGNS, *SIGNS), service=lambda one: "" if one.attributes.get("requester_managed") is True else None
    ),
    type_of=lambda resource: resource.text("service_name").rpartition(".")[2],
    commitments=NONE_SOLD,
    listed=ENDPOINTS,
)
