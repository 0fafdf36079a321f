"""ebs_snapshot_delete: what speaks against it, what it reads and calls, and whether people can have it back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest
from tests.support.act_reading import CannedReader, granted

from finops.domain.execution import Observation
from finops.domain.recommendation import ResourceRef
from finops.domain.resource import Resource
from finops.errors import AwsRejected
from finops_operator.plugins.action import PolicyFacts, Target
from finops_operator.plugins.ownership import Owner
from finops_operator.services.ec2.actions.ebs_snapshot_delete import ACTION

_ARN: Final = "arn:aws:ec2:us-east-1::snapshot/snap-1"
_SNAPSHOT: Final = ResourceRef("ebs-snapshot", "snap-1", _ARN, "111111111111", "us-east-1")
_NO_FACTS: Final = PolicyFacts()
_OWN: Final[dict[str, Any]] = {
    "SnapshotId": "snap-1",
    "VolumeId": "vol-1",
    "VolumeSize": 8,
    "State": "completed",
    "StorageTier": "standard",
    "StartTime": "2025-01-01T00:00:00+00:00",
}
_NEWER: Final = {**_OWN, "SnapshotId": "snap-2", "StartTime": "2025-02-01T00:00:00+00:00"}
_OF_IMAGE: Final = "Created by CreateImage(i-0a) for ami-0a"


class SnapshotReader(CannedReader):
    """Answers by the filter where both the snapshot and those of its volume are asked for."""

    def read(self, operation: str, parameters: Any) -> Any:
        answer = super().read(operation, parameters)
        if operation != "ec2:DescribeSnapshots":
            return answer
        return {"Snapshots": answer[parameters["Filters"][0]["Name"]]}


def reader(tags: dict[str, str] | None = None, *, answers: dict[str, Any] | None = None, **own: Any) -> SnapshotReader:
    listed = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
    one = _OWN | own | {"Tags": listed}
    usual: dict[str, Any] = {
        "ec2:DescribeSnapshots": {"snapshot-id": [one], "volume-id": [one]},
        "ec2:DescribeSnapshotAttribute": {"CreateVolumePermissions": []},
    }
    return SnapshotReader({**usual, **(answers or {})})


def observed(tags: dict[str, str] | None = None, *, answers: dict[str, Any] | None = None, **own: Any) -> Observation:
    return ACTION.observe(reader(tags, answers=answers, **own), Target(_SNAPSHOT, {}))


def codes(seen: Observation, facts: PolicyFacts = _NO_FACTS) -> list[str]:
    return [refusal.code for refusal in ACTION.preflight(seen, {}, facts)]


def volume(*later: dict[str, Any]) -> dict[str, Any]:
    """Return answers in which its volume exists, with later snapshots."""
    return {
        "ec2:DescribeVolumes": {"Volumes": [{"VolumeId": "vol-1"}]},
        "ec2:DescribeSnapshots": {"snapshot-id": [_OWN], "volume-id": [_OWN, *later]},
    }


def lock(state: str) -> dict[str, Any]:
    return {"ec2:DescribeLockedSnapshots": {"Snapshots": [{"SnapshotId": "snap-1", "LockState": state}]}}


def restore(state: str) -> dict[str, Any]:
    found = {"SnapshotId": "snap-1", "AvailabilityZone": "us-east-1a", "State": state}
    return {"ec2:DescribeFastSnapshotRestores": {"FastSnapshotRestores": [found]}}


def template(snapshot: str) -> dict[str, Any]:
    data = {"BlockDeviceMappings": [{"DeviceName": "/dev/sdb", "Ebs": {"SnapshotId": snapshot}}]}
    versions = [{"LaunchTemplateName": "workers", "LaunchTemplateData": data}]
    return {"ec2:DescribeLaunchTemplateVersions": {"LaunchTemplateVersions": versions}}


def launch_configuration(snapshot: str) -> dict[str, Any]:
    devices = [{"DeviceName": "/dev/sdb", "Ebs": {"SnapshotId": snapshot}}, {"VirtualName": "ephemeral0"}]
    found = [{"LaunchConfigurationName": "old-workers", "BlockDeviceMappings": devices}]
    return {"autoscaling:DescribeLaunchConfigurations": {"LaunchConfigurations": found}}


def images(snapshot: str) -> dict[str, Any]:
    mapping = [{"Ebs": {"SnapshotId": snapshot}}]
    return {"ec2:DescribeImages": {"Images": [{"ImageId": "ami-1", "BlockDeviceMappings": mapping}]}}


@pytest.mark.parametrize(
    "answers",
    [{}, volume(_NEWER), lock("expired"), restore("disabled"), images("snap-9")],
    ids=["of a gone volume", "a newer one", "an expired lock", "fast restore off", "image of another"],
)
def test_nothing_speaks_against_a_snapshot_that_nothing_needs(answers: dict[str, Any]) -> None:
    assert codes(observed({"team": "data"}, answers=answers) if not answers else observed(answers=answers)) == []


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (Observation(exists=False), "NotFound"),
        (observed({"finops.dev/protected": "true"}), "Protected"),
        (observed({"aws:backup:source-resource": "x"}), "OwnedByController"),
        (observed({"dlm:managed": "true"}), "OwnedByController"),
        (observed({"CSIVolumeSnapshotName": "x"}), "OwnedByController"),
        (observed({"aws:cloudformation:stack-name": "shop"}), "OwnedByTemplate"),
        (observed({"legal-hold": ""}), "KeptByTag"),
        (observed({"audit": "2024"}), "KeptByTag"),
        (observed({"Archive": "2024"}), "KeptByTag"),
        (observed(State="pending"), "NotCompleted"),
        (observed(StorageTier="archive"), "NotStandardTier"),
        (observed(StorageTier=None), "NotStandardTier"),
        (observed(VolumeId="vol-ffffffff"), "CopyOfUnknown"),
        (observed(answers=volume()), "NewestOfVolume"),
        (observed(answers=volume({**_NEWER, "State": "pending"})), "NewestOfVolume"),
        (observed(answers=volume({**_NEWER, "TransferType": "standard"})), "NewestOfVolume"),
        (observed(answers=images("snap-1")), "UsedByImage"),
        (observed(answers=template("snap-1")), "UsedByTemplate"),
        (observed(answers=launch_configuration("snap-1")), "UsedByTemplate"),
        (
            observed(
                Description=_OF_IMAGE, answers={"ec2:ListImagesInRecycleBin": {"Images": [{"ImageId": "ami-0a"}]}}
            ),
            "UsedByRecycledImage",
        ),
        (observed(answers=lock("governance")), "Locked"),
        (observed(answers=lock("compliance-cooloff")), "Locked"),
        (observed(answers=restore("enabled")), "FastRestoreOn"),
        (observed(answers=restore("optimizing")), "FastRestoreOn"),
        (
            observed(answers={"ec2:DescribeSnapshotAttribute": {"CreateVolumePermissions": [{"Group": "all"}]}}),
            "Shared",
        ),
        (Observation(True, {}, {**observed().facts, "shared": None}), "Shared"),
    ],
)
def test_every_reason_against_it_has_its_rule(seen: Observation, code: str) -> None:
    assert codes(seen) == [code]


def test_what_the_policy_protects_is_refused() -> None:
    assert codes(observed({"env": "prod"}), PolicyFacts({"env": ("prod",)})) == ["Protected"]


def test_an_image_that_nobody_can_take_back_holds_nothing() -> None:
    assert codes(observed(Description=_OF_IMAGE)) == []


def test_its_reads_are_those_that_it_declares_and_after_the_call_it_asks_for_the_snapshot_alone() -> None:
    asked = reader(Description=_OF_IMAGE)
    ACTION.observe(asked, Target(_SNAPSHOT, {}))
    assert asked.operations == set(ACTION.read_permissions)
    after = reader()
    ACTION.observe(after, Target(_SNAPSHOT, {}, full=False))
    assert after.operations == {"ec2:DescribeSnapshots"}


def rejected(operation: str, code: str) -> dict[str, Any]:
    return {operation: AwsRejected("no", operation=operation, code=code)}


def test_a_snapshot_that_goes_while_it_is_read_is_gone() -> None:
    assert not observed(answers={"ec2:DescribeSnapshots": {"snapshot-id": []}}).exists
    assert not observed(answers=rejected("ec2:DescribeSnapshotAttribute", "InvalidSnapshot.NotFound")).exists


@pytest.mark.parametrize("operation", ACTION.read_permissions)
def test_a_refused_read_proves_nothing(operation: str) -> None:
    with pytest.raises(AwsRejected):
        observed(Description=_OF_IMAGE, answers=rejected(operation, "InvalidParameterValue"))


@pytest.mark.parametrize(
    "other",
    [observed({"team": "web"}), observed(StorageTier="archive"), observed(StartTime="2025-01-02T00:00:00+00:00")],
    ids=["tags", "archived", "another time"],
)
def test_whatever_changed_since_the_plan_keeps_it_from_being_called(other: Observation) -> None:
    plan = ACTION.plan(_SNAPSHOT, {}, observed().fingerprint)
    assert ACTION.procedure.steps["delete"].expected(plan, observed())
    assert not ACTION.procedure.steps["delete"].expected(plan, other)


def test_it_makes_one_call_that_destroys_and_the_session_may_make_no_other() -> None:
    plan = ACTION.plan(_SNAPSHOT, {}, observed().fingerprint)
    (step,) = plan.steps
    assert (step.operation, step.parameters) == ("ec2:DeleteSnapshot", {"SnapshotId": "snap-1"})
    assert ACTION.procedure.steps[step.id].destroys
    assert ACTION.procedure.compensation(plan) == ()
    assert list(granted(ACTION, plan)) == [("ec2:DeleteSnapshot", "ec2:DeleteSnapshot", _ARN)]
    assert (ACTION.permissions, ACTION.destructive) == (("ec2:DeleteSnapshot",), True)


def rules(*days: int) -> dict[str, Any]:
    period = [{"RetentionPeriodValue": one, "RetentionPeriodUnit": "DAYS"} for one in days]
    return {"rbin:ListRules": {"Rules": [{"Identifier": "r", "RetentionPeriod": one} for one in period]}}


@pytest.mark.parametrize(("days", "longest"), [((), ""), ((7,), "7"), ((7, 30, 14), "30")])
def test_the_longest_rule_of_the_recycle_bin_counts(days: tuple[int, ...], longest: str) -> None:
    assert observed(answers=rules(*days)).text("binDays") == longest


def test_people_read_whether_they_can_have_it_back_and_that_it_may_be_the_last_copy() -> None:
    seen = observed()
    words = ACTION.words(seen, {}, ACTION.plan(_SNAPSHOT, {}, seen.fingerprint))
    assert words.undo == "It cannot be undone: the Recycle Bin has no rule for snapshots here."
    assert [(fact.label, fact.value) for fact in words.facts] == [
        ("Taken of", "vol-1, 8 GiB"),
        ("Taken at", "2025-01-01T00:00:00+00:00"),
    ]
    assert ACTION.warnings(seen, {})[0] == "Its volume is gone: this may be the last copy of the data."
    kept = observed(answers={**volume(_NEWER), **rules(7)})
    first, *_ = ACTION.warnings(kept, {})
    assert first == (
        "A rule of the Recycle Bin may keep it, for 7 days at most: then it can be restored, and is billed as before."
    )


@pytest.mark.parametrize(
    ("seen", "sentence"),
    [(Observation(exists=False), "The snapshot is deleted."), (observed(), "The snapshot is completed.")],
)
def test_the_end_of_the_act_says_what_is_there(seen: Observation, sentence: str) -> None:
    plan = ACTION.plan(_SNAPSHOT, {}, observed().fingerprint)
    assert ACTION.procedure.found(plan, seen) == sentence
    assert ACTION.procedure.verified(plan, seen) is not seen.exists


def test_a_refusal_for_an_image_is_said_in_words() -> None:
    plan = ACTION.plan(_SNAPSHOT, {}, observed().fingerprint)
    said = ACTION.procedure.refused(plan, observed(), "delete", "InvalidSnapshot.InUse")
    assert said == "An image uses the snapshot meanwhile."
    assert ACTION.procedure.refused(plan, observed(), "delete", "Other") == ""


def test_an_owner_gets_the_change_in_its_own_words() -> None:
    resource = Resource("ebs-snapshot", "snap-1", _ARN, "", "111111111111", "us-east-1", "completed")
    patches = [ACTION.at_owner.patch(Owner(one, "", "x"), resource, {}) for one in ("Terraform", "CloudFormation")]
    assert patches == ["Remove the aws_ebs_snapshot block.", ""]


def test_templates_that_make_volumes_of_it_are_named_and_those_of_other_snapshots_hold_nothing() -> None:
    (refusal,) = ACTION.preflight(
        observed(answers={**template("snap-1"), **launch_configuration("snap-1")}), {}, _NO_FACTS
    )
    assert refusal.message == "Launch templates make volumes of it: old-workers, workers."
    assert codes(observed(answers={**template("snap-9"), **launch_configuration("snap-9")})) == []
    seen = observed()
    unread = replace(seen, facts={name: value for name, value in seen.facts.items() if name != "templates"})
    assert codes(unread) == ["UsedByTemplate"]
