"""Databases that leave most of their storage free: AWS bills what is allocated, in two zones twice.

AWS publishes no threshold; half of it free at all times is ours. Storage cannot shrink in place. For MySQL, MariaDB
and PostgreSQL a blue/green deployment makes a copy with less of it and switches over, which is work for people; other
engines would have to be exported and imported, and are not judged. The storage that is named keeps room free and is no
slower: it stays above the size from which RDS stripes it, and keeps the IOPS that gp2 and io1 give by the gigabyte.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops.domain.utilization import MetricSummary
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.measured import count, percent, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import measured_days, not_measured, summaries, too_young
from finops_operator.services.rds.instance import DatabaseFacts
from finops_operator.services.rds.judging.storage_use import storage_use
from finops_operator.services.rds.rules.states import AVAILABLE
from finops_operator.services.rds.rules.storage import GP2, least_size

ID: Final = "rds_instance_storage_overprovisioned"
_FREE: Final = "freeStorageSpace"
_BY_COPY: Final = frozenset({"mysql", "mariadb", "postgres"})
"""Engines of which RDS makes blue/green deployments."""
_GIB: Final = 2**30
_FULL: Final = 100
_STEP_GIB: Final = 10
"""Targets are whole steps, so that a scan of the next day does not ask for a slightly different one."""


@dataclass(frozen=True, slots=True)
class _Room:
    """Allocated and used at most, in GiB, and what is enough."""

    size: int
    used: float
    target: int
    free: MetricSummary


def _evaluate(facts: Facts[DatabaseFacts], parameters: Parameters) -> Finding | NotRecommended:
    room = _not_judged(facts, parameters) or _room(facts, parameters)
    if isinstance(room, str):
        return NotRecommended(ID, facts.resource.id, room)
    changed = with_facts(facts.resource, replace(facts.own, allocated_storage_gb=room.target))
    free = _FULL * (1 - room.used / room.size)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=facts.cost_of(changed).unrounded_monthly,
        evidence={
            "allocatedGib": room.size,
            "usedGib": figure(room.used, 1),
            "freePercent": figure(free),
            "targetGib": room.target,
            "thresholdFreePercent": str(parameters["minimumFreePercent"]),
            **coverage_evidence(room.free),
        },
        summary=f"At least {percent(free)} of its {count(room.size)} GiB were free at all times. Storage cannot "
        "shrink in place: a blue/green deployment with less of it takes over.",
        facts=tuple(_facts(facts.own, room, parameters)),
        target=f"{room.target} GiB",
    )


def _not_judged(facts: Facts[DatabaseFacts], parameters: Parameters) -> str:
    own, state = facts.own, facts.resource.state
    if own.db_cluster_id is None or own.replicates_from is None:
        return "whether it belongs to others is not known"
    if own.db_cluster_id:
        return "it is a member of a cluster"
    if own.replicates_from:
        return "it is a replica, whose storage is its source's"
    if own.engine not in _BY_COPY:
        return f"AWS offers no way to less storage of {own.engine or 'an engine that it did not name'}"
    if own.allocated_storage_gb is None or own.storage_type is None:
        return "its storage is not known"
    if own.additional_volumes:
        return "it has storage volumes beside the first"
    if own.allocated_storage_gb < parameters["minimumStorageGib"]:
        return f"it has {own.allocated_storage_gb} GiB, {parameters['minimumStorageGib']} are needed"
    return "" if state == AVAILABLE else f"it is {state}, not {AVAILABLE}"


def _room(facts: Facts[DatabaseFacts], parameters: Parameters) -> _Room | str:
    own, days = facts.own, parameters["minimumMeasuredDays"]
    size, kept = own.allocated_storage_gb or 0, parameters["keptFreePercent"]
    reason = too_young(facts, days) or not_measured(facts, (_FREE,), days)
    if reason:
        return reason
    (free,) = summaries(facts, (_FREE,))
    used = max(0.0, size - free.lowest / _GIB)
    share = _FULL * (1 - used / size)
    if share < parameters["minimumFreePercent"]:
        return (
            f"{percent(share)} of its storage were free at its fullest, {parameters['minimumFreePercent']} % are needed"
        )
    iops = 0.0
    if own.storage_type == GP2:
        use = storage_use(facts, days)
        if isinstance(use, str):
            return f"its IOPS fall with its size, and {use}"
        iops = use.iops
    enough = used * _FULL / float(_FULL - kept)
    least = least_size(own.engine or "", own.storage_type or "", size, max(iops, own.storage_iops or 0))
    target = math.ceil(max(enough, least) / _STEP_GIB) * _STEP_GIB
    return _Room(size, used, target, free) if target < size else "less storage would be slower than what it uses"


def _facts(own: DatabaseFacts, room: _Room, parameters: Parameters) -> Iterator[EvidenceFact]:
    yield EvidenceFact("Allocated", f"{count(room.size)} GiB of {own.storage_type}{', twice' if own.multi_az else ''}")
    yield EvidenceFact("Used, at most", f"{figure(room.used, 1)} GiB")
    yield EvidenceFact("Enough", f"{count(room.target)} GiB with {parameters['keptFreePercent']} % or more free")
    yield window_fact(room.free)
    yield EvidenceFact("Engine", f"{own.engine} {own.engine_version or ''}".strip())
    yield EvidenceFact(
        "How to change it", "create a blue/green deployment with less storage, test it, switch over, delete the old one"
    )
    yield EvidenceFact("Meanwhile", "both databases are billed; the switch interrupts connections for about a minute")


CHECK: Final = Check(
    id=ID,
    title="RDS instance with too much storage",
    kinds=("rds-instance",),
    documentation="https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/blue-green-deployments-creating.html",
    action_type=ActionType.RIGHTSIZE,
    effort=Effort.HIGH,
    evaluate=_evaluate,
    restart_needed=True,
    parameters=(
        measured_days("its free storage"),
        ParameterSpec(
            name="minimumFreePercent",
            unit="percent",
            default=Decimal(50),
            minimum=Decimal(20),
            maximum=Decimal(95),
            description="A database with less of its storage free at any time stays as it is.",
        ),
        ParameterSpec(
            name="keptFreePercent",
            unit="percent",
            default=Decimal(30),
            minimum=Decimal(10),
            maximum=Decimal(80),
            description="Share of the smaller storage that stays free at its fullest.",
        ),
        ParameterSpec(
            name="minimumStorageGib",
            unit="GiB",
            default=Decimal(100),
            minimum=Decimal(20),
            maximum=Decimal(65536),
            description="A database with less storage is left alone.",
        ),
    ),
)
