"""Manual snapshots of databases that no longer exist: AWS bills them until somebody deletes them.

The last snapshot of a deleted database may be its archive, so that this is advice for its owner, and a young one is
left alone: a database is often restored within a month. AWS publishes no threshold; thirty days are the habit of other
tools. A copy from another account or region is not judged, because its database was there.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.services.rds.judging.upper_bound import at_most, size_facts
from finops_operator.services.rds.snapshot import AVAILABLE, SnapshotFacts

ID: Final = "rds_snapshot_orphaned"


def _evaluate(facts: Facts[SnapshotFacts], parameters: Parameters) -> Finding | NotRecommended:
    least, created = parameters["minimumAgeDays"], facts.resource.created
    reason = ""
    if facts.resource.state != AVAILABLE:
        reason = f"it is {facts.resource.state or 'in an unknown state'}, not {AVAILABLE}"
    elif facts.own.source_exists is None:
        reason = "whether its database exists is not known"
    elif facts.own.source_exists:
        reason = "its database exists"
    if reason or created is None:
        return NotRecommended(ID, facts.resource.id, reason or "its age is not known")
    age = (facts.now - created) // timedelta(days=1)
    if age < least:
        return NotRecommended(ID, facts.resource.id, f"it is {age} days old, {least} are needed")
    cost = at_most(facts)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={
            "ageDays": age,
            "sizeGb": facts.own.size_gb,
            "monthlyCostAtMost": None if cost is None else f"{cost:.2f}",
            "thresholdAgeDays": str(least),
        },
        summary=f"Its database no longer exists, and the snapshot is {age:,} days old.",
        facts=(
            EvidenceFact("Age", f"{age:,} days"),
            EvidenceFact("Its database", f"a deleted {facts.own.snapshot_of}, {facts.own.engine or 'engine unknown'}"),
            *size_facts(facts),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="RDS snapshot of a deleted database",
    kinds=("rds-snapshot",),
    documentation="https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_DeleteSnapshot.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    parameters=(
        ParameterSpec(
            name="minimumAgeDays",
            unit="days",
            default=Decimal(30),
            minimum=Decimal(1),
            maximum=Decimal(3650),
            description="A snapshot younger than this is left alone.",
        ),
    ),
)
