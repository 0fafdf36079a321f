"""EBS volumes that no instance has used for a month: snapshot, then delete.

AWS does not say when a volume was detached. But a volume publishes metrics only while it is attached to
a running instance. So the proof is: the volume is `available`, older than the time asked for, and CloudWatch was asked
about all of that time and holds nothing (`NotPublished`). A query that failed, or reached less far back, proves
nothing, and then the volume is not judged. The evidence names the window, how much of it was answered, the metrics
without data and since when. Our own first sight of the volume as unattached is shown but is no proof: scans have
pauses.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Final

from finops.domain.canonical import Json
from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec, Pictures, Settled
from finops_operator.plugins.measured import count
from finops_operator.plugins.sufficiency import figure
from finops_operator.services.ec2.judging.unused import (
    dearer_than_snapshot,
    unused_since,
    used_by_an_instance,
)
from finops_operator.services.ec2.rules.remaining_cost import snapshot_cost
from finops_operator.services.ec2.rules.snapshot_tags import KEPT_FOR, chosen_days
from finops_operator.services.ec2.volume import OPERATIONS, VolumeFacts

ID: Final = "ebs_volume_unattached"


def _evaluate(facts: Facts[VolumeFacts], parameters: Parameters) -> Finding | NotRecommended:
    days = parameters["minimumUnattachedDays"]
    reason = "" if facts.resource.state == "available" else f"it is {facts.resource.state}"
    reason = reason or used_by_an_instance(facts, OPERATIONS, days) or dearer_than_snapshot(facts)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    remaining, since = snapshot_cost(facts), unused_since(facts, OPERATIONS)
    return Finding(
        check=ID,
        action="ebs_volume_delete",
        parameters=chosen_days(parameters),
        new_monthly_cost=remaining,
        evidence=_evidence(facts, days, remaining),
        summary=f"No running instance has used it since {since:%Y-%m-%d}, for {days} days or more.",
        facts=tuple(_facts(facts, days, remaining)),
    )


def _facts(facts: Facts[VolumeFacts], days: Decimal, remaining: Decimal | None) -> Iterator[EvidenceFact]:
    created, seen = facts.resource.created, facts.own.unattached_since
    since, size = unused_since(facts, OPERATIONS), facts.own.size_gb
    yield EvidenceFact("Attached", "no")
    yield EvidenceFact(
        "Reads and writes", f"none from {since:%Y-%m-%d} to {facts.now:%Y-%m-%d}; unused is {days} days or more"
    )
    if seen:
        yield EvidenceFact("Seen unattached since", seen[:10])
    if created:
        yield EvidenceFact("Created", f"{created:%Y-%m-%d}")
    if size is not None:
        yield EvidenceFact("Size", f"{count(size)} GiB")
    if remaining is not None:
        yield EvidenceFact("Snapshot, billed a month", f"{remaining:,.2f} USD at most")


def _evidence(facts: Facts[VolumeFacts], days: Decimal, remaining: Decimal | None) -> dict[str, Json]:
    created, seen = facts.resource.created, facts.own.unattached_since
    inactive_since = unused_since(facts, OPERATIONS)
    answered = 100 * (facts.now - inactive_since) / timedelta(days=float(days))
    return {
        "state": facts.resource.state,
        "sizeGb": facts.own.size_gb,
        "created": created.isoformat() if created else None,
        "windowStart": inactive_since.isoformat(),
        "windowEnd": facts.now.isoformat(),
        "windowAnsweredPercent": figure(min(100.0, answered)),
        "noActivitySince": inactive_since.isoformat(),
        "metricsWithoutData": ", ".join(OPERATIONS),
        "dataPoints": 0,
        "thresholdUnattachedDays": str(days),
        "snapshotMonthlyCostAtMost": None if remaining is None else f"{remaining:.2f}",
        **({"seenUnattachedSince": seen} if seen else {}),
    }


def _settled_by_days(pictures: Pictures[VolumeFacts], _parameters: Parameters) -> Settled:
    return Settled.OPEN if pictures.days.resource.state == "available" else Settled.BY_DAYS


CHECK: Final = Check(
    id=ID,
    title="Unattached EBS volume",
    kinds=("ebs-volume",),
    parameters=(
        ParameterSpec(
            name="minimumUnattachedDays",
            unit="days",
            default=Decimal(32),
            minimum=Decimal(1),
            maximum=Decimal(90),
            description="A volume is unused when no running instance had it attached for this long.",
        ),
        KEPT_FOR,
    ),
    documentation="https://docs.aws.amazon.com/compute-optimizer/latest/ug/view-idle-recommendations.html",
    action="ebs_volume_delete",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    restart_needed=False,
    rollback_possible=True,
    destructive=True,
    evaluate=_evaluate,
    settled_by_days=_settled_by_days,
    window_parameter="minimumUnattachedDays",
)
