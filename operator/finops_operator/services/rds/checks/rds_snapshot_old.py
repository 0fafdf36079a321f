"""Old manual snapshots of databases that still exist: automated backups end with their retention, these never do.

AWS publishes no threshold; ninety days are the habit of other tools. Snapshots of deleted databases are the affair of
`rds_snapshot_orphaned`. A snapshot that an audit or a law asks for should carry the tag that protects it.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.services.rds.judging.upper_bound import at_most, size_facts
from finops_operator.services.rds.snapshot import AVAILABLE, SnapshotFacts

ID: Final = "rds_snapshot_old"


def _evaluate(facts: Facts[SnapshotFacts], parameters: Parameters) -> Finding | NotRecommended:
    least, created = parameters["minimumAgeDays"], facts.resource.created
    reason = ""
    if facts.resource.state != AVAILABLE:
        reason = f"it is {facts.resource.state or 'in an unknown state'}, not {AVAILABLE}"
    elif facts.own.source_exists is None and not facts.own.copied_from_elsewhere:
        reason = "whether its database exists is not known"
    elif facts.own.source_exists is False:
        reason = "its database no longer exists, and it may be the last copy"
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
        summary=f"The snapshot was made by hand {age:,} days ago and does not end by itself.",
        facts=(
            EvidenceFact("Age", f"{age:,} days"),
            EvidenceFact("Engine", f"{facts.own.engine or 'unknown'} {facts.own.engine_version or ''}".strip()),
            *size_facts(facts),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="Old RDS snapshot",
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
            default=Decimal(90),
            minimum=Decimal(1),
            maximum=Decimal(3650),
            description="A snapshot younger than this is left alone.",
        ),
    ),
)
