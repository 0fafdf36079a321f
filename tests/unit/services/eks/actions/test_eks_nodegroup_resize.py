"""eks_nodegroup_resize: what speaks against it, what it calls, what leads back, and when it is undone."""

from __future__ import annotations

from typing import Any, Final

import pytest
from tests.support.act_reading import CannedReader, granted

from finops.domain.execution import Observation
from finops.domain.recommendation import ResourceRef
from finops.domain.resource import Resource
from finops.errors import AwsRejected, InvalidInput
from finops_operator.plugins.action import PolicyFacts, Target
from finops_operator.plugins.number_setting import SET_BACK, YES
from finops_operator.plugins.ownership import Owner
from finops_operator.plugins.watched import LIST_ALARMS
from finops_operator.services.eks.actions.eks_nodegroup_resize import ACTION

_ID: Final = "shop/workers/12345678-1234-1234-1234-123456789012"
_ARN: Final = f"arn:aws:eks:us-east-1:111111111111:nodegroup/{_ID}"
_GROUP: Final = ResourceRef("eks-nodegroup", _ID, _ARN, "111111111111", "us-east-1")
_NO_FACTS: Final = PolicyFacts()
_WANTED: Final[dict[str, Any]] = {"size": "1/2/6"}
_BACK: Final[dict[str, Any]] = {"size": "2/4/6", SET_BACK: YES}
_SMALL: Final[dict[str, Any]] = {"minSize": 1, "desiredSize": 2, "maxSize": 6}
_DESCRIBED: Final[dict[str, Any]] = {
    "nodegroupArn": _ARN,
    "status": "ACTIVE",
    "scalingConfig": {"minSize": 2, "desiredSize": 4, "maxSize": 6},
    "health": {"issues": []},
    "resources": {"autoScalingGroups": [{"name": "eks-1"}]},
    "tags": {"eks:cluster-name": "shop", "kubernetes.io/cluster/shop": "owned"},
}


def behind(number: int = 4, state: str = "InService", **changes: Any) -> dict[str, Any]:
    listed = [{"InstanceId": f"i-{one}", "LifecycleState": state} for one in range(number)]
    return {"AutoScalingGroups": [{"AutoScalingGroupName": "eks-1", "Instances": listed, **changes}]}


def reader(groups: dict[str, Any] | None = None, **changes: Any) -> CannedReader:
    return CannedReader(
        {
            "eks:DescribeNodegroup": {"nodegroup": {**_DESCRIBED, **changes}},
            "autoscaling:DescribeAutoScalingGroups": behind() if groups is None else groups,
        }
    )


def observed(groups: dict[str, Any] | None = None, **changes: Any) -> Observation:
    return ACTION.observe(reader(groups, **changes), Target(_GROUP, _WANTED))


def tagged(key: str, value: str = "") -> Observation:
    return observed(tags={**_DESCRIBED["tags"], key: value})


def codes(seen: Observation, parameters: dict[str, Any] | None = None, facts: PolicyFacts = _NO_FACTS) -> list[str]:
    return [refusal.code for refusal in ACTION.preflight(seen, parameters or _WANTED, facts)]


def test_nothing_speaks_against_a_steady_group_and_the_tags_of_its_cluster_are_no_owner() -> None:
    assert codes(observed()) == []
    assert codes(tagged("k8s.io/cluster-autoscaler/enabled", "false")) == []


_PROCESS: Final = [{"ProcessName": "Launch"}]
_REBALANCING: Final = [{"ProcessName": "AZRebalance"}]


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (Observation(exists=False), "NotFound"),
        (tagged("finops.dev/protected", "true"), "Protected"),
        (tagged("DoNotStop"), "Protected"),
        (tagged("legal-hold"), "KeptByTag"),
        (tagged("alpha.eksctl.io/cluster-name", "shop"), "OwnedByController"),
        (tagged("aws:cloudformation:stack-name", "shop"), "OwnedByTemplate"),
        (tagged("k8s.io/cluster-autoscaler/enabled", "true"), "OwnedByClusterAutoscaler"),
        (tagged("k8s.io/cluster-autoscaler/shop", "owned"), "OwnedByClusterAutoscaler"),
        (tagged("karpenter.sh/discovery", "shop"), "OwnedByKarpenter"),
        (observed(status="UPDATING"), "NotActive"),
        (observed(status="DEGRADED"), "NotActive"),
        (observed(status=None), "NotActive"),
        (observed(nodegroupArn=None), "IdentityUnknown"),
        (observed(health={"issues": [{"code": "AsgInstanceLaunchFailures"}]}), "Unhealthy"),
        (observed(behind(SuspendedProcesses=_PROCESS)), "ProcessSuspended"),
        (observed(behind(3)), "NotSteady"),
        (observed(behind(state="Pending")), "NotSteady"),
        (observed({"AutoScalingGroups": []}), "MachinesUnknown"),
        (observed(resources={}), "MachinesUnknown"),
        (observed(behind(2), scalingConfig=_SMALL), "SizeNotSmaller"),
        (observed(scalingConfig={"minSize": 0, "desiredSize": 4, "maxSize": 6}), "BoundRaised"),
    ],
)
def test_every_reason_against_it_has_its_rule(seen: Observation, code: str) -> None:
    assert codes(seen) == [code]


def test_what_the_policy_protects_and_a_size_that_is_not_known_are_refused() -> None:
    assert codes(tagged("team", "web"), facts=PolicyFacts({"team": ("web",)})) == ["Protected"]
    assert "SizeUnknown" in codes(observed(scalingConfig={}))
    assert codes(observed(behind(SuspendedProcesses=_REBALANCING))) == [], "EKS suspends that itself"


def test_a_group_that_is_gone_does_not_exist_and_any_other_refusal_of_a_read_proves_nothing() -> None:
    def failing(code: str) -> CannedReader:
        return CannedReader({"eks:DescribeNodegroup": AwsRejected("no", operation="x", code=code)})

    assert not ACTION.observe(failing("ResourceNotFoundException"), Target(_GROUP, _WANTED)).exists
    with pytest.raises(AwsRejected):
        ACTION.observe(failing("ServerException"), Target(_GROUP, _WANTED))


@pytest.mark.parametrize("size", ["0/0/0", "2", "3/2/6", None])
def test_a_size_that_eks_does_not_take_is_refused_before_anything_is_asked(size: Any) -> None:
    with pytest.raises(InvalidInput, match="is no size of a"):
        ACTION.plan(_GROUP, {"size": size}, observed().fingerprint)


def test_one_call_sets_all_three_numbers_and_one_sets_them_back() -> None:
    plan = ACTION.plan(_GROUP, _WANTED, observed().fingerprint)
    (call,) = [step for step in plan.steps if step.changes]
    named = {"clusterName": "shop", "nodegroupName": "workers"}
    assert call.parameters == {**named, "scalingConfig": _SMALL}
    (back, _) = ACTION.procedure.compensation(plan)
    assert back.parameters == {**named, "scalingConfig": _DESCRIBED["scalingConfig"]}
    once = ("eks:UpdateNodegroupConfig", "eks:UpdateNodegroupConfig", _ARN)
    assert list(granted(ACTION, plan)) == [once, once]


def test_it_is_verified_when_eks_is_done_and_the_machines_beyond_are_gone() -> None:
    plan, rules = ACTION.plan(_GROUP, _WANTED, observed().fingerprint), ACTION.procedure
    assert not rules.verified(plan, observed(scalingConfig=_SMALL))
    assert not rules.verified(plan, observed(behind(2), scalingConfig=_SMALL, status="UPDATING"))
    assert rules.verified(plan, observed(behind(2), scalingConfig=_SMALL))
    assert rules.restored(plan, observed())
    assert not rules.restored(plan, observed(behind(3)))
    assert rules.found(plan, observed()) == "The node group wants 4 machines; 4 of them work."
    assert rules.found(plan, observed(resources={})) == "The node group wants 4 machines; ? of them work."


def test_the_old_size_is_set_back_only_once_eks_is_done_with_the_new_one() -> None:
    plan = ACTION.plan(_GROUP, _WANTED, observed().fingerprint)
    back = ACTION.procedure.steps["restore"]
    assert not back.expected(plan, observed(scalingConfig=_SMALL, status="UPDATING"))
    assert back.expected(plan, observed(scalingConfig=_SMALL))
    assert back.retry_codes == {"ResourceInUseException"}


def test_an_undo_gives_back_the_size_that_it_had_and_asks_less_than_an_act() -> None:
    assert ACTION.undo is not None
    plan = ACTION.plan(_GROUP, _WANTED, observed().fingerprint)
    assert ACTION.undo.parameters(plan, {}) == _BACK
    small = observed(behind(2), scalingConfig=_SMALL, tags={"finops.dev/protected": "true"})
    assert ACTION.undo.changed(plan, small) == ""
    assert codes(small, _BACK) == []
    assert codes(observed(), _BACK) == ["NotBack"]
    assert codes(observed(status="UPDATING"), _BACK) == ["NotActive"]


def test_people_are_warned_of_budgets_requests_and_autoscalers() -> None:
    budget, requests, autoscaler = ACTION.warnings(observed(), _WANTED)
    assert "pod disruption budget" in budget
    assert "request" in requests
    assert "autoscaler" in autoscaler
    plan = ACTION.plan(_GROUP, _WANTED, observed().fingerprint)
    words = ACTION.words(observed(), _WANTED, plan)
    assert words.change == "Machines: 4, from 2 to 6 → 2, from 1 to 6"
    assert set(words.steps) == {"set_size", "wait_scaled", "restore", "wait_restored"}


def test_it_reads_what_it_declares() -> None:
    asked = reader()
    ACTION.observe(asked, Target(_GROUP, _WANTED))
    # What its watch reads besides: see test_watches_of_settings.
    assert asked.operations == set(ACTION.read_permissions) - {LIST_ALARMS}


@pytest.mark.parametrize(
    ("system", "patch"),
    [
        ("CloudFormation", "ScalingConfig: MinSize: 1, DesiredSize: 2, MaxSize: 6"),
        ("Terraform", "scaling_config { min_size = 1, desired_size = 2, max_size = 6 }"),
        ("eksctl", "Wanted: 2, from 1 to 6"),
    ],
)
def test_an_owner_gets_the_change_in_its_own_words(system: str, patch: str) -> None:
    resource = Resource("eks-nodegroup", _ID, _ARN, "", "111111111111", "us-east-1", "active")
    assert ACTION.at_owner.patch(Owner(system, "", "Change it there."), resource, _WANTED) == patch


def test_how_many_machines_work_is_not_known_when_aws_does_not_show_it() -> None:
    seen = observed(groups={"AutoScalingGroups": []})
    plan = ACTION.plan(_GROUP, _WANTED, {"arn": _ARN, "size": "2/4/6"})
    (fact,) = ACTION.words(seen, _WANTED, plan).facts
    assert (fact.label, fact.value) == ("Machines that work", "not known")
