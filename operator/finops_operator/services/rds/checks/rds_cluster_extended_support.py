"""Database clusters past the standard support of their version: AWS bills every vCPU for each hour until the upgrade.

AWS says itself when standard support of a version ends, and the parameter says how long before that the advice begins.
A cluster is upgraded with all of its members, and the charge counts their virtual CPUs.
"""

from __future__ import annotations

from typing import Final

from finops.domain.recommendation import ActionType, Effort, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.services.rds.cluster import ClusterFacts
from finops_operator.services.rds.judging.extended_support import NOTICE, PAGE, Version, judge

ID: Final = "rds_cluster_extended_support"


def _evaluate(facts: Facts[ClusterFacts], parameters: Parameters) -> Finding | NotRecommended:
    own = facts.own

    version = Version(own.engine, own.engine_version, own.engine_lifecycle_support)
    return judge(ID, facts, version, parameters)


CHECK: Final = Check(
    id=ID,
    title="RDS cluster in extended support",
    kinds=("rds-cluster",),
    documentation=PAGE,
    action_type=ActionType.UPGRADE,
    effort=Effort.HIGH,
    evaluate=_evaluate,
    restart_needed=True,
    rollback_possible=False,
    parameters=(NOTICE,),
)
