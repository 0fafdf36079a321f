"""Database instances of classes that AWS calls previous generation: a current class of the size costs no more.

The target is the current class of the same size on processors of the same architecture, so that nothing about the
database changes but its speed, and it is only named where its price is known and no higher. Classes without a current
class of the same size (`db.m3.medium`) are left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.facts import with_facts
from finops_operator.services.rds.instance import DatabaseFacts
from finops_operator.services.rds.judging.apply_time import APPLY_AT_ONCE, apply_of
from finops_operator.services.rds.judging.hour_price import hour_price
from finops_operator.services.rds.rules.states import AVAILABLE

ID: Final = "rds_instance_previous_generation"
_ACTION: Final = "rds_instance_resize"
SUCCESSORS: Final[Mapping[str, str]] = {"t2": "t3", "m3": "m5", "m4": "m5", "r3": "r5", "r4": "r5"}
"""Family of a previous generation → current family whose sizes have no less memory and no fewer processors.

Those to which AWS itself upgrades them: the page linked below gives the schedule of each, t2, m4 and r4 from June 2024,
m3 and r3 from February 2023.
"""

PREVIOUS: Final = frozenset({*SUCCESSORS, "t1", "m1", "m2"})
"""The three without a successor are those that earlier editions of that page call previous generation."""


def _evaluate(facts: Facts[DatabaseFacts], parameters: Parameters) -> Finding | NotRecommended:
    resource, name = facts.resource, facts.own.db_instance_class
    if name is None:
        return NotRecommended(ID, resource.id, "its class is not known")
    _, family, size = (*name.split("."), "", "")[:3]
    if family not in PREVIOUS:
        return NotRecommended(ID, resource.id, f"{name} is no class of a previous generation")
    if resource.state != AVAILABLE:
        return NotRecommended(ID, resource.id, f"it is {resource.state}, not {AVAILABLE}")
    if family not in SUCCESSORS:
        return NotRecommended(ID, resource.id, f"no current class has the size of {name}")
    target = f"db.{SUCCESSORS[family]}.{size}"
    changed = replace(facts.own, db_instance_class=target)
    now, then = hour_price(facts, facts.own), hour_price(facts, changed)
    if now is None or then is None:
        missing = name if now is None else target
        return NotRecommended(ID, resource.id, f"no price for {missing} with its engine in {resource.region}")
    if then > now:
        return NotRecommended(ID, resource.id, f"{target} would cost more")
    alone = facts.own.db_cluster_id == ""
    return Finding(
        check=ID,
        # Advice for a member: its cluster's members stand in for each other, and each is changed in its turn.
        action=_ACTION if alone else "",
        parameters={"dbInstanceClass": target, "apply": apply_of(parameters)} if alone else {},
        new_monthly_cost=facts.cost_of(with_facts(resource, changed)).unrounded_monthly,
        evidence={
            "instanceClass": name,
            "targetClass": target,
            "hourlyPrice": str(now),
            "targetHourlyPrice": str(then),
        },
        summary=f"{name} is of a previous generation; {target} is faster and costs "
        f"{'less' if then < now else 'the same'}.",
        facts=(
            EvidenceFact("Class", f"{name}, {now:f} USD an hour"),
            EvidenceFact("Current class of the size", f"{target}, {then:f} USD an hour"),
            EvidenceFact("Engine", f"{facts.own.engine} {facts.own.engine_version or ''}".strip()),
            EvidenceFact("Before the change", "see whether AWS offers the class for this engine version"),
        ),
        target=target,
    )


CHECK: Final = Check(
    id=ID,
    title="RDS instance of a previous generation",
    kinds=("rds-instance",),
    documentation="https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.Types.html",
    action=_ACTION,
    action_type=ActionType.UPGRADE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
    restart_needed=True,
    parameters=(APPLY_AT_ONCE,),
)
