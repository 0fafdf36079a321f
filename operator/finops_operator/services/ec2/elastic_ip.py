"""Elastic IP addresses: AWS bills every public IPv4 address by the hour, in use or not.

Loaded by the registry. An address on an instance is in the cost of the instance already and costs nothing here, so that
no address is counted twice; nor does one that a load balancer or a database instance made, which is in its cost.
Addresses that an account brought along are free, those of Local and Wavelength Zones have prices of their own. AWS does
not say since when an address is on nothing: our own first sight of it is kept as `unassociated_since`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from finops.domain.focus.categories import BilledAs
from finops.domain.price import PriceQuery
from finops.domain.resource import Gap, Resource
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.commitments import NONE_SOLD
from finops_operator.plugins.console import console_page
from finops_operator.plugins.described import gap_of, tags_of
from finops_operator.plugins.facts import attributes_of
from finops_operator.plugins.kind import BilledPart, Listing, Memory, ResourceKind, Sample, States
from finops_operator.plugins.ownership import owned_by
from finops_operator.plugins.unknown_state import billed_as_unknown
from finops_operator.services.ec2.rules.listed import ADDRESSES
from finops_operator.services.ec2.rules.signs import SIGNS

_OPERATION: Final = "ec2:DescribeAddresses"
_AMAZON: Final = "amazon"
UNASSOCIATED: Final = "unassociated"
ASSOCIATED: Final = "associated"
ON_INSTANCE: Final = "on-instance"
BROUGHT_ALONG: Final = "brought-along"
"""AWS has no words for the states of an address; these are ours."""
_WITH_THEIR_SERVICE: Final = frozenset({"alb", "nlb", "rds"})
_FREE: Final = frozenset({ON_INSTANCE, BROUGHT_ALONG})
"""In the cost of its instance; and AWS bills no address of one's own."""
_DIMENSIONS: Final = {UNASSOCIATED: "idle_public_ipv4_hour", ASSOCIATED: "public_ipv4_hour"}


@dataclass(frozen=True, slots=True)
class AddressFacts:
    """What is known of one address; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        pool: `amazon`, or the id of the pool that its owner brought along.
        network_border_group: the region, or the Local or Wavelength Zone that AWS announces it from.
        customer_pool: the pool of an Outpost's owner that it is from, empty when it is from none.
        service_managed: the service that made it and gives it back (`nlb`, `rds`), empty when none did.
        unassociated_since: ISO time of our own first sight of it on nothing; None when we never kept it.
    """

    public_ip: str | None = None
    pool: str | None = None
    instance_id: str | None = None
    network_interface_id: str | None = None
    network_border_group: str | None = None
    customer_pool: str | None = None
    service_managed: str | None = None
    unassociated_since: str | None = None


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield the addresses, which AWS gives in a single page; one that cannot be read is a Gap."""
    try:
        for page in reader.pages(_OPERATION, {}):
            for one in page.get("Addresses", ()):
                # Addresses of EC2-Classic have no allocation; AWS ended it in 2023.
                if one.get("AllocationId"):
                    yield _resource(one, reader, partition)
    except AwsError as error:
        yield gap_of(error, reader)


def _resource(address: Mapping[str, Any], reader: PageReader, partition: str) -> Resource:
    identity, tags = str(address["AllocationId"]), tags_of(address)
    facts = AddressFacts(
        public_ip=address.get("PublicIp"),
        pool=address.get("PublicIpv4Pool"),
        instance_id=address.get("InstanceId") or "",
        network_interface_id=address.get("NetworkInterfaceId") or "",
        network_border_group=address.get("NetworkBorderGroup"),
        customer_pool=address.get("CustomerOwnedIpv4Pool") or "",
        service_managed=address.get("ServiceManaged") or "",
    )
    return Resource(
        kind="elastic-ip",
        id=identity,
        arn=f"arn:{partition}:ec2:{reader.region}:{reader.account}:elastic-ip/{identity}",
        name=tags.get("Name", ""),
        account=reader.account,
        region=reader.region,
        state=_state(facts, associated=bool(address.get("AssociationId"))),
        tags=tags,
        attributes=attributes_of(facts),
    )


def _state(facts: AddressFacts, *, associated: bool) -> str:
    if facts.instance_id:
        return ON_INSTANCE
    if facts.customer_pool or facts.pool not in (None, _AMAZON):
        return BROUGHT_ALONG
    return ASSOCIATED if associated or facts.network_interface_id else UNASSOCIATED


# -- what is billed ----------------------------------------------------------------------------------------------------


def billed_parts(address: Resource) -> tuple[BilledPart, ...]:
    """Return the hours of an address that no instance is billed for: https://aws.amazon.com/vpc/pricing/."""
    if address.state in _FREE or address.text("service_managed") in _WITH_THEIR_SERVICE:
        return ()
    dimension = _DIMENSIONS.get(address.state)
    if dimension is None:
        return billed_as_unknown("public_ipv4_hour", address.state)
    group = address.text("network_border_group")
    if group not in ("", address.region):
        return (BilledPart(dimension, Decimal(1), None, f"no price for addresses of {group}"),)
    return (BilledPart(dimension, Decimal(1), PriceQuery("vpc", address.region, dimension)),)


# -- what else is declared ---------------------------------------------------------------------------------------------


def _free(resource: Resource) -> bool:
    return resource.state == UNASSOCIATED


def _with_first_sight(address: Resource, before: Resource | None, now: datetime) -> Resource:
    """Keep since when we have seen an address on nothing; AWS does not say."""
    known = before.text("unassociated_since") if before is not None and _free(before) else ""
    return replace(address, attributes={**address.attributes, "unassociated_since": known or now.isoformat()})


KIND: Final = ResourceKind(
    id="elastic-ip",
    title="Elastic IP address",
    service="ec2",
    id_pattern=r"eipalloc-[0-9a-f]{8,17}",
    arn_pattern="arn:*:ec2:*:*:elastic-ip/*",
    facts=AddressFacts,
    listing=Listing(permissions=(_OPERATION,), collect=_collect),
    billed_as=BilledAs("Amazon Virtual Private Cloud", "Networking", "Network Connectivity"),
    states=States(
        running=frozenset({ASSOCIATED}),
        stopped=frozenset({UNASSOCIATED}),
        billed=frozenset({ASSOCIATED, UNASSOCIATED}),
        free=_FREE,
    ),
    billed_parts=billed_parts,
    left_out=(),
    console_url=console_page("ec2/home?region={region}#ElasticIpDetails:AllocationId={id}"),
    sample=Sample(
        "eipalloc-0123456789abcdef0", "arn:aws:ec2:us-east-1:111111111111:elastic-ip/eipalloc-0123456789abcdef0"
    ),
    dry_run=True,
    memory=Memory(
        applies=_free,
        carry_over=_with_first_sight,
        mark=lambda resource: resource.text("unassociated_since"),
    ),
    owner=owned_by(SIGNS, service=lambda address: address.text("service_managed") or None),
    commitments=NONE_SOLD,
    listed=ADDRESSES,
)
