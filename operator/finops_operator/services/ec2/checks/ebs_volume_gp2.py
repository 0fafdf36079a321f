"""EBS volumes of the older type gp2: the same performance usually costs less as gp3.

The target keeps what gp2 gives: IOPS and throughput are explicit, never below gp2's or gp3's free baseline, and priced.
AWS provisions the same figures when they are left out, and bills them, which many tools forget.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, Settled
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.measured import count
from finops_operator.services.ec2.volume import GP3_FREE_IOPS, GP3_FREE_MIBPS, VolumeFacts

ID: Final = "ebs_volume_gp2"
GP2_IOPS_PER_GIB: Final = 3
GP2_MAXIMUM_IOPS: Final = 16000
GP2_SMALL_GIB: Final = 170
GP2_SMALL_MIBPS: Final = 128
GP2_MAXIMUM_MIBPS: Final = 250
"""https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html: up to 170 GiB 128 MiB/s, above up to 250."""

_MODIFIABLE: Final = frozenset({"available", "in-use"})


def gp3_performance(size_gib: int) -> tuple[int, int]:
    """Return IOPS and MiB/s that a gp3 volume needs to be nowhere slower than a gp2 volume of the size."""
    iops = max(GP3_FREE_IOPS, min(GP2_IOPS_PER_GIB * size_gib, GP2_MAXIMUM_IOPS))
    throughput = max(GP3_FREE_MIBPS, GP2_SMALL_MIBPS if size_gib <= GP2_SMALL_GIB else GP2_MAXIMUM_MIBPS)
    return iops, throughput


def _evaluate(facts: Facts[VolumeFacts], parameters: Parameters) -> Finding | NotRecommended:
    del parameters
    resource = facts.resource
    size = facts.own.size_gb
    if facts.own.volume_type != "gp2":
        return NotRecommended(ID, resource.id, "its type is not gp2")
    if resource.state not in _MODIFIABLE:
        return NotRecommended(ID, resource.id, f"it is {resource.state}")
    if size is None:
        return NotRecommended(ID, resource.id, "its size is not known")
    iops, throughput = gp3_performance(size)
    changed = replace(facts.own, volume_type="gp3", iops=iops, throughput=throughput)
    target = facts.cost_of(with_facts(resource, changed))
    current, future = facts.cost.unrounded_monthly, target.unrounded_monthly
    if current is None or future is None:
        missing = "; ".join(dict.fromkeys((*facts.cost.missing, *target.missing)))
        return NotRecommended(ID, resource.id, f"the saving is not known ({missing})")
    if future >= current:
        return NotRecommended(ID, resource.id, f"gp3 with {iops} IOPS and {throughput} MiB/s would not cost less")
    return Finding(
        check=ID,
        action="ebs_volume_modify",
        parameters={"volumeType": "gp3", "iops": iops, "throughput": throughput},
        new_monthly_cost=future,
        evidence={
            "volumeType": "gp2",
            "sizeGb": size,
            "gp3Iops": iops,
            "gp3ThroughputMibps": throughput,
            "chargedIops": iops - GP3_FREE_IOPS,
            "chargedThroughputMibps": throughput - GP3_FREE_MIBPS,
        },
        target="gp3",
        summary=f"gp3 with {count(iops)} IOPS and {throughput} MiB/s is at least as fast and costs less.",
        facts=(
            EvidenceFact("Size", f"{count(size)} GiB"),
            EvidenceFact("Performance of gp3", f"{count(iops)} IOPS, {throughput} MiB/s: no less than gp2 gives"),
            EvidenceFact(
                "Billed beyond the free baseline",
                f"{count(iops - GP3_FREE_IOPS)} IOPS, {throughput - GP3_FREE_MIBPS} MiB/s (in the new cost)",
            ),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="EBS volume of type gp2",
    kinds=("ebs-volume",),
    documentation="https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html",
    action="ebs_volume_modify",
    action_type=ActionType.UPGRADE,
    effort=Effort.VERY_LOW,
    restart_needed=False,
    rollback_possible=True,
    destructive=False,
    evaluate=_evaluate,
    settled_by_days=lambda _pictures, _parameters: Settled.BY_DAYS,  # it reads no metric
)
