"""Custom metrics, by their namespace: ListMetrics, and how many series had data within the last three hours.

Loaded by the registry; walked by the discover stage. Every combination of dimensions is billed as a metric, for the
hours in which data arrives. No call says in which hours that was: a series that was seen may have had data for one of
the three hours or for all of them, and for none of the month's others. So what a namespace costs is unknown; what is
certain is how many series a dimension makes. What a feature of AWS publishes, such as Container Insights, is listed as
well and billed otherwise. https://aws.amazon.com/cloudwatch/pricing/

AWS gives a namespace neither an ARN nor tags: the ARN here is made like those of the service's own resources.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final
from urllib.parse import quote

from finops.domain.focus.categories import BilledAs
from finops.domain.resource import Gap, Resource
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.commitments import NONE_SOLD
from finops_operator.plugins.console import console_page
from finops_operator.plugins.described import gap_of
from finops_operator.plugins.facts import attributes_of
from finops_operator.plugins.kind import BilledPart, Listing, ResourceKind, Sample, States
from finops_operator.services.cloudwatch.rules.publishers import is_of_a_feature, is_of_a_service
from finops_operator.services.cloudwatch.rules.series import SeriesTally

_LIST: Final = "cloudwatch:ListMetrics"
_RECENT: Final = {"RecentlyActive": "PT3H"}
_MOST_PAGES: Final = 200
"""A hundred thousand series, those of AWS's own metrics among them, that no request can leave out."""
ACTIVE: Final = "active"
_CONSOLE: Final = console_page("cloudwatch/home?region={region}#metricsV2:namespace={id}")


@dataclass(frozen=True, slots=True)
class NamespaceFacts:
    """What is known of one namespace. Names as in the reports' `attributes`.

    Attributes:
        series: combinations of a name and of values of dimensions that had data within three hours.
        metric_names: how many names they have.
        widest_dimension: the dimension without which the fewest series are left, empty where there is none.
        widest_values: how many values it has.
        series_without_it: how many series are left then.
    """

    series: int | None = None
    metric_names: int | None = None
    widest_dimension: str | None = None
    widest_values: int | None = None
    series_without_it: int | None = None


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield the namespaces when all metrics were read; half of them would count too few, so a Gap stands for all."""
    found: dict[str, SeriesTally] = {}
    try:
        for number, page in enumerate(reader.pages(_LIST, _RECENT)):
            if number == _MOST_PAGES:
                yield _too_many(reader)
                return
            for metric in page.get("Metrics", ()):
                namespace = str(metric.get("Namespace"))
                if not is_of_a_service(namespace):
                    found.setdefault(namespace, SeriesTally()).add(metric)
    except AwsError as error:
        yield gap_of(error, reader)
        return
    for namespace, tally in sorted(found.items()):
        yield _resource(namespace, tally, reader, partition)


def _too_many(reader: PageReader) -> Gap:
    service, _, operation = _LIST.partition(":")
    why = f"more than {_MOST_PAGES} pages of metrics: its custom metrics are not counted"
    return Gap(reader.account, reader.region, service, operation, "TooManyMetrics", why)


def _resource(namespace: str, tally: SeriesTally, reader: PageReader, partition: str) -> Resource:
    widest = tally.widest()
    facts = NamespaceFacts(
        series=len(tally.series),
        metric_names=tally.names,
        widest_dimension=widest.dimension,
        widest_values=widest.values,
        series_without_it=widest.left,
    )
    return Resource(
        kind="cloudwatch-namespace",
        id=namespace,
        arn=f"arn:{partition}:cloudwatch:{reader.region}:{reader.account}:namespace/{namespace}",
        name=namespace,
        account=reader.account,
        region=reader.region,
        state=ACTIVE,
        attributes=attributes_of(facts),
    )


def billed_parts(namespace: Resource) -> tuple[BilledPart, ...]:
    """Return its series without a number: the hours of each are billed, and AWS does not publish them."""
    reason = "AWS does not publish for how many hours each series had data"
    if is_of_a_feature(namespace.id):
        reason = "a feature of AWS publishes it, and is billed by rules of its own"
    return (BilledPart("metric_month", Decimal(0), None, reason),)


def _console_url(namespace: Resource) -> str:
    """Return the link; a name may hold any character."""
    return _CONSOLE(replace(namespace, id=quote(namespace.id, safe="")))


KIND: Final = ResourceKind(
    id="cloudwatch-namespace",
    title="Namespace of custom metrics",
    service="cloudwatch",
    id_pattern=r"[^:\x00-\x1f\x7f][^\x00-\x1f\x7f]{0,254}",
    arn_pattern="arn:*:cloudwatch:*:*:namespace/*",
    facts=NamespaceFacts,
    listing=Listing(permissions=(_LIST,), collect=_collect),
    billed_as=BilledAs("Amazon CloudWatch", "Management and Governance", "Observability"),
    states=States(running=frozenset({ACTIVE})),
    billed_parts=billed_parts,
    left_out=(),
    console_url=_console_url,
    sample=Sample("Shop", "arn:aws:cloudwatch:us-east-1:111111111111:namespace/Shop"),
    commitments=NONE_SOLD,
)
