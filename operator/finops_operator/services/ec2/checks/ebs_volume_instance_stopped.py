"""EBS volumes of instances that have not run for a month: AWS bills them in full while the instance is stopped.

AWS does not say of a volume whether its instance runs. But a volume publishes metrics, its idle time included, only
while it is attached to a running instance; so an attached volume about which CloudWatch holds nothing belongs to
instances that did not run. A volume that a service holds for itself (a task of ECS) names no instance and is left
alone. Thirty days are Trusted Advisor's for stopped instances. What is to be done is decided for
the instance as a whole, so this is advice: keep an image or a snapshot, and delete volume and instance together.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.canonical import Json
from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec, Pictures, Settled
from finops_operator.plugins.measured import count
from finops_operator.services.ec2.judging.unused import (
    dearer_than_snapshot,
    unused_since,
    used_by_an_instance,
    used_lately,
)
from finops_operator.services.ec2.rules.by_day import by_day
from finops_operator.services.ec2.rules.remaining_cost import snapshot_cost
from finops_operator.services.ec2.rules.snapshot_tags import KEPT_FOR, chosen_days
from finops_operator.services.ec2.volume import OPERATIONS, VolumeFacts

ID: Final = "ebs_volume_instance_stopped"
_ACTION: Final = "ebs_volume_detach_delete"
_DAYS: Final = by_day(OPERATIONS)
_HOURS: Final = (*OPERATIONS, "volumeIdleSeconds")
"""The idle time is published by a running instance even when nothing is read or written."""


def _evaluate(facts: Facts[VolumeFacts], parameters: Parameters) -> Finding | NotRecommended:
    least, state = parameters["minimumStoppedDays"], facts.resource.state
    reason = "" if state == "in-use" else f"it is {state or 'in an unknown state'}, not attached"
    if not reason and not facts.own.attached_instance_id:
        reason = "it is attached to no instance that AWS names"
    reason = (
        reason or used_by_an_instance(facts, _DAYS, least) or used_lately(facts, _HOURS) or dearer_than_snapshot(facts)
    )
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    since, remaining = unused_since(facts, _DAYS), snapshot_cost(facts)
    place = _place(facts.own)
    return Finding(
        check=ID,
        action=_ACTION if place else "",
        parameters={**place, **chosen_days(parameters)} if place else {},
        new_monthly_cost=remaining,
        evidence={
            "noActivitySince": since.isoformat(),
            "windowEnd": facts.now.isoformat(),
            "metricsWithoutData": ", ".join((*_DAYS, *_HOURS)),
            "thresholdStoppedDays": str(least),
            "sizeGb": facts.own.size_gb,
            "snapshotMonthlyCostAtMost": None if remaining is None else f"{remaining:.2f}",
        },
        summary=f"Its instance has not run since {since:%Y-%m-%d}, and the volume is billed in full.",
        facts=(
            EvidenceFact("Attached", "yes, to an instance that does not run"),
            EvidenceFact("Metrics", f"none from {since:%Y-%m-%d} to {facts.now:%Y-%m-%d}; {least} days are needed"),
            EvidenceFact("Size", "not known" if facts.own.size_gb is None else f"{count(facts.own.size_gb)} GiB"),
            EvidenceFact(
                "Snapshot, billed a month", "not known" if remaining is None else f"{remaining:,.2f} USD at most"
            ),
            EvidenceFact("Before the change", "keep an image of the instance or a snapshot of the volume"),
        ),
    )


def _place(own: VolumeFacts) -> dict[str, Json]:
    """Return where it is attached, which the action is for."""
    device = own.attached_device
    return {"instanceId": own.attached_instance_id, "device": device} if device else {}


def _settled_by_days(pictures: Pictures[VolumeFacts], parameters: Parameters) -> Settled:
    """Return whether its days show an instance that had it; a day of UTC that shows none says less than hours."""
    facts = pictures.days
    used = facts.resource.state != "in-use" or used_by_an_instance(facts, _DAYS, parameters["minimumStoppedDays"])
    return Settled.BY_DAYS if used else Settled.OPEN


CHECK: Final = Check(
    id=ID,
    title="EBS volume of a stopped instance",
    kinds=("ebs-volume",),
    documentation="https://docs.aws.amazon.com/awssupport/latest/user/cost-optimization-checks.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    action=_ACTION,
    settled_by_days=_settled_by_days,
    rollback_possible=True,
    destructive=True,
    parameters=(
        ParameterSpec(
            name="minimumStoppedDays",
            unit="days",
            default=Decimal(30),
            minimum=Decimal(7),
            maximum=Decimal(90),
            description="A volume is left alone while a running instance had it within so many days.",
        ),
        KEPT_FOR,
    ),
    window_parameter="minimumStoppedDays",
)
