"""Attachments of transit gateways: DescribeTransitGatewayAttachments, and the bytes of each by the day.

Loaded by the registry; walked by the discover and measure stages. An attachment is billed by the hour to the account
that owns what is attached, and by the gigabyte that it sends; the bundled tables hold neither price, so that the cost
is unknown. The owner of a shared gateway sees attachments of other accounts too: those are billed there. AWS publishes
the metrics always, so that a missing point is unknown.
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
from finops_operator.plugins.described import gap_of, moment_of, tags_of
from finops_operator.plugins.facts import attributes_of, facts_of
from finops_operator.plugins.kind import BilledPart, Listing, MetricSpec, ResourceKind, Sample, States
from finops_operator.plugins.ownership import owned_by
from finops_operator.plugins.unknown_state import billed_as_unknown
from finops_operator.services.ec2.rules.network_offers import TRANSIT_GATEWAY_OFFERS

_OPERATION: Final = "ec2:DescribeTransitGatewayAttachments"
_PAGE: Final = 1000
_GONE: Final = frozenset({"deleting", "deleted", "failed", "failing", "rejected", "rejecting", "rollingBack"})
AVAILABLE: Final = "available"
_FREE: Final = _GONE | {"initiating", "initiatingRequest", "pendingAcceptance"}
"""Nobody has accepted it yet, or it is gone."""
_WORKING: Final = frozenset({AVAILABLE, "modifying"})
RECEIVED: Final = "inBytes"
SENT: Final = "outBytes"
"""Seen from the gateway, as AWS names them: what an attachment sends comes in."""
_PRICED: Final = "transit-gateway"
_OF_FIREWALL: Final = "network-function"
_FIREWALL: Final = "network-firewall.amazonaws.com"
"""Makes the attachment of a firewall; Network Firewall developer guide, "Transit gateway-attached firewalls"."""
_LISTED: Final = frozenset({"vpc", "vpn"})


@dataclass(frozen=True, slots=True)
class AttachmentFacts:
    """What is known of one attachment; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        attached_type, attached: what is attached: its type in AWS's word (`vpc`, `vpn`) and its id.
        owned_elsewhere: whether another account owns what is attached.
        associated: whether a route table of the gateway is used for it.
    """

    attached_type: str | None = None
    attached: str | None = None
    transit_gateway: str | None = None
    owned_elsewhere: bool | None = None
    associated: bool | None = None


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield attachments page by page; a page that cannot be read ends the listing with a Gap."""
    try:
        for page in reader.pages(_OPERATION, {"MaxResults": _PAGE}):
            for attachment in page.get("TransitGatewayAttachments", ()):
                if attachment.get("State") not in _GONE:
                    yield _resource(attachment, reader, partition)
    except AwsError as error:
        yield gap_of(error, reader)


def _resource(attachment: Mapping[str, Any], reader: PageReader, partition: str) -> Resource:
    identity, tags = str(attachment["TransitGatewayAttachmentId"]), tags_of(attachment)
    owner = attachment.get("ResourceOwnerId")
    facts = AttachmentFacts(
        attached_type=attachment.get("ResourceType"),
        attached=attachment.get("ResourceId"),
        transit_gateway=attachment.get("TransitGatewayId"),
        owned_elsewhere=None if owner is None else str(owner) != reader.account,
        associated=bool(attachment.get("Association")),
    )
    return Resource(
        kind="transit-gateway-attachment",
        id=identity,
        arn=f"arn:{partition}:ec2:{reader.region}:{reader.account}:transit-gateway-attachment/{identity}",
        name=tags.get("Name", ""),
        account=reader.account,
        region=reader.region,
        state=str(attachment.get("State") or ""),
        tags=tags,
        created=moment_of(attachment.get("CreationTime")),
        attributes=attributes_of(facts),
    )


def billed_parts(attachment: Resource) -> tuple[BilledPart, ...]:
    """Return its hours and the gigabytes that it sends to the gateway, which AWS's price list alone has.

    https://aws.amazon.com/transit-gateway/pricing/
    """
    facts = facts_of(AttachmentFacts, attachment)
    if attachment.state in _FREE or facts.owned_elsewhere:
        return ()
    if attachment.state not in _WORKING:
        return billed_as_unknown("attachment_hour", attachment.state)
    hours = data = None
    if facts.attached_type in _LISTED:
        hours = PriceQuery(_PRICED, attachment.region, f"{facts.attached_type}_hour")
        data = PriceQuery(_PRICED, attachment.region, f"{facts.attached_type}_gb")
    return (
        BilledPart("attachment_hour", Decimal(1), hours, "no price for attachments"),
        BilledPart("data_gb", 1 / GIB, data, "no price for data of attachments", metric=RECEIVED),
    )


def _works(attachment: Resource) -> bool:
    return attachment.state in _WORKING and bool(attachment.text("transit_gateway"))


def _gateway(attachment: Resource) -> tuple[tuple[str, str], ...]:
    return (("TransitGateway", attachment.text("transit_gateway")),)


def _counter(name: str, metric: str) -> MetricSpec:
    return MetricSpec(
        name,
        "AWS/TransitGateway",
        metric,
        "TransitGatewayAttachment",
        ("Sum",),
        "bytes",
        hourly=False,
        daily=True,
        also_of=_gateway,
        applies=_works,
    )


KIND: Final = ResourceKind(
    id="transit-gateway-attachment",
    title="Transit gateway attachment",
    service="ec2",
    id_pattern=r"tgw-attach-[0-9a-f]{8,17}",
    arn_pattern="arn:*:ec2:*:*:transit-gateway-attachment/*",
    facts=AttachmentFacts,
    listing=Listing(permissions=(_OPERATION, "cloudwatch:GetMetricData"), collect=_collect),
    billed_as=BilledAs("Amazon Virtual Private Cloud", "Networking", "Network Connectivity"),
    states=States(running=_WORKING, billed=_WORKING, free=_FREE),
    # What came in at one attachment goes out at another: traffic of this one is in both.
    metrics=(_counter(SENT, "BytesOut"), _counter(RECEIVED, "BytesIn")),
    billed_parts=billed_parts,
    left_out=("data_transfer_gb",),
    offers=TRANSIT_GATEWAY_OFFERS,
    console_url=console_page(
        "vpcconsole/home?region={region}#TransitGatewayAttachmentDetails:transitGatewayAttachmentId={id}"
    ),
    sample=Sample(
        "tgw-attach-0123456789abcdef0",
        "arn:aws:ec2:us-east-1:111111111111:transit-gateway-attachment/tgw-attach-0123456789abcdef0",
    ),
    dry_run=True,
    owner=owned_by(service=lambda one: _FIREWALL if one.text("attached_type") == _OF_FIREWALL else None),
    type_of=lambda resource: resource.text("attached_type"),
    commitments=NONE_SOLD,
)
