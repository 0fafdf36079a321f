"""elasticache_cluster_delete: what speaks against it, what is kept, what it calls, and when it has succeeded."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import pytest
from tests.support.act_reading import CannedReader, granted

from finops.domain.execution import Observation
from finops.domain.recommendation import ResourceRef
from finops.errors import AwsRejected
from finops_operator.plugins.action import PolicyFacts, Target
from finops_operator.services.elasticache.actions.elasticache_cluster_delete import ACTION
from finops_operator.services.elasticache.rules.final_snapshot import final_name

_PLACE: Final = "arn:aws:elasticache:us-east-1:111111111111"
_ARN: Final = f"{_PLACE}:cluster:sessions"
_CACHE: Final = ResourceRef("elasticache-cluster", "sessions", _ARN, "111111111111", "us-east-1")
_NOW: Final = datetime(2026, 3, 1, 12, 20, tzinfo=UTC)
_CREATED: Final = datetime(2025, 1, 1, tzinfo=UTC)
_NAME: Final = final_name("sessions", _CREATED.isoformat())
_NO_FACTS: Final = PolicyFacts()
_DESCRIBED: Final[dict[str, Any]] = {
    "CacheClusterId": "sessions",
    "CacheClusterStatus": "available",
    "CacheClusterCreateTime": _CREATED,
    "CacheNodeType": "cache.m6g.large",
    "Engine": "valkey",
}
_GROUP: Final[dict[str, Any]] = {"Status": "available", "MemberClusters": ["sessions"]}
_WEEK: Final = [0.0] * 168


def series(*values: list[float]) -> dict[str, Any]:
    found = [{"Id": f"q{n}", "Values": one, "StatusCode": "Complete"} for n, one in enumerate(values)]
    return {"cloudwatch:GetMetricData": {"MetricDataResults": found}}


def tagged(arn: str, key: str, value: str = "") -> dict[str, Any]:
    listed = [{"ResourceARN": arn, "Tags": [{"Key": key, "Value": value}]}]
    return {"resourcegroupstaggingapi:GetResources": {"ResourceTagMappingList": listed}}


def snapshots(name: str = _NAME, state: str = "available") -> dict[str, Any]:
    return {"elasticache:DescribeSnapshots": {"Snapshots": [{"SnapshotName": name, "SnapshotStatus": state}]}}


def group(**changes: Any) -> dict[str, Any]:
    return {"elasticache:DescribeReplicationGroups": {"ReplicationGroups": [{**_GROUP, **changes}]}}


def reader(further: dict[str, Any] | None = None, **changes: Any) -> CannedReader:
    clusters = {"elasticache:DescribeCacheClusters": {"CacheClusters": [{**_DESCRIBED, **changes}]}}
    return CannedReader({**clusters, **series(_WEEK, _WEEK, _WEEK), **(further or {})})


def observed(further: dict[str, Any] | None = None, **changes: Any) -> Observation:
    return ACTION.observe(reader(further, **changes), Target(_CACHE, {}, now=_NOW))


def gone(further: dict[str, Any]) -> Observation:
    error = AwsRejected("no", operation="elasticache:DescribeCacheClusters", code="CacheClusterNotFound")
    answers = {**further, "elasticache:DescribeCacheClusters": error}
    return ACTION.observe(CannedReader(answers), Target(_CACHE, {}, now=_NOW))


def codes(seen: Observation, facts: PolicyFacts = _NO_FACTS) -> list[str]:
    return [refusal.code for refusal in ACTION.preflight(seen, {}, facts)]


def in_group(**changes: Any) -> Observation:
    return observed(group(**changes), ReplicationGroupId="shop")


_KEPT: Final = tagged(f"{_PLACE}:replicationgroup:shop", "DoNotDelete")


def test_nothing_speaks_against_an_unused_cache_that_stands_alone() -> None:
    assert codes(observed(tagged(_ARN, "team", "web"))) == []
    assert codes(in_group()) == []
    assert codes(observed(snapshots("finops-final-sessions-other"))) == [], "of a cache that had its name before"
    assert codes(observed({**snapshots(), **series(_WEEK, _WEEK)}, Engine="memcached")) == []


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (gone({}), "NotFound"),
        (observed(tagged(_ARN, "finops.dev/protected", "true")), "Protected"),
        (observed({**_KEPT, **group()}, ReplicationGroupId="shop"), "KeptByTag"),
        (observed(tagged(_ARN, "services.k8s.aws/namespace", "shop")), "OwnedByController"),
        (observed(tagged(_ARN, "aws:cloudformation:stack-name", "shop")), "OwnedByTemplate"),
        (observed(CacheClusterStatus="modifying"), "NotAvailable"),
        (observed(CacheClusterCreateTime=None), "CreationUnknown"),
        (observed(PendingModifiedValues={"CacheNodeType": "cache.t4g.small"}), "ChangePending"),
        (in_group(PendingModifiedValues={"AutomaticFailoverStatus": "enabled"}), "ChangePending"),
        (observed(PreferredOutpostArn="arn:aws:outposts:x"), "OnOutpost"),
        (observed({"elasticache:DescribeReplicationGroups": {}}, ReplicationGroupId="shop"), "GroupUnknown"),
        (in_group(GlobalReplicationGroupInfo={"GlobalReplicationGroupId": "g"}), "InGlobalDatastore"),
        (in_group(MemberClusters=["sessions", "other"]), "OneOfSeveral"),
        (in_group(Status="modifying"), "GroupNotAvailable"),
        (observed(snapshots()), "SnapshotNameTaken"),
        (observed(series(_WEEK, [*_WEEK, 1.0], _WEEK)), "InUse"),
        (observed(series(_WEEK, _WEEK)), "UseUnknown"),
        (observed(series(_WEEK, _WEEK, _WEEK[:150])), "UseUnknown"),
    ],
)
def test_every_reason_against_it_has_its_rule(seen: Observation, code: str) -> None:
    assert codes(seen) == [code]


def test_an_engine_that_is_not_known_and_what_the_policy_protects_are_refused() -> None:
    assert "EngineUnknown" in codes(observed(Engine="other"))
    assert codes(observed(tagged(_ARN, "env", "prod")), PolicyFacts({"env": ("prod",)})) == ["Protected"]


@pytest.mark.parametrize(
    ("seen", "operation", "named", "arns"),
    [
        (
            observed(),
            "elasticache:DeleteCacheCluster",
            {"CacheClusterId": "sessions", "FinalSnapshotIdentifier": _NAME},
            {_ARN, f"{_PLACE}:snapshot:{_NAME}"},
        ),
        (
            in_group(),
            "elasticache:DeleteReplicationGroup",
            {"ReplicationGroupId": "shop", "FinalSnapshotIdentifier": _NAME},
            {_ARN, f"{_PLACE}:replicationgroup:shop", f"{_PLACE}:snapshot:{_NAME}"},
        ),
        (observed(Engine="memcached"), "elasticache:DeleteCacheCluster", {"CacheClusterId": "sessions"}, {_ARN}),
    ],
    ids=["alone", "of a group", "memcached"],
)
def test_one_call_deletes_it_with_a_final_snapshot_where_its_engine_has_them(
    seen: Observation, operation: str, named: dict[str, str], arns: set[str]
) -> None:
    plan = ACTION.plan(_CACHE, {}, seen.fingerprint)
    (step,) = plan.steps
    assert (step.operation, step.parameters) == (operation, named)
    assert ACTION.procedure.steps[step.id].destroys
    rights = list(granted(ACTION, plan))
    kept = {"elasticache:CreateSnapshot"} if "FinalSnapshotIdentifier" in named else set()
    assert {right for _, right, _ in rights} == {operation, *kept} <= set(ACTION.permissions)
    assert {arn for _, _, arn in rights} == arns


def test_it_has_succeeded_only_when_the_cache_is_gone_and_its_snapshot_can_be_used() -> None:
    plan, rules = ACTION.plan(_CACHE, {}, observed().fingerprint), ACTION.procedure
    assert not rules.verified(plan, gone({}))
    assert not rules.verified(plan, gone(snapshots(state="creating")))
    assert not rules.verified(plan, gone(snapshots(state="failed")))
    assert not rules.verified(plan, gone(snapshots("finops-final-sessions-other")))
    assert not rules.verified(plan, observed(snapshots()))
    assert rules.verified(plan, gone(snapshots()))
    assert rules.found(plan, gone(snapshots())) == (
        f"The cache is deleted; its final snapshot {_NAME} is available and is billed."
    )
    assert rules.found(plan, gone({})) == f"The cache is deleted; its final snapshot {_NAME} is not there."
    without = ACTION.plan(_CACHE, {}, observed(Engine="memcached").fingerprint)
    assert rules.verified(without, gone({}))
    assert rules.found(without, gone({})) == "The cache is deleted."


def test_a_deletion_under_way_is_known_by_its_own_snapshot_or_state_and_never_called_again() -> None:
    plan, step = ACTION.plan(_CACHE, {}, observed().fingerprint), ACTION.procedure.steps["delete"]
    nightly = observed(CacheClusterStatus="snapshotting")
    ours = observed(snapshots(state="creating"), CacheClusterStatus="snapshotting")
    assert [step.reached(plan, one) for one in (observed(), nightly, ours)] == [False, False, True]
    assert step.reached(plan, observed(CacheClusterStatus="deleting"))
    assert [step.expected(plan, one) for one in (observed(), nightly, ours)] == [True, False, False]
    anew = observed(CacheClusterCreateTime=datetime(2026, 2, 1, tzinfo=UTC))
    assert step.reached(plan, anew)
    assert not step.expected(plan, anew)


def test_people_are_warned_of_what_is_lost_and_what_stays_billed() -> None:
    kept = ACTION.plan(_CACHE, {}, observed().fingerprint)
    assert "is billed by what it holds" in ACTION.warnings(observed(), {})[0]
    assert "final snapshot" in ACTION.words(observed(), {}, kept).consequence
    memcached = observed(Engine="memcached")
    assert ACTION.warnings(memcached, {})[0] == "What it holds is lost: Memcached has no snapshots."
    assert ACTION.words(memcached, {}, kept).undo == "It cannot be undone: what it held is lost."


def test_it_reads_with_the_rights_that_it_declares() -> None:
    asked = reader(group(), ReplicationGroupId="shop")
    ACTION.observe(asked, Target(_CACHE, {}, now=_NOW))
    calls = {ACTION.rights.calls.get(one, one) for one in ACTION.read_permissions}
    assert asked.operations == calls


@pytest.mark.parametrize("code", ["SnapshotAlreadyExistsFault", "SnapshotFeatureNotSupportedFault", "Other"])
def test_a_refusal_of_aws_is_explained(code: str) -> None:
    plan = ACTION.plan(_CACHE, {}, observed().fingerprint)
    assert bool(ACTION.procedure.refused(plan, observed(), "delete", code)) is (code != "Other")


def test_a_refused_read_proves_nothing() -> None:
    error = AwsRejected("no", operation="x", code="InvalidParameterValue")
    for operation in ("elasticache:DescribeCacheClusters", "elasticache:DescribeReplicationGroups"):
        with pytest.raises(AwsRejected):
            observed({operation: error}, ReplicationGroupId="shop")
