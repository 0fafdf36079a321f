"""EBS snapshots of an account: what each was taken of, whether that is still there, and what may need the snapshot.

Loaded by the registry. AWS bills a snapshot for the blocks that no earlier snapshot holds and does not say how many
those are: the cost of one among several is unknown, and the full size that AWS gives is an upper bound. The only one of
its volume holds all of its blocks itself and is billed in full, as is an archived one; a copy in the region may share
blocks with any, and AWS does not say of what it is one. Snapshots are listed twice, first to know the newest of each
volume. Whether one is shared must be asked one by one, so only about those that nothing else holds, and about no more
than a thousand in a region.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
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
from finops_operator.plugins.kind import BilledPart, Listing, ResourceKind, Sample, States
from finops_operator.plugins.limit import Limit
from finops_operator.plugins.one_by_one import OneByOne
from finops_operator.plugins.ownership import owned_by, owner_by_tags
from finops_operator.services.ec2.rules.listed import SNAPSHOTS
from finops_operator.services.ec2.rules.signs import SIGNS
from finops_operator.services.ec2.rules.snapshot_holders import OPERATIONS, Holders, read_holders
from finops_operator.services.ec2.rules.snapshot_origin import COMPLETED, image_of, volume_of

ARCHIVE: Final = "archive"
_OPERATION: Final = "ec2:DescribeSnapshots"
_SHARED: Final = "ec2:DescribeSnapshotAttribute"
_PERMISSION: Final = "createVolumePermission"
_OWN: Final[dict[str, Any]] = {"OwnerIds": ["self"], "MaxResults": 1000}
_MOST_ASKED: Final = 1000
_GONE: Final = frozenset({"InvalidSnapshot.NotFound"})


@dataclass(frozen=True, slots=True)
class SnapshotFacts:
    """What is known of one snapshot; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        volume_id: what it was taken of; empty of a copy, whose volume AWS does not say.
        volume_exists: whether that volume is still there.
        newer_exists: whether a later completed snapshot of the same volume is there.
        alone: whether it is the only snapshot of its volume, and no copy in the region can share its blocks.
        full_bytes: of all blocks that were written when it was taken; AWS bills no more than that.
        tier: `standard` or `archive`.
        image_id: the image that AWS says it was made for, empty when it says none.
        image_exists: whether that image is there, in the recycle bin at least.
        used_by_image: whether an image starts instances from it.
        locked: whether a lock forbids its deletion.
        fast_restore_zones: in how many zones it is kept ready, which is billed by the hour.
        shared: whether another account may use it; None also where it was not asked.
    """

    volume_id: str | None = None
    volume_exists: bool | None = None
    newer_exists: bool | None = None
    alone: bool | None = None
    volume_size_gb: int | None = None
    full_bytes: int | None = None
    tier: str | None = None
    encrypted: bool | None = None
    image_id: str | None = None
    image_exists: bool | None = None
    used_by_image: bool | None = None
    locked: bool | None = None
    fast_restore_zones: int | None = None
    shared: bool | None = None


# -- listing -----------------------------------------------------------------------------------------------------------


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield the account's own snapshots; a page that cannot be read ends the listing with a Gap."""
    asking = OneByOne(reader, gone=_GONE)
    try:
        points = _points(reader)
        if points is None:
            return
        holders = read_holders(asking)
        left = _MOST_ASKED
        for page in reader.pages(_OPERATION, _OWN):
            for one in page.get("Snapshots", ()):
                facts = _facts(one, holders, points)
                ask = left > 0 and held_by(facts, tags_of(one), str(one.get("State") or "")) == ""
                left -= ask
                yield _resource(one, facts, _is_shared(one, asking) if ask else None, reader, partition)
    except AwsError as error:
        yield gap_of(error, reader)
    yield from asking.gaps


@dataclass(frozen=True, slots=True)
class _Points:
    """All snapshots by volume: the time of the newest completed one, and how many there are; copies under no volume."""

    newest: Mapping[str, datetime]
    number: Mapping[str, int]

    def alone(self, volume: str) -> bool | None:
        return None if not volume else self.number[volume] == 1 and "" not in self.number


def _points(reader: PageReader) -> _Points | None:
    """Return what there is of each volume, None when there is no snapshot at all."""
    newest: dict[str, datetime] = {}
    number: Counter[str] = Counter()
    for page in reader.pages(_OPERATION, _OWN):
        for one in page.get("Snapshots", ()):
            volume, taken = volume_of(one), moment_of(one.get("StartTime"))
            number[volume] += 1
            if volume and taken is not None and one.get("State") == COMPLETED:
                newest[volume] = max(taken, newest.get(volume, taken))
    return _Points(newest, number) if number else None


def _facts(described: Mapping[str, Any], holders: Holders, points: _Points) -> SnapshotFacts:
    identity, volume = str(described["SnapshotId"]), volume_of(described)
    taken = moment_of(described.get("StartTime"))
    image = image_of(described)
    return SnapshotFacts(
        volume_id=volume,
        volume_exists=holders.volume_exists(volume),
        newer_exists=None if taken is None or not volume else points.newest.get(volume, taken) > taken,
        alone=points.alone(volume),
        volume_size_gb=described.get("VolumeSize"),
        full_bytes=described.get("FullSnapshotSizeInBytes"),
        tier=described.get("StorageTier"),
        encrypted=described.get("Encrypted"),
        image_id=image,
        image_exists=holders.image_exists(image),
        used_by_image=holders.used_by_image(identity),
        locked=holders.is_locked(identity),
        fast_restore_zones=holders.zones_of(identity),
    )


def _is_shared(described: Mapping[str, Any], asking: OneByOne) -> bool | None:
    answer = asking.answer(_SHARED, {"SnapshotId": str(described["SnapshotId"]), "Attribute": _PERMISSION})
    return None if answer is None else bool(answer.get("CreateVolumePermissions"))


def _resource(
    described: Mapping[str, Any], facts: SnapshotFacts, shared: bool | None, reader: PageReader, partition: str
) -> Resource:
    identity, tags = str(described["SnapshotId"]), tags_of(described)
    return Resource(
        kind="ebs-snapshot",
        id=identity,
        # AWS names snapshots without their account: it is theirs wherever they are shared.
        arn=f"arn:{partition}:ec2:{reader.region}::snapshot/{identity}",
        name=tags.get("Name", ""),
        account=reader.account,
        region=reader.region,
        state=str(described.get("State") or ""),
        tags=tags,
        created=moment_of(described.get("StartTime")),
        attributes=attributes_of(replace(facts, shared=shared)),
    )


# -- what holds it -----------------------------------------------------------------------------------------------------


def held_by(own: SnapshotFacts, tags: Mapping[str, str], state: str) -> str:
    """Return why it is kept whatever its age and its volume, empty when nothing holds it; sharing is not in it."""
    owner = owner_by_tags(tags, SIGNS)
    if state != COMPLETED:
        return f"it is {state or 'in an unknown state'}, not {COMPLETED}"
    if owner is not None and not owner.is_template:
        return f"{owner.system} keeps it and deletes it by its own rules"
    if own.tier != "standard":
        return "it is archived on purpose" if own.tier == ARCHIVE else "its storage tier is not known"
    holders = (
        ("an image uses it", own.used_by_image),
        ("it is locked", own.locked),
        ("fast restore is on for it", None if own.fast_restore_zones is None else own.fast_restore_zones > 0),
    )
    for why, holds in holders:
        if holds is not False:
            return why if holds else f"whether {why} is not known"
    return ""


# -- what is billed ----------------------------------------------------------------------------------------------------


def billed_parts(snapshot: Resource) -> tuple[BilledPart, ...]:
    """Return its storage and its fast restores: https://aws.amazon.com/ebs/pricing/, "Amazon EBS Snapshots"."""
    own = facts_of(SnapshotFacts, snapshot)
    parts = [_storage(snapshot, own)]
    if own.fast_restore_zones:
        query = PriceQuery("ebs", snapshot.region, "snapshot_restore_az_hour")
        parts.append(BilledPart("snapshot_restore_az_hour", Decimal(own.fast_restore_zones), query))
    return tuple(parts)


def _storage(snapshot: Resource, own: SnapshotFacts) -> BilledPart:
    if own.tier == ARCHIVE and own.full_bytes is not None:
        query = PriceQuery("ebs", snapshot.region, "snapshot_archive_gb_month")
        return BilledPart("snapshot_archive_gb_month", own.full_bytes / GIB, query)
    if own.alone and own.full_bytes is not None:
        query = PriceQuery("ebs", snapshot.region, "snapshot_gb_month")
        return BilledPart("snapshot_gb_month", own.full_bytes / GIB, query)
    reason = "AWS bills the blocks that no earlier snapshot holds, and does not say how many those are"
    return BilledPart("snapshot_gb_month", Decimal(0), None, reason)


# -- what else is declared ---------------------------------------------------------------------------------------------


KIND: Final = ResourceKind(
    id="ebs-snapshot",
    title="EBS snapshot",
    service="ec2",
    id_pattern=r"snap-[0-9a-f]{8,17}",
    arn_pattern="arn:*:ec2:*::snapshot/*",
    limits={
        "volume_size_gb": Limit(65_536, "GiB", "Amazon EBS user guide, “Amazon EBS volume types”"),
        "full_bytes": Limit(65_536 << 30, "bytes", "Amazon EBS user guide, “Amazon EBS volume types”"),
    },
    facts=SnapshotFacts,
    listing=Listing(
        permissions=(_OPERATION, *OPERATIONS, _SHARED),
        collect=_collect,
        probes={_SHARED: lambda identity: {"SnapshotId": identity, "Attribute": _PERMISSION}},
    ),
    billed_as=BilledAs("Amazon Elastic Block Store", "Storage", "Block Storage"),
    states=States(),
    billed_parts=billed_parts,
    left_out=("direct_api_request",),
    console_url=console_page("ec2/home?region={region}#SnapshotDetails:snapshotId={id}"),
    sample=Sample("snap-0123456789abcdef0", "arn:aws:ec2:us-east-1::snapshot/snap-0123456789abcdef0"),
    dry_run=True,
    owner=owned_by(SIGNS),
    type_of=lambda resource: resource.text("tier"),
    commitments=NONE_SOLD,
    listed=SNAPSHOTS,
)
