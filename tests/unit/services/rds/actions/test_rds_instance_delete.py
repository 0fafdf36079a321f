"""rds_instance_delete: what speaks against it, its one call, when it is complete, and what is kept."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.act_reading import CannedReader, granted

from finops.domain.execution import (
    Call,
    Finish,
    Journal,
    JournalEntry,
    NeedsHuman,
    Observation,
    Result,
    Verified,
    WaitFor,
)
from finops.domain.next_move import Situation, next_move
from finops.domain.recommendation import ResourceRef
from finops.errors import AwsRejected
from finops_operator.plugins.action import PolicyFacts, Target
from finops_operator.services.rds.actions.rds_instance_delete import ACTION
from finops_operator.services.rds.rules.final_snapshot import final_name

_ARN: Final = "arn:aws:rds:us-east-1:111111111111:db:reports"
_DATABASE: Final = ResourceRef("rds-instance", "reports", _ARN, "111111111111", "us-east-1")
_NAME: Final = final_name("reports", "db-1")
_AT: Final = datetime(2026, 3, 1, tzinfo=UTC)
_DESCRIBED: Final[dict[str, Any]] = {
    "DBInstanceIdentifier": "reports",
    "DBInstanceStatus": "stopped",
    "DBInstanceClass": "db.m5.large",
    "DbiResourceId": "db-1",
    "Engine": "postgres",
    "AllocatedStorage": 100,
    "DeletionProtection": False,
    "BackupRetentionPeriod": 7,
}
_GONE: Final = AwsRejected("no", operation="rds:DescribeDBInstances", code="DBInstanceNotFound")
_RUNS: Final[dict[str, Any]] = {"DBInstanceStatus": "available"}


def reader(
    tags: dict[str, str] | None = None,
    snapshots: dict[str, str] | None = None,
    connections: tuple[float, ...] = (0.0,) * 168,
    *,
    gone: bool = False,
    deployments: tuple[dict[str, Any], ...] = (),
    marker: str = "",
    **described: Any,
) -> CannedReader:
    listed = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
    copies = [{"DBSnapshotIdentifier": name, "Status": state} for name, state in (snapshots or {}).items()]
    result = {"Id": "q0", "StatusCode": "Complete", "Values": list(connections)}
    return CannedReader(
        {
            "rds:DescribeDBInstances": _GONE
            if gone
            else {"DBInstances": [_DESCRIBED | {"TagList": listed} | described]},
            "rds:DescribeBlueGreenDeployments": {"BlueGreenDeployments": list(deployments), "Marker": marker},
            "rds:DescribeDBSnapshots": {"DBSnapshots": copies},
            "cloudwatch:GetMetricData": {"MetricDataResults": [result]},
        }
    )


def observed(tags: dict[str, str] | None = None, **described: Any) -> Observation:
    return ACTION.observe(reader(tags, **described), Target(_DATABASE, {}, now=_AT))


_PLAN: Final = ACTION.plan(_DATABASE, {}, observed().fingerprint)


def codes(seen: Observation) -> list[str]:
    return [refusal.code for refusal in ACTION.preflight(seen, {}, PolicyFacts())]


def test_nothing_speaks_against_a_database_that_is_stopped_or_that_nobody_connects_to() -> None:
    assert codes(observed({"team": "data"})) == []
    assert codes(observed(**_RUNS)) == []
    # Of a stopped one CloudWatch has nothing to say, and is not asked.
    assert codes(observed(connections=(5.0,))) == []


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (observed(gone=True), "NotFound"),
        (observed({"finops.dev/protected": "true"}), "Protected"),
        (observed({"legal hold": ""}), "KeptByTag"),
        (observed({"compliance": "7y"}), "KeptByTag"),
        (observed({"crossplane-name": "reports"}), "OwnedByController"),
        (observed({"aws:cloudformation:stack-name": "shop"}), "OwnedByTemplate"),
        (observed(DBInstanceStatus="backing-up"), "BackupRunning"),
        (observed(DBInstanceStatus="failed"), "NotAvailable"),
        (observed(DBInstanceStatus="deleting"), "NotAvailable"),
        (observed(DBInstanceStatus=""), "NotAvailable"),
        (observed(DeletionProtection=True), "DeletionProtection"),
        (observed(DeletionProtection=None), "ProtectionUnknown"),
        (observed(DbiResourceId=""), "IdentityUnknown"),
        (observed(snapshots={_NAME: "available"}), "SnapshotNameTaken"),
        (observed(connections=(0.0, 1.0), **_RUNS), "InUse"),
        (observed(connections=(0.0,) * 100, **_RUNS), "UseUnknown"),
        (ACTION.observe(reader(**_RUNS), Target(_DATABASE, {})), "UseUnknown"),
        (observed(deployments=({"Source": _ARN, "Target": f"{_ARN}-2"},)), "InBlueGreenDeployment"),
        (observed(deployments=({"Source": f"{_ARN}-2", "Target": _ARN},)), "InBlueGreenDeployment"),
        (observed(deployments=({"SwitchoverDetails": [{"SourceMember": _ARN}]},)), "InBlueGreenDeployment"),
        (observed(marker="more"), "DeploymentUnknown"),
        (observed(Engine=""), "EngineUnknown"),
        (observed(DBClusterIdentifier="shop"), "ClusterMember"),
        (observed(Engine="aurora-mysql"), "ClusterMember"),
        (observed(Engine="docdb"), "ClusterMember"),
        (observed(Engine="custom-oracle-ee"), "RdsCustom"),
        (observed(ReadReplicaSourceDBInstanceIdentifier="main"), "ReadReplica"),
        (observed(ReadReplicaSourceDBClusterIdentifier="main"), "ReadReplica"),
        (observed(ReadReplicaDBInstanceIdentifiers=["copy"]), "ReplicaSource"),
        (observed(ReadReplicaDBClusterIdentifiers=["copies"]), "ReplicaSource"),
    ],
)
def test_every_reason_against_it_has_its_rule(seen: Observation, code: str) -> None:
    assert codes(seen) == [code]


def test_snapshots_that_were_not_read_forbid_it() -> None:
    seen = observed()
    unread = Observation(
        True, seen.fingerprint, {key: seen.facts[key] for key in seen.facts if key != "finalSnapshots"}
    )
    assert codes(unread) == ["SnapshotsUnknown"]


def test_the_snapshot_of_an_earlier_database_of_the_name_is_no_obstacle() -> None:
    assert codes(observed(snapshots={final_name("reports", "db-0"): "available", "by-hand": "available"})) == []


def test_the_card_says_that_the_managed_secret_of_the_master_user_goes_with_the_database() -> None:
    said = "RDS deletes the secret of its master user in Secrets Manager, which it manages."
    managed = observed(MasterUserSecret={"SecretArn": "arn:aws:secretsmanager:us-east-1:111111111111:secret:rds!db-1"})
    assert said in ACTION.warnings(managed, {})
    assert said not in ACTION.warnings(observed(), {})


def test_one_call_keeps_a_final_snapshot_and_the_automated_backups() -> None:
    (step,) = _PLAN.steps
    assert (step.operation, dict(step.parameters)) == (
        "rds:DeleteDBInstance",
        {
            "DBInstanceIdentifier": "reports",
            "SkipFinalSnapshot": False,
            "FinalDBSnapshotIdentifier": _NAME,
            "DeleteAutomatedBackups": False,
        },
    )
    assert ACTION.procedure.compensation(_PLAN) == ()
    assert ACTION.procedure.steps["delete"].destroys


def test_the_session_may_delete_this_database_and_make_this_snapshot_and_nothing_else() -> None:
    snapshot = f"arn:aws:rds:us-east-1:111111111111:snapshot:{_NAME}"
    assert sorted((permission, arn) for _, permission, arn in granted(ACTION, _PLAN)) == [
        ("rds:CreateDBSnapshot", _ARN),
        ("rds:CreateDBSnapshot", snapshot),
        ("rds:DeleteDBInstance", _ARN),
    ]
    asked = reader(**_RUNS)
    ACTION.observe(asked, Target(_DATABASE, {}, now=_AT))
    assert asked.operations == set(ACTION.read_permissions)


@given(st.from_regex(r"[a-z]([a-z0-9]|-(?!-)){0,61}[a-z0-9]", fullmatch=True), st.text(max_size=40))
def test_a_final_snapshot_has_a_name_that_aws_takes_and_that_follows_from_the_database_alone(
    database: str, identity: str
) -> None:
    name = final_name(database, identity)
    assert re.fullmatch(r"[a-z]([a-z0-9]|-(?!-))*[a-z0-9]", name)
    assert len(name) <= 255
    assert name == final_name(database, identity) != final_name(database, f"{identity}x")


def move(now: Observation, *entries: JournalEntry, seconds: float = 300.0, refusals: tuple[str, ...] = ()) -> Any:
    situation = Situation(_PLAN, ACTION.procedure, Journal(entries), now, _AT + timedelta(seconds=seconds))
    return next_move(situation, refusals=refusals)


def called(result: Result = Result.OK) -> JournalEntry:
    return JournalEntry("delete", 1, _AT, result)


def test_it_is_complete_only_when_the_database_is_gone_and_its_snapshot_can_be_restored() -> None:
    assert isinstance(move(observed()), Call)
    deleting = observed(DBInstanceStatus="deleting", snapshots={_NAME: "creating"})
    assert isinstance(move(deleting, called()), WaitFor)
    assert isinstance(move(observed(gone=True, snapshots={_NAME: "creating"}), called()), WaitFor)
    assert isinstance(move(observed(gone=True), called()), WaitFor)
    assert isinstance(move(observed(gone=True, snapshots={_NAME: "available"}), called()), Verified)
    other = observed(DbiResourceId="db-2", snapshots={_NAME: "available"})
    assert isinstance(move(other, called()), Verified)


def test_a_database_that_is_gone_without_its_snapshot_calls_a_person_and_is_no_success() -> None:
    late = move(observed(gone=True), called(), seconds=22000)
    assert isinstance(late, NeedsHuman)
    assert late.reason.endswith("The database is gone; AWS shows no final snapshot.")


def test_a_reason_that_came_up_after_an_attempt_without_an_answer_keeps_the_database() -> None:
    kept = move(observed(), called(Result.ABSENT), refusals=("Somebody was connected.",))
    assert isinstance(kept, Finish)
    assert kept.message.startswith("Somebody was connected.")


def test_the_card_names_the_snapshot_that_brings_the_data_back_and_what_stays_billed() -> None:
    words = ACTION.words(observed(), {}, _PLAN)
    assert words.undo == f"It cannot be undone. Restore a new database from snapshot {_NAME}."
    assert [fact.value for fact in words.facts] == ["100 GiB at most"]
    first, *_ = ACTION.warnings(observed(), {})
    assert first.startswith("Its final snapshot is billed until somebody deletes it.")
    assert first.endswith("Automated backups are kept and billed for 7 days.")
    none, *_ = ACTION.warnings(observed(BackupRetentionPeriod=0), {})
    assert none.endswith("Automated backups are not there to be kept.")


def test_the_end_says_where_the_data_is() -> None:
    done = observed(gone=True, snapshots={_NAME: "available"})
    assert ACTION.procedure.found(_PLAN, done) == (
        f"The database is gone; its final snapshot {_NAME} is available and is billed."
    )


@pytest.mark.parametrize(
    "code",
    ["SnapshotQuotaExceeded", "KMSKeyNotAccessibleFault", "DBInstanceAutomatedBackupQuotaExceeded"],
)
def test_a_refusal_for_lack_of_a_backup_is_said_in_words(code: str) -> None:
    assert ACTION.procedure.refused(_PLAN, observed(), "delete", code).endswith("so it is not deleted.")
    assert ACTION.procedure.refused(_PLAN, observed(), "delete", "InvalidDBInstanceState") == ""
