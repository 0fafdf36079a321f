"""Stop a database instance; its inverse is start. Storage and backups are still billed.

Parameter: `endState`, `available` for the undo of an earlier stop, which starts the database; none for a stop.
AWS starts it again by itself after seven days, because a stopped instance misses its maintenance. Whoever starts it
meanwhile has taken it back: the act ends and leaves it alone. How that is seen: `finops_operator.plugins.pausing`.
Source: Amazon RDS user guide, "Stopping an Amazon RDS DB instance temporarily"; RDS API reference, StopDBInstance,
StartDBInstance and DescribePendingMaintenanceActions.
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
from finops_operator.services.rds.rules.database_observation import (
    INSTANCE,
    MAINTENANCE,
    NO_CAPACITY,
    NOT_IN_THIS_STATE,
    READ,
    START,
    STOP,
    found_database,
    observe_database,
    start_refused,
    still_billed,
)
from finops_operator.services.rds.rules.deployments import READ_DEPLOYMENTS
from finops_operator.services.rds.rules.pause_watch import pause_watch
from finops_operator.services.rds.rules.pause_words import start_words, stop_words
from finops_operator.services.rds.rules.restart import RESTARTED_AFTER
from finops_operator.services.rds.rules.states import AVAILABLE, STOPPED
from finops_operator.services.rds.rules.stop_refusals import start_refusals, stop_refusals, stop_warnings

_PAUSING: Final = Pausing("rds_instance_stop", INSTANCE, STOPPED)


def _preflight(observation: Observation, parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
    return start_refusals(observation) if _PAUSING.starts(parameters) else stop_refusals(observation, facts)


def _warnings(observation: Observation, parameters: Parameters) -> tuple[str, ...]:
    return () if _PAUSING.starts(parameters) else stop_warnings(observation)


def _words(observation: Observation, parameters: Parameters, _plan: Plan) -> ActWords:
    if _PAUSING.starts(parameters):
        return start_words(INSTANCE.noun)
    return stop_words(INSTANCE.noun, still_billed(observation))


ACTION: Final = Action(
    id=_PAUSING.action,
    kinds=frozenset({"rds-instance"}),
    destructive=False,
    restart_needed=False,
    rollback_possible=True,
    undo_by_hand="start it; AWS does so by itself after seven days",
    effort=Effort.LOW,
    permissions=(STOP, START),
    read_permissions=(READ, MAINTENANCE, READ_DEPLOYMENTS, LIST_ALARMS),
    observe=observe_database,
    preflight=_preflight,
    warnings=_warnings,
    words=_words,
    plan=_PAUSING.plan,
    procedure=_PAUSING.procedure(found_database, start_refused),
    statements=on_its_arn,
    rights=Rights(rollback=frozenset({START})),
    calls=CallRules(not_done=frozenset({NO_CAPACITY}), repeated=frozenset({NOT_IN_THIS_STATE})),
    at_owner=OwnerChange(only_stops=True),
    lasts_days=RESTARTED_AFTER.days,
    # A stopped database serves nobody: to start it disturbs nothing.
    undo=_PAUSING.undo(outside_windows=True),
    watch=pause_watch(_PAUSING, observe_database),
    sample=ActSample(assumed={"state": AVAILABLE, "class": "db.m5.large", "resourceId": "db-EXAMPLE"}),
)
