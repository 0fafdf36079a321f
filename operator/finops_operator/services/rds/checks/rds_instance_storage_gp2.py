"""Databases on storage of the older type gp2: gp3 gives more at any size and costs no more in most regions.

RDS sells both at one price in most regions, so that this seldom saves by itself; it ends the need to buy gigabytes
for their IOPS. gp3 includes 3,000 IOPS and 125 MiB/s, and from 400 GiB on (Oracle: 200), where RDS stripes storage
over four volumes, 12,000 and 500. A database gets what is included where that carries its busiest minute with headroom,
and more of it only where it needs more and more can be had; where its use is not known, gp3 must give what gp2 gives.
gp3 is not advised where it would cost more or where its price is not known.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from finops.domain.canonical import Json
from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.measured import count, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import measured_days
from finops_operator.services.rds.instance import DatabaseFacts
from finops_operator.services.rds.judging.storage_use import StorageUse, storage_use
from finops_operator.services.rds.rules.states import AVAILABLE
from finops_operator.services.rds.rules.storage import (
    GP2,
    GP3,
    Performance,
    given_by_gp2,
    included_with_gp3,
    more_can_be_had,
)

ID: Final = "rds_instance_storage_gp2"
SMALLEST_GB: Final = 20
"""gp3 is not offered with less; gp2 begins at 5 GiB."""
_AS_FAST: Final = 0.95
"""125 MiB/s of gp3 against the 128 of a small gp2 volume."""
_IOPS_STEP: Final = 1000
_MIBPS_STEP: Final = 25


@dataclass(frozen=True, slots=True)
class _Target:
    """What gp3 gives, what is included of it, and what it was chosen by; `use` is None where that is not known."""

    performance: Performance
    included: Performance
    use: StorageUse | None


def _evaluate(facts: Facts[DatabaseFacts], parameters: Parameters) -> Finding | NotRecommended:
    own = facts.own
    size = own.allocated_storage_gb
    reason = _not_judged(facts)
    if reason or size is None:
        return NotRecommended(ID, facts.resource.id, reason or "the size of its storage is not known")
    target = _target(facts, size, parameters)
    if isinstance(target, str):
        return NotRecommended(ID, facts.resource.id, target)
    iops, throughput = target.performance.iops, target.performance.throughput
    changed = replace(own, storage_type=GP3, storage_iops=iops, storage_throughput=throughput)
    after = facts.cost_of(with_facts(facts.resource, changed))
    now, then = facts.cost.unrounded_monthly, after.unrounded_monthly
    if now is None or then is None:
        missing = "; ".join(dict.fromkeys((*facts.cost.missing, *after.missing)))
        return NotRecommended(ID, facts.resource.id, f"the saving is not known ({missing})")
    if then > now:
        return NotRecommended(ID, facts.resource.id, f"gp3 with {iops} IOPS and {throughput} MiB/s would cost more")
    cheaper = "less" if then < now else "the same"
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=then,
        evidence=_evidence(size, target, parameters),
        summary=f"gp3 gives {count(iops)} IOPS and {throughput} MiB/s at its size and costs {cheaper}.",
        facts=tuple(_facts(own, size, target)),
        target=GP3,
    )


def _not_judged(facts: Facts[DatabaseFacts]) -> str:
    own, state = facts.own, facts.resource.state
    if own.storage_type != GP2:
        return f"its storage is of type {own.storage_type or 'that AWS did not name'}, not {GP2}"
    if own.db_cluster_id != "":
        return (
            "it is a member of a cluster" if own.db_cluster_id else "whether it is a member of a cluster is not known"
        )
    if own.engine is None or own.allocated_storage_gb is None:
        return "its engine is not known" if own.engine is None else "the size of its storage is not known"
    if own.allocated_storage_gb < SMALLEST_GB:
        return f"it has {own.allocated_storage_gb} GiB, and gp3 begins at {SMALLEST_GB}"
    return "" if state == AVAILABLE else f"it is {state}, not {AVAILABLE}"


def _target(facts: Facts[DatabaseFacts], size: int, parameters: Parameters) -> _Target | str:
    engine = facts.own.engine or ""
    included, gp2 = included_with_gp3(engine, size), given_by_gp2(engine, size)
    use = storage_use(facts, parameters["minimumMeasuredDays"])
    as_fast = included.throughput >= math.floor(gp2.throughput * _AS_FAST)
    most = gp2.iops, included.throughput if as_fast else gp2.throughput
    if isinstance(use, str):
        wanted, why = most, f"gp2 gives more, and {use}"
    else:
        roomy = 1 + float(parameters["headroomPercent"]) / 100
        wanted = (min(math.ceil(use.iops * roomy), most[0]), min(math.ceil(use.mibps * roomy), most[1]))
        why = f"it needs {count(wanted[0])} IOPS and {wanted[1]} MiB/s"
    needed = Performance(
        _at_least(included.iops, wanted[0], _IOPS_STEP), _at_least(included.throughput, wanted[1], _MIBPS_STEP)
    )
    if needed != included and (isinstance(use, str) or not more_can_be_had(engine, size)):
        return f"gp3 of {count(size)} GiB gives {count(included.iops)} IOPS and {included.throughput} MiB/s: {why}"
    return _Target(needed, included, None if isinstance(use, str) else use)


def _at_least(included: int, wanted: int, step: int) -> int:
    """Return what is included where it is enough, else the next whole step, which stays the same from day to day."""
    return included if wanted <= included else math.ceil(wanted / step) * step


def _evidence(size: int, target: _Target, parameters: Parameters) -> dict[str, Json]:
    known: dict[str, Json] = {
        "storageType": GP2,
        "sizeGb": size,
        "gp3Iops": target.performance.iops,
        "gp3ThroughputMibps": target.performance.throughput,
        "chargedIops": target.performance.iops - target.included.iops,
        "chargedThroughputMibps": target.performance.throughput - target.included.throughput,
    }
    if target.use is None:
        return known
    return {
        **known,
        "highestIops": figure(target.use.iops),
        "highestThroughputMibps": figure(target.use.mibps),
        "thresholdHeadroomPercent": str(parameters["headroomPercent"]),
        **coverage_evidence(target.use.window),
    }


def _facts(own: DatabaseFacts, size: int, target: _Target) -> Iterator[EvidenceFact]:
    gp2 = given_by_gp2(own.engine or "", size)
    yield EvidenceFact("Storage", f"{count(size)} GiB{', in two zones' if own.multi_az else ''}")
    yield EvidenceFact("gp2 of that size, at most", f"{count(gp2.iops)} IOPS in bursts, {gp2.throughput} MiB/s")
    yield EvidenceFact(
        "gp3, included", f"{count(target.included.iops)} IOPS, {target.included.throughput} MiB/s all the time"
    )
    if target.use is not None:
        used = f"{count(target.use.iops)} IOPS, {figure(target.use.mibps, 1)} MiB/s"
        yield EvidenceFact("Used in the busiest minute, no more than", used)
        yield window_fact(target.use.window)
    yield EvidenceFact(
        "During the change", "it stays available and may be slower for hours; no further change for six hours"
    )


CHECK: Final = Check(
    id=ID,
    title="RDS storage of type gp2",
    kinds=("rds-instance",),
    documentation="https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html",
    action_type=ActionType.UPGRADE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    parameters=(
        ParameterSpec(
            name="headroomPercent",
            unit="percent",
            default=Decimal(20),
            minimum=Decimal(0),
            maximum=Decimal(200),
            description="Room above the busiest minute that the storage keeps.",
        ),
        measured_days("reads and writes"),
    ),
)
