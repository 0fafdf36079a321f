"""Database instances on x86 processors: the Graviton class of the size costs less, and applications see no difference.

MySQL, MariaDB, PostgreSQL and Aurora run on Graviton; Oracle, SQL Server and Db2 do not. The engine version must be one
that RDS offers there, which the evidence asks to be seen to: RDS refuses the change otherwise. Members of a Multi-AZ
cluster are billed with their cluster and are not judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from finops.domain.price import PriceQuery
from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.other_type import cheapest, finding, in_families
from finops_operator.services.rds.instance import DatabaseFacts, fixed_hour_query, hour_query
from finops_operator.services.rds.rules.engines import is_aurora
from finops_operator.services.rds.rules.states import AVAILABLE

ID: Final = "rds_instance_graviton"
FAMILIES: Final[Mapping[str, tuple[str, ...]]] = {
    "t3": ("t4g",),
    "m5": ("m6g", "m7g"),
    "m6i": ("m6g", "m7g"),
    "r5": ("r6g", "r7g"),
    "r6i": ("r6g", "r7g"),
}
"""Family → Graviton families with as much memory and as many virtual CPUs in the same size."""

_ENGINES: Final = frozenset({"mysql", "mariadb", "postgres"})


def _evaluate(facts: Facts[DatabaseFacts], parameters: Parameters) -> Finding | NotRecommended:
    del parameters
    own, name = facts.own, facts.own.db_instance_class or ""
    now = _not_judged(facts) or fixed_hour_query(facts.resource.region, own)
    if isinstance(now, str):
        return NotRecommended(ID, facts.resource.id, now)
    product = dict(now.attributes)

    def query(one: str) -> PriceQuery:
        return hour_query(facts.resource.region, one, product["engine"], product["deployment"])

    change = cheapest(facts, name, in_families(name, FAMILIES), query, at_par=False)
    if isinstance(change, str):
        return NotRecommended(ID, facts.resource.id, change)
    changed = with_facts(facts.resource, replace(own, db_instance_class=change.target))
    return finding(
        ID,
        change,
        facts.cost_of(changed).unrounded_monthly,
        f"{change.target} runs on Graviton, has as much memory as {name} and costs less.",
        EvidenceFact("Engine", f"{own.engine} {own.engine_version or ''}".strip()),
        EvidenceFact("Before the change", "see whether AWS offers the class for this engine version"),
    )


def _not_judged(facts: Facts[DatabaseFacts]) -> str:
    own, state = facts.own, facts.resource.state
    if own.db_instance_class is None:
        return "its class is not known"
    if state != AVAILABLE:
        return f"it is {state}, not {AVAILABLE}"
    if own.engine not in _ENGINES and not is_aurora(own.engine):
        return f"{own.engine or 'an engine that AWS did not name'} does not run on Graviton"
    return (
        ""
        if in_families(own.db_instance_class, FAMILIES)
        else (f"no Graviton class takes the place of {own.db_instance_class}")
    )


CHECK: Final = Check(
    id=ID,
    title="RDS instance without Graviton",
    kinds=("rds-instance",),
    documentation="https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.Types.html",
    action_type=ActionType.UPGRADE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
    restart_needed=True,
)
