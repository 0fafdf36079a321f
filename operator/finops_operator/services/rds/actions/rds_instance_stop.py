"""Stop a database instance; its inverse is start. Storage and backups are still billed.

Parameter: `endState`, `available` for the undo of an earlier stop, which starts the database; none for a stop.
AWS starts it again by itself after seven days, because a stopped instance misses its maintenance. Whoever starts it
meanwhile has taken it back: the act ends and leaves it alone. An instance has no launch time, so only the state
`starting` proves that; one that is merely available may still be about to show our stop, until the seven days are over:
then AWS has started it again, whatever became of the call. Source: Amazon RDS user guide, "Stopping an Amazon RDS DB
instance temporarily"; RDS API reference, StopDBInstance, StartDBInstance and DescribePendingMaintenanceActions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from finops.domain.canonical import Json, sha256_hex
from finops.domain.execution import Journal, Observation, Procedure, StepRules
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import Effort, EvidenceFact, ResourceRef
from finops.errors import AwsRejected
from finops.ports.aws_steps import Reader
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
    Statement,
    Target,
    Undo,
)
from finops_operator.plugins.described import tags_of
from finops_operator.plugins.session_policy import allow
from finops_operator.services.rds.rules.restart import RESTARTED_AFTER
from finops_operator.services.rds.rules.start_again import (
    START_AGAIN,
    not_as_stopped,
    start_refusals,
    start_words,
    starts,
)
from finops_operator.services.rds.rules.states import AVAILABLE, STOPPED
from finops_operator.services.rds.rules.stop_refusals import database, stop_refusals, stop_warnings

ID: Final = "rds_instance_stop"
_READ: Final = "rds:DescribeDBInstances"
_MAINTENANCE: Final = "rds:DescribePendingMaintenanceActions"
_STOP: Final = "rds:StopDBInstance"
_START: Final = "rds:StartDBInstance"
_GONE: Final = frozenset({"DBInstanceNotFound", "DBInstanceNotFoundFault", "ResourceNotFoundFault"})
_NO_CAPACITY: Final = "InsufficientDBInstanceCapacity"
_NOT_IN_THIS_STATE: Final = "InvalidDBInstanceState"
"""AWS refuses a stop in every state but `available`, also one that is repeated while the first one is carried out."""
_STARTING: Final = "starting"
_DOWN: Final = frozenset({"stopping", STOPPED})
_UP: Final = frozenset({_STARTING, AVAILABLE, "backing-up", "maintenance", "modifying", "upgrading"})
_MADE_ANEW: Final = "it was deleted, and somebody made another one under its name"
_SETTLE_SECONDS: Final = 120.0
"""How long a stop or a start may stay invisible before a person is called."""
_LONGEST_SECONDS: Final = 7200.0
"""Of a stop or a start before a person is called: AWS names no limit, and large instances take long."""
_FACTS: Final = (
    "Engine",
    "DBClusterIdentifier",
    "MultiAZ",
    "PubliclyAccessible",
    "ReadReplicaSourceDBInstanceIdentifier",
    "ReadReplicaSourceDBClusterIdentifier",
    "ReadReplicaDBInstanceIdentifiers",
    "ReadReplicaDBClusterIdentifiers",
    "AllocatedStorage",
)


def _observe(reader: Reader, target: Target) -> Observation:
    """Read the instance. Facts: `state`, `class`, `zone`, `tags`, and AWS's own words under `instance`.

    With `target.full` also `maintenance`: the names of the maintenance actions that AWS is about to carry out.
    """
    try:
        answer = reader.read(_READ, {"DBInstanceIdentifier": target.resource.id})
        described = next(iter(answer.get("DBInstances", ())), None)
        pending = _pending(reader, target.resource.arn) if target.full and described is not None else None
    except AwsRejected as error:
        if error.code in _GONE:
            return Observation(exists=False)
        raise
    return Observation(exists=False) if described is None else _seen(described, pending)


def _pending(reader: Reader, arn: str) -> list[Json]:
    answer = reader.read(_MAINTENANCE, {"ResourceIdentifier": arn})
    details = (
        detail
        for one in answer.get("PendingMaintenanceActions", ())
        if one.get("ResourceIdentifier") == arn
        for detail in one.get("PendingMaintenanceActionDetails", ())
    )
    return [*sorted({str(detail.get("Action") or "unnamed") for detail in details})]


def _seen(described: Mapping[str, Any], maintenance: list[Json] | None) -> Observation:
    tags = tags_of({"Tags": described.get("TagList")})
    state, kind = str(described.get("DBInstanceStatus") or ""), str(described.get("DBInstanceClass") or "")
    instance: dict[str, Json] = {name: described[name] for name in _FACTS if name in described}
    instance["PendingModifiedValues"] = sorted(described.get("PendingModifiedValues") or {})
    facts: dict[str, Json] = {
        "state": state,
        "class": kind,
        "zone": str(described.get("AvailabilityZone") or ""),
        "resourceId": str(described.get("DbiResourceId") or ""),
        "tags": dict(tags),
        "instance": instance,
        **({} if maintenance is None else {"maintenance": maintenance}),
    }
    fingerprint = {
        "state": state,
        "class": kind,
        # A database that was deleted and made anew under the same name has another one.
        "resourceId": str(facts["resourceId"]),
        "tags": sha256_hex(dict(tags))[:16],
    }
    return Observation(exists=True, fingerprint=fingerprint, facts=facts)


def _preflight(observation: Observation, parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
    return start_refusals(observation) if starts(parameters) else stop_refusals(observation, facts)


def _warnings(observation: Observation, parameters: Parameters) -> tuple[str, ...]:
    return () if starts(parameters) else stop_warnings(observation)


def _words(observation: Observation, parameters: Parameters, _plan: Plan) -> ActWords:
    if starts(parameters):
        return start_words()
    storage = database(observation).get("AllocatedStorage")
    billed = f"{storage} GiB and its backups" if isinstance(storage, int) else "its storage and its backups"
    return ActWords(
        verb="Stop",
        consequence="It is stopped: nothing can connect to it. AWS starts it again after seven days.",
        downtime="Until someone starts it, seven days at most",
        undo="Start it. Its data, its endpoint and its settings are kept.",
        steps={
            "stop": "Stop the database",
            "wait_stopped": "Wait until it is stopped",
            "start": "Start the database again",
            "wait_available": "Wait until it is available",
        },
        facts=(EvidenceFact("Still billed while stopped", billed),),
    )


def _plan(resource: ResourceRef, parameters: Parameters, assumed: Mapping[str, str]) -> Plan:
    named: dict[str, Json] = {"DBInstanceIdentifier": resource.id}
    if starts(parameters):
        calls = (PlanStep("start", _START, named), PlanStep("wait_started"))
        return Plan(ID, resource, dict(START_AGAIN), calls, dict(assumed))
    steps = (PlanStep("stop", _STOP, named, inverse="start"), PlanStep("wait_stopped"))
    return Plan(ID, resource, {}, steps, dict(assumed))


def _compensation(plan: Plan) -> tuple[PlanStep, ...]:
    if starts(plan.parameters):
        # A start that does not last leaves it stopped, as it was.
        return ()
    named: dict[str, Json] = {"DBInstanceIdentifier": plan.resource.id}
    return (PlanStep("start", _START, named), PlanStep("wait_available"))


def _same(plan: Plan, now: Observation) -> bool:
    return now.exists and now.text("resourceId") == plan.fingerprint["resourceId"]


def _available(plan: Plan, now: Observation) -> bool:
    return _same(plan, now) and now.text("state") == AVAILABLE


def _not_seen(plan: Plan, now: Observation) -> bool:
    """Return whether nothing is seen of our stop: AWS may back it up or maintain it until it carries the stop out."""
    return _same(plan, now) and now.text("state") not in {*_DOWN, _STARTING}


def _stopping(plan: Plan, now: Observation) -> bool:
    return _same(plan, now) and now.text("state") in _DOWN


def _stopped(plan: Plan, now: Observation) -> bool:
    return _same(plan, now) and now.text("state") == STOPPED


def _started_by_others(plan: Plan, journal: Journal, now: Observation, seconds: float) -> str:
    """Return that somebody took it back since our stop, else ""; no call of ours starts it before the rollback."""
    if now.exists and not _same(plan, now):
        return _MADE_ANEW
    if (
        now.exists
        and now.text("state") not in _DOWN
        and _since_call(journal, seconds) >= RESTARTED_AFTER.total_seconds()
    ):
        return "it is not stopped, and after seven days AWS starts a stopped database by itself"
    return "somebody started it while we were stopping it" if now.text("state") == _STARTING else ""


def _since_call(journal: Journal, seconds: float) -> float:
    """Return the seconds since the last call; its outcome may have been recorded much later, after a restart."""
    called = next(entry for entry in reversed(journal.entries) if entry.result is None)
    return seconds + (journal.entries[-1].at - called.at).total_seconds()


def _made_anew(plan: Plan, _journal: Journal, now: Observation, _seconds: float) -> str:
    return _MADE_ANEW if now.exists and not _same(plan, now) else ""


def _cannot_stop(plan: Plan, now: Observation) -> bool:
    return not _same(plan, now) or now.text("state") == _STARTING


def _started(plan: Plan, now: Observation) -> bool:
    return _same(plan, now) and now.text("state") in _UP


def _restored(plan: Plan, now: Observation) -> bool:
    return _stopped(plan, now) if starts(plan.parameters) else _available(plan, now)


def _verified(plan: Plan, now: Observation) -> bool:
    return _available(plan, now) if starts(plan.parameters) else _stopped(plan, now)


def _cannot_start(plan: Plan, now: Observation) -> bool:
    """Return whether AWS took a start back."""
    return not _same(plan, now) or now.text("state") in _DOWN


def _found(_plan: Plan, now: Observation) -> str:
    if not now.exists:
        return "The database does not exist any more."
    return f"The database is {now.text('state')} with class {now.text('class')}."


def _refused(_plan: Plan, now: Observation, step: str, code: str) -> str:
    if step != "start" or code != _NO_CAPACITY:
        return ""
    return f"AWS had no {now.text('class')} capacity in {now.text('zone') or 'its availability zone'}."


def _statements(plan: Plan, step: PlanStep) -> tuple[Statement, ...]:
    return (allow(step.operation, resource=plan.resource.arn),)


ACTION: Final = Action(
    id=ID,
    kinds=frozenset({"rds-instance"}),
    destructive=False,
    restart_needed=False,
    rollback_possible=True,
    undo_by_hand="start it; AWS does so by itself after seven days",
    effort=Effort.LOW,
    permissions=(_STOP, _START),
    read_permissions=(_READ, _MAINTENANCE),
    observe=_observe,
    preflight=_preflight,
    warnings=_warnings,
    words=_words,
    plan=_plan,
    procedure=Procedure(
        steps={
            "stop": StepRules(
                reached=_stopping,
                expected=_not_seen,
                taken=_started_by_others,
                settle_seconds=_SETTLE_SECONDS,
                lingers=True,
            ),
            "wait_stopped": StepRules(
                reached=_stopped,
                failed=_cannot_stop,
                settle_seconds=_SETTLE_SECONDS,
                timeout_seconds=_LONGEST_SECONDS,
                poll_seconds=15,
                patient=True,
            ),
            "start": StepRules(reached=_started, expected=_stopped, taken=_made_anew, settle_seconds=_SETTLE_SECONDS),
            "wait_available": StepRules(
                reached=_available, timeout_seconds=_LONGEST_SECONDS, poll_seconds=15, patient=True
            ),
            "wait_started": StepRules(
                reached=_available,
                failed=_cannot_start,
                # A start that shows late must not be reported as refused: nobody would expect it to run.
                settle_seconds=_SETTLE_SECONDS,
                timeout_seconds=_LONGEST_SECONDS,
                poll_seconds=15,
                patient=True,
            ),
        },
        compensation=_compensation,
        restored=_restored,
        verified=_verified,
        found=_found,
        refused=_refused,
    ),
    statements=_statements,
    rights=Rights(rollback=frozenset({_START})),
    calls=CallRules(not_done=frozenset({_NO_CAPACITY}), repeated=frozenset({_NOT_IN_THIS_STATE})),
    at_owner=OwnerChange(only_stops=True),
    lasts_days=RESTARTED_AFTER.days,
    # A stopped database serves nobody: to start it disturbs nothing.
    undo=Undo(parameters=lambda _plan, _made: START_AGAIN, changed=not_as_stopped, outside_windows=True),
    sample=ActSample(assumed={"state": AVAILABLE, "class": "db.m5.large", "resourceId": "db-EXAMPLE"}),
)
