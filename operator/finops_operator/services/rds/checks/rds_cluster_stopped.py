"""Stopped clusters: AWS bills their storage, and starts them again after seven days.

AWS says when it will start a cluster, which is seven days after the stop. So a stop saves for a week at most, and a
cluster that stays away longer is better kept as a snapshot and deleted. One that was stopped for a night is left alone.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.described import parse_time
from finops_operator.plugins.sufficiency import figure
from finops_operator.services.rds.cluster import ClusterFacts
from finops_operator.services.rds.judging.members import member_hours_fact
from finops_operator.services.rds.rules.states import STOPPED

ID: Final = "rds_cluster_stopped"
_RESTARTED_AFTER: Final = timedelta(days=7)
_DAY: Final = timedelta(days=1)


def _evaluate(facts: Facts[ClusterFacts], parameters: Parameters) -> Finding | NotRecommended:
    least = parameters["minimumStoppedDays"]
    restart = parse_time(facts.own.automatic_restart)
    reason = ""
    if facts.resource.state != STOPPED:
        reason = f"it is {facts.resource.state or 'in an unknown state'}, not {STOPPED}"
    if reason or restart is None:
        return NotRecommended(ID, facts.resource.id, reason or "since when it is stopped is not known")
    stopped = (facts.now - (restart - _RESTARTED_AFTER)) / _DAY
    if stopped < float(least):
        return NotRecommended(ID, facts.resource.id, f"it was stopped {figure(stopped)} days ago, {least} are needed")
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=None,
        evidence={
            "stoppedDays": figure(stopped),
            "automaticRestart": restart.isoformat(),
            "thresholdStoppedDays": str(least),
        },
        summary=f"Its storage is billed while it is stopped, and AWS starts it again on {restart:%Y-%m-%d}.",
        facts=(
            EvidenceFact("Stopped for", f"{figure(stopped, 1)} days"),
            EvidenceFact("AWS starts it again", f"{restart:%Y-%m-%d %H:%M} UTC"),
            *member_hours_fact(facts),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="Stopped RDS cluster",
    kinds=("rds-cluster",),
    documentation="https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-cluster-stop-start.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    parameters=(
        ParameterSpec(
            name="minimumStoppedDays",
            unit="days",
            default=Decimal(1),
            minimum=Decimal(0),
            maximum=Decimal(7),
            description="A cluster that was stopped for less than this is left alone.",
        ),
    ),
)
