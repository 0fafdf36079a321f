"""Manual snapshots of databases that no longer exist: AWS bills them until somebody deletes them.

The last snapshot of a deleted database may be its archive, so that this is advice for its owner, and a young one is
left alone: a database is often restored within a month. AWS publishes no threshold; thirty days are the habit of other
tools. A copy from another account or region is not judged, because its database was there.
"""

from __future__ import annotations

from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.services.rds.judging.aged_snapshot import SAVING_UNKNOWN, aged, minimum_age
from finops_operator.services.rds.snapshot import SnapshotFacts

ID: Final = "rds_snapshot_orphaned"


def _evaluate(facts: Facts[SnapshotFacts], parameters: Parameters) -> Finding | NotRecommended:
    own = facts.own
    return aged(
        ID,
        facts,
        parameters,
        _spared(own),
        lambda age: f"Its database no longer exists, and the snapshot is {age:,} days old.",
        EvidenceFact("Its database", f"a deleted {own.snapshot_of}, {own.engine or 'engine unknown'}"),
    )


def _spared(own: SnapshotFacts) -> str:
    if own.source_exists is None:
        return "whether its database exists is not known"
    return "its database exists" if own.source_exists else ""


CHECK: Final = Check(
    id=ID,
    title="RDS snapshot of a deleted database",
    kinds=("rds-snapshot",),
    documentation="https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_DeleteSnapshot.html",
    saving_unknown=SAVING_UNKNOWN,
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    parameters=(minimum_age(30),),
)
