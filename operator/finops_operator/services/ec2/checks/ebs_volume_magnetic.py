"""Magnetic EBS volumes (`standard`) that gp3 would cost less than: AWS calls the type previous generation.

A gibibyte of a magnetic volume costs less than one of gp3, and each read and write is billed besides. So gp3, with the
3,000 IOPS and 125 MiB/s that are in its price, saves money only where the volume is busy: about 23 operations a second
for 100 GiB in us-east-1. The operations of the last 30 days are in the cost; where they are not known there is no
finding. Source: EBS user guide, "Previous generation volumes", and https://aws.amazon.com/ebs/previous-generation/.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.measured import count
from finops_operator.plugins.sufficiency import figure
from finops_operator.plugins.window import measured_days, not_measured, too_young
from finops_operator.services.ec2.rules.by_day import by_day
from finops_operator.services.ec2.volume import GP3_FREE_IOPS, GP3_FREE_MIBPS, OPERATIONS, VolumeFacts

ID: Final = "ebs_volume_magnetic"
_DAYS: Final = by_day(OPERATIONS)


def _evaluate(facts: Facts[VolumeFacts], parameters: Parameters) -> Finding | NotRecommended:
    resource, own, least = facts.resource, facts.own, parameters["minimumMeasuredDays"]
    reason = ""
    if own.volume_type != "standard":
        reason = "its type is not standard" if own.volume_type else "its type is not known"
    elif resource.state != "in-use":
        reason = f"it is {resource.state or 'in an unknown state'}, not attached"
    elif own.size_gb is None:
        reason = "its size is not known"
    reason = reason or too_young(facts, least) or not_measured(facts, _DAYS, least)
    if reason:
        return NotRecommended(ID, resource.id, reason)
    changed = replace(own, volume_type="gp3", iops=GP3_FREE_IOPS, throughput=GP3_FREE_MIBPS)
    target = facts.cost_of(with_facts(resource, changed))
    current, future = facts.cost.unrounded_monthly, target.unrounded_monthly
    if current is None or future is None:
        missing = "; ".join(dict.fromkeys((*facts.cost.missing, *target.missing)))
        return NotRecommended(ID, resource.id, f"the saving is not known ({missing})")
    if future >= current:
        return NotRecommended(ID, resource.id, "gp3 would not cost less than its storage and requests")
    operations = sum(use.amount for name in _DAYS if (use := facts.utilization.month.get(name)) is not None)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=future,
        evidence={
            "volumeType": "standard",
            "sizeGb": own.size_gb,
            "operations30Days": figure(operations),
            "targetType": "gp3",
            "targetIops": GP3_FREE_IOPS,
            "targetThroughputMibps": GP3_FREE_MIBPS,
        },
        summary="It is read and written so much that gp3, which bills no requests, costs less.",
        facts=(
            EvidenceFact("Size", f"{count(own.size_gb or 0)} GiB"),
            EvidenceFact("Reads and writes in 30 days, billed each", count(operations)),
            EvidenceFact("Instead", f"gp3 with {count(GP3_FREE_IOPS)} IOPS and {GP3_FREE_MIBPS} MiB/s in its price"),
        ),
        target="gp3",
    )


CHECK: Final = Check(
    id=ID,
    title="Busy magnetic EBS volume",
    kinds=("ebs-volume",),
    documentation="https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volume-types.html",
    action_type=ActionType.UPGRADE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    parameters=(measured_days("reads and writes", by_day=True),),
    window_parameter="minimumMeasuredDays",
)
