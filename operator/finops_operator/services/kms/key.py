"""Keys that the customer manages: ListKeys, DescribeKey of each, and when it was used last.

Loaded by the registry; walked by the discover stage. A key is billed by the month, a disabled one as well, each replica
as a key of its own; keys that AWS manages are free and are not listed, and one whose deletion is scheduled is free.
KMS publishes no metric of a key's use, but keeps the last one.
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
from finops_operator.plugins.described import gap_of, moment_of
from finops_operator.plugins.facts import attributes_of
from finops_operator.plugins.kind import BilledPart, Listing, ResourceKind, Sample, States
from finops_operator.plugins.one_by_one import OneByOne
from finops_operator.plugins.ownership import owned_by
from finops_operator.plugins.tagging import CALLS, PERMISSION, Tags, tags_by_arn
from finops_operator.plugins.unknown_state import billed_as_unknown
from finops_operator.services.kms.rules.reading import DESCRIBE, GONE, LAST_USE, REFUSALS, description, last_use

_LIST: Final = "kms:ListKeys"
_PAGE: Final = 1000
_CUSTOMERS: Final = "CUSTOMER"
ENABLED: Final = "enabled"
DISABLED: Final = "disabled"
_KEPT: Final = frozenset({DISABLED, "pendingimport", "unavailable"})
_WORKING: Final = frozenset({ENABLED, "updating"})
_TO_BE_DELETED: Final = "pendingdeletion"
"""AWS bills no key that is scheduled for deletion: https://aws.amazon.com/kms/pricing/ ."""


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What is known of one key; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        key_spec, key_usage: what it is and what it is for, in AWS's words.
        origin: where its material comes from (`AWS_KMS`, `EXTERNAL`).
        multi_region: `PRIMARY` or `REPLICA`, empty where it is in one region only.
        last_used: ISO time, empty where AWS knows of no use since `use_tracked_since`.
        tags_known: False when its tags could not be read: it may be protected.
        not_in_cost: what AWS bills of it and its cost leaves out.
    """

    key_spec: str | None = None
    key_usage: str | None = None
    origin: str | None = None
    multi_region: str | None = None
    last_used: str | None = None
    use_tracked_since: str | None = None
    tags_known: bool | None = None
    not_in_cost: tuple[str, ...] | None = None


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield keys page by page; a page that cannot be read ends the listing with a Gap."""
    del partition
    tags = yield from tags_by_arn(reader, "kms:key")
    asking = OneByOne(reader, REFUSALS, GONE)
    try:
        for page in reader.pages(_LIST, {"Limit": _PAGE}):
            for key in page.get("Keys", ()):
                described = description(asking, str(key["KeyId"]))
                if described.get("KeyManager") == _CUSTOMERS:
                    yield _resource(described, asking, tags, reader)
    except AwsError as error:
        yield gap_of(error, reader)
    yield from asking.gaps


def _resource(described: Mapping[str, Any], asking: OneByOne, tags: Tags | None, reader: PageReader) -> Resource:
    identity, arn = str(described["KeyId"]), str(described["Arn"])
    used, tracked = last_use(asking, identity)
    facts = KeyFacts(
        key_spec=described.get("KeySpec"),
        key_usage=described.get("KeyUsage"),
        origin=described.get("Origin"),
        multi_region=str((described.get("MultiRegionConfiguration") or {}).get("MultiRegionKeyType") or ""),
        last_used=used,
        use_tracked_since=tracked,
        tags_known=tags is not None,
        not_in_cost=("api_request", "rotated_material"),
    )
    return Resource(
        kind="kms-key",
        id=identity,
        arn=arn,
        name="",
        account=reader.account,
        region=reader.region,
        state=str(described.get("KeyState") or "").lower(),
        tags={} if tags is None else tags.get(arn) or {},
        created=moment_of(described.get("CreationDate")),
        attributes=attributes_of(facts),
    )


def billed_parts(key: Resource) -> tuple[BilledPart, ...]:
    """Return its month. https://aws.amazon.com/kms/pricing/ ."""
    if key.state == _TO_BE_DELETED:
        return ()
    if key.state not in _WORKING | _KEPT:
        return billed_as_unknown("key_month", key.state)
    return (BilledPart("key_month", Decimal(1), PriceQuery("kms", key.region, "customer_key")),)


KIND: Final = ResourceKind(
    id="kms-key",
    title="KMS key",
    service="kms",
    id_pattern=r"(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})",
    arn_pattern="arn:*:kms:*:*:key/*",
    facts=KeyFacts,
    listing=Listing(
        permissions=(_LIST, DESCRIBE, LAST_USE, PERMISSION),
        collect=_collect,
        probes={DESCRIBE: lambda known: {"KeyId": known}, LAST_USE: lambda known: {"KeyId": known}},
        calls=CALLS,
    ),
    billed_as=BilledAs("AWS Key Management Service", "Security", "Secret Management"),
    states=States(running=_WORKING, stopped=_KEPT, billed=_WORKING | _KEPT, free=frozenset({_TO_BE_DELETED})),
    billed_parts=billed_parts,
    console_url=console_page("kms/home?region={region}#/kms/keys/{id}"),
    sample=Sample(
        "1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ),
    owner=owned_by(),
    type_of=lambda resource: resource.text("key_spec"),
    commitments=NONE_SOLD,
)
