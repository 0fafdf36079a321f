"""Secrets: ListSecrets, with the day on which each was read last.

Loaded by the registry; walked by the discover stage. A secret is billed by the month, each replica as one; one that is
marked for deletion is free and is not listed. What is in a secret is never asked for. Secrets Manager keeps the last
day of access by region and publishes no metric of a single secret.
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
from finops_operator.plugins.kind import BilledPart, Listing, ResourceKind, Sample, States
from finops_operator.plugins.ownership import owned_by
from finops_operator.plugins.unknown_state import billed_as_unknown

_LIST: Final = "secretsmanager:ListSecrets"
_PAGE: Final = 100
ACTIVE: Final = "active"
_DELETED: Final = "deleted"
"""Secrets Manager gives a secret no state: it is kept while it is listed."""


MAY_HAVE_REPLICAS: Final = "it may have replicas, whose reads in other regions are not seen here"


@dataclass(frozen=True, slots=True)
class SecretFacts:
    """What is known of one secret; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        last_accessed: ISO day on which it was read last in this region, empty when it never was.
        replica_of: region of the secret that this one is a replica of, empty when it is none.
        replicated: whether it may have replicas: AWS names its region as the primary one.
        owning_service: the AWS service that keeps it, empty for none.
        not_in_cost: what AWS bills of it by use and its cost leaves out.
    """

    last_accessed: str | None = None
    replica_of: str | None = None
    replicated: bool | None = None
    owning_service: str | None = None
    rotates: bool | None = None
    not_in_cost: tuple[str, ...] | None = None


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield secrets page by page; a page that cannot be read ends the listing with a Gap."""
    del partition
    try:
        for page in reader.pages(_LIST, {"MaxResults": _PAGE}):
            for secret in page.get("SecretList", ()):
                if not secret.get("DeletedDate"):
                    yield _resource(secret, reader)
    except AwsError as error:
        yield gap_of(error, reader)


def _resource(secret: Mapping[str, Any], reader: PageReader) -> Resource:
    arn = str(secret["ARN"])
    primary = str(secret.get("PrimaryRegion") or reader.region)
    read = moment_of(secret.get("LastAccessedDate"))
    facts = SecretFacts(
        last_accessed="" if read is None else read.date().isoformat(),
        replica_of="" if primary == reader.region else primary,
        replicated=secret.get("PrimaryRegion") == reader.region,
        owning_service=str(secret.get("OwningService") or ""),
        rotates=bool(secret.get("RotationEnabled")),
        not_in_cost=("api_request",),
    )
    return Resource(
        kind="secretsmanager-secret",
        # A secret that is made again under the same name gets another suffix.
        id=arn.split(":", 6)[-1],
        arn=arn,
        name=str(secret.get("Name") or ""),
        account=reader.account,
        region=reader.region,
        state=ACTIVE,
        tags=tags_of(secret),
        created=moment_of(secret.get("CreatedDate")),
        attributes=attributes_of(facts),
    )


def billed_parts(secret: Resource) -> tuple[BilledPart, ...]:
    """Return its month. https://aws.amazon.com/secrets-manager/pricing/ ."""
    if secret.state == _DELETED:
        return ()
    if secret.state != ACTIVE:
        return billed_as_unknown("secret_month", secret.state)
    if facts_of(SecretFacts, secret).owning_service:
        reason = "whether the service that keeps it includes its price is not known"
        return (BilledPart("secret_month", Decimal(1), None, reason),)
    return (BilledPart("secret_month", Decimal(1), PriceQuery("secretsmanager", secret.region, "secret")),)


KIND: Final = ResourceKind(
    id="secretsmanager-secret",
    title="Secrets Manager secret",
    service="secretsmanager",
    id_pattern=r"[A-Za-z0-9/_+=.@!-]{1,512}-[A-Za-z0-9]{6}",
    arn_pattern="arn:*:secretsmanager:*:*:secret:*",
    facts=SecretFacts,
    listing=Listing(permissions=(_LIST,), collect=_collect),
    billed_as=BilledAs("AWS Secrets Manager", "Security", "Secret Management"),
    states=States(running=frozenset({ACTIVE}), free=frozenset({_DELETED})),
    billed_parts=billed_parts,
    console_url=console_page("secretsmanager/secret?name={arn}&region={region}"),
    sample=Sample(
        "sample/database-AbCdEf", "arn:aws:secretsmanager:us-east-1:111111111111:secret:sample/database-AbCdEf"
    ),
    owner=owned_by(service=lambda secret: secret.text("owning_service") or None),
    commitments=NONE_SOLD,
)
