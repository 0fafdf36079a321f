"""Start a stopped database instance before AWS does; its inverse is stop.

Parameter: `endState`, `stopped` for the undo of an earlier start, which stops the database; none for a start. The undo
of a stop is no such act: it is `rds_instance_stop` itself, under what allowed and bounded the stop. This one is for a
check of a policy's own, since nothing of it saves anything. A start that AWS refuses or takes back leaves the database
stopped, as it was. Source: Amazon RDS user guide, "Starting an Amazon RDS DB instance that was previously stopped"; RDS
API reference, StartDBInstance.
"""

from __future__ import annotations

from dataclasses import replace
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
from finops_operator.services.rds.rules.states import AVAILABLE, STOPPED
from finops_operator.services.rds.rules.stop_refusals import first_start_refusals, stop_refusals, stop_warnings

_PAUSING: Final = Pausing("rds_instance_start", INSTANCE, AVAILABLE)


def _preflight(observation: Observation, parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
    first = _PAUSING.starts(parameters)
    return first_start_refusals(observation, facts) if first else stop_refusals(observation, facts)


def _warnings(observation: Observation, parameters: Parameters) -> tuple[str, ...]:
    if not _PAUSING.starts(parameters):
        return stop_warnings(observation)
    return ("A start can take minutes to hours. From then on its hours are billed again.",)


def _words(observation: Observation, parameters: Parameters, _plan: Plan) -> ActWords:
    if _PAUSING.starts(parameters):
        return start_words(INSTANCE.noun)
    return stop_words(INSTANCE.noun, still_billed(observation))


def _running_cost(facts: Facts[Any]) -> Decimal | None:
    return facts.cost_of(replace(facts.resource, state=AVAILABLE)).unrounded_monthly


ACTION: Final = Action(
    id=_PAUSING.action,
    kinds=frozenset({"rds-instance"}),
    destructive=False,
    restart_needed=False,
    rollback_possible=True,
    undo_by_hand="stop it",
    effort=Effort.LOW,
    permissions=(START, STOP),
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
    # Whoever uses it since would lose it by the undo, so this one waits for a window.
    undo=_PAUSING.undo(outside_windows=False),
    remaining_cost=_running_cost,
    watch=pause_watch(_PAUSING, observe_database),
    sample=ActSample(assumed={"state": STOPPED, "class": "db.m5.large", "resourceId": "db-EXAMPLE"}),
)
