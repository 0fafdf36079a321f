"""EBS volumes: DescribeVolumes, operations and idle time.

Loaded by the registry; walked by the discover and measure stages. A volume publishes only while it is
attached to a running instance, so no data is never zero (Compute Optimizer, requirements for EBS). AWS does not say
when a volume was detached: our own first sight of it is kept as `unattached_since`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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
from finops_operator.plugins.described import gap_of, parse_time, tags_of
from finops_operator.plugins.facts import attributes_of, facts_of
from finops_operator.plugins.kind import BilledPart, Listing, Memory, MetricSpec, Product, ResourceKind, Sample, States
from finops_operator.plugins.limit import Limit
from finops_operator.plugins.ownership import owned_by
from finops_operator.services.ec2.rules.by_day import by_day, days_of
from finops_operator.services.ec2.rules.listed import VOLUMES
from finops_operator.services.ec2.rules.signs import SIGNS

_PAGE: Final = 1000
_GONE: Final = frozenset({"deleting", "deleted"})
_NEVER_BILLED: Final = _GONE | {"error"}
_DETACHED: Final = "available"
_ATTACHED: Final = "in-use"
_OPERATION: Final = "ec2:DescribeVolumes"
_PRICED: Final = ("gb_month", "iops_month", "throughput_mibps_month")
_BY_IOPS: Final = frozenset({"io1", "io2"})
GP3_FREE_IOPS: Final = 3000
GP3_FREE_MIBPS: Final = 125
GP2_SMALL_GIB: Final = 170
"""Up to this size gp2 gives 128 MiB/s: EBS user guide, "General Purpose SSD volumes"."""
OPERATIONS: Final = ("volumeReadOps", "volumeWriteOps")
_SAMPLES_IN_FIVE_MINUTES: Final = 5
"""One a minute. That of bytes may count operations instead, and is not asked for: EBS user guide, "CloudWatch"."""
IO2_TIERS: Final = (("iops_month", 0, 32000), ("iops_month_tier2", 32000, 64000), ("iops_month_tier3", 64000, None))
"""Dimension, IOPS up to which the tier before it reaches, IOPS up to which it reaches itself."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """One instance that holds the volume."""

    instance_id: str
    device: str
    state: str


@dataclass(frozen=True, slots=True)
class VolumeFacts:
    """What is known of one volume; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        throughput: MiB/s.
        unattached_since: ISO time of our own first sight of it as unattached; None when we never kept it.
    """

    volume_type: str | None = None
    size_gb: int | None = None
    iops: int | None = None
    throughput: int | None = None
    encrypted: bool | None = None
    kms_key_id: str | None = None
    availability_zone: str | None = None
    snapshot_id: str | None = None
    multi_attach: bool | None = None
    attachments: tuple[Attachment, ...] | None = None
    attached_instance_id: str | None = None
    attached_device: str | None = None
    operator_managed: bool | None = None
    operator_principal: str | None = None
    unattached_since: str | None = None


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield volumes page by page; a page that cannot be read ends the listing with a Gap."""
    try:
        for page in reader.pages(_OPERATION, {"MaxResults": _PAGE}):
            for volume in page.get("Volumes", ()):
                if volume.get("State") not in _GONE:
                    yield _resource(volume, reader, partition)
    except AwsError as error:
        yield gap_of(error, reader)


def _resource(volume: Mapping[str, Any], reader: PageReader, partition: str) -> Resource:
    identity = str(volume["VolumeId"])
    tags = tags_of(volume)
    return Resource(
        kind="ebs-volume",
        id=identity,
        arn=f"arn:{partition}:ec2:{reader.region}:{reader.account}:volume/{identity}",
        name=tags.get("Name", ""),
        account=reader.account,
        region=reader.region,
        state=str(volume.get("State", "")),
        tags=tags,
        created=parse_time(volume.get("CreateTime")),
        attributes=attributes_of(_facts(volume)),
    )


def _facts(volume: Mapping[str, Any]) -> VolumeFacts:
    operator = volume.get("Operator") or {}
    attachments = tuple(
        Attachment(str(one.get("InstanceId") or ""), str(one.get("Device") or ""), str(one.get("State") or ""))
        for one in volume.get("Attachments") or ()
    )
    return VolumeFacts(
        volume_type=volume.get("VolumeType"),
        size_gb=volume.get("Size"),
        iops=volume.get("Iops"),
        throughput=volume.get("Throughput"),
        encrypted=volume.get("Encrypted"),
        kms_key_id=volume.get("KmsKeyId"),
        availability_zone=volume.get("AvailabilityZone"),
        snapshot_id=volume.get("SnapshotId") or "",
        multi_attach=volume.get("MultiAttachEnabled"),
        attachments=attachments,
        attached_instance_id=attachments[0].instance_id if attachments else "",
        attached_device=attachments[0].device if attachments else "",
        operator_managed=operator.get("Managed"),
        operator_principal=operator.get("Principal") or "",
    )


def volume_facts(resource: Resource) -> VolumeFacts:
    """Return the facts of an `ebs-volume`."""
    return facts_of(VolumeFacts, resource)


# -- what is billed ----------------------------------------------------------------------------------------------------


def billed_parts(volume: Resource) -> tuple[BilledPart, ...]:
    """Return gigabytes, and IOPS and throughput where the type charges them; what AWS did not give is unknown.

    A volume is billed the same whether it is attached or not. Free parts and tiers: https://aws.amazon.com/ebs/pricing/
    (gp3 includes 3,000 IOPS and 125 MiB/s; io2 is cheaper above 32,000 and above 64,000 IOPS). Each read and write of a
    magnetic volume is billed, so that its cost depends on what the last 30 days brought.
    """
    if volume.state in _NEVER_BILLED:
        return ()
    facts = volume_facts(volume)
    kind = facts.volume_type or ""
    parts = [_part(volume, kind, "gb_month", facts.size_gb, "its size is not known")]
    if kind == "gp3":
        parts += _above(volume, "iops_month", facts.iops, GP3_FREE_IOPS, "iops")
        parts += _above(volume, "throughput_mibps_month", facts.throughput, GP3_FREE_MIBPS, "throughput")
    elif kind == "io1":
        parts.append(_part(volume, kind, "iops_month", facts.iops, "its IOPS are not known"))
    elif kind == "io2":
        parts += _io2_tiers(volume, facts.iops)
    elif kind == "standard" and volume.state != _DETACHED:
        parts += (
            BilledPart("io_request", Decimal(1), _query(volume.region, kind, "io_request"), metric=name)
            for name in by_day(OPERATIONS)
        )
    return tuple(parts)


def _part(volume: Resource, kind: str, dimension: str, quantity: int | None, reason: str) -> BilledPart:
    if quantity is None:
        return BilledPart(dimension, Decimal(0), None, reason)
    return BilledPart(dimension, Decimal(quantity), _query(volume.region, kind, dimension))


def _query(region: str, kind: str, dimension: str) -> PriceQuery:
    return PriceQuery("ebs", region, dimension, (("volume_type", kind),))


def _above(volume: Resource, dimension: str, amount: int | None, free: int, named: str) -> list[BilledPart]:
    """Return the part above what is free, nothing when all of it is."""
    if amount is not None and amount <= free:
        return []
    above = None if amount is None else amount - free
    return [_part(volume, "gp3", dimension, above, f"its {named} is not known")]


def _io2_tiers(volume: Resource, iops: int | None) -> list[BilledPart]:
    if iops is None:
        return [_part(volume, "io2", "iops_month", None, "its IOPS are not known")]
    parts = []
    for dimension, below, upto in IO2_TIERS:
        inside = (iops if upto is None else min(iops, upto)) - below
        if inside > 0:
            parts.append(_part(volume, "io2", dimension, inside, ""))
    return parts


# -- what else is declared ---------------------------------------------------------------------------------------------


def _asked(resource: Resource) -> bool:
    """A detached volume publishes nothing, and that it did so proves how long it has been detached."""
    return resource.state in {_ATTACHED, _DETACHED}


def _attached(resource: Resource) -> bool:
    return resource.state == _ATTACHED


def _detached(resource: Resource) -> bool:
    return resource.state == _DETACHED


def provisioned(volume_type: str | None, iops: int | None, throughput: int | None) -> bool:
    """Return whether IOPS or throughput are billed apart, so that less of them would cost less."""
    if volume_type == "gp3":
        return (iops or 0) > GP3_FREE_IOPS or (throughput or 0) > GP3_FREE_MIBPS
    return volume_type in _BY_IOPS and iops is not None


def _sized_by_use(resource: Resource) -> bool:
    """Return whether a check may give it IOPS and throughput by what it uses."""
    kind = resource.text("volume_type")
    if not _attached(resource):
        return False
    if kind == "gp2":
        return (resource.number("size_gb") or 0) > GP2_SMALL_GIB
    return provisioned(kind, resource.number("iops"), resource.number("throughput"))


def _with_first_sight(volume: Resource, before: Resource | None, now: datetime) -> Resource:
    """Keep since when we have seen a volume detached; AWS does not say."""
    known = before.text("unattached_since") if before is not None and _detached(before) else ""
    return replace(volume, attributes={**volume.attributes, "unattached_since": known or now.isoformat()})


def _service(volume: Resource) -> str | None:
    facts = volume_facts(volume)
    return (facts.operator_principal or "") if facts.operator_managed else None


def _price_queries(region: str, kind: str, _options: Mapping[str, str]) -> tuple[PriceQuery, ...]:
    return tuple(_query(region, kind, dimension) for dimension in _PRICED)


def _ebs(
    name: str,
    metric: str,
    unit: str,
    applies: Callable[[Resource], bool],
    *,
    hourly: bool = True,
    fine: bool = False,
) -> MetricSpec:
    return MetricSpec(
        name,
        "AWS/EBS",
        metric,
        "VolumeId",
        ("Sum",),
        unit,
        hourly=hourly,
        samples_in_five_minutes=_SAMPLES_IN_FIVE_MINUTES,
        fine=fine,
        applies=applies,
    )


_OPERATIONS: Final = (
    _ebs(OPERATIONS[0], "VolumeReadOps", "count", _asked, fine=True),
    _ebs(OPERATIONS[1], "VolumeWriteOps", "count", _asked, fine=True),
)

KIND: Final = ResourceKind(
    id="ebs-volume",
    title="EBS volume",
    service="ec2",
    id_pattern=r"vol-[0-9a-f]{8,17}",
    arn_pattern="arn:*:ec2:*:*:volume/*",
    limits={
        "size_gb": Limit(65_536, "GiB", "Amazon EBS user guide, “Amazon EBS volume types”"),
        "iops": Limit(256_000, "IOPS", "Amazon EBS user guide, “Amazon EBS volume types”"),
        "throughput": Limit(4_000, "MiB/s", "Amazon EBS user guide, “Amazon EBS volume types”"),
    },
    facts=VolumeFacts,
    listing=Listing(
        permissions=(_OPERATION, "ec2:DescribeRegions", "cloudwatch:GetMetricData"),
        collect=_collect,
    ),
    billed_as=BilledAs("Amazon Elastic Block Store", "Storage", "Block Storage", "availability_zone"),
    states=States(
        running=frozenset({_ATTACHED}),
        stopped=frozenset({_DETACHED}),
        billed=frozenset({"creating", _ATTACHED, _DETACHED}),
        unmeasured=frozenset({_DETACHED}),
        free=_NEVER_BILLED,
    ),
    metrics=(
        *_OPERATIONS,
        _ebs("volumeIdleSeconds", "VolumeIdleTime", "seconds", _attached),
        # Thirty days without a running instance, or without an operation, are more than a lookback holds.
        *(replace(days_of(spec), applies=_attached) for spec in _OPERATIONS),
        # Only checks that size a volume by its use ask for these, so only their candidates are billed for them.
        _ebs("volumeReadBytes", "VolumeReadBytes", "bytes", _sized_by_use, hourly=False, fine=True),
        _ebs("volumeWriteBytes", "VolumeWriteBytes", "bytes", _sized_by_use, hourly=False, fine=True),
    ),
    billed_parts=billed_parts,
    left_out=("initialization_gb",),
    console_url=console_page("ec2/home?region={region}#VolumeDetails:volumeId={id}"),
    sample=Sample("vol-0123456789abcdef0", "arn:aws:ec2:us-east-1:111111111111:volume/vol-0123456789abcdef0"),
    dry_run=True,
    memory=Memory(
        applies=_detached,
        carry_over=_with_first_sight,
        # What a volume did before it was attached in between says nothing about it now.
        mark=lambda resource: resource.text("unattached_since"),
    ),
    owner=owned_by(SIGNS, service=_service),
    type_of=lambda resource: resource.text("volume_type"),
    products=(
        Product(
            option="--volume-type",
            metavar="TYPE",
            description="Such as gp3.",
            queries=_price_queries,
            sample="gp3",
        ),
    ),
    commitments=NONE_SOLD,
    listed=VOLUMES,
)
