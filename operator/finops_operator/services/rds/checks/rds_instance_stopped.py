"""Stopped database instances: AWS bills their storage, and starts them again after seven days.

AWS says when it will start an instance, which is seven days after the stop. So a stop saves for a week at most, and a
database that stays away longer is better kept as a snapshot and deleted. One that was stopped for a night is left
alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.described import parse_time
from finops_operator.plugins.sufficiency import figure
from finops_operator.services.rds.instance import DatabaseFacts
from finops_operator.services.rds.judging.hour_price import hour_price
from finops_operator.services.rds.rules.final_snapshot import UNKNOWN_COST, final_snapshot_cost
from finops_operator.services.rds.rules.restart import RESTARTED_AFTER
from finops_operator.services.rds.rules.states import STOPPED
from finops_operator.services.rds.rules.storage import backup_query

ID: Final = "rds_instance_stopped"
_ACTION: Final = "rds_instance_delete"
_DAY: Final = timedelta(days=1)


def _evaluate(facts: Facts[DatabaseFacts], parameters: Parameters) -> Finding | NotRecommended:
    least = parameters["minimumStoppedDays"]
    restart = parse_time(facts.own.automatic_restart)
    reason = _not_judged(facts, restart)
    if reason or restart is None:
        return NotRecommended(ID, facts.resource.id, reason)
    stopped = (facts.now - (restart - RESTARTED_AFTER)) / _DAY
    if stopped < float(least):
        return NotRecommended(ID, facts.resource.id, f"it was stopped {figure(stopped)} days ago, {least} are needed")
    remaining = final_snapshot_cost(facts)
    current = facts.cost.unrounded_monthly
    if remaining is not None and current is not None and remaining >= current:
        return NotRecommended(ID, facts.resource.id, "a final snapshot could cost as much as its storage")
    return Finding(
        check=ID,
        action=_ACTION,
        parameters={},
        new_monthly_cost=remaining,
        # Where a price of its own is missing, a next scan may know the saving.
        saving_knowable=remaining is not None or current is None,
        saving_needs=backup_query(facts.resource.region),
        evidence={
            "stoppedDays": figure(stopped),
            "automaticRestart": restart.isoformat(),
            "allocatedStorageGb": facts.own.allocated_storage_gb,
            "thresholdStoppedDays": str(least),
            "snapshotMonthlyCostAtMost": None if remaining is None else f"{remaining:.2f}",
        },
        summary=f"Its storage is billed while it is stopped, and AWS starts it again on {restart:%Y-%m-%d}.",
        facts=tuple(_facts(facts, restart, stopped, remaining)),
    )


def _not_judged(facts: Facts[DatabaseFacts], restart: datetime | None) -> str:
    if facts.resource.state != STOPPED:
        return f"it is {facts.resource.state}, not {STOPPED}"
    if facts.own.db_cluster_id is None:
        return "whether it is a member of a cluster is not known"
    if facts.own.db_cluster_id:
        return "its cluster was stopped, and the storage is the cluster's"
    return "since when it is stopped is not known" if restart is None else ""


def _facts(
    facts: Facts[DatabaseFacts], restart: datetime, stopped: float, remaining: Decimal | None
) -> Iterator[EvidenceFact]:
    yield EvidenceFact("Stopped for", f"{figure(stopped, 1)} days")
    yield EvidenceFact("AWS starts it again", f"{restart:%Y-%m-%d %H:%M} UTC")
    price = hour_price(facts, facts.own)
    if price is not None:
        running = price * facts.settings.hours_per_month
        yield EvidenceFact("Its hours, once started", f"{running:,.2f} USD a month")
    if facts.own.allocated_storage_gb is not None:
        yield EvidenceFact("Storage, still billed", f"{facts.own.allocated_storage_gb} GiB")
    if remaining is not None:
        yield EvidenceFact("Final snapshot", f"{remaining:,.2f} USD a month at most")
    elif facts.cost.monthly is not None:
        yield EvidenceFact("Saves, at most", f"{facts.cost.monthly:,.2f} USD a month, less what its snapshot costs")


CHECK: Final = Check(
    id=ID,
    title="Stopped RDS instance",
    kinds=("rds-instance",),
    documentation="https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_StopInstance.html",
    action=_ACTION,
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    saving_unknown=UNKNOWN_COST,
    rollback_possible=False,
    destructive=True,
    parameters=(
        ParameterSpec(
            name="minimumStoppedDays",
            unit="days",
            default=Decimal(1),
            minimum=Decimal(0),
            maximum=Decimal(7),
            description="An instance that was stopped for less than this is left alone.",
        ),
    ),
)
