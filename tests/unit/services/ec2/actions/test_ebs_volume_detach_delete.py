"""ebs_volume_detach_delete: what speaks against it, what it calls, what leads back, and when it is deleted."""

from __future__ import annotations

from typing import Any, Final

import pytest
from tests.support.act_reading import CannedReader, granted

from finops.domain.execution import Observation
from finops.domain.recommendation import ResourceRef
from finops.errors import InvalidInput
from finops_operator.plugins.action import PolicyFacts, Target
from finops_operator.services.ec2.actions.ebs_volume_detach_delete import ACTION

_ARN: Final = "arn:aws:ec2:us-east-1:111111111111:volume/vol-1"
_INSTANCE_ARN: Final = "arn:aws:ec2:us-east-1:111111111111:instance/i-1"
_VOLUME: Final = ResourceRef("ebs-volume", "vol-1", _ARN, "111111111111", "us-east-1")
_PLACE: Final[dict[str, Any]] = {"instanceId": "i-1", "device": "/dev/sdf"}
_AT: Final = {"VolumeId": "vol-1", "InstanceId": "i-1", "Device": "/dev/sdf"}
_NO_FACTS: Final = PolicyFacts()
_ATTACHED: Final = [{"InstanceId": "i-1", "Device": "/dev/sdf", "State": "attached"}]
_DESCRIBED: Final[dict[str, Any]] = {
    "VolumeId": "vol-1",
    "State": "in-use",
    "VolumeType": "gp3",
    "Size": 40,
    "Iops": 3000,
    "Throughput": 125,
    "CreateTime": "2025-01-01",
    "MultiAttachEnabled": False,
    "Attachments": _ATTACHED,
}
_INSTANCE: Final[dict[str, Any]] = {
    "InstanceId": "i-1",
    "State": {"Name": "stopped"},
    "LaunchTime": "2025-06-01",
    "RootDeviceName": "/dev/xvda",
}


def observed(instance: dict[str, Any] | None = None, made: str = "", **changes: Any) -> Observation:
    """Return what is seen; `made` are the states of the snapshots that the act made (`completed`, `first only`)."""
    snapshots = {
        "": [],
        "first only": [{"SnapshotId": "snap-1", "State": "completed", "StartTime": "2026-03-01T00:00:00Z"}],
        "completed": [{"SnapshotId": "snap-2", "State": "completed", "StartTime": "2026-03-01T00:00:00Z"}],
    }[made]
    complete = [{"Id": f"q{number}", "StatusCode": "Complete"} for number in range(2)]
    answers = {
        "ec2:DescribeVolumes": {"Volumes": [{**_DESCRIBED, **changes}]},
        "ec2:DescribeInstances": {"Reservations": [{"Instances": [{**_INSTANCE, **(instance or {})}]}]},
        "ec2:DescribeSnapshots": {"Snapshots": snapshots},
        "cloudwatch:GetMetricData": {"MetricDataResults": complete},
    }
    recorded = {"completed": {"create_snapshot": "snap-2", "create_last_snapshot": "snap-2"}}.get(made, {})
    uid = "" if made == "completed" else "u1"
    return ACTION.observe(CannedReader(answers), Target(_VOLUME, _PLACE, request_uid=uid, made=recorded))


def detached(made: str = "completed", **changes: Any) -> Observation:
    return observed(made=made, **{"State": "available", "Attachments": [], **changes})


def codes(seen: Observation, facts: PolicyFacts = _NO_FACTS) -> list[str]:
    return [refusal.code for refusal in ACTION.preflight(seen, _PLACE, facts)]


def tags(key: str, value: str = "") -> list[dict[str, str]]:
    return [{"Key": key, "Value": value}]


_RUNNING: Final[dict[str, Any]] = {"State": {"Name": "running"}}


def test_nothing_speaks_against_a_data_volume_of_a_stopped_instance() -> None:
    assert codes(observed()) == []
    assert codes(detached()) == [], "our own detaching is no reason"


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (Observation(exists=False), "NotFound"),
        (observed(Tags=tags("finops.dev/protected", "true")), "Protected"),
        (observed(Tags=tags("kubernetes.io/created-for/pvc/name", "data")), "OwnedByController"),
        (observed(Tags=tags("aws:cloudformation:stack-name", "shop")), "OwnedByTemplate"),
        (observed(Tags=tags("legal-hold")), "KeptByTag"),
        (observed(Operator={"Managed": True}), "ManagedVolume"),
        (observed(State="available", Attachments=[]), "NotAttached"),
        (observed(Attachments=[{**_ATTACHED[0], "InstanceId": "i-2"}]), "NotAttached"),
        (observed(Attachments=[{**_ATTACHED[0], "Device": "/dev/sdg"}]), "NotAttached"),
        (observed(Attachments=[{**_ATTACHED[0], "State": "detaching"}]), "NotAttached"),
        (observed({"RootDeviceName": "/dev/sdf"}), "RootVolume"),
        (observed({"RootDeviceName": None}), "RootDeviceUnknown"),
        (observed(MultiAttachEnabled=True), "MultiAttach"),
        (observed(_RUNNING), "InstanceNotStopped"),
        (observed({"State": {"Name": "stopping"}}), "InstanceNotStopped"),
        (observed({"StateReason": {"Code": "Client.UserInitiatedHibernate"}}), "InstanceHibernated"),
        (observed({"Tags": tags("finops.dev/protected", "true")}), "InstanceProtected"),
        (observed({"Tags": tags("aws:autoscaling:groupName", "workers")}), "InstanceOwnedByController"),
        (observed({"Tags": tags("legal-hold")}), "InstanceKeptByTag"),
        (detached(State="in-use", Attachments=_ATTACHED), "AttachedAgain"),
    ],
)
def test_every_reason_against_it_has_its_rule(seen: Observation, code: str) -> None:
    assert codes(seen) == [code]


@pytest.mark.parametrize("place", [{}, {"instanceId": "i-1"}, {"instanceId": "", "device": "/dev/sdf"}])
def test_without_a_place_there_is_no_plan(place: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="is no place of a volume"):
        ACTION.plan(_VOLUME, place, observed().fingerprint)


def test_it_is_detached_between_the_two_snapshots_and_attached_again_when_the_act_turns() -> None:
    plan = ACTION.plan(_VOLUME, _PLACE, observed().fingerprint)
    called = [step.operation for step in plan.steps if step.changes]
    assert called == ["ec2:CreateSnapshot", "ec2:DetachVolume", "ec2:CreateSnapshot", "ec2:DeleteVolume"]
    by_id = {step.id: step for step in (*plan.steps, *ACTION.procedure.compensation(plan))}
    assert by_id["detach"].parameters == by_id["attach_again"].parameters == _AT
    of_undo = {"create_volume", "wait_available"}
    assert {*by_id, *of_undo} == set(ACTION.procedure.steps)


def test_its_sessions_may_change_this_volume_and_its_instance_alone() -> None:
    plan = ACTION.plan(_VOLUME, _PLACE, observed().fingerprint)
    rights = list(granted(ACTION, plan))
    of_places = {
        (right, arn) for operation, right, arn in rights if operation in {"ec2:DetachVolume", "ec2:AttachVolume"}
    }
    assert of_places == {
        (right, arn) for right in ("ec2:DetachVolume", "ec2:AttachVolume") for arn in (_ARN, _INSTANCE_ARN)
    }
    of_undo = {right for right in ACTION.permissions if right == "ec2:CreateVolume" or right.startswith("kms:")}
    assert {right for _, right, _ in rights} == {*ACTION.permissions} - of_undo


def test_our_own_detaching_changes_no_fingerprint_and_a_start_of_the_instance_does() -> None:
    before = observed().fingerprint
    assert before == detached().fingerprint
    assert before != observed({"LaunchTime": "2026-03-01"}).fingerprint
    assert before != observed(_RUNNING).fingerprint
    assert before != observed(Tags=tags("team", "web")).fingerprint


def test_it_is_detached_only_after_a_complete_snapshot_and_while_it_is_as_approved() -> None:
    plan, step = ACTION.plan(_VOLUME, _PLACE, observed().fingerprint), ACTION.procedure.steps["detach"]
    kept = observed(made="first only")
    assert step.expected(plan, kept)
    assert not step.expected(plan, observed())
    assert not step.expected(plan, observed(_RUNNING, made="first only"))
    assert step.reached(plan, detached())
    assert not step.reached(plan, kept)


def test_it_is_deleted_only_while_nothing_has_it_and_its_last_snapshot_is_complete() -> None:
    plan, step = ACTION.plan(_VOLUME, _PLACE, observed().fingerprint), ACTION.procedure.steps["delete_volume"]
    assert step.expected(plan, detached())
    assert not step.expected(plan, detached("first only", Size=80))
    assert not step.expected(plan, detached(State="in-use", Attachments=_ATTACHED))
    assert step.destroys
    changed = step.changed
    assert changed is not None
    assert changed(plan, detached(State="in-use", Attachments=_ATTACHED))
    assert not changed(plan, detached())


def test_it_is_led_back_once_an_instance_has_it_whoever_gave_it_to_one() -> None:
    plan, rules = ACTION.plan(_VOLUME, _PLACE, observed().fingerprint), ACTION.procedure
    other = observed(Attachments=[{**_ATTACHED[0], "InstanceId": "i-2"}])
    assert [rules.restored(plan, one) for one in (observed(), other, detached())] == [True, True, False]
    assert rules.steps["attach_again"].expected(plan, detached())
    assert not rules.steps["attach_again"].expected(plan, other)


def test_people_are_warned_of_the_instance_that_misses_it() -> None:
    assert any("may not start up" in one for one in ACTION.warnings(observed(), _PLACE))
    plan = ACTION.plan(_VOLUME, _PLACE, observed().fingerprint)
    assert ACTION.words(observed(), _PLACE, plan).steps["detach"] == "Detach it from i-1"
