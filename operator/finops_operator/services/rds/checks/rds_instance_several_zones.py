"""Databases of test and development environments that stand in two zones: hours and storage cost twice as much.

A second zone keeps a database up when the first one fails, which AWS recommends for production. The environment is read
from the tags that people use for it; a database without such a tag, or with one that means production, is left alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.environment import environment_of
from finops_operator.plugins.facts import with_facts
from finops_operator.services.rds.instance import DatabaseFacts
from finops_operator.services.rds.rules.states import AVAILABLE

ID: Final = "rds_instance_several_zones"


def _evaluate(facts: Facts[DatabaseFacts], parameters: Parameters) -> Finding | NotRecommended:
    del parameters
    own, environment = facts.own, environment_of(facts.resource.tags)
    reason = _not_judged(facts)
    if not reason and environment is None:
        reason = "no tag says that it is for tests or development"
    if reason or environment is None:
        return NotRecommended(ID, facts.resource.id, reason)
    single = with_facts(facts.resource, replace(own, multi_az=False))
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=facts.cost_of(single).unrounded_monthly,
        evidence={"environmentTag": environment, "multiAz": True},
        summary="A tag says that it is not for production, and it stands in two zones, which doubles its cost.",
        facts=(
            EvidenceFact("Zones", "two"),
            EvidenceFact("Tag", environment),
            EvidenceFact("Engine", f"{own.engine} {own.engine_version or ''}".strip()),
            EvidenceFact("After the change", "a failure of its zone stops it until AWS or a snapshot brings it back"),
        ),
        target="single zone",
    )


def _not_judged(facts: Facts[DatabaseFacts]) -> str:
    own, state = facts.own, facts.resource.state
    if state != AVAILABLE:
        return f"it is {state}, not {AVAILABLE}"
    if own.multi_az is None or own.db_cluster_id is None:
        return "whether it stands in several zones is not known"
    if own.db_cluster_id:
        return "it is a member of a cluster"
    return "" if own.multi_az else "it stands in one zone"


CHECK: Final = Check(
    id=ID,
    title="RDS instance in two zones outside production",
    kinds=("rds-instance",),
    documentation="https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.MultiAZSingleStandby.html",
    action_type=ActionType.RIGHTSIZE,
    effort=Effort.LOW,
    evaluate=_evaluate,
)
