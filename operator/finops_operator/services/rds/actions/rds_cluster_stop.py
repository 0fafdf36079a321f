"""Stop an Aurora cluster with all its instances; its inverse is start. Storage and backups are still billed.

Parameter: `endState`, `available` for the undo of an earlier stop, which starts the cluster; none for a stop.
AWS starts it again by itself after seven days, because a stopped cluster misses its maintenance. Whoever starts it
meanwhile has taken it back: the act ends and leaves it alone. How that is seen: `finops_operator.plugins.pausing`.
Source: Amazon Aurora user guide, "Stopping and starting an Amazon Aurora DB cluster"; RDS API reference, StopDBCluster.
"""

from __future__ import annotations

from typing import Final

from finops.domain.execution import Observation
from finops.domain.plan import Plan
from finops.domain.recommendation import Effort
from finops_operator.plugins.action import (
    Action,
    ActSample,
    ActWords,
    CallRules,
    OwnerChange,
    Parameters,
    PolicyFacts,
    Refusal,
    Rights,
)
from finops_operator.plugins.pausing import Pausing
from finops_operator.plugins.session_policy import on_its_arn
from finops_operator.plugins.watched import LIST_ALARMS
from finops_operator.services.rds.rules.cluster_observation import (
    CLUSTER,
    READ,
    REPEATED,
    START,
    STOP,
    found_cluster,
    observe_cluster,
)
from finops_operator.services.rds.rules.cluster_refusals import start_refusals, stop_refusals, stop_warnings
from finops_operator.services.rds.rules.deployments import READ_DEPLOYMENTS
from finops_operator.services.rds.rules.members import OPERATION as MEMBERS
from finops_operator.services.rds.rules.pause_watch import pause_watch
from finops_operator.services.rds.rules.pause_words import start_words, stop_words
from finops_operator.services.rds.rules.restart import RESTARTED_AFTER
from finops_operator.services.rds.rules.states import AVAILABLE, STOPPED

_PAUSING: Final = Pausing("rds_cluster_stop", CLUSTER, STOPPED)
_BILLED: Final = "its storage and its backups"


def _preflight(observation: Observation, parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
    return start_refusals(observation) if _PAUSING.starts(parameters) else stop_refusals(observation, facts)


def _warnings(observation: Observation, parameters: Parameters) -> tuple[str, ...]:
    return () if _PAUSING.starts(parameters) else stop_warnings(observation)


def _words(_observation: Observation, parameters: Parameters, _plan: Plan) -> ActWords:
    return start_words(CLUSTER.noun) if _PAUSING.starts(parameters) else stop_words(CLUSTER.noun, _BILLED)


ACTION: Final = Action(
    id=_PAUSING.action,
    kinds=frozenset({"rds-cluster"}),
    destructive=False,
    restart_needed=False,
    rollback_possible=True,
    undo_by_hand="start it; AWS does so by itself after seven days",
    effort=Effort.LOW,
    permissions=(STOP, START),
    read_permissions=(READ, MEMBERS, READ_DEPLOYMENTS, LIST_ALARMS),
    observe=observe_cluster,
    preflight=_preflight,
    warnings=_warnings,
    words=_words,
    plan=_PAUSING.plan,
    procedure=_PAUSING.procedure(found_cluster),
    statements=on_its_arn,
    rights=Rights(rollback=frozenset({START})),
    calls=CallRules(repeated=REPEATED),
    at_owner=OwnerChange(only_stops=True),
    lasts_days=RESTARTED_AFTER.days,
    # A stopped cluster serves nobody: to start it disturbs nothing.
    undo=_PAUSING.undo(outside_windows=True),
    watch=pause_watch(_PAUSING, observe_cluster),
    sample=ActSample(assumed={"state": AVAILABLE, "resourceId": "cluster-EXAMPLE", "members": "0123456789abcdef"}),
)
