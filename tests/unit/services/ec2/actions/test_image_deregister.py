"""image_deregister: what speaks against it, what is kept to register it again, what it calls, what people read."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from tests.support.act_reading import CannedReader, granted

from finops.domain.execution import Observation
from finops.domain.recommendation import ResourceRef
from finops.errors import AwsRejected
from finops_operator.plugins.action import PolicyFacts, Target
from finops_operator.services.ec2.actions.image_deregister import ACTION

_ARN: Final = "arn:aws:ec2:us-east-1::image/ami-1"
_IMAGE: Final = ResourceRef("ami", "ami-1", _ARN, "111111111111", "us-east-1")
_NO_FACTS: Final = PolicyFacts()
_EBS: Final = {"SnapshotId": "snap-1", "VolumeSize": 20, "VolumeType": "gp3", "Encrypted": False}
_DESCRIBED: Final[dict[str, Any]] = {
    "ImageId": "ami-1",
    "Name": "golden",
    "State": "available",
    "Public": False,
    "Architecture": "x86_64",
    "UsageOperation": "RunInstances",
    "RootDeviceType": "ebs",
    "RootDeviceName": "/dev/xvda",
    "EnaSupport": True,
    "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": _EBS}, {"DeviceName": "/dev/sdb", "VirtualName": "e0"}],
    "DeregistrationProtection": "disabled",
}


def reader(further: dict[str, Any] | None = None, **changes: Any) -> CannedReader:
    return CannedReader({"ec2:DescribeImages": {"Images": [{**_DESCRIBED, **changes}]}, **(further or {})})


def observed(further: dict[str, Any] | None = None, **changes: Any) -> Observation:
    return ACTION.observe(reader(further, **changes), Target(_IMAGE, {}))


def tagged(key: str, value: str = "") -> Observation:
    return observed(Tags=[{"Key": key, "Value": value}])


def codes(seen: Observation, facts: PolicyFacts = _NO_FACTS) -> list[str]:
    return [refusal.code for refusal in ACTION.preflight(seen, {}, facts)]


_NAMED: Final = {"ec2:DescribeImageReferences": {"ImageReferences": [{"Arn": "arn:aws:ec2:x:1:launch-template/lt-1"}]}}
_CONFIGURED: Final = {
    "autoscaling:DescribeLaunchConfigurations": {
        "LaunchConfigurations": [{"LaunchConfigurationName": "old", "ImageId": "ami-1"}]
    }
}
_SHARED: Final = {"ec2:DescribeImageAttribute": {"LaunchPermissions": [{"UserId": "222222222222"}]}}
_KEPT: Final = {"rbin:ListRules": {"Rules": [{"RetentionPeriod": {"RetentionPeriodValue": 14}}]}}


def test_nothing_speaks_against_an_image_that_nothing_names_and_nobody_else_may_launch() -> None:
    assert codes(observed()) == []
    assert codes(observed(State="disabled", DeregistrationProtection=None)) == []


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (Observation(exists=False), "NotFound"),
        (tagged("finops.dev/protected", "true"), "Protected"),
        (tagged("legal-hold"), "KeptByTag"),
        (tagged("compliance-archive"), "KeptByTag"),
        (tagged("aws:backup:source-resource", "x"), "OwnedByController"),
        (tagged("aws:dlm:lifecycle-policy-id", "policy-1"), "OwnedByController"),
        (tagged("terraform", "true"), "OwnedByTemplate"),
        (observed(State="pending"), "NotAvailable"),
        (observed(DeregistrationProtection="enabled-with-cooldown"), "DeregistrationProtected"),
        (observed(BlockDeviceMappings=[]), "NoSnapshots"),
        (observed(RootDeviceType="instance-store"), "NoSnapshots"),
        (observed(UsageOperation="RunInstances:0002"), "BilledByImage"),
        (observed(UsageOperation=None), "BilledByImage"),
        (observed(ProductCodes=[{"ProductCodeId": "x"}]), "BilledByImage"),
        (observed(Description="d" * 3001), "RegistrationTooLong"),
        (observed(Public=True), "Public"),
        (observed(Public=None), "Public"),
        (observed(_SHARED), "Shared"),
        (observed(_NAMED), "InUse"),
        (observed(_CONFIGURED), "InUse"),
    ],
)
def test_every_reason_against_it_has_its_rule(seen: Observation, code: str) -> None:
    assert codes(seen) == [code]


def test_what_was_not_read_refuses_and_so_does_what_the_policy_protects() -> None:
    assert codes(ACTION.observe(reader(), Target(_IMAGE, {}, full=False))) == ["Shared", "UsersUnknown"]
    assert codes(tagged("env", "prod"), PolicyFacts({"env": ("prod",)})) == ["Protected"]


def test_what_names_it_is_said() -> None:
    (refusal,) = ACTION.preflight(observed({**_NAMED, **_CONFIGURED}), {}, _NO_FACTS)
    assert refusal.message == "It is named by launch configuration old, launch-template/lt-1."


def test_the_plan_keeps_the_parameters_with_which_it_would_be_registered_again() -> None:
    kept = ACTION.plan(_IMAGE, {}, observed().fingerprint).fingerprint
    assert kept["snapshots"] == "snap-1"
    assert json.loads(str(kept["registration"])) == {
        "Name": "golden",
        "Architecture": "x86_64",
        "RootDeviceName": "/dev/xvda",
        "EnaSupport": True,
        "BlockDeviceMappings": [
            {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": "snap-1", "VolumeSize": 20, "VolumeType": "gp3"}},
            {"DeviceName": "/dev/sdb", "VirtualName": "e0"},
        ],
    }


def test_it_makes_one_call_that_destroys_and_its_session_may_do_nothing_else() -> None:
    plan = ACTION.plan(_IMAGE, {}, observed().fingerprint)
    (step,) = plan.steps
    assert (step.operation, step.parameters) == ("ec2:DeregisterImage", {"ImageId": "ami-1"})
    assert ACTION.procedure.steps[step.id].destroys
    assert ACTION.procedure.compensation(plan) == ()
    assert list(granted(ACTION, plan)) == [("ec2:DeregisterImage", "ec2:DeregisterImage", _ARN)]


@pytest.mark.parametrize(
    "changes", [{"LastLaunchedTime": "2026-03-01T00:00:00Z"}, {"State": "disabled"}, {"Name": "x"}]
)
def test_whatever_changed_since_the_plan_keeps_it_from_being_called(changes: dict[str, Any]) -> None:
    plan, rules = ACTION.plan(_IMAGE, {}, observed().fingerprint), ACTION.procedure.steps["deregister"]
    assert rules.expected(plan, observed())
    assert not rules.expected(plan, observed(**changes))


@pytest.mark.parametrize("code", ["InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"])
def test_one_that_aws_does_not_find_is_gone_and_any_other_refusal_of_a_read_proves_nothing(code: str) -> None:
    def failing(code: str) -> CannedReader:
        return CannedReader({"ec2:DescribeImages": AwsRejected("no", operation="x", code=code)})

    assert not ACTION.observe(failing(code), Target(_IMAGE, {})).exists
    with pytest.raises(AwsRejected):
        ACTION.observe(failing("InvalidParameterValue"), Target(_IMAGE, {}))


def test_the_end_names_the_snapshots_that_stay_and_people_are_warned_of_them() -> None:
    plan = ACTION.plan(_IMAGE, {}, observed().fingerprint)
    assert ACTION.procedure.found(plan, Observation(exists=False)) == (
        "The image is deregistered; its snapshots (snap-1) stay and are billed."
    )
    assert ACTION.procedure.found(plan, observed()) == "The image is available."
    assert len(ACTION.warnings(observed(), {})) == 2
    assert ACTION.warnings(observed(_KEPT), {})[-1] == "A rule of the Recycle Bin may keep it, 14 days at most."
    assert "register an image from its snapshots" in ACTION.words(observed(), {}, plan).undo


def test_it_reads_what_it_declares() -> None:
    asked = reader()
    ACTION.observe(asked, Target(_IMAGE, {}))
    assert asked.operations == set(ACTION.read_permissions)
