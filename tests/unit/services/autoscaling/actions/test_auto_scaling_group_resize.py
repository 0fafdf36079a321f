"""auto_scaling_group_resize: what speaks against it, what it calls, what leads back, and when it is undone."""

from __future__ import annotations

from typing import Any, Final

import pytest
from tests.support.act_reading import CannedReader, granted
from tests.support.scaling_groups import ARN, described

from finops.domain.execution import Observation
from finops.domain.recommendation import ResourceRef
from finops.domain.resource import Resource
from finops.errors import InvalidInput
from finops_operator.plugins.action import PolicyFacts, Target
from finops_operator.plugins.group_size import not_larger
from finops_operator.plugins.number_setting import SET_BACK, YES
from finops_operator.plugins.ownership import Owner
from finops_operator.plugins.watch_shape import PERMISSIONS
from finops_operator.services.autoscaling.actions.auto_scaling_group_resize import ACTION

_GROUP: Final = ResourceRef("auto-scaling-group", "web", ARN, "111122223333", "us-east-1")
_NO_FACTS: Final = PolicyFacts()
_WANTED: Final[dict[str, Any]] = {"size": "1/2/6"}
_BACK: Final[dict[str, Any]] = {"size": "2/4/6", SET_BACK: YES}


def members(number: int, **changes: Any) -> list[dict[str, Any]]:
    healthy = {"LifecycleState": "InService", "HealthStatus": "Healthy"}
    return [{"InstanceId": f"i-{one}", "InstanceType": "m5.large", **healthy, **changes} for one in range(number)]


def reader(further: dict[str, Any] | None = None, **changes: Any) -> CannedReader:
    size = {"MinSize": 2, "DesiredCapacity": 4, "MaxSize": 6, "Instances": members(4)}
    group = described(4, **{**size, **changes})
    return CannedReader({"autoscaling:DescribeAutoScalingGroups": {"AutoScalingGroups": [group]}, **(further or {})})


def observed(further: dict[str, Any] | None = None, **changes: Any) -> Observation:
    return ACTION.observe(reader(further, **changes), Target(_GROUP, _WANTED))


def tagged(key: str, value: str = "") -> Observation:
    return observed(Tags=[{"Key": key, "Value": value}])


def codes(seen: Observation, parameters: dict[str, Any] | None = None, facts: PolicyFacts = _NO_FACTS) -> list[str]:
    return [refusal.code for refusal in ACTION.preflight(seen, parameters or _WANTED, facts)]


_POLICY: Final = {"autoscaling:DescribePolicies": {"ScalingPolicies": [{"PolicyType": "TargetTrackingScaling"}]}}
_OFF: Final = {"autoscaling:DescribePolicies": {"ScalingPolicies": [{"PolicyType": "x", "Enabled": False}]}}
_PLANNED: Final[dict[str, Any]] = {"autoscaling:DescribeScheduledActions": {"ScheduledUpdateGroupActions": [{}]}}
_REFRESHED: Final = {"autoscaling:DescribeInstanceRefreshes": {"InstanceRefreshes": [{"Status": "InProgress"}]}}
_REFRESHED_ONCE: Final = {"autoscaling:DescribeInstanceRefreshes": {"InstanceRefreshes": [{"Status": "Successful"}]}}


def test_nothing_speaks_against_a_steady_group_whose_size_nobody_else_sets() -> None:
    assert codes(observed()) == []
    assert codes(observed({**_OFF, **_REFRESHED_ONCE})) == []


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (Observation(exists=False), "NotFound"),
        (tagged("finops.dev/protected", "true"), "Protected"),
        (tagged("DoNotStop"), "Protected"),
        (tagged("legal-hold"), "KeptByTag"),
        (tagged("eks:nodegroup-name", "workers"), "OwnedByController"),
        (tagged("k8s.io/cluster-autoscaler/enabled", "true"), "OwnedByController"),
        (tagged("karpenter.sh/nodepool", "default"), "OwnedByController"),
        (tagged("AmazonECSManaged"), "OwnedByController"),
        (tagged("AWSBatchServiceTag", "batch"), "OwnedByController"),
        (tagged("aws:cloudformation:stack-name", "shop"), "OwnedByTemplate"),
        (observed(AutoScalingGroupARN=None), "IdentityUnknown"),
        (observed(Operator={"Managed": True, "Principal": "x.amazonaws.com"}), "ManagedByService"),
        (observed(Status="Delete in progress"), "BeingDeleted"),
        (observed(SuspendedProcesses=[{"ProcessName": "Terminate"}]), "ProcessSuspended"),
        (observed(_REFRESHED), "InstanceRefresh"),
        (observed(DesiredCapacityType="vcpu"), "CountsCapacity"),
        (observed(Instances=members(4, WeightedCapacity="2")), "CountsCapacity"),
        (observed(_POLICY), "ScaledByPolicy"),
        (observed(_PLANNED), "ScaledBySchedule"),
        (observed(WarmPoolConfiguration={"MinSize": 1}), "WarmPool"),
        (observed(NewInstancesProtectedFromScaleIn=True), "ScaleInProtected"),
        (observed(Instances=members(4, ProtectedFromScaleIn=True)), "ScaleInProtected"),
        (observed(Instances=members(3)), "NotSteady"),
        (observed(Instances=members(4, HealthStatus="Unhealthy")), "NotSteady"),
        (observed(Instances=members(4, LifecycleState="Standby")), "NotSteady"),
        (observed(MinSize=1, DesiredCapacity=2, Instances=members(2)), "SizeNotSmaller"),
        (observed(MaxSize=5), "BoundRaised"),
    ],
)
def test_every_reason_against_it_has_its_rule(seen: Observation, code: str) -> None:
    assert codes(seen) == [code]


def test_what_was_not_read_refuses() -> None:
    after = ACTION.observe(reader(), Target(_GROUP, _WANTED, full=False))
    assert codes(after) == ["InstanceRefresh", "ScaledByPolicy", "ScaledBySchedule"]
    assert "SizeUnknown" in codes(observed(MinSize=None))
    assert codes(observed(), facts=PolicyFacts({"team": ("web",)})) == ["Protected"]


@pytest.mark.parametrize("size", ["", "2", "1/2", "3/2/6", "1/7/6", "-1/2/6", "a/b/c", None, 2, "1/2/6/8"])
def test_a_size_that_is_none_is_refused_before_anything_is_asked(size: Any) -> None:
    with pytest.raises(InvalidInput, match="no size of a group"):
        ACTION.plan(_GROUP, {"size": size}, observed().fingerprint)


def test_one_call_sets_all_three_numbers_and_one_sets_them_back() -> None:
    plan = ACTION.plan(_GROUP, _WANTED, observed().fingerprint)
    (call,) = [step for step in plan.steps if step.changes]
    named = {"AutoScalingGroupName": "web"}
    assert call.parameters == {**named, "MinSize": 1, "DesiredCapacity": 2, "MaxSize": 6}
    (back, _) = ACTION.procedure.compensation(plan)
    assert back.parameters == {**named, "MinSize": 2, "DesiredCapacity": 4, "MaxSize": 6}
    once = ("autoscaling:UpdateAutoScalingGroup", "autoscaling:UpdateAutoScalingGroup", ARN)
    assert list(granted(ACTION, plan)) == [once, once]


def test_it_is_verified_when_the_members_beyond_are_gone_and_led_back_when_all_work_again() -> None:
    plan, rules = ACTION.plan(_GROUP, _WANTED, observed().fingerprint), ACTION.procedure
    small: dict[str, Any] = {"MinSize": 1, "DesiredCapacity": 2, "MaxSize": 6}
    assert not rules.verified(plan, observed(**small))
    assert rules.verified(plan, observed(**small, Instances=members(2)))
    assert not rules.verified(plan, observed(**small, Instances=members(2, LifecycleState="Pending")))
    assert rules.restored(plan, observed())
    assert not rules.restored(plan, observed(Instances=members(3)))
    assert rules.found(plan, observed()) == "The group wants 4 members; 4 of them work."


def test_somebody_elses_size_ends_the_act_and_is_left_alone() -> None:
    plan = ACTION.plan(_GROUP, _WANTED, observed().fingerprint)
    other = observed(DesiredCapacity=3)
    taken = ACTION.procedure.steps["set_size"].taken
    assert taken is not None
    assert "somebody set another size" in str(taken(plan, None, other, 0.0))  # type: ignore[arg-type] # not asked
    assert not ACTION.procedure.steps["set_size"].expected(plan, other)


def test_an_undo_gives_back_the_size_that_it_had_and_asks_less_than_an_act() -> None:
    assert ACTION.undo is not None
    plan = ACTION.plan(_GROUP, _WANTED, observed().fingerprint)
    assert ACTION.undo.parameters(plan, {}) == _BACK
    small: dict[str, Any] = {"MinSize": 1, "DesiredCapacity": 2, "MaxSize": 6, "Instances": members(2)}
    assert ACTION.undo.changed(plan, observed(**small)) == ""
    said = ACTION.undo.changed(plan, observed())
    assert said == "Its size is 4, from 2 to 6 now; the act had set it to 2, from 1 to 6."
    assert "not known" in ACTION.undo.changed(plan, observed(MinSize=None))
    assert codes(observed(_POLICY, **small), _BACK) == []
    assert codes(observed(_REFRESHED, **small), _BACK) == ["InstanceRefresh"]
    assert codes(observed(), _BACK) == ["NotBack"]
    assert [one.code for one in not_larger(observed(MaxSize=None), "1/2/3")] == ["SizeUnknown"]


def test_people_are_asked_with_both_sizes_and_warned_of_what_is_lost() -> None:
    plan = ACTION.plan(_GROUP, _WANTED, observed().fingerprint)
    words = ACTION.words(observed(), _WANTED, plan)
    assert (words.target, words.change) == ("2 members", "Members: 4, from 2 to 6 → 2, from 1 to 6")
    assert set(words.steps) == {"set_size", "wait_scaled", "restore", "wait_restored"}
    assert "on its own disks is lost" in ACTION.warnings(observed(), _WANTED)[1]
    assert ACTION.warnings(observed(), {"size": "0/0/6"})[0] == "Nothing of it runs afterwards."
    assert ACTION.words(observed(), _BACK, plan).downtime == "None"


def test_it_reads_what_it_declares() -> None:
    asked = reader(TargetGroupARNs=["arn:aws:elasticloadbalancing:us-east-1:111111111111:targetgroup/shop/1"])
    ACTION.observe(asked, Target(_GROUP, _WANTED))
    # What its watch reads besides: see test_watches_of_settings.
    assert {one.replace("elbv2:", "elasticloadbalancing:") for one in asked.operations} == set(
        ACTION.read_permissions
    ) - {*PERMISSIONS}


@pytest.mark.parametrize(
    ("system", "patch"),
    [
        ("CloudFormation", "Properties: MinSize: 1, DesiredCapacity: 2, MaxSize: 6"),
        ("Terraform", "min_size = 1, desired_capacity = 2, max_size = 6"),
        ("Karpenter", "Wanted: 2, from 1 to 6"),
    ],
)
def test_an_owner_gets_the_change_in_its_own_words(system: str, patch: str) -> None:
    resource = Resource("auto-scaling-group", "web", ARN, "", "111122223333", "us-east-1", "active")
    assert ACTION.at_owner.patch(Owner(system, "", "Change it there."), resource, _WANTED) == patch
