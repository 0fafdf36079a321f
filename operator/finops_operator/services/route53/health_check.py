"""Health checks: ListHealthChecks, and what refers to each.

Loaded by the registry; walked by the discover and measure stages. Route 53 keeps them once per account, and their
metrics, alarms and tags in one region of the partition: where the account's home region is another, these are unknown.
The bundled tables hold no price of Route 53, so that the cost is unknown; a disabled check is billed as well. AWS does
not say when a check was made: for as long as its metric is there it has existed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from finops.domain.focus.categories import BilledAs
from finops.domain.resource import Gap, Resource
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.commitments import NONE_SOLD
from finops_operator.plugins.console import console_page, partition_of
from finops_operator.plugins.described import gap_of
from finops_operator.plugins.facts import attributes_of
from finops_operator.plugins.kind import BilledPart, Listing, MetricSpec, ResourceKind, Sample, States
from finops_operator.plugins.one_by_one import OneByOne
from finops_operator.plugins.ownership import owned_by
from finops_operator.plugins.tagging import CALLS, PERMISSION, Tags, tags_by_arn
from finops_operator.plugins.unknown_state import billed_as_unknown
from finops_operator.services.route53.rules.references import ALARMS, RECORDS, ZONES, alarms, calculated_from, records

_LIST: Final = "route53:ListHealthChecks"
_PAGE: Final = "100"
_HOME: Final = {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1"}
"""Partition → region in which Route 53 keeps metrics and tags."""
ACTIVE: Final = "active"
DISABLED: Final = "disabled"
STATUS: Final = "healthStatus"


@dataclass(frozen=True, slots=True)
class HealthCheckFacts:
    """What is known of one health check; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        check_type: in AWS's word (`HTTPS`, `CALCULATED`).
        records, parents, alarms: how many records name it, checks are calculated from it, alarms watch it; the last is
            asked only where there is neither of the others.
        linked_service: the AWS service that made it, empty for none.
        tags_known: False when its tags could not be read: it may be protected.
    """

    check_type: str | None = None
    interval_seconds: int | None = None
    measures_latency: bool | None = None
    records: int | None = None
    parents: int | None = None
    alarms: int | None = None
    linked_service: str | None = None
    tags_known: bool | None = None


@dataclass(frozen=True, slots=True)
class _References:
    """What refers to the checks of the account; None: it could not be read."""

    records: Mapping[str, int] | None
    parents: Mapping[str, int] | None


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield checks after all are listed; a page that cannot be read ends the listing with a Gap."""
    at_home = reader.region == _HOME.get(partition)
    tags = (yield from tags_by_arn(reader, "route53:healthcheck")) if at_home else None
    asking = OneByOne(reader)
    found: list[Mapping[str, Any]] = []
    complete = True
    try:
        for page in reader.pages(_LIST, {"MaxItems": _PAGE}):
            found.extend(page.get("HealthChecks", ()))
    except AwsError as error:
        complete = False
        yield gap_of(error, reader)
    if found:
        references = _References(records(asking), calculated_from(found) if complete else None)
        for check in found:
            yield _resource(check, references, asking if at_home else None, tags, (reader, partition))
    yield from asking.gaps


def _resource(
    check: Mapping[str, Any],
    references: _References,
    asking: OneByOne | None,
    tags: Tags | None,
    place: tuple[PageReader, str],
) -> Resource:
    identity, config, (reader, partition) = str(check["Id"]), check.get("HealthCheckConfig") or {}, place
    arn = f"arn:{partition}:route53:::healthcheck/{identity}"
    named = None if references.records is None else references.records.get(identity, 0)
    parents = None if references.parents is None else references.parents.get(identity, 0)
    facts = HealthCheckFacts(
        check_type=config.get("Type"),
        interval_seconds=config.get("RequestInterval"),
        measures_latency=bool(config.get("MeasureLatency")),
        records=named,
        parents=parents,
        alarms=alarms(asking, identity) if asking is not None and named == parents == 0 else None,
        linked_service=str((check.get("LinkedService") or {}).get("ServicePrincipal") or ""),
        tags_known=tags is not None,
    )
    own_tags = {} if tags is None else tags.get(arn) or {}
    return Resource(
        kind="route53-health-check",
        id=identity,
        arn=arn,
        name=own_tags.get("Name", ""),
        account=reader.account,
        region=reader.region,
        state=DISABLED if config.get("Disabled") else ACTIVE,
        tags=own_tags,
        attributes=attributes_of(facts),
    )


def billed_parts(check: Resource) -> tuple[BilledPart, ...]:
    """Return its month, without a price. https://aws.amazon.com/route53/pricing/ ."""
    if check.state not in (ACTIVE, DISABLED):
        return billed_as_unknown("health_check_month", check.state)
    return (BilledPart("health_check_month", Decimal(1), None, "no price for health checks"),)


def _measured(check: Resource) -> bool:
    return check.state == ACTIVE and check.region == _HOME.get(partition_of(check.arn))


KIND: Final = ResourceKind(
    id="route53-health-check",
    title="Route 53 health check",
    service="route53",
    id_pattern=r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    arn_pattern="arn:*:route53:::healthcheck/*",
    facts=HealthCheckFacts,
    listing=Listing(
        permissions=(_LIST, ZONES, RECORDS, ALARMS, PERMISSION, "cloudwatch:GetMetricData"),
        collect=_collect,
        is_global=True,
        probes={
            RECORDS: lambda _: {"HostedZoneId": "Z00000000000000000000"},
            ALARMS: lambda _: {"Namespace": "AWS/Route53", "MetricName": "HealthCheckStatus"},
        },
        calls=CALLS,
    ),
    billed_as=BilledAs("Amazon Route 53", "Networking", "Network Routing"),
    states=States(running=frozenset({ACTIVE}), stopped=frozenset({DISABLED})),
    metrics=(
        MetricSpec(
            STATUS,
            "AWS/Route53",
            "HealthCheckStatus",
            "HealthCheckId",
            ("Average", "Maximum"),
            "healthy",
            applies=_measured,
        ),
    ),
    billed_parts=billed_parts,
    left_out=(),
    console_url=console_page("route53/healthchecks/home?region={region}#/details/{id}"),
    sample=Sample(
        "abcdef11-2222-3333-4444-555555fedcba", "arn:aws:route53:::healthcheck/abcdef11-2222-3333-4444-555555fedcba"
    ),
    owner=owned_by(service=lambda check: check.text("linked_service") or None),
    type_of=lambda resource: resource.text("check_type"),
    commitments=NONE_SOLD,
)
