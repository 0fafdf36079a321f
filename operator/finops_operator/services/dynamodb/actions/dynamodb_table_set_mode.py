"""Bill a table by its requests (on-demand mode) instead of by provisioned capacity. It stays in use meanwhile.

Parameter: `billingMode` (PAY_PER_REQUEST). An act that turns back provisions the capacity that the table and its
indexes had. AWS takes four changes to on-demand mode in 24 hours, and changes to provisioned mode at any time. A table
is UPDATING for many reasons, a change by somebody else among them, so only the mode that AWS shows proves our call.
Source: Amazon DynamoDB developer guide, "Considerations when switching capacity modes"; API reference, UpdateTable and
its LimitExceededException.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from finops.domain.canonical import Json, sha256_hex
from finops.domain.execution import Journal, Observation, Procedure, StepRules
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
    Statement,
    Target,
)
from finops_operator.plugins.ownership import Owner
from finops_operator.plugins.protection import controlled, described_by_template, observed_tags, protected
from finops_operator.plugins.session_policy import allow
from finops_operator.plugins.tagging import PERMISSION as _TAGS
from finops_operator.plugins.tagging import tags_of_arn
from finops_operator.services.dynamodb.rules.capacity import indexes_of, provision, units_of
from finops_operator.services.dynamodb.rules.reading import SCALING, TABLE
from finops_operator.services.dynamodb.rules.signs import SIGNS
from finops_operator.services.dynamodb.table import ACTIVE, ON_DEMAND, PROVISIONED

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
_TOO_MANY: Final = "too many tables of the account are being changed at once"


def _wanted(parameters: Parameters) -> str:
    mode = parameters.get("billingMode")
    if mode != ON_DEMAND:
        raise InvalidInput(f"{mode!r} is no mode to change to", field="parameters.billingMode", hint=ON_DEMAND)
    return ON_DEMAND


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
        *_table_refusals(observation, _wanted(parameters)),
    )


def _table_refusals(observation: Observation, mode: str) -> list[Refusal]:
    found: list[Refusal] = []
    if observation.text("state") != ACTIVE:
        found.append(Refusal("NotActive", f"It is {observation.text('state')}, not {ACTIVE}."))
    if observation.text("billingMode") == mode:
        found.append(Refusal("SameMode", "It is already billed by its requests."))
    if observation.facts.get("busyIndexes"):
        found.append(Refusal("IndexNotActive", "One of its indexes is being made, changed or deleted."))
    if observation.facts.get("replicas"):
        found.append(Refusal("Replicated", "It is a global table: its replicas would change with it."))
    if observation.facts.get("scaled") is not False:
        found.append(Refusal("AutoScaled", "Application Auto Scaling changes its capacity; remove its targets first."))
    return found


def _warnings(_observation: Observation, _parameters: Parameters) -> tuple[str, ...]:
    return (
        "A rush of requests is then billed, not throttled: without a maximum its cost grows with its use.",
        "Reserved capacity does not apply to tables on demand.",
        "AWS takes four changes to on-demand mode in 24 hours.",
    )


def _words(observation: Observation, _parameters: Parameters, _plan: Plan) -> ActWords:
    read, _, write = observation.text("capacity").partition("/")
    indexes = len([one for one in observation.text("indexes").split(",") if one])
    facts = (EvidenceFact("Indexes that change with it", str(indexes)),) if indexes else ()
    return ActWords(
        verb="Change",
        target="on demand",
        change=f"Provisioned ({read} read and {write} write units) → on demand",
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


# -- what is called ----------------------------------------------------------------------------------------------------


def _plan(resource: ResourceRef, parameters: Parameters, assumed: Mapping[str, str]) -> Plan:
    mode = _wanted(parameters)
    call: dict[str, Json] = {"TableName": resource.id, "BillingMode": mode}
    steps = (PlanStep("set_mode", _UPDATE, call, inverse="restore"), PlanStep("wait_active"))
    return Plan(ID, resource, {"billingMode": mode}, steps, dict(assumed))


def _compensation(plan: Plan) -> tuple[PlanStep, ...]:
    call: dict[str, Json] = {
        "TableName": plan.resource.id,
        "BillingMode": PROVISIONED,
        **provision(str(plan.fingerprint["capacity"]), str(plan.fingerprint["indexes"])),
    }
    return (PlanStep("restore", _UPDATE, call), PlanStep("wait_restored"))


def _same(plan: Plan, now: Observation) -> bool:
    return now.exists and now.text("tableId") == plan.fingerprint["tableId"]


def _is_set(plan: Plan, now: Observation) -> bool:
    return _same(plan, now) and now.text("billingMode") == ON_DEMAND


def _as_before(plan: Plan, now: Observation) -> bool:
    before = tuple(plan.fingerprint[name] for name in ("billingMode", "capacity", "indexes"))
    return _same(plan, now) and tuple(now.text(name) for name in ("billingMode", "capacity", "indexes")) == before


def _settled(now: Observation) -> bool:
    return now.text("state") == ACTIVE


def _provisioned(plan: Plan, now: Observation) -> bool:
    """Return whether it has capacity again, the old one or one that somebody chose meanwhile, which is left alone."""
    return _same(plan, now) and now.text("billingMode") == PROVISIONED


def _found(_plan: Plan, now: Observation) -> str:
    if not now.exists:
        return "The table does not exist any more."
    if now.text("billingMode") == ON_DEMAND:
        return f"The table is {now.text('state')} and on demand."
    read, _, write = now.text("capacity").partition("/")
    return f"The table is {now.text('state')} with {read} read and {write} write units."


def _taken(plan: Plan, journal: Journal, now: Observation, seconds: float) -> str:
    """Return what somebody else did to the table since our call, else ""; our call never provisions other capacity."""
    anew = _made_anew(plan, journal, now, seconds)
    if anew or not now.exists:
        return anew
    other = _settled(now) and _provisioned(plan, now) and not _as_before(plan, now)
    return "somebody provisioned other capacity meanwhile" if other else ""


def _made_anew(plan: Plan, _journal: Journal, now: Observation, _seconds: float) -> str:
    anew = now.exists and not _same(plan, now)
    return "it was deleted, and somebody made another one under its name" if anew else ""


def _refused(_plan: Plan, _now: Observation, step: str, code: str) -> str:
    """AWS has one code for both limits, and does not say which one it was."""
    if code != _LIMIT:
        return ""
    if step != "set_mode":
        return f"AWS refused it for a limit: {_TOO_MANY}."
    used_up = "the table's four changes to on-demand mode in 24 hours are used up"
    return f"AWS refused it for one of two limits: {used_up}, or {_TOO_MANY}."


def _statements(plan: Plan, step: PlanStep) -> tuple[Statement, ...]:
    return (allow(step.operation, resource=plan.resource.arn),)


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
    read_permissions=(TABLE, SCALING, _TAGS),
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
                reached=_provisioned,
                expected=lambda plan, now: _is_set(plan, now) and _settled(now),
                taken=_made_anew,
                settle_seconds=_SETTLE_SECONDS,
                retry_codes=frozenset({_BUSY}),
            ),
            "wait_restored": StepRules(
                reached=lambda plan, now: _provisioned(plan, now) and _settled(now),
                settle_seconds=_SETTLE_SECONDS,
                timeout_seconds=_LONGEST_SECONDS,
                patient=True,
            ),
        },
        compensation=_compensation,
        restored=lambda plan, now: _provisioned(plan, now) and _settled(now),
        verified=lambda plan, now: _is_set(plan, now) and _settled(now),
        found=_found,
        refused=_refused,
    ),
    statements=_statements,
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
)
