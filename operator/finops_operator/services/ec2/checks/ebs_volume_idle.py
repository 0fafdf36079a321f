"""EBS volumes that are attached to a running instance and never read or written.

Compute Optimizer calls an attached volume idle after 32 days with less than one read or write a day, and leaves out
root volumes; so does this check, for which a single operation is too many, and so is a day without data. A volume
whose instance did not run all of the time has hours without data and is not judged here, and neither is one that
several instances may share: it may wait for a failover. Another stand-by disk may be idle by design too, so this is
advice: take a snapshot, detach, wait, delete.
"""

from __future__ import annotations

from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.measured import count, days, window_fact
from finops_operator.plugins.settled import where_use_forbids
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import idle_days, too_young
from finops_operator.services.ec2.judging.quiet import amount, both, unseen
from finops_operator.services.ec2.judging.unused import dearer_than_snapshot
from finops_operator.services.ec2.rules.remaining_cost import snapshot_cost
from finops_operator.services.ec2.volume import OPERATIONS, VolumeFacts

ID: Final = "ebs_volume_idle"
_ATTACHED: Final = "in-use"
_ROOTS: Final = frozenset({"/dev/sda", "/dev/sda1", "/dev/xvda", "/dev/xvda1"})
"""Names of root devices: EC2 user guide, "Device names for volumes"."""


def _evaluate(facts: Facts[VolumeFacts], parameters: Parameters) -> Finding | NotRecommended:
    least = parameters["minimumIdleDays"]
    reason = _not_judged(facts.resource.state, facts.own) or too_young(facts, least)
    reason = reason or unseen(facts, OPERATIONS, least) or dearer_than_snapshot(facts)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    operations, (measured, _) = sum(amount(facts, name) for name in OPERATIONS), both(facts, OPERATIONS[0])
    if operations > 0:
        return NotRecommended(ID, facts.resource.id, f"it was read and written {count(operations)} times")
    remaining = snapshot_cost(facts)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=remaining,
        evidence={
            "operations": figure(operations),
            "thresholdOperations": "1",
            "thresholdIdleDays": str(least),
            "sizeGb": facts.own.size_gb,
            "snapshotMonthlyCostAtMost": None if remaining is None else f"{remaining:.2f}",
            **coverage_evidence(measured),
        },
        summary=f"Attached to a running instance, and neither read nor written for {days(measured.hours)}.",
        facts=(
            EvidenceFact("Reads and writes", "none"),
            window_fact(measured),
            EvidenceFact("Size", "not known" if facts.own.size_gb is None else f"{count(facts.own.size_gb)} GiB"),
            EvidenceFact(
                "Snapshot, billed a month", "not known" if remaining is None else f"{remaining:,.2f} USD at most"
            ),
            EvidenceFact("Before the change", "unmount and detach it, and wait before it is deleted"),
        ),
    )


def _not_judged(state: str, own: VolumeFacts) -> str:
    if state != _ATTACHED:
        return f"it is {state or 'in an unknown state'}, not attached"
    if own.multi_attach:
        return "several instances may share it"
    if not own.attached_device:
        return "as which device it is attached is not known"
    return "it is the root volume of its instance" if own.attached_device in _ROOTS else ""


CHECK: Final = Check(
    id=ID,
    title="Idle attached EBS volume",
    kinds=("ebs-volume",),
    documentation="https://docs.aws.amazon.com/compute-optimizer/latest/ug/view-idle-recommendations.html",
    action_type=ActionType.DELETE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
    settled_by_days=where_use_forbids(_evaluate),
    rollback_possible=False,
    destructive=True,
    parameters=(idle_days("An attached volume", 32, by_day=True),),
    window_parameter="minimumIdleDays",
)
