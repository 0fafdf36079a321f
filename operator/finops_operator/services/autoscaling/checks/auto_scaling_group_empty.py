"""Auto Scaling groups that have had no instance for a month: nothing to save, one thing less to keep.

The proof is that of an unused volume: the group is empty now, CloudWatch was asked about all of the time and holds
nothing (`NotPublished`), for a group publishes CPU whenever an instance runs in it. Thirty days are ours; AWS publishes
no figure.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.sufficiency import metric_words
from finops_operator.services.autoscaling.auto_scaling_group import EMPTY, GroupFacts

ID: Final = "auto_scaling_group_empty"
_METRIC: Final = "groupCpuPercent"
_NOT_PUBLISHED: Final = "NotPublished"
_ALIGNMENT: Final = timedelta(hours=1)
"""Windows start on whole periods, so they may begin this much late."""


def _evaluate(facts: Facts[GroupFacts], parameters: Parameters) -> Finding | NotRecommended:
    least = parameters["minimumEmptyDays"]
    since = facts.now - timedelta(days=float(least))
    reason = _not_empty(facts) or _was_used(facts, least, since)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={
            "currentInstances": 0,
            "desiredCapacity": 0,
            "noInstanceSince": facts.utilization.asked_from[_METRIC].isoformat(),
            "thresholdEmptyDays": str(least),
        },
        summary=f"It has had no instance for {least} days or more. The group itself costs nothing.",
        facts=(
            EvidenceFact("Instances", "none"),
            EvidenceFact(
                "Largest size allowed", "not known" if facts.own.max_size is None else str(facts.own.max_size)
            ),
            EvidenceFact("No instance since", f"{facts.utilization.asked_from[_METRIC]:%Y-%m-%d}"),
        ),
    )


def _not_empty(facts: Facts[GroupFacts]) -> str:
    own = facts.own
    if facts.resource.state != EMPTY:
        return f"it is {facts.resource.state}"
    if own.desired_capacity is None:
        return "its desired capacity is not known"
    if own.desired_capacity:
        return f"it wants {own.desired_capacity} instances and has none"
    return "it has a warm pool" if own.warm_pool else ""


def _was_used(facts: Facts[GroupFacts], least: Decimal, since: datetime) -> str:
    created, utilization = facts.resource.created, facts.utilization
    if created is None:
        return "its age is not known"
    if created > since:
        return f"it is younger than {least} days"
    if utilization.best(_METRIC) is not None:
        return f"an instance ran in it within the last {least} days"
    why = utilization.unknown.get(_METRIC, "not measured")
    if why != _NOT_PUBLISHED:
        return f"{metric_words(_METRIC)} is unknown ({why}), so its use is not known"
    asked = utilization.asked_from.get(_METRIC)
    return f"its metrics were not read for all of {least} days" if asked is None or asked > since + _ALIGNMENT else ""


CHECK: Final = Check(
    id=ID,
    title="Empty Auto Scaling group",
    kinds=("auto-scaling-group",),
    documentation="https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-process-shutdown.html",
    action_type=ActionType.DELETE,
    effort=Effort.VERY_LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    parameters=(
        ParameterSpec(
            name="minimumEmptyDays",
            unit="days",
            default=Decimal(30),
            minimum=Decimal(1),
            maximum=Decimal(63),
            description="A group is empty when no instance ran in it for this long.",
        ),
    ),
    window_parameter="minimumEmptyDays",
)
