"""Plans are exact and rebuildable; session policies allow a step's own calls on its own ARNs and nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from tests.support.action_cases import INSTANCE, VOLUME

import finops_operator
from finops.domain.audit import GENESIS_HASH, Record
from finops.domain.canonical import Json
from finops.domain.execution import Observation
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import ResourceRef
from finops.ports.act import ActRequest, Limits
from finops.ports.aws_access import AccountAccess, Tenant
from finops.store.caps import fleet_share
from finops_operator.acts.journal import plan_from_json, started_entry
from finops_operator.aws.executor import until
from finops_operator.plugins.action import REQUEST_PLACEHOLDER, Action, with_request
from finops_operator.plugins.loaded import load_actions
from finops_operator.services.ec2.actions.ebs_volume_delete import ACTION as DELETE
from finops_operator.services.ec2.actions.ebs_volume_modify import ACTION as MODIFY
from finops_operator.services.ec2.actions.ec2_instance_resize import ACTION as RESIZE
from finops_operator.services.ec2.actions.ec2_instance_stop import ACTION as STOP
from finops_operator.services.ec2.rules.instance_observation import fingerprint as instance_fingerprint
from finops_operator.services.ec2.rules.volume_observation import fingerprint as volume_fingerprint

_RUNNING = {"state": "running", "instanceType": "m5.xlarge", "launchTime": "t0"}
_AVAILABLE = {"state": "available", "volumeType": "gp2", "iops": "300", "throughput": ""}
_GP3 = {"volumeType": "gp3", "iops": 3000, "throughput": 125}
_CASES: dict[str, tuple[Action, ResourceRef, dict[str, Any], dict[str, str]]] = {
    "stop": (STOP, INSTANCE, {}, _RUNNING),
    "resize": (RESIZE, INSTANCE, {"instanceType": "m5.large"}, _RUNNING),
    "resize stopped": (RESIZE, INSTANCE, {"instanceType": "m5.large"}, {**_RUNNING, "state": "stopped"}),
    "modify": (MODIFY, VOLUME, _GP3, _AVAILABLE),
    "delete": (DELETE, VOLUME, {}, _AVAILABLE),
}


def plan_of(case: str) -> Plan:
    action, resource, parameters, fingerprint = _CASES[case]
    return action.plan(resource, parameters, fingerprint)


def calls(plan: Plan) -> list[tuple[str, Any]]:
    return [(step.operation, step.parameters) for step in plan.steps if step.changes]


def test_the_registry_finds_each_file_of_an_action_and_nothing_else() -> None:
    files = (Path(finops_operator.__file__).parent / "services").glob("*/actions/*.py")
    assert list(load_actions()) == sorted(one.stem for one in files if one.stem != "__init__")


def test_a_running_instance_is_stopped_changed_and_started() -> None:
    assert calls(plan_of("resize")) == [
        ("ec2:StopInstances", {"InstanceIds": ["i-1"]}),
        ("ec2:ModifyInstanceAttribute", {"InstanceId": "i-1", "InstanceType": {"Value": "m5.large"}}),
        ("ec2:StartInstances", {"InstanceIds": ["i-1"]}),
    ]


def test_a_stopped_instance_is_only_changed() -> None:
    assert [operation for operation, _ in calls(plan_of("resize stopped"))] == ["ec2:ModifyInstanceAttribute"]


def test_a_volume_change_writes_every_setting_out() -> None:
    assert calls(plan_of("modify")) == [
        ("ec2:ModifyVolume", {"VolumeId": "vol-1", "VolumeType": "gp3", "Iops": 3000, "Throughput": 125})
    ]


def test_a_deletion_makes_a_snapshot_that_carries_the_request_in_its_creating_call() -> None:
    (_, first), (_, last), (operation, parameters) = calls(plan_of("delete"))
    assert (operation, parameters) == ("ec2:DeleteVolume", {"VolumeId": "vol-1"})
    for snapshot, step in ((first, "create_snapshot"), (last, "create_last_snapshot")):
        tags = with_request(snapshot, "u1")["TagSpecifications"][0]["Tags"]
        assert {tag["Key"]: tag["Value"] for tag in tags} == {
            "finops.dev/expires-after-days": "90",
            "finops.dev/request": "u1",
            "finops.dev/step": step,
        }
        assert REQUEST_PLACEHOLDER in json.dumps(snapshot)


@pytest.mark.parametrize("case", sorted(_CASES))
def test_a_plan_is_a_function_of_its_arguments_and_survives_json(case: str) -> None:
    plan = plan_of(case)
    assert plan_of(case).hash == plan.hash
    assert plan_from_json(json.loads(json.dumps(plan.to_json()))).hash == plan.hash


@pytest.mark.parametrize("case", sorted(_CASES))
def test_another_fingerprint_is_another_plan(case: str) -> None:
    action, resource, parameters, fingerprint = _CASES[case]
    assert action.plan(resource, parameters, {**fingerprint, "tags": "other"}).hash != plan_of(case).hash


@pytest.mark.parametrize("case", sorted(_CASES))
def test_every_step_forward_and_back_has_its_rules_and_every_inverse_exists(case: str) -> None:
    action = _CASES[case][0]
    plan = plan_of(case)
    back = action.procedure.compensation(plan)
    for step in (*plan.steps, *back):
        assert step.id in action.procedure.steps
    names = {step.id for step in action.procedure.compensation(plan_of(case))} | {"start_again", "stop_again"}
    assert {step.inverse for step in plan.steps if step.inverse} <= names


@pytest.mark.parametrize("case", sorted(_CASES))
def test_a_session_may_do_its_own_step_on_its_own_resource_and_fits_into_sts(case: str) -> None:
    action, resource, _, _ = _CASES[case]
    plan = plan_of(case)
    for step in (*plan.steps, *action.procedure.compensation(plan)):
        if not step.changes:
            continue
        own, seen = action.statements(plan, step), action.observed_statements(plan, step, _MANY_KEYS)
        sent = [*(until(one, 1_795_892_400) for one in own), *seen]
        assert len(json.dumps({"Version": "2012-10-17", "Statement": sent})) < 2048
        statements = (*own, *seen)
        allowed: set[str] = set()
        for statement in statements:
            assert statement["Effect"] == "Allow"
            for name in _texts(statement["Action"]):
                allowed.add(name)
                for arn in _texts(statement["Resource"]):
                    _check_scope(name, arn, resource, statement)
        assert step.operation in allowed
        assert allowed <= set(action.permissions)
        assert allowed - {step.operation} <= {"kms:CreateGrant", "ec2:CreateTags"}


def _texts(value: Any) -> list[str]:
    return [str(item) for item in value]


def _check_scope(name: str, arn: str, resource: ResourceRef, statement: Any) -> None:
    if name == "kms:CreateGrant":
        condition = statement["Condition"]
        assert condition["Bool"] == {"kms:GrantIsForAWSResource": "true"}
        assert condition["StringEquals"] == {"kms:ViaService": ["ec2.us-east-1.amazonaws.com"]}
    elif name == "ec2:CreateTags":
        assert arn == "arn:aws:ec2:us-east-1::snapshot/*"
        assert statement["Condition"] == {"StringEquals": {"ec2:CreateAction": "CreateSnapshot"}}
    elif name == "ec2:CreateSnapshot":
        assert arn in {resource.arn, "arn:aws:ec2:us-east-1::snapshot/*"}
    else:
        assert arn == resource.arn


KEY: Final = "arn:aws:kms:us-east-1:222222222222:key/11111111-2222-3333-4444-5555555555"
_MANY_KEYS: Final = Observation(exists=True, facts={"volumeKeys": [f"{KEY}{number:02}" for number in range(12)]})


def granted(keys: Json) -> dict[str, Any]:
    """Return step → the keys on which its session may make grants."""
    plan, now = plan_of("resize"), Observation(exists=True, facts={"volumeKeys": keys})
    steps = [step for step in (*plan.steps, *RESIZE.procedure.compensation(plan)) if step.changes]
    return {
        step.id: statement["Resource"]
        for step in steps
        for statement in (*RESIZE.statements(plan, step), *RESIZE.observed_statements(plan, step, now))
        if "kms:CreateGrant" in _texts(statement["Action"])
    }


def test_only_a_start_may_make_grants_and_only_on_the_keys_of_the_instances_volumes() -> None:
    """Bullet "`kms:CreateGrant` narrowed to the volumes' keys"."""
    keys = [f"{KEY}01", f"{KEY}02"]
    assert granted(keys) == {"start": keys, "start_again": keys}
    assert granted([]) == {}


@pytest.mark.parametrize("keys", [None, [f"{KEY}{number}" for number in range(13)]])
def test_keys_that_are_not_known_or_too_many_keep_no_instance_from_its_start(keys: Json) -> None:
    """Invariant I5: a start without a grant that it needs succeeds and is taken back by AWS."""
    assert granted(keys) == {"start": ["*"], "start_again": ["*"]}


def test_fingerprints_show_state_settings_attachments_and_tags_as_texts() -> None:
    instance: dict[str, Any] = {
        "State": {"Name": "running"},
        "InstanceType": "m5.xlarge",
        "LaunchTime": "2026-03-01T00:00:00Z",
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeId": "vol-1"}}],
        "Tags": [{"Key": "a", "Value": "b"}],
    }
    first = instance_fingerprint(instance)
    assert all(isinstance(value, str) for value in first.values())
    assert instance_fingerprint({**instance, "Tags": []})["tags"] != first["tags"]
    assert instance_fingerprint({**instance, "BlockDeviceMappings": []})["attachments"] != first["attachments"]
    volume: dict[str, Any] = {"State": "available", "VolumeType": "gp2", "Size": 100, "Iops": 300, "CreateTime": "t"}
    told = volume_fingerprint(volume)
    assert (told["iops"], told["throughput"], told["sizeGiB"]) == ("300", "", "100")
    assert volume_fingerprint({**volume, "Attachments": [{"InstanceId": "i-1"}]})["attachments"] != told["attachments"]


def test_a_started_record_holds_all_that_is_needed_to_finish_without_the_object() -> None:
    plan = plan_of("resize")
    request = ActRequest(
        uid="u1",
        name="r",
        tenant=Tenant(namespace="team-a", policy="savings"),
        access=AccountAccess(name="production", account_id="111111111111"),
        plan=plan,
        plan_hash=plan.hash,
        deciders=("slack.U1",),
        limits=Limits(1, 1, 1, 1),
    )
    record = Record(1, GENESIS_HASH, datetime(2026, 3, 1, tzinfo=UTC), 1, started_entry(request))
    detail: Any = json.loads(json.dumps(record.to_json()))["detail"]
    assert plan_from_json(detail["plan"]).hash == plan.hash
    assert (detail["account"], detail["policy"], detail["deciders"]) == ("production", "savings", ["slack.U1"])


@pytest.mark.parametrize(
    ("fleet", "percent", "share"), [(100, 10, 10), (5, 10, 1), (0, 10, 1), (19, 10, 1), (20, 10, 2)]
)
def test_a_share_of_the_fleet_is_rounded_down_but_never_to_nothing(fleet: int, percent: int, share: int) -> None:
    assert fleet_share(Limits(per_hour=1, per_day=1, percent_of_fleet=percent, fleet=fleet)) == share


def test_a_step_that_only_waits_changes_nothing() -> None:
    assert not PlanStep("wait").changes


def test_a_session_that_changes_a_type_may_change_nothing_else_of_the_instance() -> None:
    """The right to ModifyInstanceAttribute is limited to the attribute that changes."""
    plan = plan_of("resize")
    steps = (*plan.steps, *RESIZE.procedure.compensation(plan))
    found = [one for step in steps if step.changes for one in RESIZE.statements(plan, step)]
    changing = [one for one in found if "ec2:ModifyInstanceAttribute" in _texts(one["Action"])]
    assert len(changing) == 2
    assert all(one["Condition"] == {"StringEquals": {"ec2:Attribute": "InstanceType"}} for one in changing)
