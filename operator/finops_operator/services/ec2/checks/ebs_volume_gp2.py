"""EBS volumes of the older type gp2: gp3 with the IOPS and throughput that the volume needs usually costs less.

IOPS and throughput are explicit and priced: AWS provisions gp2's nominal figures when they are left out, and bills
them, which many tools forget. A volume of up to 170 GiB gets 125 MiB/s, which are free, unless more was seen of it. A
larger one gets what it used in its busiest 5 minutes with headroom, as far as that was measured, never more than gp2
gives and never less than is free; where its use is not known, it gets all that gp2 gives. What quiet hours hold bounds
their 5 minutes, so that only busy volumes are measured by 5 minutes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from finops.domain.canonical import Json
from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.measured import count, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import measured_days, too_young
from finops_operator.services.ec2.judging.busiest import Busiest, busiest_by_hours, busiest_seen
from finops_operator.services.ec2.volume import GP2_SMALL_GIB, GP3_FREE_IOPS, GP3_FREE_MIBPS, VolumeFacts

ID: Final = "ebs_volume_gp2"
GP2_IOPS_PER_GIB: Final = 3
GP2_MAXIMUM_IOPS: Final = 16000
GP2_SMALL_MIBPS: Final = 128
GP2_MAXIMUM_MIBPS: Final = 250
"""https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html: up to 170 GiB 128 MiB/s, above up to 250."""

_MODIFIABLE: Final = frozenset({"available", "in-use"})
_IOPS_STEP: Final = 500
_MIBPS_STEP: Final = 25
"""Targets are whole steps, so that a scan of the next day does not ask for a slightly different one."""


@dataclass(frozen=True, slots=True)
class Performance:
    """IOPS and MiB/s of the target, and what they were chosen by; `busiest` is None where all of gp2's are kept."""

    iops: int
    throughput: int
    busiest: Busiest | None = None


def nominal(size_gib: int) -> Performance:
    """Return what a gp3 volume needs to be nowhere slower than a gp2 volume of the size."""
    iops = max(GP3_FREE_IOPS, min(GP2_IOPS_PER_GIB * size_gib, GP2_MAXIMUM_IOPS))
    return Performance(iops, max(GP3_FREE_MIBPS, GP2_SMALL_MIBPS if size_gib <= GP2_SMALL_GIB else GP2_MAXIMUM_MIBPS))


def needed(size_gib: int, busiest: Busiest, headroom_percent: float) -> Performance:
    """Return what carries the busiest 5 minutes with headroom, between what is free and what gp2 gives."""
    most, roomy = nominal(size_gib), 1 + headroom_percent / 100
    iops = max(GP3_FREE_IOPS, math.ceil(busiest.iops * roomy / _IOPS_STEP) * _IOPS_STEP)
    throughput = max(GP3_FREE_MIBPS, math.ceil(busiest.mibps * roomy / _MIBPS_STEP) * _MIBPS_STEP)
    return Performance(min(most.iops, iops), min(most.throughput, throughput), busiest)


def _performance(facts: Facts[VolumeFacts], size: int, parameters: Parameters) -> Performance:
    days, whole = parameters["minimumMeasuredDays"], nominal(size)
    judged = facts.resource.state == "in-use" and not too_young(facts, days)
    seen = busiest_seen(facts, days) if judged else ""
    if size <= GP2_SMALL_GIB:
        more = isinstance(seen, Busiest) and seen.mibps > GP3_FREE_MIBPS
        return whole if more else replace(whole, throughput=GP3_FREE_MIBPS)
    # Measured by 5 minutes it is known exactly; whole hours only say what no 5 minutes exceeded.
    busiest = busiest_by_hours(facts, days) if judged and isinstance(seen, str) else seen
    return needed(size, busiest, float(parameters["headroomPercent"])) if isinstance(busiest, Busiest) else whole


def _evaluate(facts: Facts[VolumeFacts], parameters: Parameters) -> Finding | NotRecommended:
    resource = facts.resource
    size = facts.own.size_gb
    if facts.own.volume_type != "gp2":
        return NotRecommended(ID, resource.id, "its type is not gp2")
    if resource.state not in _MODIFIABLE:
        return NotRecommended(ID, resource.id, f"it is {resource.state}")
    if size is None:
        return NotRecommended(ID, resource.id, "its size is not known")
    chosen = _performance(facts, size, parameters)
    iops, throughput = chosen.iops, chosen.throughput
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
        evidence=_evidence(size, chosen, parameters),
        target="gp3",
        summary=f"gp3 with {count(iops)} IOPS and {throughput} MiB/s {_carries(size, chosen)} and costs less.",
        facts=tuple(_facts(size, chosen, parameters)),
    )


def _carries(size: int, chosen: Performance) -> str:
    if _keeps_all(size, chosen):
        return "is at least as fast"
    return "carries what it uses" if chosen.busiest else "is about as fast"


def _keeps_all(size: int, chosen: Performance) -> bool:
    most = nominal(size)
    return chosen.iops >= most.iops and chosen.throughput >= most.throughput


def _evidence(size: int, chosen: Performance, parameters: Parameters) -> dict[str, Json]:
    used: dict[str, Json] = {}
    if chosen.busiest is not None:
        used = {
            "highestIops": figure(chosen.busiest.iops),
            "highestThroughputMibps": figure(chosen.busiest.mibps),
            "thresholdHeadroomPercent": str(parameters["headroomPercent"]),
            **coverage_evidence(chosen.busiest.window),
        }
    return {
        "volumeType": "gp2",
        "sizeGb": size,
        "gp3Iops": chosen.iops,
        "gp3ThroughputMibps": chosen.throughput,
        "chargedIops": chosen.iops - GP3_FREE_IOPS,
        "chargedThroughputMibps": chosen.throughput - GP3_FREE_MIBPS,
        **used,
    }


def _facts(size: int, chosen: Performance, parameters: Parameters) -> Iterator[EvidenceFact]:
    most, given = nominal(size), f"{count(chosen.iops)} IOPS, {chosen.throughput} MiB/s"
    yield EvidenceFact("Size", f"{count(size)} GiB")
    if _keeps_all(size, chosen):
        yield EvidenceFact("Performance of gp3", f"{given}: no less than gp2 gives")
    else:
        gives = f"gp2 gives up to {count(most.iops)} IOPS and {most.throughput} MiB/s"
        yield EvidenceFact("Performance of gp3", f"{given}; {gives}")
    if chosen.busiest is not None:
        most_used = f"{count(chosen.busiest.iops)} IOPS, {figure(chosen.busiest.mibps, 1)} MiB/s"
        label = "Used in the busiest 5 minutes" + ("" if chosen.busiest.seen else ", no more than")
        yield EvidenceFact(label, most_used)
        yield EvidenceFact("Headroom on top", f"{parameters['headroomPercent']} %; bursts of seconds are not seen")
        yield window_fact(chosen.busiest.window)
    yield EvidenceFact(
        "Billed beyond the free baseline",
        f"{count(chosen.iops - GP3_FREE_IOPS)} IOPS, {chosen.throughput - GP3_FREE_MIBPS} MiB/s (in the new cost)",
    )


def _wants_fine(facts: Facts[Any], parameters: Parameters) -> bool:
    """Ask for 5 minutes of a larger volume only where its hours leave open that it needs more than what is free."""
    own: VolumeFacts = facts.own
    days, size = parameters["minimumMeasuredDays"], own.size_gb
    if own.volume_type != "gp2" or facts.resource.state != "in-use" or size is None or size <= GP2_SMALL_GIB:
        return False
    bound = "young" if too_young(facts, days) else busiest_by_hours(facts, days)
    if isinstance(bound, str):
        return False
    least = needed(size, bound, float(parameters["headroomPercent"]))
    return least.iops > GP3_FREE_IOPS or least.throughput > GP3_FREE_MIBPS


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
    parameters=(
        ParameterSpec(
            name="headroomPercent",
            unit="percent",
            default=Decimal(20),
            minimum=Decimal(0),
            maximum=Decimal(200),
            description="Room above the busiest 5 minutes that a volume of more than 170 GiB keeps.",
        ),
        measured_days("reads and writes"),
    ),
    wants_fine=_wants_fine,
)
