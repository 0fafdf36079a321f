"""EBS volumes of type io1: gp3 with the same IOPS and throughput costs less, and io2 is better at the same price.

gp3 takes the place of a volume of up to 16,000 IOPS: it gives 90 % of its IOPS in 99 % of a year, io1 in 99.9 %, which
the finding says. For more IOPS io2 is the target, whose volumes fail a hundred times more rarely and whose IOPS are
cheaper above 32,000; at the same price nothing is saved and nothing is said. AWS does not change the type of a volume
that several instances may share, so those are left alone. Source: EBS user guide, "Provisioned IOPS SSD volumes",
"General Purpose SSD volumes" and "Multi-Attach".
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.measured import count
from finops_operator.services.ec2.volume import GP3_FREE_IOPS, GP3_FREE_MIBPS, VolumeFacts

ID: Final = "ebs_volume_io1"
GP3_TAKES: Final = 16000
"""IOPS up to which gp3 is advised: every instance type that holds so much io1 holds it, in every region."""
_KIB_PER_OPERATION: Final = 256
_KIB: Final = 1024
_IO1_MIBPS: Final = 500
"""Throughput of io1 up to 32,000 IOPS: 256 KiB for each operation, no more than 500 MiB/s."""
_MODIFIABLE: Final = frozenset({"available", "in-use"})


def _evaluate(facts: Facts[VolumeFacts], parameters: Parameters) -> Finding | NotRecommended:
    del parameters
    resource, own = facts.resource, facts.own
    reason = _not_judged(resource.state, own)
    if reason or own.iops is None:
        return NotRecommended(ID, resource.id, reason or "its IOPS are not known")
    changed = _instead(own, own.iops)
    target = facts.cost_of(with_facts(resource, changed))
    current, future = facts.cost.unrounded_monthly, target.unrounded_monthly
    if current is None or future is None:
        missing = "; ".join(dict.fromkeys((*facts.cost.missing, *target.missing)))
        return NotRecommended(ID, resource.id, f"the saving is not known ({missing})")
    if future >= current:
        return NotRecommended(ID, resource.id, f"{changed.volume_type} would not cost less")
    given = f"{count(own.iops)} IOPS" + (f", {changed.throughput} MiB/s" if changed.throughput else "")
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=future,
        evidence={
            "volumeType": "io1",
            "iops": own.iops,
            "sizeGb": own.size_gb,
            "targetType": changed.volume_type,
            "targetIops": changed.iops,
            "targetThroughputMibps": changed.throughput,
        },
        summary=f"{changed.volume_type} with as many IOPS costs less than io1.",
        facts=(
            EvidenceFact("Now", f"io1 with {count(own.iops)} IOPS"),
            EvidenceFact("Instead", f"{changed.volume_type} with {given}"),
            EvidenceFact("Difference", _difference(changed.volume_type)),
        ),
        target=changed.volume_type or "",
    )


def _not_judged(state: str, own: VolumeFacts) -> str:
    if own.volume_type != "io1":
        return "its type is not io1" if own.volume_type else "its type is not known"
    if state not in _MODIFIABLE:
        return f"it is {state or 'in an unknown state'}"
    if own.multi_attach:
        return "several instances may share it, and AWS does not change the type of such a volume"
    return "whether several instances may share it is not known" if own.multi_attach is None else ""


def _instead(own: VolumeFacts, iops: int) -> VolumeFacts:
    if iops > GP3_TAKES:
        return replace(own, volume_type="io2", throughput=None)
    carried = min(_IO1_MIBPS, iops * _KIB_PER_OPERATION // _KIB)
    return replace(own, volume_type="gp3", iops=max(GP3_FREE_IOPS, iops), throughput=max(GP3_FREE_MIBPS, carried))


def _difference(target: str | None) -> str:
    if target == "io2":
        return "io2 fails a hundred times more rarely; some older instance types cannot attach it"
    return "gp3 gives 90 % of its IOPS in 99 % of a year, io1 in 99.9 %"


CHECK: Final = Check(
    id=ID,
    title="EBS volume of type io1",
    kinds=("ebs-volume",),
    documentation="https://docs.aws.amazon.com/ebs/latest/userguide/provisioned-iops.html",
    action_type=ActionType.UPGRADE,
    effort=Effort.LOW,
    evaluate=_evaluate,
)
