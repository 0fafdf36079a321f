"""Give a database instance another class: in its maintenance window, or at once.

Parameters: `dbInstanceClass`; `apply`, `window` (the default) or `now`; `setBack`, true for the undo of an earlier
change, which is always applied at once, because AWS takes back a change that waits in no other way.

In the window the act ends when AWS shows the class among the values that wait: that is all there is until then, and the
card says when it will be. At once it ends when the instance has the class and is available. While AWS applies a change
it refuses every other one, and a call that is repeated does no harm. A change that AWS gives up leaves the old class.
Source: Amazon RDS user guide, "Using the schedule modifications setting" and "Modifying an Amazon RDS DB instance"; RDS
API reference, ModifyDBInstance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from finops.domain.canonical import Json
from finops.domain.execution import Journal, Observation, Procedure, Result, StepRules
from finops.domain.lasting import Shows
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import Effort, ResourceRef
from finops.domain.resource import Resource
from finops.errors import InvalidInput
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
    Target,
    Undo,
)
from finops_operator.plugins.number_setting import SET_BACK, YES, sets_back
from finops_operator.plugins.ownership import Owner, quoted
from finops_operator.plugins.session_policy import on_its_arn
from finops_operator.plugins.watch_shape import PERMISSIONS as WATCH_READS
from finops_operator.services.rds.rules.database_observation import (
    INSTANCE,
    MAINTENANCE,
    NO_CAPACITY,
    NOT_IN_THIS_STATE,
    READ,
    database,
    observe_database,
)
from finops_operator.services.rds.rules.database_watch import APPLY, NOW, WANTED, WINDOW, database_watch
from finops_operator.services.rds.rules.deployments import READ_DEPLOYMENTS
from finops_operator.services.rds.rules.extended_support import DIMENSION as EXTENDED_SUPPORT
from finops_operator.services.rds.rules.orderable import READ_OPTIONS, read_options
from finops_operator.services.rds.rules.resize_refusals import CLASS, resize_refusals, resize_warnings
from finops_operator.services.rds.rules.resize_words import resize_words
from finops_operator.services.rds.rules.states import AVAILABLE

ID: Final = "rds_instance_resize"
_MODIFY: Final = "rds:ModifyDBInstance"
_NEXT_WINDOW: Final = timedelta(days=8)
"""A maintenance window comes once a week, and is shorter than a day."""
_CHANGES_WITHIN: Final = timedelta(days=1)
"""How long a change that begins at its end may take until AWS lists the class; AWS names no limit."""
_WORKING: Final = frozenset({AVAILABLE, "backing-up", "storage-optimization", "configuring-enhanced-monitoring"})
"""States of an instance to which nothing is being applied that the act waits for."""


def _wanted(parameters: Parameters) -> str:
    value = parameters.get(WANTED)
    if not isinstance(value, str) or not value:
        raise InvalidInput("the class to change to is missing", field=f"parameters.{WANTED}", hint="e.g. db.m6g.large")
    return value


def _at_once(parameters: Parameters) -> bool:
    value = parameters.get(APPLY, WINDOW)
    if value not in {WINDOW, NOW}:
        raise InvalidInput(f"{value} is no time", field=f"parameters.{APPLY}", hint=f"{WINDOW} or {NOW}")
    return value == NOW


def _observe(reader: Reader, target: Target) -> Observation:
    """Read the instance; with `target.full` also `options`: what AWS offers of the wanted class for it."""
    found = observe_database(reader, target)
    if not found.exists:
        return found
    fingerprint = {**found.fingerprint, "pendingClass": found.text("pendingClass")}
    facts: dict[str, Json] = dict(found.facts)
    if target.full:
        facts["options"] = read_options(reader, database(found), _wanted(target.parameters))
    return replace(found, fingerprint=fingerprint, facts=facts)


def _preflight(observation: Observation, parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
    at_once, back = _at_once(parameters), sets_back(parameters)
    return resize_refusals(observation, _wanted(parameters), facts, at_once=at_once, back=back)


def _warnings(observation: Observation, parameters: Parameters) -> tuple[str, ...]:
    return resize_warnings(observation, at_once=_at_once(parameters))


def _words(observation: Observation, parameters: Parameters, plan: Plan) -> ActWords:
    return resize_words(observation, plan, at_once=_at_once(parameters))


def _call(resource: ResourceRef, kind: str, *, at_once: bool) -> dict[str, Json]:
    return {"DBInstanceIdentifier": resource.id, CLASS: kind, "ApplyImmediately": at_once}


def _plan(resource: ResourceRef, parameters: Parameters, assumed: Mapping[str, str]) -> Plan:
    wanted, at_once = _wanted(parameters), _at_once(parameters)
    modify = PlanStep("modify", _MODIFY, _call(resource, wanted, at_once=at_once), inverse="restore_class")
    chosen: dict[str, Json] = {WANTED: wanted, APPLY: NOW if at_once else WINDOW}
    if sets_back(parameters):
        chosen[SET_BACK] = YES
        # What led back to would be the change that people take back: an undo that fails leaves what there is.
        modify = replace(modify, inverse="")
    return Plan(ID, resource, chosen, (modify, PlanStep("wait_changed")), dict(assumed))


def _compensation(plan: Plan) -> tuple[PlanStep, ...]:
    if sets_back(plan.parameters):
        return ()
    restore = _call(plan.resource, str(plan.fingerprint["class"]), at_once=True)
    return (PlanStep("restore_class", _MODIFY, restore), PlanStep("wait_restored"))


# -- how each step is judged -------------------------------------------------------------------------------------------


def _same(plan: Plan, now: Observation) -> bool:
    return now.exists and now.text("resourceId") == plan.fingerprint["resourceId"]


def _has(plan: Plan, now: Observation, kind: str) -> bool:
    """Return whether it has the class, is usable, and no class waits."""
    return _same(plan, now) and (now.text("class"), now.text("pendingClass")) == (kind, "") and _works(now)


def _works(now: Observation) -> bool:
    return now.text("state") in _WORKING


def _untouched(plan: Plan, now: Observation) -> bool:
    return _same(plan, now) and all(now.text(name) == plan.fingerprint[name] for name in ("class", "pendingClass"))


def _called(plan: Plan, now: Observation) -> bool:
    """Return whether AWS shows the change as waiting, under way or done; of a change that is taken back, as done."""
    wanted = str(plan.parameters[WANTED])
    if not _same(plan, now):
        return False
    if wanted == plan.fingerprint["class"]:
        return now.text("class") == wanted and not now.text("pendingClass")
    return wanted in {now.text("class"), now.text("pendingClass")}


def _done(plan: Plan, now: Observation) -> bool:
    if not _at_once(plan.parameters):
        return _called(plan, now)
    return _has(plan, now, str(plan.parameters[WANTED]))


def _lost(plan: Plan, now: Observation) -> bool:
    return not _same(plan, now)


def _restored(plan: Plan, now: Observation) -> bool:
    if sets_back(plan.parameters):
        return _untouched(plan, now) and _works(now)
    return _has(plan, now, str(plan.fingerprint["class"]))


def _leads_back(plan: Plan, now: Observation) -> bool:
    """Return whether it has the old class, or AWS is about to give it that."""
    old = plan.fingerprint["class"]
    return _untouched(plan, now) or (_same(plan, now) and now.text("pendingClass") == old)


def _ours_alone(plan: Plan, now: Observation) -> bool:
    """Return whether to lead back by a call at once brings nothing into force that somebody else let wait."""
    waiting = database(now).get("PendingModifiedValues") or ()
    return _called(plan, now) and _works(now) and set(map(str, waiting)) <= {CLASS}


def _taken(plan: Plan, journal: Journal, now: Observation, seconds: float) -> str:
    """Return what somebody else did to it since our call, or that AWS gave the change up; empty without proof."""
    answered = journal.entries[-1].result is Result.OK
    if answered and seconds >= INSTANCE.longest and _untouched(plan, now) and _works(now):
        return "AWS shows nothing of the change after two hours"
    return _chosen_by_others(plan, journal, now, seconds)


def _chosen_by_others(plan: Plan, _journal: Journal, now: Observation, _seconds: float) -> str:
    if not now.exists:
        return ""
    if not _same(plan, now):
        return "it was deleted, and somebody made another one under its name"
    known = {plan.fingerprint["class"], plan.fingerprint["pendingClass"], str(plan.parameters[WANTED]), ""}
    return "" if {now.text("class"), now.text("pendingClass")} <= known else "somebody set another class meanwhile"


def _found(_plan: Plan, now: Observation) -> str:
    if not now.exists:
        return "The database does not exist any more."
    waiting = now.text("pendingClass")
    window = str(database(now).get("PreferredMaintenanceWindow") or "")
    until = f"; {waiting} waits for its maintenance window{f' ({window} UTC)' if window else ''}" if waiting else ""
    return f"The database is {now.text('state')} with class {now.text('class')}{until}."


def _refused(plan: Plan, now: Observation, step: str, code: str) -> str:
    if step != "modify" or code != NO_CAPACITY:
        return ""
    return f"AWS had no {plan.parameters[WANTED]} capacity in {now.text('zone') or 'its availability zone'}."


def _not_as_left(plan: Plan, now: Observation) -> str:
    if now.text("resourceId") != plan.fingerprint["resourceId"]:
        return "It was deleted, and somebody made another one under its name."
    wanted = str(plan.parameters[WANTED])
    if now.text("pendingClass") in {"", wanted} and _called(plan, now):
        return ""
    return f"Its class is {now.text('pendingClass') or now.text('class')} now; the act had set it to {wanted}."


def _patch(owner: Owner, _resource: Resource, parameters: Parameters) -> str:
    target = quoted(_wanted(parameters))
    if owner.system == "CloudFormation":
        return f"Properties: DBInstanceClass: {target}"
    return f"instance_class = {target}" if owner.system == "Terraform" else f"Wanted: {target}"


_WAITING: Final = StepRules(
    reached=_done,
    settle_seconds=INSTANCE.settle,
    timeout_seconds=INSTANCE.longest,
    poll_seconds=15,
    patient=True,
)

ACTION: Final = Action(
    id=ID,
    kinds=frozenset({"rds-instance"}),
    destructive=False,
    restart_needed=True,
    rollback_possible=True,
    undo_by_hand="change its class back",
    effort=Effort.MEDIUM,
    permissions=(_MODIFY,),
    read_permissions=(READ, MAINTENANCE, READ_DEPLOYMENTS, READ_OPTIONS, *WATCH_READS),
    observe=_observe,
    preflight=_preflight,
    warnings=_warnings,
    words=_words,
    plan=_plan,
    procedure=Procedure(
        steps={
            "modify": StepRules(
                reached=_called,
                expected=_untouched,
                taken=_taken,
                settle_seconds=INSTANCE.settle,
                lingers=True,
            ),
            "wait_changed": replace(_WAITING, failed=_lost),
            "restore_class": StepRules(
                reached=_leads_back, expected=_ours_alone, taken=_chosen_by_others, settle_seconds=INSTANCE.settle
            ),
            "wait_restored": replace(_WAITING, reached=_restored),
        },
        compensation=_compensation,
        restored=_restored,
        verified=_done,
        found=_found,
        refused=_refused,
    ),
    statements=on_its_arn,
    # Whoever protects a database while its class is being changed must not keep it changed.
    rights=Rights(
        rollback=frozenset({_MODIFY}),
        probes={READ_OPTIONS: lambda _: {"Engine": "postgres", "DBInstanceClass": "db.t3.micro"}},
    ),
    calls=CallRules(not_done=frozenset({NO_CAPACITY}), repeated=frozenset({NOT_IN_THIS_STATE})),
    at_owner=OwnerChange(patch=_patch),
    undo=Undo(
        parameters=lambda plan, _made: {WANTED: str(plan.fingerprint["class"]), APPLY: NOW, SET_BACK: YES},
        changed=_not_as_left,
    ),
    watch=database_watch(_observe),
    brought_within=_NEXT_WINDOW,
    shows=Shows(
        _NEXT_WINDOW + _CHANGES_WITHIN,
        frozenset({"instance_hour", EXTENDED_SUPPORT}),
        setting="db_instance_class",
        parameter=WANTED,
        fact="class",
    ),
    sample=ActSample(
        parameters={WANTED: "db.m5.large", APPLY: WINDOW},
        assumed={"state": AVAILABLE, "class": "db.m5.xlarge", "pendingClass": "", "resourceId": "db-EXAMPLE"},
    ),
)
