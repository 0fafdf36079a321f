"""Old manual snapshots of databases that still exist: automated backups end with their retention, these never do.

AWS publishes no threshold; ninety days are the habit of other tools. Snapshots of deleted databases are the affair of
`rds_snapshot_orphaned`. A snapshot that an audit or a law asks for should carry the tag that protects it.
"""

from __future__ import annotations

from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.services.rds.judging.aged_snapshot import SAVING_UNKNOWN, aged, minimum_age
from finops_operator.services.rds.snapshot import SnapshotFacts

ID: Final = "rds_snapshot_old"
_ACTION: Final = "rds_snapshot_delete"


def _evaluate(facts: Facts[SnapshotFacts], parameters: Parameters) -> Finding | NotRecommended:
    return aged(
        ID,
        facts,
        parameters,
        _spared(facts.own),
        lambda age: f"The snapshot was made by hand {age:,} days ago and does not end by itself.",
        EvidenceFact("Engine", f"{facts.own.engine or 'unknown'} {facts.own.engine_version or ''}".strip()),
        "" if facts.own.copied_from_elsewhere else _ACTION,
    )


def _spared(own: SnapshotFacts) -> str:
    if own.source_exists is None and not own.copied_from_elsewhere:
        return "whether its database exists is not known"
    return "its database no longer exists, and it may be the last copy" if own.source_exists is False else ""


CHECK: Final = Check(
    id=ID,
    title="Old RDS snapshot",
    kinds=("rds-snapshot",),
    documentation="https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_DeleteSnapshot.html",
    action=_ACTION,
    saving_unknown=SAVING_UNKNOWN,
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    parameters=(minimum_age(90),),
)
