"""The offline verifier reads what was decided and called as the operator has to: no act past its permission.

Bullet "The offline verifier misses what matters".
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.support.ledger_lines import (
    TWO_CALLS,
    WHAT,
    created,
    decided,
    entry,
    intent,
    lines,
    of_plan,
    outcome,
    proposed,
    started,
    verified,
    vote,
    whole,
)

from finops.audit_verify import verify
from finops.domain.audit import Entry, RecordKind
from finops.domain.canonical import Json
from finops.domain.plan import Plan, PlanStep

_APPROVED = (*proposed(), vote("slack.U1"), vote("k8s.alice"), decided())
_TURNED = (*_APPROVED, started(), intent(), outcome(), entry("compensating", RecordKind.OUTCOME, result="compensating"))


def codes(*entries: Entry) -> list[str]:
    return [problem.code for problem in verify(lines(entries)).problems]


def by_person(actor: str, person: str, choice: str) -> Entry:
    detail: dict[str, Json] = {"choice": choice, "person": person}
    return entry(f"vote:{actor}:{choice}", RecordKind.VOTED, actor=actor, result="counted", detail=detail)


@pytest.mark.parametrize("state", ["Withdrawn", "Expired", "Denied", "Superseded"])
def test_nothing_begins_after_a_decision_that_ended_the_request(state: str) -> None:
    ended = replace(entry("decided again", RecordKind.DECIDED, result=state), detail={"required": 2})
    assert codes(*_APPROVED, ended, started(), intent(), outcome(), verified()) == ["Approval"]
    later = (*_APPROVED, started(), intent(), ended, outcome(), intent("start"), outcome("start"))
    assert codes(*of_plan(TWO_CALLS, *later)) == []


def test_what_was_never_proposed_is_neither_approved_nor_begun() -> None:
    assert codes(*_APPROVED[2:], started(), intent(), outcome()) == ["Proposal", "Proposal"]
    assert codes(*proposed("b" * 64), *_APPROVED[2:], started(), intent(), outcome()) == ["Proposal", "Proposal"]


def test_what_is_proposed_after_its_approval_was_not_approved() -> None:
    late = (*_APPROVED[2:], *proposed(), started(), intent(), outcome(), verified())
    assert codes(*late) == ["Proposal"]


def test_an_act_that_started_before_its_approval_is_found() -> None:
    early = (*_APPROVED[:4], started(), _APPROVED[4], intent(), outcome(), verified())
    assert codes(*early) == ["Approval"]


def test_a_dry_run_that_starts_again_as_an_act_is_found() -> None:
    """Two records of one start, the first of them harmless."""
    dry = replace(started(), detail={"plan": WHAT.to_json(), "dryRun": True})
    again = replace(started(), operation_id="u1:started again")
    assert codes(*_APPROVED, dry, again, intent(), outcome(), verified()) == ["Plan", "Plan"]
    assert codes(*_APPROVED, started(), again, intent(), outcome(), verified()) == ["Plan"]


@pytest.mark.parametrize(
    ("dry", "started_dry", "found"),
    [
        (True, False, ["Plan"]),
        (True, True, []),
        (False, False, []),
    ],
)
def test_what_was_proposed_as_a_dry_run_does_not_start_as_an_act(
    *, dry: bool, started_dry: bool, found: list[str]
) -> None:
    """The proposal says it under the request's name, before there is a uid; both name the spec."""
    intended = replace(_of_spec("a", "intended"), request="team-a/savings-1/", result="intent")
    intended = replace(intended, detail={**intended.detail, "dryRun": dry})
    begun = replace(started(), detail={"plan": WHAT.to_json(), "dryRun": started_dry})
    acts = () if started_dry else (intent(), outcome(), verified())
    assert codes(intended, _of_spec("a", "proposed"), *_APPROVED[2:], begun, *acts) == found


def test_an_act_proposed_again_under_the_name_of_a_dry_run_is_no_dry_run() -> None:
    first = replace(_of_spec("a", "intended"), request="team-a/savings-1/", result="intent")
    first = replace(first, detail={**first.detail, "dryRun": True})
    again = replace(_of_spec("b", "intended again"), request="team-a/savings-1/", result="intent")
    acts = (started(), intent(), outcome(), verified())
    assert codes(first, again, _of_spec("b", "proposed"), *_APPROVED[2:], *acts) == []


def test_a_proposal_that_hides_its_spec_is_taken_for_the_dry_run_that_the_name_stands_for() -> None:
    first = replace(_of_spec("a", "intended"), request="team-a/savings-1/", result="intent")
    first = replace(first, detail={**first.detail, "dryRun": True})
    hiding = replace(created(), detail={})
    story = (first, hiding, *_APPROVED[2:], started(), intent(), outcome(), verified())
    assert codes(*story) == ["Proposal", "Plan"]


def _of_spec(spec: str, name: str) -> Entry:
    return replace(created(), operation_id=f"u1:{name}", detail={"specHash": spec * 64})


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"required": 1}, ["Approval"]),
        ({"expiresAt": "2026-03-09T12:00:00+00:00"}, ["Approval"]),
        ({"stepUp": False}, ["Approval"]),
        ({}, []),
        ({"required": 3}, ["Approval"]),
    ],
    ids=["fewer people", "longer", "by Slack alone", "the same", "more people than there are"],
)
def test_a_plan_is_not_approved_again_on_easier_terms(changed: dict[str, Json], found: list[str]) -> None:
    """An approval is taken back, and one that asks for less takes its place."""
    terms = {**decided().detail, "stepUp": True}
    first = replace(decided(), detail=terms)
    second = replace(decided(), operation_id="u1:decided again", detail={**terms, **changed})
    assert codes(*_APPROVED[:4], first, second) == found


@pytest.mark.parametrize(
    "call",
    [
        intent(operation="ec2:TerminateInstances"),
        intent(parameters={"InstanceIds": ["i-2"]}),
        intent(parameters={"InstanceIds": ["i-1"], "Force": True}),
        intent("reboot", operation="ec2:RebootInstances"),
        intent(back=True),
    ],
    ids=["operation", "resource", "parameter", "step", "way back before the turn"],
)
def test_a_call_that_the_approved_plan_does_not_hold_is_found(call: Entry) -> None:
    assert codes(*_APPROVED, started(), call) == ["Plan"]


def test_a_plan_other_than_the_approved_one_proves_nothing() -> None:
    other = replace(WHAT, steps=(PlanStep("stop", "ec2:TerminateInstances", {"InstanceIds": ["i-1"]}),))
    forged = replace(started(other), plan_hash=WHAT.hash)
    assert codes(*_APPROVED, forged, intent(operation="ec2:TerminateInstances"), outcome()) == ["Plan", "Plan"]
    assert codes(*_APPROVED, intent(), outcome()) == ["Plan"]


def test_the_rollback_calls_only_what_leads_the_plans_own_resource_back() -> None:
    def back(operation: str = "ec2:StartInstances", **call: Any) -> Entry:
        return intent("start_again", back=True, operation=operation, **call)

    assert codes(*_TURNED, back(), outcome("start_again")) == []
    assert codes(*_TURNED, back(parameters={"InstanceIds": ["i-1", "i-2"]}), outcome("start_again")) == ["Plan"]
    assert codes(*_TURNED, back(parameters={}), outcome("start_again")) == ["Plan"]
    assert codes(*_TURNED, back(operation="ec2:TerminateInstances"), outcome("start_again")) == ["Plan"]


def test_the_uid_of_the_request_stands_where_the_plan_leaves_its_place() -> None:
    plan = replace(WHAT, steps=(PlanStep("stop", "ec2:StopInstances", {"Tags": ["$(request.uid)"]}),))
    votes = (vote("slack.U1", plan=plan.hash), decided(1, plan=plan.hash))
    for uid, found in (("u1", []), ("u2", ["Plan"])):
        call = intent(plan=plan.hash, parameters={"Tags": [uid]})
        assert codes(*proposed(plan.hash), *votes, started(plan), call, outcome()) == found


def test_a_vote_taken_back_by_the_same_person_through_another_channel_is_taken_back() -> None:
    votes = (by_person("slack.U1", "k8s.ann", "Approve"), vote("k8s.alice"), decided())
    back = by_person("k8s.ann", "k8s.ann", "Withdraw")
    assert codes(*proposed(), *votes, back, started(), intent(), outcome()) == ["Approval"]


def test_an_honest_change_of_mind_through_another_channel_verifies() -> None:
    votes = (by_person("slack.U1", "k8s.ann", "Deny"), by_person("k8s.ann", "k8s.ann", "Approve"), decided(1))
    assert verify(lines(whole((*votes, intent(), outcome(), verified())))).ok


def rolled_back(
    kind: str,
    forward: PlanStep,
    before: dict[str, str],
    operation: str,
    parameters: dict[str, Json],
    *,
    name: str = "web",
) -> list[str]:
    """Return what the verifier finds wrong with one call that leads a plan of one step on `name` back."""
    resource = replace(WHAT.resource, kind=kind, id=name)
    plan = replace(WHAT, resource=resource, steps=(forward,), fingerprint=before)
    votes = (vote("slack.U1", plan=plan.hash), decided(1, plan=plan.hash))
    call = dict(forward.parameters)
    began = intent(forward.id, operation=forward.operation, plan=plan.hash, parameters=call)
    turned = replace(entry("compensating", RecordKind.OUTCOME, result="compensating"), plan_hash=plan.hash)
    back = intent("restore", back=True, operation=operation, plan=plan.hash, parameters=parameters)
    story = (*proposed(plan.hash), *votes, started(plan), began, outcome(forward.id), turned, back, outcome("restore"))
    return codes(*story)


_RULES: Json = [{"ID": "logs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 30}}]
_OWNED: dict[str, Json] = {"Bucket": "web", "ExpectedBucketOwner": "111111111111"}
_LIFECYCLE = PlanStep("set_rules", "s3:PutBucketLifecycleConfiguration", {**_OWNED, "LifecycleConfiguration": {}})
_PUT, _REMOVE = "s3:PutBucketLifecycleConfiguration", "s3:DeleteBucketLifecycle"


@pytest.mark.parametrize(
    ("before", "size", "operation", "parameters", "found"),
    [
        (_RULES, "", _PUT, {**_OWNED, "LifecycleConfiguration": {"Rules": _RULES}}, []),
        (_RULES, "", _PUT, {**_OWNED, "LifecycleConfiguration": {"Rules": []}}, ["Plan"]),
        (_RULES, "", _PUT, {"Bucket": "web", "LifecycleConfiguration": {"Rules": _RULES}}, ["Plan"]),
        (_RULES, "varies", _PUT, {**_OWNED, "LifecycleConfiguration": {"Rules": _RULES}}, ["Plan"]),
        (_RULES, "", _REMOVE, _OWNED, ["Plan"]),
        ([], "", _REMOVE, _OWNED, []),
        ([], "", _REMOVE, {**_OWNED, "Bucket": "api"}, ["Plan"]),
        ([], "", "s3:DeleteBucket", _OWNED, ["Plan"]),
    ],
)
def test_a_bucket_gets_exactly_the_rules_that_it_had(
    before: Json, size: str, operation: str, parameters: dict[str, Json], found: list[str]
) -> None:
    known = {"lifecycle": json.dumps(before), "minimumSize": size, "owner": "111111111111"}
    assert rolled_back("s3-bucket", _LIFECYCLE, known, operation, parameters) == found


_MEMORY = PlanStep(
    "set_memory",
    "lambda:UpdateFunctionConfiguration",
    {"FunctionName": "web", "MemorySize": 256, "RevisionId": "r-1"},
)


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({"FunctionName": "web", "MemorySize": 1024}, []),
        ({"FunctionName": "web", "MemorySize": 512}, ["Plan"]),
        ({"FunctionName": "api", "MemorySize": 1024}, ["Plan"]),
        ({"FunctionName": "web"}, ["Plan"]),
        ({"FunctionName": "web", "MemorySize": 1024, "Role": "arn:aws:iam::1:role/admin"}, ["Plan"]),
    ],
)
def test_a_function_gets_the_memory_that_it_had_and_nothing_else(parameters: dict[str, Json], found: list[str]) -> None:
    operation = "lambda:UpdateFunctionConfiguration"
    assert rolled_back("lambda-function", _MEMORY, {"memoryMb": "1024"}, operation, parameters) == found


_COUNT = PlanStep("set_count", "ecs:UpdateService", {"cluster": "main", "service": "web", "desiredCount": 0})


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({"cluster": "main", "service": "web", "desiredCount": 2}, []),
        ({"cluster": "main", "service": "web", "desiredCount": 3}, ["Plan"]),
        ({"cluster": "main", "service": "web"}, ["Plan"]),
        ({"cluster": "main", "service": "api", "desiredCount": 2}, ["Plan"]),
        ({"cluster": "other", "service": "web", "desiredCount": 2}, ["Plan"]),
        ({"cluster": "main", "service": "web", "desiredCount": 2, "forceNewDeployment": True}, ["Plan"]),
    ],
)
def test_a_service_gets_the_count_that_it_had_and_nothing_else(parameters: dict[str, Json], found: list[str]) -> None:
    story = rolled_back("ecs-service", _COUNT, {"desiredCount": "2"}, "ecs:UpdateService", parameters, name="main/web")
    assert story == found


_SET = PlanStep("set", "logs:PutRetentionPolicy", {"logGroupName": "web", "retentionInDays": 90})


@pytest.mark.parametrize(
    ("operation", "parameters", "found"),
    [
        ("logs:PutRetentionPolicy", {"logGroupName": "web", "retentionInDays": 365}, []),
        ("logs:PutRetentionPolicy", {"logGroupName": "web", "retentionInDays": 1}, ["Plan"]),
        ("logs:PutRetentionPolicy", {"logGroupName": "web"}, ["Plan"]),
        ("logs:PutRetentionPolicy", {"logGroupName": "audit", "retentionInDays": 365}, ["Plan"]),
        ("logs:DeleteRetentionPolicy", {"logGroupName": "web"}, ["Plan"]),
        ("logs:DeleteLogGroup", {"logGroupName": "web"}, ["Plan"]),
    ],
)
def test_a_retention_that_was_there_is_set_again_and_nothing_else_leads_back(
    operation: str, parameters: dict[str, Json], found: list[str]
) -> None:
    assert rolled_back("log-group", _SET, {"retentionDays": "365"}, operation, parameters) == found


@pytest.mark.parametrize(
    ("before", "operation", "parameters", "found"),
    [
        ("0", "logs:DeleteRetentionPolicy", {"logGroupName": "web"}, []),
        ("0", "logs:DeleteRetentionPolicy", {"logGroupName": "audit"}, ["Plan"]),
        ("0", "logs:PutRetentionPolicy", {"logGroupName": "web", "retentionInDays": 0}, ["Plan"]),
        ("1", "logs:PutRetentionPolicy", {"logGroupName": "web", "retentionInDays": True}, ["Plan"]),
        ("", "logs:DeleteRetentionPolicy", {"logGroupName": "web"}, ["Plan"]),
    ],
)
def test_a_retention_is_removed_only_where_the_plan_found_none(
    before: str, operation: str, parameters: dict[str, Json], found: list[str]
) -> None:
    assert rolled_back("log-group", _SET, {"retentionDays": before}, operation, parameters) == found


def units(read: Json, write: Json) -> dict[str, Json]:
    return {"ReadCapacityUnits": read, "WriteCapacityUnits": write}


def index(name: str, read: int, write: int) -> Json:
    return {"Update": {"IndexName": name, "ProvisionedThroughput": units(read, write)}}


_PROVISIONED: dict[str, Json] = {
    "TableName": "web",
    "BillingMode": "PROVISIONED",
    "ProvisionedThroughput": units(100, 50),
    "GlobalSecondaryIndexUpdates": [index("by-date", 5, 5), index("by.user", 10, 2)],
}


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, []),
        ({"TableName": "orders"}, ["Plan"]),
        ({"BillingMode": "PAY_PER_REQUEST"}, ["Plan"]),
        ({"ProvisionedThroughput": units(40_000, 50)}, ["Plan"]),
        ({"ProvisionedThroughput": units(100, 1)}, ["Plan"]),
        ({"GlobalSecondaryIndexUpdates": [index("by-date", 5, 5)]}, ["Plan"]),
        ({"GlobalSecondaryIndexUpdates": [index("by-date", 5, 5), index("by.user", 10, 9)]}, ["Plan"]),
        ({"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "by-date"}}]}, ["Plan"]),
        ({"DeletionProtectionEnabled": False}, ["Plan"]),
    ],
)
def test_a_table_gets_exactly_the_capacity_back_that_the_plan_found(changed: dict[str, Json], found: list[str]) -> None:
    forward = PlanStep("set_mode", "dynamodb:UpdateTable", {"TableName": "web", "BillingMode": "PAY_PER_REQUEST"})
    before = {"billingMode": "PROVISIONED", "capacity": "100/50", "indexes": "by-date=5/5,by.user=10/2"}
    call = _PROVISIONED | changed
    assert rolled_back("dynamodb-table", forward, before, "dynamodb:UpdateTable", call) == found


def test_a_table_without_indexes_gets_no_change_of_an_index() -> None:
    forward = PlanStep("set_mode", "dynamodb:UpdateTable", {"TableName": "web", "BillingMode": "PAY_PER_REQUEST"})
    before = {"billingMode": "PROVISIONED", "capacity": "100/50", "indexes": ""}
    alone = {key: value for key, value in _PROVISIONED.items() if key != "GlobalSecondaryIndexUpdates"}
    assert rolled_back("dynamodb-table", forward, before, "dynamodb:UpdateTable", alone) == []
    assert rolled_back("dynamodb-table", forward, before, "dynamodb:UpdateTable", _PROVISIONED) == ["Plan"]
    unknown = {**before, "capacity": "much"}
    assert rolled_back("dynamodb-table", forward, unknown, "dynamodb:UpdateTable", alone) == ["Plan"]


@pytest.mark.parametrize(
    ("operation", "parameters", "found"),
    [
        ("rds:StartDBInstance", {"DBInstanceIdentifier": "web"}, []),
        ("rds:StartDBInstance", {"DBInstanceIdentifier": "other"}, ["Plan"]),
        ("rds:StopDBInstance", {"DBInstanceIdentifier": "web"}, ["Plan"]),
        ("rds:StopDBInstance", {"DBInstanceIdentifier": "web", "DBSnapshotIdentifier": "web"}, ["Plan"]),
    ],
)
def test_a_stopped_database_is_led_back_by_its_start_alone(
    operation: str, parameters: dict[str, Json], found: list[str]
) -> None:
    forward = PlanStep("stop", "rds:StopDBInstance", {"DBInstanceIdentifier": "web"})
    assert rolled_back("rds-instance", forward, {"state": "available"}, operation, parameters) == found


def test_an_end_is_verified_only_of_an_act_that_started() -> None:
    assert codes(*_APPROVED, verified()) == ["Plan"]
    assert codes(*proposed(), verified()) == ["Plan"]


def test_a_dry_run_calls_nothing_for_real() -> None:
    tried = replace(started(), detail={**started().detail, "dryRun": True})
    assert codes(*_APPROVED, tried, intent(), outcome()) == ["Plan"]
    assert codes(*_APPROVED, replace(tried, detail={**tried.detail, "dryRun": False}), intent(), outcome()) == []


RESIZE = Plan(
    "ec2_instance_resize",
    WHAT.resource,
    {"instanceType": "m5.large"},
    (
        PlanStep("stop", "ec2:StopInstances", {"InstanceIds": ["i-1"]}),
        PlanStep(
            "modify_type", "ec2:ModifyInstanceAttribute", {"InstanceId": "i-1", "InstanceType": {"Value": "m5.large"}}
        ),
    ),
    {"state": "running", "instanceType": "m5.xlarge"},
)
DELETE = Plan(
    "ebs_volume_delete",
    replace(WHAT.resource, id="vol-1"),
    {},
    (PlanStep("delete_volume", "ec2:DeleteVolume", {"VolumeId": "vol-1"}),),
    {"state": "available"},
)


def back_of(plan: Plan, operation: str, parameters: dict[str, Json]) -> list[str]:
    """Return what is wrong with one call that leads a turned act back."""
    first = plan.steps[0]
    call = intent(first.id, plan=plan.hash, operation=first.operation, parameters=dict(first.parameters))
    turned = entry("compensating", RecordKind.OUTCOME, result="compensating", plan=plan.hash)
    back = intent("back", plan=plan.hash, operation=operation, parameters=parameters, back=True)
    approved = (
        *proposed(plan.hash),
        vote("k8s.b", plan=plan.hash),
        vote("k8s.a", plan=plan.hash),
        decided(plan=plan.hash),
    )
    closed = replace(outcome(first.id), plan_hash=plan.hash)
    return codes(*approved, started(plan), call, closed, turned, back, replace(outcome("back"), plan_hash=plan.hash))


def test_a_rollback_sets_the_type_back_to_the_one_that_the_plan_found_and_changes_nothing_else() -> None:
    modify = "ec2:ModifyInstanceAttribute"
    assert back_of(RESIZE, modify, {"InstanceId": "i-1", "InstanceType": {"Value": "m5.xlarge"}}) == []
    assert back_of(RESIZE, modify, {"InstanceId": "i-1", "InstanceType": {"Value": "x1e.32xlarge"}}) == ["Plan"]
    assert back_of(RESIZE, modify, {"InstanceId": "i-1", "UserData": {"Value": "other"}}) == ["Plan"]


def test_what_destroys_leads_nothing_back() -> None:
    assert back_of(DELETE, "ec2:DeleteVolume", {"VolumeId": "vol-1"}) == ["Plan"]
