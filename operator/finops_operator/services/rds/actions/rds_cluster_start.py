"""Start a stopped Aurora cluster with all its instances before AWS does; its inverse is stop.

Parameter: `endState`, `stopped` for the undo of an earlier start, which stops the cluster; none for a start. The undo
of a stop is no such act: it is `rds_cluster_stop` itself, under what allowed and bounded the stop. A start that AWS
refuses or takes back leaves the cluster stopped, as it was. What it will cost is not known here: the hours are those of
its members. Source: Amazon Aurora user guide, "Stopping and starting an Amazon Aurora DB cluster"; RDS API reference,
StartDBCluster.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

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
from finops_operator.plugins.check import Facts
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
from finops_operator.services.rds.rules.cluster_refusals import first_start_refusals, stop_refusals, stop_warnings
from finops_operator.services.rds.rules.deployments import READ_DEPLOYMENTS
from finops_operator.services.rds.rules.members import OPERATION as MEMBERS
from finops_operator.services.rds.rules.pause_watch import pause_watch
from finops_operator.services.rds.rules.pause_words import start_words, stop_words
from finops_operator.services.rds.rules.states import AVAILABLE, STOPPED

_PAUSING: Final = Pausing("rds_cluster_start", CLUSTER, AVAILABLE)
_BILLED: Final = "its storage and its backups"


def _preflight(observation: Observation, parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
    first = _PAUSING.starts(parameters)
    return first_start_refusals(observation, facts) if first else stop_refusals(observation, facts)


def _warnings(observation: Observation, parameters: Parameters) -> tuple[str, ...]:
    if not _PAUSING.starts(parameters):
        return stop_warnings(observation)
    return ("A start can take minutes to hours. From then on the hours of its instances are billed again.",)


def _words(_observation: Observation, parameters: Parameters, _plan: Plan) -> ActWords:
    return start_words(CLUSTER.noun) if _PAUSING.starts(parameters) else stop_words(CLUSTER.noun, _BILLED)


def _not_known(_facts: Facts[Any]) -> Decimal | None:
    """Return that the price is not known, so that a check of a policy's own can ask for a start all the same."""
    return None


ACTION: Final = Action(
    id=_PAUSING.action,
    kinds=frozenset({"rds-cluster"}),
    destructive=False,
    restart_needed=False,
    rollback_possible=True,
    undo_by_hand="stop it",
    effort=Effort.LOW,
    permissions=(START, STOP),
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
    # Whoever uses it since would lose it by the undo, so this one waits for a window.
    undo=_PAUSING.undo(outside_windows=False),
    remaining_cost=_not_known,
    watch=pause_watch(_PAUSING, observe_cluster),
    sample=ActSample(assumed={"state": STOPPED, "resourceId": "cluster-EXAMPLE", "members": "0123456789abcdef"}),
)
