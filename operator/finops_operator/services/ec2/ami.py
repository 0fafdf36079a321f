"""Machine images (AMI) of an account: who names them, when one was last launched, and the snapshots they keep.

Loaded by the registry. An image costs nothing itself; its snapshots are billed, each as a resource of its own
(`ebs-snapshot`). Who names an image is asked about those that may go: not of public ones and not of those protected
from deregistration. Whether one is shared must be asked one by one, so only about those that nothing names, and about
no more than a thousand in a region.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from finops.domain.focus.categories import BilledAs
from finops.domain.resource import Gap, Resource
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.commitments import NONE_SOLD
from finops_operator.plugins.console import console_page
from finops_operator.plugins.described import gap_of, parse_time, tags_of
from finops_operator.plugins.facts import attributes_of
from finops_operator.plugins.kind import BilledPart, Listing, ResourceKind, Sample, States
from finops_operator.plugins.one_by_one import OneByOne
from finops_operator.plugins.ownership import owned_by
from finops_operator.services.ec2.rules.image_users import (
    ATTRIBUTE,
    CONFIGURATIONS,
    OPERATIONS,
    PERMISSION,
    REFERENCES,
    RESOURCE_TYPES,
    ImageUsers,
)
from finops_operator.services.ec2.rules.signs import SIGNS
from finops_operator.services.ec2.rules.snapshot_holders import snapshots_of

AVAILABLE: Final = "available"
DISABLED: Final = "disabled"
_OPERATION: Final = "ec2:DescribeImages"
_OWN: Final[dict[str, Any]] = {"Owners": ["self"], "IncludeDisabled": True, "MaxResults": 1000}
_UNPROTECTED: Final = "disabled"
"""AWS's word for an image without protection; absent on images from before it existed."""
_MOST_ASKED: Final = 1000
_GONE: Final = frozenset({"InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"})


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What is known of one image; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        last_launched: ISO time; empty: never since April 2017, from when on AWS keeps it. AWS says it a day later.
        deprecated: ISO time from which on AWS no longer offers it to others.
        protected: whether it is protected from deregistration.
        public: whether everybody may launch it.
        shared: whether another account may; None also where it was not asked.
        image_users: types of what names it, such as `ec2:LaunchTemplate`; None also where it was not asked.
        snapshot_ids: the snapshots that it starts instances from, with `snapshot_gb`, the size of their volumes.
    """

    architecture: str | None = None
    platform_details: str | None = None
    root_device_type: str | None = None
    last_launched: str | None = None
    deprecated: str | None = None
    protected: bool | None = None
    public: bool | None = None
    shared: bool | None = None
    image_users: tuple[str, ...] | None = None
    snapshot_ids: tuple[str, ...] | None = None
    snapshot_gb: int | None = None


# -- listing -----------------------------------------------------------------------------------------------------------


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield the account's own images; a page that cannot be read ends the listing with a Gap."""
    asking = OneByOne(reader, gone=_GONE)
    users, left = ImageUsers(asking), _MOST_ASKED
    try:
        for page in reader.pages(_OPERATION, _OWN):
            images = page.get("Images", ())
            named = users.of([str(one["ImageId"]) for one in images if _may_go(one)])
            for one in images:
                identity = str(one["ImageId"])
                ask = left > 0 and named.get(identity) == ()
                left -= ask
                facts = _facts(one, named.get(identity), users.is_shared(identity) if ask else None)
                yield _resource(one, facts, reader, partition)
    except AwsError as error:
        yield gap_of(error, reader)
    yield from asking.gaps


def _may_go(image: Mapping[str, Any]) -> bool:
    return image.get("State") in {AVAILABLE, DISABLED} and not image.get("Public") and not _is_protected(image)


def _is_protected(image: Mapping[str, Any]) -> bool:
    return (image.get("DeregistrationProtection") or _UNPROTECTED) != _UNPROTECTED


def _facts(image: Mapping[str, Any], image_users: tuple[str, ...] | None, shared: bool | None) -> ImageFacts:
    sizes = [(block.get("Ebs") or {}).get("VolumeSize") for block in image.get("BlockDeviceMappings") or ()]
    launched, deprecated = parse_time(image.get("LastLaunchedTime")), parse_time(image.get("DeprecationTime"))
    return ImageFacts(
        architecture=image.get("Architecture"),
        platform_details=image.get("PlatformDetails"),
        root_device_type=image.get("RootDeviceType"),
        last_launched="" if launched is None else launched.isoformat(),
        deprecated="" if deprecated is None else deprecated.isoformat(),
        protected=_is_protected(image),
        public=image.get("Public"),
        shared=shared,
        image_users=image_users,
        snapshot_ids=snapshots_of(image),
        snapshot_gb=sum(size for size in sizes if size is not None),
    )


def _resource(image: Mapping[str, Any], facts: ImageFacts, reader: PageReader, partition: str) -> Resource:
    identity, tags = str(image["ImageId"]), tags_of(image)
    return Resource(
        kind="ami",
        id=identity,
        # AWS names images without their account: they are theirs wherever they are shared.
        arn=f"arn:{partition}:ec2:{reader.region}::image/{identity}",
        name=tags.get("Name") or str(image.get("Name") or ""),
        account=reader.account,
        region=reader.region,
        state=str(image.get("State") or ""),
        tags=tags,
        created=parse_time(image.get("CreationDate")),
        attributes=attributes_of(facts),
    )


# -- what else is declared ---------------------------------------------------------------------------------------------


def billed_parts(image: Resource) -> tuple[BilledPart, ...]:
    """Return nothing: AWS bills the snapshots of an image, not the image."""
    del image
    return ()


KIND: Final = ResourceKind(
    id="ami",
    title="Machine image",
    service="ec2",
    id_pattern=r"ami-[0-9a-f]{8,17}",
    arn_pattern="arn:*:ec2:*::image/*",
    facts=ImageFacts,
    listing=Listing(
        permissions=(_OPERATION, *OPERATIONS),
        collect=_collect,
        probes={
            _OPERATION: lambda _: {"Owners": ["self"], "MaxResults": 5},
            REFERENCES: lambda identity: {"ImageIds": [identity], "ResourceTypes": list(RESOURCE_TYPES)},
            ATTRIBUTE: lambda identity: {"ImageId": identity, "Attribute": PERMISSION},
            CONFIGURATIONS: lambda _: {"MaxRecords": 1},
        },
    ),
    billed_as=BilledAs("Amazon Elastic Compute Cloud", "Compute", "Virtual Machines"),
    states=States(running=frozenset({AVAILABLE}), stopped=frozenset({DISABLED})),
    billed_parts=billed_parts,
    left_out=(),
    console_url=console_page("ec2/home?region={region}#ImageDetails:imageId={id}"),
    sample=Sample("ami-0123456789abcdef0", "arn:aws:ec2:us-east-1::image/ami-0123456789abcdef0"),
    owner=owned_by(SIGNS),
    type_of=lambda resource: resource.text("platform_details"),
    dry_run=True,
    commitments=NONE_SOLD,
)
