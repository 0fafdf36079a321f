"""Log groups that take in much and whose class is Standard: Infrequent Access takes it in for half the price.

The class has queries and retention as Standard has, and neither metric filters, subscriptions, live tail nor alarms on
its data, so that it fits what is kept to be read now and then. A class cannot be changed: a new group gets it,
and what writes is pointed there. Groups with metric filters are left alone, and so are those whose events AWS itself
turns into metrics. Whether anybody subscribes is not read, nor whether the events of an application carry embedded
metrics, and whether data protection or anomaly detection is on, which the class has not. AWS publishes no amount; what
is worth the work is ours. The price of the class is in no table, so that the saving is unknown.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

from finops.domain.quantity import GIB
from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.measured import days, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import measured_days, not_measured, summaries, too_young
from finops_operator.services.logs.judging.judged import size
from finops_operator.services.logs.log_group import INCOMING, STANDARD, LogGroupFacts

ID: Final = "log_group_infrequent_access"
CLASS: Final = "INFREQUENT_ACCESS"
_MONTH_DAYS: Final = 30
_METRICS_WITHIN: Final = ("/aws/lambda-insights", "/aws/containerinsights/", "/aws/ecs/containerinsights/")
"""Groups whose events hold the metrics of an Insights feature, which are made of them in the Standard class alone."""


def _evaluate(facts: Facts[LogGroupFacts], parameters: Parameters) -> Finding | NotRecommended:
    least, needed = parameters["minimumMonthlyGib"], parameters["minimumMeasuredDays"]
    reason = _not_judged(facts) or too_young(facts, needed) or not_measured(facts, (INCOMING,), needed)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    (incoming,) = summaries(facts, (INCOMING,))
    monthly = (incoming.total or 0.0) / incoming.days * _MONTH_DAYS
    if Decimal(monthly) < least * GIB:
        reason = f"{size(monthly)} came in for each {_MONTH_DAYS} days, {least} GiB are needed"
        return NotRecommended(ID, facts.resource.id, reason)
    changed = with_facts(facts.resource, replace(facts.own, log_group_class=CLASS))
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=facts.cost_of(changed).unrounded_monthly,
        evidence={
            "logGroupClass": STANDARD,
            "incomingBytes": figure(incoming.total or 0.0),
            "thresholdMonthlyGib": str(least),
            "metricFilters": facts.own.metric_filters,
            **coverage_evidence(incoming),
        },
        summary=f"{size(incoming.total or 0.0)} came in within {days(incoming.hours)}, and no metric filter reads it: "
        "the class Infrequent Access takes it in for about half the price.",
        facts=(
            EvidenceFact("Came in", f"{size(incoming.total or 0.0)} in {days(incoming.hours)}"),
            EvidenceFact("Metric filters", "none"),
            window_fact(incoming),
            EvidenceFact("Not read", "whether anybody subscribes to it, follows it live or queries it often"),
            EvidenceFact(
                "Not read either",
                "whether its events carry embedded metrics, and whether data protection or anomaly detection is on",
            ),
            EvidenceFact("How to change it", "make a new group of the class and let what writes here write there"),
        ),
        target=CLASS,
    )


def _not_judged(facts: Facts[LogGroupFacts]) -> str:
    own = facts.own
    if own.log_group_class != STANDARD:
        return f"its class is {own.log_group_class or 'not known'}, not {STANDARD}"
    if own.metric_filters is None:
        return "whether metrics are made of it is not known"
    if own.metric_filters:
        return f"{own.metric_filters} metric filters read it, which only {STANDARD} has"
    if facts.resource.id.startswith(_METRICS_WITHIN):
        return "its events hold metrics, which are made of them in the Standard class alone"
    return "" if own.tags_known else "its tags could not be read"


CHECK: Final = Check(
    id=ID,
    title="Log group that could be of Infrequent Access",
    kinds=("log-group",),
    documentation="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch_Logs_Log_Classes.html",
    action_type=ActionType.UPGRADE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
    parameters=(
        measured_days("what came in", 30, by_day=True),
        ParameterSpec(
            name="minimumMonthlyGib",
            unit="GiB",
            default=Decimal(50),
            minimum=Decimal(1),
            maximum=Decimal(1048576),
            description="A group into which less comes in 30 days is left alone.",
        ),
    ),
    window_parameter="minimumMeasuredDays",
)
