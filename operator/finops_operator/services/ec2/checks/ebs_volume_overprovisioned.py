"""EBS volumes with more IOPS or throughput than they use: gp3 above what is in its price, io1 and io2.

The need is the highest 5 minutes of reads and writes together with headroom on top, so that a single busy period keeps
what it used. Five minutes hide bursts of seconds, which is why the headroom is there and why this is advice. A target
is never below what AWS asks for: 3,000 IOPS and 125 MiB/s of gp3 cost nothing, a MiB/s needs 4 IOPS, and io1 and io2
begin at 100 IOPS. Volumes that several instances may share are left alone: AWS does not change those of type io1, and
what a failover needs is not seen. Fourteen days are Compute Optimizer's. AWS allows the next change of a volume when
the last one is complete, at most four in 24 hours.
"""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops.domain.utilization import MetricSummary
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.measured import count, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import measured_days, not_measured, too_young
from finops_operator.services.ec2.judging.busiest import busiest_seen
from finops_operator.services.ec2.volume import GP3_FREE_IOPS, GP3_FREE_MIBPS, OPERATIONS, VolumeFacts, provisioned

ID: Final = "ebs_volume_overprovisioned"
_TYPES: Final = ("gp3", "io1", "io2")
_LEAST_IOPS: Final = 100
_IOPS_PER_MIBPS: Final = 4
_STEP: Final = 100
"""Whole hundreds of IOPS: a target to the operation would feign a precision that no measurement has."""


def _evaluate(facts: Facts[VolumeFacts], parameters: Parameters) -> Finding | NotRecommended:
    resource, own, least = facts.resource, facts.own, parameters["minimumMeasuredDays"]
    reason = "" if resource.state == "in-use" else f"it is {resource.state or 'in an unknown state'}, not attached"
    if not reason and own.volume_type not in _TYPES:
        reason = f"its type is not {'/'.join(_TYPES)}" if own.volume_type else "its type is not known"
    if not reason and own.multi_attach:
        reason = "several instances may share it"
    if not reason and own.iops is None:
        reason = "its IOPS are not known"
    if not reason and not provisioned(own.volume_type, own.iops, own.throughput):
        reason = "it pays for no more than the free part of gp3"
    reason = reason or too_young(facts, least)
    if reason or own.iops is None:
        return NotRecommended(ID, resource.id, reason or "its IOPS are not known")
    busiest = busiest_seen(facts, least)
    if isinstance(busiest, str):
        return NotRecommended(ID, resource.id, busiest)
    roomy = 1 + float(parameters["headroomPercent"]) / 100
    used = busiest.iops, busiest.mibps
    changed = _smaller(own, own.iops, used[0] * roomy, used[1] * roomy)
    if changed == own:
        return NotRecommended(ID, resource.id, f"it {_needs(used)}, which leaves no less")
    target = facts.cost_of(with_facts(resource, changed))
    current, future = facts.cost.unrounded_monthly, target.unrounded_monthly
    if current is None or future is None:
        missing = "; ".join(dict.fromkeys((*facts.cost.missing, *target.missing)))
        return NotRecommended(ID, resource.id, f"the saving is not known ({missing})")
    if future >= current:
        return NotRecommended(ID, resource.id, "fewer IOPS and throughput would not cost less")
    return _finding(facts, changed, used, busiest.window, parameters, future)


def _finding(
    facts: Facts[VolumeFacts],
    changed: VolumeFacts,
    used: tuple[float, float],
    measured: MetricSummary,
    parameters: Parameters,
    future: Decimal,
) -> Finding:
    own, headroom = facts.own, parameters["headroomPercent"]
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=future,
        evidence={
            "iops": own.iops,
            "throughputMibps": own.throughput,
            "highestIops": figure(used[0]),
            "highestThroughputMibps": figure(used[1]),
            "targetIops": changed.iops,
            "targetThroughputMibps": changed.throughput,
            "thresholdHeadroomPercent": str(headroom),
            **coverage_evidence(measured),
        },
        summary=f"It {_needs(used)}, and {_given(own)} are paid for.",
        facts=(
            EvidenceFact("Provisioned", _given(own)),
            EvidenceFact("Used in the highest 5 minutes", f"{count(used[0])} IOPS, {figure(used[1], 1)} MiB/s"),
            EvidenceFact(f"Enough with {headroom} % headroom", _given(changed)),
            window_fact(measured),
            EvidenceFact("Not seen", "bursts of a few seconds within 5 minutes"),
        ),
        target=f"{changed.iops} IOPS" + (f", {changed.throughput} MiB/s" if changed.throughput else ""),
    )


def _smaller(own: VolumeFacts, iops: int, need: float, need_mibps: float) -> VolumeFacts:
    """Return the volume with what it needs, never more than it has."""
    if own.volume_type != "gp3":
        # A MiB/s takes 4 IOPS of a provisioned volume, whose largest operation is 256 KiB.
        least = max(_LEAST_IOPS, need, need_mibps * _IOPS_PER_MIBPS)
        return replace(own, iops=min(iops, math.ceil(least / _STEP) * _STEP))
    throughput = own.throughput
    if throughput is not None:
        throughput = min(throughput, max(GP3_FREE_MIBPS, math.ceil(need_mibps)))
    least = max(GP3_FREE_IOPS, need, (throughput or 0) * _IOPS_PER_MIBPS)
    return replace(own, iops=min(iops, math.ceil(least / _STEP) * _STEP), throughput=throughput)


def _needs(used: tuple[float, float]) -> str:
    return f"used {count(used[0])} IOPS and {figure(used[1], 1)} MiB/s at most"


def _given(own: VolumeFacts) -> str:
    return f"{count(own.iops or 0)} IOPS" + (f" and {own.throughput} MiB/s" if own.throughput else "")


def _wants_fine(facts: Facts[Any], parameters: Parameters) -> bool:
    """Ask for 5 minutes only where something is billed apart and even the busiest hour leaves some of it unused."""
    own: VolumeFacts = facts.own
    if facts.resource.state != "in-use" or not provisioned(own.volume_type, own.iops, own.throughput):
        return False
    if too_young(facts, parameters["minimumMeasuredDays"]):
        return False
    return not not_measured(facts, OPERATIONS, parameters["minimumMeasuredDays"])


CHECK: Final = Check(
    id=ID,
    title="EBS volume with unused IOPS or throughput",
    kinds=("ebs-volume",),
    documentation="https://docs.aws.amazon.com/compute-optimizer/latest/ug/view-ebs-recommendations.html",
    action_type=ActionType.RIGHTSIZE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    parameters=(
        ParameterSpec(
            name="headroomPercent",
            unit="percent",
            default=Decimal(20),
            minimum=Decimal(0),
            maximum=Decimal(200),
            description="Room above the highest 5 minutes that the volume keeps.",
        ),
        measured_days("reads and writes"),
    ),
    wants_fine=_wants_fine,
)
