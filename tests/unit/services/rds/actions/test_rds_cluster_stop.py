"""rds_cluster_stop and rds_cluster_start: what speaks against them, what they call, and what leads each back."""

from __future__ import annotations

from typing import Any, Final

import pytest
from tests.support.act_reading import CannedReader, granted

from finops.audit_verify.plan import problem_of_undo
from finops.domain.execution import Observation
from finops.domain.recommendation import ResourceRef
from finops.errors import AwsRejected
from finops_operator.plugins.action import Action, PolicyFacts, Target
from finops_operator.plugins.watched import LIST_ALARMS
from finops_operator.services.rds.actions.rds_cluster_start import ACTION as START
from finops_operator.services.rds.actions.rds_cluster_stop import ACTION as STOP

_ARN: Final = "arn:aws:rds:us-east-1:111111111111:cluster:shop"
_CLUSTER: Final = ResourceRef("rds-cluster", "shop", _ARN, "111111111111", "us-east-1")
_STOPPED: Final[dict[str, Any]] = {"Status": "stopped", "members": ("stopped", "stopped")}


def reader(
    tags: dict[str, str] | None = None,
    members: tuple[str, ...] = ("available", "available"),
    deployments: tuple[dict[str, str], ...] = (),
    **described: Any,
) -> CannedReader:
    names = [f"shop-{number}" for number in range(1, len(members) + 1)]
    cluster = {
        "DBClusterIdentifier": "shop",
        "DBClusterArn": _ARN,
        "DbClusterResourceId": "cluster-1",
        "Status": "available",
        "Engine": "aurora-postgresql",
        "EngineMode": "provisioned",
        "ReadReplicaIdentifiers": [],
        "DBClusterMembers": [{"DBInstanceIdentifier": name} for name in names],
        "TagList": [{"Key": key, "Value": value} for key, value in (tags or {}).items()],
    }
    instances = [
        {
            "DBInstanceIdentifier": name,
            "DBClusterIdentifier": "shop",
            "DBInstanceStatus": state,
            "DBInstanceClass": "db.r6g.large",
        }
        for name, state in zip(names, members, strict=True)
    ]
    stranger = {"DBInstanceIdentifier": "reports", "DBInstanceStatus": "modifying"}
    return CannedReader(
        {
            "rds:DescribeDBClusters": {"DBClusters": [cluster | described]},
            "rds:DescribeDBInstances": {"DBInstances": [*instances, stranger]},
            "rds:DescribeBlueGreenDeployments": {"BlueGreenDeployments": list(deployments)},
        }
    )


def observed(tags: dict[str, str] | None = None, **described: Any) -> Observation:
    return STOP.observe(reader(tags, **described), Target(_CLUSTER, {}))


def codes(action: Action, seen: Observation, **parameters: Any) -> list[str]:
    return [refusal.code for refusal in action.preflight(seen, parameters, PolicyFacts())]


def test_nothing_speaks_against_a_cluster_that_works_with_all_its_members() -> None:
    assert codes(STOP, observed({"team": "data"})) == []
    assert codes(STOP, observed(Engine="aurora-mysql")) == []
    assert codes(START, observed(**_STOPPED)) == []
    assert codes(STOP, observed(deployments=({"Source": f"{_ARN}-2", "Target": f"{_ARN}-3"},))) == []


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (Observation(exists=False), "NotFound"),
        (observed({"finops.dev/protected": "true"}), "Protected"),
        (observed({"DoNotStop": ""}), "Protected"),
        (observed({"legal hold": ""}), "KeptByTag"),
        (observed({"crossplane-name": "shop"}), "OwnedByController"),
        (observed(Status="modifying"), "NotAvailable"),
        (observed(members=("available", "rebooting")), "MemberNotAvailable"),
        (observed(members=()), "NoMembers"),
        (observed(DBClusterMembers=[{"DBInstanceIdentifier": str(number)} for number in range(3)]), "MembersUnknown"),
        (observed(PendingModifiedValues={"EngineVersion": "16.4"}), "ChangePending"),
        (observed(Engine="oracle-rac"), "EngineUnknown"),
        (observed(Engine=""), "EngineUnknown"),
        (observed(Engine="postgres"), "MultiAzCluster"),
        (observed(Engine="docdb"), "NotAurora"),
        (observed(Engine="neptune"), "NotAurora"),
        (observed(EngineMode="serverless"), "ServerlessV1"),
        (observed(EngineMode="parallelquery"), "ParallelQuery"),
        (observed(EngineMode="global"), "GlobalDatabase"),
        (observed(EngineMode="multimaster"), "MultiMaster"),
        (observed(EngineMode=""), "ModeUnknown"),
        (observed(EngineMode="quantum"), "ModeUnknown"),
        (observed(ClusterScalabilityType="limitless"), "Limitless"),
        (observed(GlobalClusterIdentifier="world"), "GlobalDatabase"),
        (observed(ReplicationSourceIdentifier=f"{_ARN}-2"), "ReadReplica"),
        (observed(ReadReplicaIdentifiers=[f"{_ARN}-2"]), "ReplicaSource"),
        (observed(deployments=({"Source": _ARN, "Target": f"{_ARN}-2"},)), "BlueGreenDeployment"),
        (observed(deployments=({"Source": f"{_ARN}-2", "Target": _ARN},)), "BlueGreenDeployment"),
        (STOP.observe(reader(), Target(_CLUSTER, {}, full=False)), "DeploymentUnknown"),
    ],
)
def test_every_reason_against_a_stop_has_its_rule(seen: Observation, code: str) -> None:
    assert codes(STOP, seen) == [code]


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (Observation(exists=False), "NotFound"),
        (observed(), "NotStopped"),
        (observed({"finops.dev/protected": "true"}, **_STOPPED), "Protected"),
        (observed({"crossplane-name": "shop"}, **_STOPPED), "OwnedByController"),
        (observed(Engine="docdb", **_STOPPED), "NotAurora"),
        (observed(EngineMode="serverless", **_STOPPED), "ServerlessV1"),
    ],
)
def test_every_reason_against_a_start_has_its_rule(seen: Observation, code: str) -> None:
    assert codes(START, seen) == [code]


def test_the_undo_of_a_stop_starts_what_is_protected_and_the_undo_of_a_start_does_not_stop_it() -> None:
    protected = {"finops.dev/protected": "true"}
    assert codes(STOP, observed(protected, **_STOPPED), endState="available") == []
    assert codes(START, observed(protected), endState="stopped") == ["Protected"]


@pytest.mark.parametrize("code", ["DBClusterNotFoundFault", "DBClusterNotFound"])
def test_a_cluster_that_aws_knows_no_more_does_not_exist(code: str) -> None:
    gone = AwsRejected("no", operation="rds:DescribeDBClusters", code=code)
    assert not STOP.observe(CannedReader({"rds:DescribeDBClusters": gone}), Target(_CLUSTER, {})).exists
    assert not STOP.observe(CannedReader(), Target(_CLUSTER, {})).exists


def test_any_other_refusal_of_a_read_is_no_absence() -> None:
    refused = AwsRejected("no", operation="rds:DescribeDBClusters", code="InvalidParameterValue")
    with pytest.raises(AwsRejected):
        STOP.observe(CannedReader({"rds:DescribeDBClusters": refused}), Target(_CLUSTER, {}))


@pytest.mark.parametrize(
    "other",
    [
        observed(Status="stopped"),
        observed(DbClusterResourceId="cluster-2"),
        observed(members=("available",)),
        observed({"team": "data"}),
    ],
    ids=["state", "made anew", "members", "tags"],
)
def test_the_fingerprint_shows_every_change_that_matters(other: Observation) -> None:
    assert other.fingerprint != observed().fingerprint


def test_the_state_of_a_member_is_no_part_of_the_fingerprint() -> None:
    assert observed(members=("available", "backing-up")).fingerprint == observed().fingerprint


@pytest.mark.parametrize("action", [STOP, START], ids=["stop", "start"])
def test_each_session_may_make_its_own_call_on_this_cluster_alone_and_all_of_them_are_declared(action: Action) -> None:
    first = action.plan(_CLUSTER, {}, observed().fingerprint)
    assert action.undo is not None
    undo = action.plan(_CLUSTER, action.undo.parameters(first, {}), observed().fingerprint)
    found = [*granted(action, first), *granted(action, undo)]
    assert all(permission == operation and arn == _ARN for operation, permission, arn in found)
    assert {permission for _, permission, _ in found} == set(action.permissions)
    asked = reader()
    action.observe(asked, Target(_CLUSTER, {}))
    assert asked.operations == set(action.read_permissions) - {LIST_ALARMS}


@pytest.mark.parametrize(("action", "other"), [(STOP, "rds:StartDBCluster"), (START, "rds:StopDBCluster")])
def test_the_undo_of_each_is_the_call_of_the_other_and_the_verifier_knows_it(action: Action, other: str) -> None:
    act = action.plan(_CLUSTER, {}, observed().fingerprint)
    assert action.undo is not None
    undo = action.plan(_CLUSTER, action.undo.parameters(act, {}), observed().fingerprint)
    assert [one.operation for one in undo.steps if one.changes] == [other]
    assert problem_of_undo(act.to_json(), undo.to_json()) == ""
    assert problem_of_undo(act.to_json(), act.to_json())


def test_an_undo_is_offered_only_for_the_cluster_that_the_act_left() -> None:
    stop, start = (one.plan(_CLUSTER, {}, observed().fingerprint) for one in (STOP, START))
    assert STOP.undo is not None
    assert START.undo is not None
    assert STOP.undo.changed(stop, observed(**_STOPPED)) == ""
    assert STOP.undo.changed(stop, observed()) == "It is available, not stopped."
    assert START.undo.changed(start, observed()) == ""
    assert START.undo.changed(start, observed(**_STOPPED)) == "It is stopped, not available."
    assert "under its name" in STOP.undo.changed(stop, observed(DbClusterResourceId="cluster-2", **_STOPPED))
    # A start disturbs nothing; a stop takes it from whoever uses it since.
    assert (STOP.undo.outside_windows, START.undo.outside_windows) == (True, False)


@pytest.mark.parametrize(
    ("action", "state", "members", "done"),
    [
        (STOP, "stopped", ("stopped", "stopped"), True),
        (STOP, "stopped", ("stopped", "stopping"), False),
        (STOP, "stopping", ("stopping", "stopping"), False),
        (START, "available", ("available", "available"), True),
        (START, "available", ("available", "starting"), False),
        (START, "available", ("available", "backing-up"), True),
        (START, "starting", ("starting", "starting"), False),
    ],
)
def test_an_act_is_complete_when_the_cluster_and_all_its_members_are_in_the_same_state(
    action: Action, state: str, members: tuple[str, ...], *, done: bool
) -> None:
    plan = action.plan(_CLUSTER, {}, observed().fingerprint)
    assert action.procedure.verified(plan, observed(Status=state, members=members)) is done


def test_the_card_says_that_aws_starts_it_again_after_seven_days_and_what_stops_with_it() -> None:
    seen = observed({"terraform": "true"})
    words = STOP.words(seen, {}, STOP.plan(_CLUSTER, {}, seen.fingerprint))
    assert words.consequence.endswith("AWS starts it again after seven days.")
    assert [fact.value for fact in words.facts] == ["its storage and its backups"]
    assert STOP.warnings(seen, {}) == (
        "After seven days AWS starts it again by itself and bills it from then on, until someone stops it again.",
        "All 2 of its instances are stopped with it. A start can take minutes to hours.",
        "Changes by Terraform fail while it is stopped.",
        "We did not check whether an application or a proxy depends on it.",
    )
    assert (STOP.lasts_days, START.lasts_days) == (7, 0)


def test_the_end_of_the_act_says_what_is_there() -> None:
    plan = STOP.plan(_CLUSTER, {}, observed().fingerprint)
    assert STOP.procedure.found(plan, observed()) == "The cluster is available, its members are available."
    assert STOP.procedure.found(plan, Observation(exists=False)) == "The cluster does not exist any more."
