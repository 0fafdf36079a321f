"""Custom metrics of which a single dimension makes nearly all series, such as one that names each request.

AWS publishes no threshold and bills every combination of dimensions as a metric. A thousand values, without which at
most one series in ten is left, are ours: whoever wants the single ones finds them in the log. A dimension that names
machines is left alone, however many there are, and so is what a feature of AWS publishes with dimensions of its own.

What the series cost and what their end would save is unknown: AWS bills a series for the hours in which it has data,
and does not say which these were. The listing counts all that had any within three hours.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.ownership import quoted
from finops_operator.services.cloudwatch.namespace import NamespaceFacts
from finops_operator.services.cloudwatch.rules.publishers import is_of_a_feature

ID: Final = "cloudwatch_namespace_cardinality"
_WHOLE: Final = 100
_MACHINES: Final = frozenset({"host", "hostname", "instanceid", "instancename", "nodename"})
"""Names of dimensions, in lower case, whose values are as many as there are machines."""


def _evaluate(facts: Facts[NamespaceFacts], parameters: Parameters) -> Finding | NotRecommended:
    own, least, most = facts.own, parameters["minimumValues"], parameters["maximumLeftPercent"]
    if is_of_a_feature(facts.resource.id):
        return NotRecommended(ID, facts.resource.id, "a feature of AWS publishes it and chooses its dimensions")
    series, left, values = own.series, own.series_without_it, own.widest_values
    if series is None or left is None or values is None or own.widest_dimension is None:
        return NotRecommended(ID, facts.resource.id, "how many series it has is not known")
    if values < least:
        return NotRecommended(ID, facts.resource.id, f"its widest dimension has {values} values, {least} are needed")
    if own.widest_dimension.casefold() in _MACHINES:
        return NotRecommended(ID, facts.resource.id, "its widest dimension names machines")
    if left * _WHOLE > series * most:
        reason = f"no dimension makes most of them: {left} of {series} series are left without the widest"
        return NotRecommended(ID, facts.resource.id, reason)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=None,
        evidence={
            "series": series,
            "seriesWithoutDimension": left,
            "dimensionValues": values,
            "thresholdDimensionValues": str(least),
            "thresholdLeftPercent": str(most),
        },
        summary=f"A single dimension makes {series - left:,} of its {series:,} series, each billed as a metric.",
        facts=(
            EvidenceFact("Dimension", f"{quoted(own.widest_dimension)}, {values:,} values"),
            EvidenceFact("Series now", f"{series:,}, of {own.metric_names or 0:,} metric names"),
            EvidenceFact("Series without the dimension", f"{left:,}"),
            EvidenceFact("Saving", "not known: a series is billed for its hours, which AWS does not publish"),
            EvidenceFact("What to do", "leave it out where the metric is sent; metrics end by themselves"),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="Custom metrics with too many values of a dimension",
    kinds=("cloudwatch-namespace",),
    documentation="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html",
    action_type=ActionType.RIGHTSIZE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
    parameters=(
        ParameterSpec(
            name="minimumValues",
            unit="values",
            default=Decimal(1000),
            minimum=Decimal(100),
            maximum=Decimal(100_000),
            description="A namespace whose widest dimension has fewer values is left alone.",
        ),
        ParameterSpec(
            name="maximumLeftPercent",
            unit="percent",
            default=Decimal(10),
            minimum=Decimal(1),
            maximum=Decimal(50),
            description="Of the series at most this share may be left without the dimension.",
        ),
    ),
)
