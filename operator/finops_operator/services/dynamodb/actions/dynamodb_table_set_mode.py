"""Bill a table by its requests (on-demand mode) instead of by provisioned capacity. It stays in use meanwhile.

Parameter: `billingMode` (PAY_PER_REQUEST). An act that turns back provisions the capacity that the table and its
indexes had, and so does its undo: PROVISIONED with `capacity` (`100/50`) and `indexes` (`5/5,1/1`, in order of their
names) of before. AWS takes four changes to
on-demand mode in 24 hours, and changes to provisioned mode at any time. A table is UPDATING for many reasons, a change
by somebody else among them, so only the mode and capacity that AWS shows prove our call.
Source: Amazon DynamoDB developer guide, "Considerations when switching capacity modes"; API reference, UpdateTable and
its LimitExceededException.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from finops.domain.canonical import Json, sha256_hex
from finops.domain.execution import Journal, Observation, Procedure, StepRules
from finops.domain.lasting import Shows
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import Effort, EvidenceFact, ResourceRef
from finops.domain.resource import Resource
from finops.errors import AwsRejected, InvalidInput
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
from finops_operator.plugins.ownership import Owner
from finops_operator.plugins.protection import controlled, described_by_template, observed_tags, protected
from finops_operator.plugins.session_policy import on_its_arn
from finops_operator.plugins.tagging import PERMISSION as _TAGS
from finops_operator.plugins.tagging import tags_of_arn
from finops_operator.plugins.watch_shape import PERMISSIONS as WATCH_READS
from finops_operator.services.dynamodb.rules.capacity import (
    indexes_of,
    is_capacity,
    names_in,
    provision,
    units_in,
    units_of,
)
from finops_operator.services.dynamodb.rules.reading import SCALING, TABLE
from finops_operator.services.dynamodb.rules.signs import SIGNS
from finops_operator.services.dynamodb.rules.table_watch import table_watch
from finops_operator.services.dynamodb.table import ACTIVE, ON_DEMAND, PROVISIONED, THROUGHPUT

ID: Final = "dynamodb_table_set_mode"
_UPDATE: Final = "dynamodb:UpdateTable"
_GONE: Final = "ResourceNotFoundException"
_BUSY: Final = "ResourceInUseException"
"""The table is being updated; nothing was done."""
_LIMIT: Final = "LimitExceededException"
_INVALID: Final = "ValidationException"
"""A change to the mode that the table has already, among others."""
_SETTLE_SECONDS: Final = 120.0
"""How long a change may stay invisible before a person is called; it may still come after it."""
_LONGEST_SECONDS: Final = 3600.0
_LONGEST: Final = 256
"""Characters of one parameter of a request."""
_TOO_MANY: Final = "too many tables of the account are being changed at once"


def _goes_back(parameters: Parameters) -> bool:
    """Return whether an act is the undo of an earlier one."""
    return parameters.get("billingMode") == PROVISIONED


def _wanted(parameters: Parameters) -> dict[str, Json]:
    """Return the parameters of a plan, each of its form."""
    mode = parameters.get("billingMode")
    if mode == ON_DEMAND:
        return {"billingMode": ON_DEMAND}
    if mode != PROVISIONED:
        raise InvalidInput(f"{mode!r} is no mode to change to", field="parameters.billingMode", hint=ON_DEMAND)
    capacity, indexes = str(parameters.get("capacity") or ""), str(parameters.get("indexes") or "")
    if not all(is_capacity(one) for one in (capacity, *units_in(indexes))):
        raise InvalidInput("it is not known what capacity to provision again", field="parameters.capacity")
    return {"billingMode": PROVISIONED, "capacity": capacity, "indexes": indexes}


def _settings(parameters: Parameters, assumed: Mapping[str, Json]) -> dict[str, str]:
    """Return the facts that show the wanted settings; an undo names the capacity of each index that there is.

    Raises:
        InvalidInput: not each index has one.
    """
    if not _goes_back(parameters):
        return {"billingMode": ON_DEMAND}
    names, units = names_in(str(assumed.get("indexes") or "")), units_in(str(parameters["indexes"]))
    if len(names) != len(units):
        raise InvalidInput("not every index has a capacity to provision again", field="parameters.indexes")
    indexes = ",".join(f"{name}={of}" for name, of in zip(names, units, strict=True))
    return {"billingMode": PROVISIONED, "capacity": str(parameters["capacity"]), "indexes": indexes}


# -- what is there -----------------------------------------------------------------------------------------------------


def _observe(reader: Reader, target: Target) -> Observation:
    """Read the table, its tags and who scales it.

    Facts: `state`, `billingMode`, `capacity` (`100/50`: read and write units), `indexes` (`by-date=5/5,by-user=1/1`),
    `busyIndexes`, `replicas`, `scaled`, `tags`.
    """
    name = target.resource.id
    try:
        described = reader.read(TABLE, {"TableName": name}).get("Table") or {}
    except AwsRejected as error:
        if error.code == _GONE:
            return Observation(exists=False)
        raise
    if not described:
        return Observation(exists=False)
    indexes = described.get("GlobalSecondaryIndexes") or ()
    facts: dict[str, Json] = {
        "state": str(described.get("TableStatus") or ""),
        # A table that was never on demand has no summary of its mode.
        "billingMode": str((described.get("BillingModeSummary") or {}).get("BillingMode") or PROVISIONED),
        "capacity": units_of(described),
        "indexes": indexes_of(indexes),
        "busyIndexes": [str(one.get("IndexName")) for one in indexes if one.get("IndexStatus", ACTIVE) != ACTIVE],
        "replicas": [str(one.get("RegionName")) for one in described.get("Replicas") or ()],
        "tableId": str(described.get("TableId") or ""),
    }
    tags = tags_of_arn(reader, target.resource.arn)
    facts["tags"] = dict(tags)
    if target.full:
        facts["scaled"] = _scaled(reader, name, indexes)
    # A table that was deleted and made anew under the same name has another id.
    found = {name: str(facts[name]) for name in ("state", "billingMode", "capacity", "indexes", "tableId")}
    return Observation(exists=True, fingerprint={**found, "tags": sha256_hex(dict(tags))[:16]}, facts=facts)


def _scaled(reader: Reader, name: str, indexes: Any) -> bool:
    """Return whether Application Auto Scaling changes the capacity of the table or of an index."""
    named = [f"table/{name}", *(f"table/{name}/index/{one['IndexName']}" for one in indexes)]
    answer = reader.read(SCALING, {"ServiceNamespace": "dynamodb", "ResourceIds": named})
    return any(one.get("ResourceId") in named for one in answer.get("ScalableTargets", ()))


# -- what speaks against it, and in words ------------------------------------------------------------------------------


def _preflight(observation: Observation, parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
    if not observation.exists:
        return (Refusal("NotFound", "The table does not exist any more."),)
    tags = observed_tags(observation)
    return (
        *protected(tags, facts),
        *controlled(tags, SIGNS),
        *described_by_template(tags, SIGNS),
        *_table_refusals(observation, str(_wanted(parameters)["billingMode"])),
    )


def _table_refusals(observation: Observation, mode: str) -> list[Refusal]:
    found: list[Refusal] = []
    if observation.text("state") != ACTIVE:
        found.append(Refusal("NotActive", f"It is {observation.text('state')}, not {ACTIVE}."))
    if observation.text("billingMode") == mode:
        how = "its requests" if mode == ON_DEMAND else "its capacity"
        found.append(Refusal("SameMode", f"It is already billed by {how}."))
    if observation.facts.get("busyIndexes"):
        found.append(Refusal("IndexNotActive", "One of its indexes is being made, changed or deleted."))
    if observation.facts.get("replicas"):
        found.append(Refusal("Replicated", "It is a global table: its replicas would change with it."))
    if observation.facts.get("scaled") is not False:
        found.append(Refusal("AutoScaled", "Application Auto Scaling changes its capacity; remove its targets first."))
    return found


def _warnings(_observation: Observation, parameters: Parameters) -> tuple[str, ...]:
    if _goes_back(parameters):
        return (
            "Requests above its capacity are throttled again, and the capacity is billed whether it is used or not.",
            "Nothing scales it: Application Auto Scaling did not before the act, and does not after its undo.",
        )
    return (
        "A rush of requests is then billed, not throttled: without a maximum its cost grows with its use.",
        "Reserved capacity does not apply to tables on demand.",
        "AWS takes four changes to on-demand mode in 24 hours.",
    )


def _words(observation: Observation, parameters: Parameters, _plan: Plan) -> ActWords:
    indexes = len([one for one in observation.text("indexes").split(",") if one])
    facts = (EvidenceFact("Indexes that change with it", str(indexes)),) if indexes else ()
    if _goes_back(parameters):
        units = _units(str(_wanted(parameters)["capacity"]))
        return ActWords(
            verb="Provision",
            target=units,
            change=f"On demand → provisioned ({units})",
            consequence="It is billed by its capacity again, as before the act. It stays in use.",
            downtime="None",
            undo="On a failure it is on demand again. Later: change it to on-demand mode by hand.",
            steps={
                "set_mode": "Provision its capacity again",
                "wait_active": "Wait until the capacity is provisioned",
                "restore": "Change the table to on-demand mode again",
                "wait_restored": "Wait until AWS has applied the change",
            },
            facts=facts,
        )
    return ActWords(
        verb="Change",
        target="on demand",
        change=f"Provisioned ({_units(observation.text('capacity'))}) → on demand",
        consequence="It is billed by its requests instead of by its capacity. It stays in use.",
        downtime="None",
        undo="On a failure it gets its capacity back by itself. Later: provision it again, at any time.",
        steps={
            "set_mode": "Change the table to on-demand mode",
            "wait_active": "Wait until AWS has applied the change",
            "restore": "Provision its capacity again",
            "wait_restored": "Wait until the capacity is provisioned",
        },
        facts=facts,
    )


def _units(capacity: str) -> str:
    read, _, write = capacity.partition("/")
    return f"{read} read and {write} write units"


# -- what is called ----------------------------------------------------------------------------------------------------


def _plan(resource: ResourceRef, parameters: Parameters, assumed: Mapping[str, str]) -> Plan:
    chosen = _wanted(parameters)
    call = _call(resource, _settings(chosen, assumed))
    steps = (PlanStep("set_mode", _UPDATE, call, inverse="restore"), PlanStep("wait_active"))
    return Plan(ID, resource, chosen, steps, dict(assumed))


def _compensation(plan: Plan) -> tuple[PlanStep, ...]:
    return (PlanStep("restore", _UPDATE, _call(plan.resource, plan.fingerprint)), PlanStep("wait_restored"))


def _call(resource: ResourceRef, settings: Mapping[str, Json]) -> dict[str, Json]:
    """Return the parameters of the call that makes these settings; a table on demand takes no capacity."""
    call: dict[str, Json] = {"TableName": resource.id, "BillingMode": settings["billingMode"]}
    if settings["billingMode"] == ON_DEMAND:
        return call
    return {**call, **provision(str(settings["capacity"]), str(settings["indexes"]))}


def _same(plan: Plan, now: Observation) -> bool:
    return now.exists and now.text("tableId") == plan.fingerprint["tableId"]


def _is_set(plan: Plan, now: Observation) -> bool:
    wanted = _settings(plan.parameters, plan.fingerprint)
    return _same(plan, now) and all(now.text(name) == value for name, value in wanted.items())


def _as_before(plan: Plan, now: Observation) -> bool:
    before = tuple(plan.fingerprint[name] for name in ("billingMode", "capacity", "indexes"))
    return _same(plan, now) and tuple(now.text(name) for name in ("billingMode", "capacity", "indexes")) == before


def _settled(now: Observation) -> bool:
    return now.text("state") == ACTIVE


def _not_ours(plan: Plan, now: Observation) -> bool:
    """Return whether it has the old settings, or such as somebody chose meanwhile, which are left alone.

    Once our call provisions capacity, any other capacity is somebody's, as any capacity is after a change to on demand.
    """
    return _same(plan, now) and not _is_set(plan, now)


def _led_back(plan: Plan, now: Observation) -> bool:
    return _not_ours(plan, now) and _settled(now)


def _found(_plan: Plan, now: Observation) -> str:
    if not now.exists:
        return "The table does not exist any more."
    if now.text("billingMode") == ON_DEMAND:
        return f"The table is {now.text('state')} and on demand."
    return f"The table is {now.text('state')} with {_units(now.text('capacity'))}."


def _taken(plan: Plan, journal: Journal, now: Observation, seconds: float) -> str:
    """Return what somebody else did to the table since our call, else ""; our calls make two settings alone."""
    anew = _made_anew(plan, journal, now, seconds)
    if anew or not now.exists:
        return anew
    other = _settled(now) and not _is_set(plan, now) and not _as_before(plan, now)
    return "somebody provisioned other capacity meanwhile" if other else ""


def _made_anew(plan: Plan, _journal: Journal, now: Observation, _seconds: float) -> str:
    anew = now.exists and not _same(plan, now)
    return "it was deleted, and somebody made another one under its name" if anew else ""


def _refused(plan: Plan, _now: Observation, step: str, code: str) -> str:
    """AWS has one code for both limits, and does not say which one it was."""
    if code != _LIMIT:
        return ""
    if (step == "set_mode") is _goes_back(plan.parameters):
        return f"AWS refused it for a limit: {_TOO_MANY}."
    used_up = "the table's four changes to on-demand mode in 24 hours are used up"
    return f"AWS refused it for one of two limits: {used_up}, or {_TOO_MANY}."


def _undo_parameters(plan: Plan, _made: Mapping[str, str]) -> Parameters:
    before = plan.fingerprint
    indexes = ",".join(units_in(str(before["indexes"])))
    if len(indexes) > _LONGEST:
        raise InvalidInput("it has more indexes than a request can name", field="parameters.indexes")
    return _wanted({"billingMode": PROVISIONED, "capacity": before["capacity"], "indexes": indexes})


def _not_as_left(plan: Plan, now: Observation) -> str:
    """Return why the table is not as the act left it, empty when it is."""
    if not _same(plan, now):
        return "After the act the table was deleted, and somebody made another one under its name."
    if not _is_set(plan, now):
        return "After the act somebody provisioned capacity for the table."
    if names_in(now.text("indexes")) != names_in(str(plan.fingerprint["indexes"])):
        return "After the act somebody added or removed an index, whose capacity before is not known."
    return ""


def _patch(owner: Owner, _resource: Resource, _parameters: Parameters) -> str:
    if owner.system == "CloudFormation":
        return f"Properties: BillingMode: {ON_DEMAND}, without ProvisionedThroughput"
    return f'billing_mode = "{ON_DEMAND}"' if owner.system == "Terraform" else "Wanted: on-demand mode"


ACTION: Final = Action(
    id=ID,
    kinds=frozenset({"dynamodb-table"}),
    destructive=False,
    restart_needed=False,
    rollback_possible=True,
    undo_by_hand="provision its capacity again",
    effort=Effort.LOW,
    permissions=(_UPDATE,),
    read_permissions=(TABLE, SCALING, _TAGS, *WATCH_READS),
    observe=_observe,
    preflight=_preflight,
    warnings=_warnings,
    words=_words,
    plan=_plan,
    procedure=Procedure(
        steps={
            "set_mode": StepRules(
                reached=_is_set,
                # While somebody else changes it AWS refuses our call, which is then made again.
                expected=_as_before,
                taken=_taken,
                settle_seconds=_SETTLE_SECONDS,
                retry_codes=frozenset({_BUSY}),
                lingers=True,
            ),
            "wait_active": StepRules(
                reached=lambda plan, now: _is_set(plan, now) and _settled(now),
                failed=lambda plan, now: not _same(plan, now),
                settle_seconds=_SETTLE_SECONDS,
                timeout_seconds=_LONGEST_SECONDS,
                patient=True,
            ),
            "restore": StepRules(
                reached=_not_ours,
                expected=lambda plan, now: _is_set(plan, now) and _settled(now),
                taken=_made_anew,
                settle_seconds=_SETTLE_SECONDS,
                retry_codes=frozenset({_BUSY}),
            ),
            "wait_restored": StepRules(
                reached=_led_back,
                settle_seconds=_SETTLE_SECONDS,
                timeout_seconds=_LONGEST_SECONDS,
                patient=True,
            ),
        },
        compensation=_compensation,
        restored=_led_back,
        verified=lambda plan, now: _is_set(plan, now) and _settled(now),
        found=_found,
        refused=_refused,
    ),
    statements=on_its_arn,
    # One operation leads there and back, and IAM cannot see which of both a call is: the preflight alone keeps an act
    # from a protected table, and no act is kept from restoring one.
    rights=Rights(rollback=frozenset({_UPDATE})),
    calls=CallRules(repeated=frozenset({_BUSY, _INVALID})),
    at_owner=OwnerChange(patch=_patch),
    sample=ActSample(
        parameters={"billingMode": ON_DEMAND},
        assumed={
            "state": ACTIVE,
            "billingMode": PROVISIONED,
            "capacity": "100/50",
            "indexes": "by-date=5/5",
            "tableId": "00000000-0000-4000-8000-000000000000",
        },
    ),
    undo=Undo(parameters=_undo_parameters, changed=_not_as_left),
    watch=table_watch(_observe),
    shows=Shows(parts=THROUGHPUT, setting="billing_mode", parameter="billingMode", fact="billingMode", used_after=True),
)
