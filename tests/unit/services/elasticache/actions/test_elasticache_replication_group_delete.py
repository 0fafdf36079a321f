"""elasticache_replication_group_delete: what speaks against it, what it calls, and when it has succeeded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from tests.support.act_reading import CannedReader, granted

from finops.domain.execution import Observation
from finops.domain.recommendation import ResourceRef
from finops.errors import AwsRejected
from finops_operator.plugins.action import PolicyFacts, Target
from finops_operator.services.elasticache.actions.elasticache_replication_group_delete import ACTION
from finops_operator.services.elasticache.rules.final_snapshot import final_name

_PLACE: Final = "arn:aws:elasticache:us-east-1:111111111111"
_ARN: Final = f"{_PLACE}:replicationgroup:carts"
_CARTS: Final = ResourceRef("elasticache-replication-group", "carts", _ARN, "111111111111", "us-east-1")
_NOW: Final = datetime(2026, 3, 1, 12, 20, tzinfo=UTC)
_CREATED: Final = datetime(2025, 1, 1, tzinfo=UTC)
_NAME: Final = final_name("carts", _CREATED.isoformat())
_NO_FACTS: Final = PolicyFacts()
_MEMBERS: Final = ("carts-001", "carts-002")
_GROUP: Final[dict[str, Any]] = {
    "ReplicationGroupId": "carts",
    "Status": "available",
    "MemberClusters": [*_MEMBERS],
    "ReplicationGroupCreateTime": _CREATED,
}
_HOURS: Final = 168
_GROUPS: Final = "elasticache:DescribeReplicationGroups"
_CLUSTERS: Final = "elasticache:DescribeCacheClusters"


def nodes(*names: str, **of_last: Any) -> dict[str, Any]:
    made: list[dict[str, Any]] = [
        {"CacheClusterId": one, "CacheClusterStatus": "available", "Engine": "valkey", "ReplicationGroupId": "carts"}
        for one in names
    ]
    made[-1] |= of_last
    other = {"CacheClusterId": "other", "CacheClusterStatus": "modifying", "Engine": "memcached"}
    return {_CLUSTERS: {"CacheClusters": [*made, other]}}


def used(value: float = 0.0, hours: int = _HOURS, at: int = -1) -> dict[str, Any]:
    """Answer every metric that is asked with zeros, and the one at `at` with `value` in its last hour."""

    def answer(parameters: Mapping[str, Any]) -> dict[str, Any]:
        ids = [query["Id"] for query in parameters["MetricDataQueries"]]
        series = [{"Id": one, "Values": [0.0] * hours, "StatusCode": "Complete"} for one in ids]
        series[at]["Values"] = [*([0.0] * (hours - 1)), value]
        return {"MetricDataResults": series}

    return {"cloudwatch:GetMetricData": answer}


def tagged(arn: str, key: str, value: str = "") -> dict[str, Any]:
    listed = [{"ResourceARN": arn, "Tags": [{"Key": key, "Value": value}]}]
    return {"resourcegroupstaggingapi:GetResources": {"ResourceTagMappingList": listed}}


def snapshot(name: str = _NAME, state: str = "available", **of: str) -> dict[str, Any]:
    listed = [{"SnapshotName": name, "SnapshotStatus": state, **of}]
    return {"elasticache:DescribeSnapshots": {"Snapshots": listed}}


def reader(further: dict[str, Any] | None = None, **changes: Any) -> CannedReader:
    groups = {_GROUPS: {"ReplicationGroups": [{**_GROUP, **changes}]}}
    return CannedReader({**groups, **nodes(*_MEMBERS), **used(), **(further or {})})


def observed(further: dict[str, Any] | None = None, **changes: Any) -> Observation:
    return ACTION.observe(reader(further, **changes), Target(_CARTS, {}, now=_NOW))


def gone(further: dict[str, Any]) -> Observation:
    error = AwsRejected("no", operation=_GROUPS, code="ReplicationGroupNotFoundFault")
    return ACTION.observe(CannedReader({**further, _GROUPS: error}), Target(_CARTS, {}, now=_NOW))


def codes(seen: Observation, facts: PolicyFacts = _NO_FACTS) -> list[str]:
    return [refusal.code for refusal in ACTION.preflight(seen, {}, facts)]


def test_nothing_speaks_against_an_unused_group() -> None:
    assert codes(observed(tagged(_ARN, "team", "web"))) == []
    assert codes(observed(snapshot("finops-final-carts-other", ReplicationGroupId="carts"))) == []
    assert codes(observed(snapshot("nightly", "creating", ReplicationGroupId="another"))) == []


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (gone({}), "NotFound"),
        (observed({_GROUPS: {"ReplicationGroups": []}}), "NotFound"),
        (observed(tagged(_ARN, "finops.dev/protected", "true")), "Protected"),
        (observed(tagged(f"{_PLACE}:cluster:carts-001", "DoNotDelete")), "KeptByTag"),
        (observed(tagged(_ARN, "services.k8s.aws/namespace", "shop")), "OwnedByController"),
        (observed(tagged(_ARN, "aws:cloudformation:stack-name", "shop")), "OwnedByTemplate"),
        (observed(Status="modifying"), "NotAvailable"),
        (observed(ReplicationGroupCreateTime=None), "CreationUnknown"),
        (observed(GlobalReplicationGroupInfo={"GlobalReplicationGroupId": "world"}), "InGlobalDatastore"),
        (observed(PendingModifiedValues={"AutomaticFailoverStatus": "enabled"}), "ChangePending"),
        (observed(nodes(*_MEMBERS, PendingModifiedValues={"CacheNodeType": "cache.t4g.small"})), "ChangePending"),
        (observed(snapshot("nightly", "creating", ReplicationGroupId="carts")), "SnapshotUnderWay"),
        (observed(snapshot("nightly", "creating", CacheClusterId="carts-002")), "SnapshotUnderWay"),
        (observed(snapshot("copy", "exporting", ReplicationGroupId="carts")), "SnapshotUnderWay"),
        (observed(nodes("carts-001")), "NodesUnknown"),
        (observed(nodes(*_MEMBERS, "carts-003")), "NodesUnknown"),
        (observed(nodes("carts-001"), MemberClusters=["carts-001"]), "NotOfSeveral"),
        (observed(nodes(*_MEMBERS, CacheClusterStatus="rebooting cluster nodes")), "NodeNotAvailable"),
        (observed(nodes(*_MEMBERS, PreferredOutpostArn="arn:aws:outposts:x")), "OnOutpost"),
        (observed(snapshot()), "SnapshotNameTaken"),
        (observed(used(1.0)), "InUse"),
        (observed(used(1.0, at=0)), "InUse"),
        (observed(used(hours=150)), "UseUnknown"),
    ],
)
def test_every_reason_against_it_has_its_rule(seen: Observation, code: str) -> None:
    assert codes(seen) == [code]


def test_nodes_of_several_engines_and_what_the_policy_protects_are_refused() -> None:
    assert "EngineUnknown" in codes(observed(nodes(*_MEMBERS, Engine="redis")))
    assert codes(observed(tagged(_ARN, "env", "prod")), PolicyFacts({"env": ("prod",)})) == ["Protected"]


def test_one_command_on_one_of_many_nodes_keeps_the_group_and_metrics_are_asked_in_parts() -> None:
    names = [f"carts-{at:03}" for at in range(250)]
    asked = reader({**nodes(*names), **used(1.0)}, MemberClusters=names)
    assert codes(ACTION.observe(asked, Target(_CARTS, {}, now=_NOW))) == ["InUse"]
    questions = [one["MetricDataQueries"] for operation, one in asked.asked if operation == "cloudwatch:GetMetricData"]
    assert [len(one) for one in questions] == [300, 300, 150]


def test_one_call_deletes_it_with_a_final_snapshot_and_with_these_rights_alone() -> None:
    plan = ACTION.plan(_CARTS, {}, observed().fingerprint)
    (step,) = plan.steps
    wanted = {"ReplicationGroupId": "carts", "FinalSnapshotIdentifier": _NAME}
    assert (step.operation, step.parameters) == ("elasticache:DeleteReplicationGroup", wanted)
    assert ACTION.procedure.steps[step.id].destroys
    rights = list(granted(ACTION, plan))
    assert (
        {right for _, right, _ in rights} == {step.operation, "elasticache:CreateSnapshot"} == set(ACTION.permissions)
    )
    assert {arn for _, _, arn in rights} == {_ARN, f"{_PLACE}:snapshot:{_NAME}"}


def test_it_has_succeeded_only_when_the_group_is_gone_and_its_snapshot_can_be_used() -> None:
    plan, rules = ACTION.plan(_CARTS, {}, observed().fingerprint), ACTION.procedure
    for seen in (gone({}), gone(snapshot(state="creating")), gone(snapshot(state="failed")), observed(snapshot())):
        assert not rules.verified(plan, seen)
    assert rules.verified(plan, gone(snapshot()))
    assert (
        rules.found(plan, gone(snapshot())) == f"The group is deleted; its final snapshot {_NAME} is available and is "
        "billed."
    )


def test_a_deletion_under_way_is_known_by_its_own_snapshot_or_state_and_never_called_again() -> None:
    plan, step = ACTION.plan(_CARTS, {}, observed().fingerprint), ACTION.procedure.steps["delete"]
    nightly, ours = observed(Status="snapshotting"), observed(snapshot(state="creating"), Status="snapshotting")
    assert [step.reached(plan, one) for one in (observed(), nightly, ours)] == [False, False, True]
    assert step.reached(plan, observed(Status="deleting"))
    assert [step.expected(plan, one) for one in (observed(), nightly, ours)] == [True, False, False]
    other_nodes = observed(nodes("carts-001", "carts-009"), MemberClusters=["carts-001", "carts-009"])
    assert not step.expected(plan, other_nodes)


def test_people_are_warned_of_what_stays_billed_and_how_many_nodes_go() -> None:
    plan = ACTION.plan(_CARTS, {}, observed().fingerprint)
    assert "is billed by what it holds" in ACTION.warnings(observed(), {})[0]
    assert "its 2 nodes are deleted after a final snapshot" in ACTION.words(observed(), {}, plan).consequence


def test_it_reads_with_the_rights_that_it_declares() -> None:
    asked = reader()
    ACTION.observe(asked, Target(_CARTS, {}, now=_NOW))
    assert asked.operations == {ACTION.rights.calls.get(one, one) for one in ACTION.read_permissions}


def test_a_refused_read_proves_nothing() -> None:
    error = AwsRejected("no", operation="x", code="InvalidParameterValue")
    for operation in (_GROUPS, _CLUSTERS):
        with pytest.raises(AwsRejected):
            observed({operation: error})
