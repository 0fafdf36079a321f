"""Repositories: DescribeRepositories, the images of each, and the lifecycle policy that removes old ones.

Loaded by the registry; walked by the discover stage. AWS bills the bytes of images; the bundled tables hold no price of
ECR, so that the cost is unknown, and a repository without images costs nothing. Reading every image of a repository is
one call for a thousand. Public repositories are another service and are not listed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
from finops_operator.plugins.described import gap_of, moment_of
from finops_operator.plugins.facts import attributes_of, facts_of
from finops_operator.plugins.kind import BilledPart, Listing, ResourceKind, Sample, States
from finops_operator.plugins.one_by_one import OneByOne
from finops_operator.plugins.ownership import owned_by
from finops_operator.plugins.tagging import CALLS, PERMISSION, Tags, tags_by_arn
from finops_operator.services.ecr.rules.images import GONE, IMAGES, LIFECYCLE, Images, has_lifecycle, images_of
from finops_operator.services.ecr.rules.offers import OFFERS

_LIST: Final = "ecr:DescribeRepositories"
_PAGE: Final = 1000
EXISTS: Final = "active"
"""ECR gives a repository no state: it works while it exists."""


@dataclass(frozen=True, slots=True)
class RepositoryFacts:
    """What is known of one repository; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        image_bytes: of all images, layers that several of them share counted each time.
        untagged_images, untagged_bytes, oldest_untagged: of images without a tag that belong to no other.
        multi_platform_images: images that consist of others, which have no tag of their own.
        pushed_last, pulled_last: ISO times of the newest push and pull of any image, empty where there was none.
        lifecycle_policy: whether one removes images.
        tags_known: False when its tags could not be read: it may be protected.
        not_in_cost: what AWS bills of it and its cost leaves out.
    """

    images: int | None = None
    image_bytes: int | None = None
    untagged_images: int | None = None
    untagged_bytes: int | None = None
    oldest_untagged: str | None = None
    multi_platform_images: int | None = None
    pushed_last: str | None = None
    pulled_last: str | None = None
    lifecycle_policy: bool | None = None
    tags_known: bool | None = None
    not_in_cost: tuple[str, ...] | None = None


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield repositories page by page; a page that cannot be read ends the listing with a Gap."""
    del partition
    tags = yield from tags_by_arn(reader, "ecr:repository")
    asking = OneByOne(reader, gone=GONE)
    try:
        for page in reader.pages(_LIST, {"maxResults": _PAGE}):
            for repository in page.get("repositories", ()):
                yield _resource(repository, asking, tags, reader)
    except AwsError as error:
        yield gap_of(error, reader)
    yield from asking.gaps


def _resource(repository: Mapping[str, Any], asking: OneByOne, tags: Tags | None, reader: PageReader) -> Resource:
    name, arn = str(repository["repositoryName"]), str(repository["repositoryArn"])
    return Resource(
        kind="ecr-repository",
        id=name,
        arn=arn,
        name=name,
        account=reader.account,
        region=reader.region,
        state=EXISTS,
        tags={} if tags is None else tags.get(arn) or {},
        created=moment_of(repository.get("createdAt")),
        attributes=attributes_of(_facts(images_of(asking, name), has_lifecycle(asking, name), tags)),
    )


def _facts(images: Images | None, lifecycle: bool | None, tags: Tags | None) -> RepositoryFacts:
    left_out = ("data_transfer", "scan")
    if images is None:
        return RepositoryFacts(lifecycle_policy=lifecycle, tags_known=tags is not None, not_in_cost=left_out)
    return RepositoryFacts(
        images=images.count,
        image_bytes=images.size,
        untagged_images=images.untagged,
        untagged_bytes=images.untagged_size,
        oldest_untagged=_text(images.oldest_untagged),
        multi_platform_images=images.indexes,
        pushed_last=_text(images.pushed),
        pulled_last=_text(images.pulled),
        lifecycle_policy=lifecycle,
        tags_known=tags is not None,
        not_in_cost=left_out,
    )


def _text(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat()


def billed_parts(repository: Resource) -> tuple[BilledPart, ...]:
    """Return the bytes of its images, where they are known: of one image. https://aws.amazon.com/ecr/pricing/ ."""
    facts = facts_of(RepositoryFacts, repository)
    if facts.images == 0:
        return ()
    reason = "no price for images"
    if facts.images != 1 or facts.image_bytes is None:
        # Layers that several images share are billed once, and AWS does not say which are.
        return (BilledPart("gb_month", Decimal(0), None, reason),)
    query = PriceQuery("ecr", repository.region, "storage_gb_month")
    return (BilledPart("gb_month", facts.image_bytes / GIB, query, reason),)


KIND: Final = ResourceKind(
    id="ecr-repository",
    title="ECR repository",
    service="ecr",
    id_pattern=r"[a-z0-9][a-z0-9._/-]{1,255}",
    arn_pattern="arn:*:ecr:*:*:repository/*",
    facts=RepositoryFacts,
    listing=Listing(
        permissions=(_LIST, IMAGES, LIFECYCLE, PERMISSION),
        collect=_collect,
        probes={
            IMAGES: lambda known: {"repositoryName": known},
            LIFECYCLE: lambda known: {"repositoryName": known},
        },
        calls=CALLS,
    ),
    billed_as=BilledAs("Amazon Elastic Container Registry", "Storage", "Other (Storage)"),
    states=States(running=frozenset({EXISTS})),
    billed_parts=billed_parts,
    offers=OFFERS,
    console_url=console_page("ecr/repositories/private/{account}/{id}?region={region}"),
    sample=Sample("shop/web", "arn:aws:ecr:us-east-1:111111111111:repository/shop/web"),
    owner=owned_by(),
    commitments=NONE_SOLD,
)
