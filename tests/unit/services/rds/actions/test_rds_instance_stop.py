"""rds_instance_stop: what speaks against it, what it calls, what people are asked, and what leads back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from tests.support.act_reading import CannedReader, granted

from finops.audit_verify.plan import problem_of_undo
from finops.domain.decision import State
from finops.domain.execution import (
    Call,
    Compensate,
    Finish,
    Journal,
    JournalEntry,
    Observation,
    Result,
    Verified,
    WaitFor,
)
from finops.domain.next_move import Situation, next_move
from finops.domain.plan import Plan
from finops.domain.recommendation import ResourceRef
from finops.errors import AwsRejected
from finops_operator.plugins.action import PolicyFacts, Target
from finops_operator.plugins.watched import LIST_ALARMS
from finops_operator.services.rds.actions.rds_instance_stop import ACTION

_ARN: Final = "arn:aws:rds:us-east-1:111111111111:db:reports"
_DATABASE: Final = ResourceRef("rds-instance", "reports", _ARN, "111111111111", "us-east-1")
_DESCRIBED: Final[dict[str, Any]] = {
    "DBInstanceIdentifier": "reports",
    "DBInstanceStatus": "available",
    "DBInstanceClass": "db.m5.large",
    "DbiResourceId": "db-1",
    "Engine": "postgres",
    "MultiAZ": False,
    "AllocatedStorage": 100,
    "AvailabilityZone": "us-east-1a",
    "PubliclyAccessible": False,
    "ReadReplicaDBInstanceIdentifiers": [],
    "PendingModifiedValues": {},
}


def reader(
    tags: dict[str, str] | None = None,
    maintenance: tuple[str, ...] = (),
    deployments: tuple[dict[str, Any], ...] = (),
    marker: str = "",
    **described: Any,
) -> CannedReader:
    listed = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
    pending = [
        {"ResourceIdentifier": _ARN, "PendingMaintenanceActionDetails": [{"Action": one} for one in maintenance]},
        {"ResourceIdentifier": f"{_ARN}-2", "PendingMaintenanceActionDetails": [{"Action": "db-upgrade"}]},
    ]
    return CannedReader(
        {
            "rds:DescribeDBInstances": {"DBInstances": [_DESCRIBED | {"TagList": listed} | described]},
            "rds:DescribeBlueGreenDeployments": {"BlueGreenDeployments": list(deployments), "Marker": marker},
            "rds:DescribePendingMaintenanceActions": {"PendingMaintenanceActions": pending},
        }
    )


def observed(tags: dict[str, str] | None = None, maintenance: tuple[str, ...] = (), **described: Any) -> Observation:
    return ACTION.observe(reader(tags, maintenance, **described), Target(_DATABASE, {}))


def codes(seen: Observation, facts: PolicyFacts | None = None) -> list[str]:
    return [refusal.code for refusal in ACTION.preflight(seen, {}, facts or PolicyFacts())]


def test_nothing_speaks_against_an_available_instance_that_stands_alone() -> None:
    assert codes(observed({"team": "data"})) == []
    assert codes(observed(MultiAZ=True)) == []
    assert codes(observed({"aws:cloudformation:stack-name": "shop"})) == []


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (Observation(exists=False), "NotFound"),
        (observed({"finops.dev/protected": "true"}), "Protected"),
        (observed({"DoNotStop": ""}), "Protected"),
        (observed({"do not stop": "yes"}), "Protected"),
        (observed({"do-not-stop=true": ""}), "Protected"),
        (observed({"legal hold": ""}), "KeptByTag"),
        (observed({"legal-hold=true": ""}), "KeptByTag"),
        (observed({"status": "legal hold"}), "KeptByTag"),
        (observed({"services.k8s.aws/namespace": "shop"}), "OwnedByController"),
        (observed({"crossplane-name": "reports"}), "OwnedByController"),
        (observed(DBInstanceStatus="stopped"), "NotAvailable"),
        (observed(DBInstanceStatus="modifying"), "NotAvailable"),
        (observed(PendingModifiedValues={"DBInstanceClass": "db.m5.xlarge"}), "ChangePending"),
        (observed(deployments=({"Source": _ARN, "Target": f"{_ARN}-2"},)), "InBlueGreenDeployment"),
        (observed(deployments=({"Source": f"{_ARN}-2", "Target": _ARN},)), "InBlueGreenDeployment"),
        (observed(deployments=({"SwitchoverDetails": [{"SourceMember": _ARN}]},)), "InBlueGreenDeployment"),
        (observed(marker="more"), "DeploymentUnknown"),
        (observed(Engine=""), "EngineUnknown"),
        (observed(DBClusterIdentifier="shop"), "ClusterMember"),
        (observed(Engine="aurora-postgresql"), "ClusterMember"),
        (observed(Engine="docdb"), "ClusterMember"),
        (observed(Engine="custom-oracle-ee"), "RdsCustom"),
        (observed(ReadReplicaSourceDBInstanceIdentifier="main"), "ReadReplica"),
        (observed(ReadReplicaSourceDBClusterIdentifier="main"), "ReadReplica"),
        (observed(ReadReplicaDBInstanceIdentifiers=["copy"]), "ReplicaSource"),
        (observed(ReadReplicaDBClusterIdentifiers=["copies"]), "ReplicaSource"),
        (observed(Engine="sqlserver-se", MultiAZ=True), "SqlServerMultiAz"),
        (observed(Engine="sqlserver-se", MultiAZ=None), "SqlServerMultiAz"),
    ],
)
def test_every_reason_against_it_has_its_rule(seen: Observation, code: str) -> None:
    assert codes(seen) == [code]


def test_sql_server_in_one_zone_can_be_stopped() -> None:
    assert codes(observed(Engine="sqlserver-se")) == []


def test_what_the_policy_protects_is_refused() -> None:
    assert codes(observed({"env": "prod"}), PolicyFacts({"env": ("prod",)})) == ["Protected"]


@pytest.mark.parametrize("code", ["DBInstanceNotFound", "DBInstanceNotFoundFault"])
def test_a_database_that_aws_knows_no_more_does_not_exist(code: str) -> None:
    gone = AwsRejected("no", operation="rds:DescribeDBInstances", code=code)
    assert not ACTION.observe(CannedReader({"rds:DescribeDBInstances": gone}), Target(_DATABASE, {})).exists
    assert not ACTION.observe(CannedReader(), Target(_DATABASE, {})).exists


def test_any_other_refusal_of_a_read_is_no_absence() -> None:
    refused = AwsRejected("no", operation="rds:DescribeDBInstances", code="InvalidParameterValue")
    with pytest.raises(AwsRejected):
        ACTION.observe(CannedReader({"rds:DescribeDBInstances": refused}), Target(_DATABASE, {}))


@pytest.mark.parametrize(
    "other",
    [
        observed(DBInstanceStatus="stopped"),
        observed(DBInstanceClass="db.m5.xlarge"),
        observed(DbiResourceId="db-2"),
        observed({"team": "data"}),
    ],
    ids=["state", "class", "made anew", "tags"],
)
def test_the_fingerprint_shows_every_change_that_matters(other: Observation) -> None:
    assert other.fingerprint != observed().fingerprint


def test_it_stops_and_a_turned_act_starts_again() -> None:
    plan = ACTION.plan(_DATABASE, {}, observed().fingerprint)
    named = {"DBInstanceIdentifier": "reports"}
    assert [(step.id, step.operation, dict(step.parameters)) for step in plan.steps] == [
        ("stop", "rds:StopDBInstance", named),
        ("wait_stopped", "", {}),
    ]
    back = ACTION.procedure.compensation(plan)
    assert [(step.id, step.operation, dict(step.parameters)) for step in back] == [
        ("start", "rds:StartDBInstance", named),
        ("wait_available", "", {}),
    ]
    assert plan.steps[0].inverse == back[0].id


def test_each_session_may_make_its_own_call_on_this_database_alone_and_all_of_them_are_declared() -> None:
    found = list(granted(ACTION, ACTION.plan(_DATABASE, {}, observed().fingerprint)))
    assert all(permission == operation and arn == _ARN for operation, permission, arn in found)
    assert {permission for _, permission, _ in found} == set(ACTION.permissions)
    asked = reader()
    ACTION.observe(asked, Target(_DATABASE, {}))
    assert asked.operations == set(ACTION.read_permissions) - {LIST_ALARMS}


def test_a_database_that_somebody_started_meanwhile_is_on_no_way_to_being_stopped() -> None:
    plan = ACTION.plan(_DATABASE, {}, observed().fingerprint)
    waiting = ACTION.procedure.steps["wait_stopped"]
    # A stop may show after everything else that AWS does to it.
    for state in ("available", "backing-up", "modifying"):
        assert not waiting.failed(plan, observed(DBInstanceStatus=state))
    assert waiting.failed(plan, observed(DBInstanceStatus="starting"))
    assert waiting.failed(plan, observed(DBInstanceStatus="stopped", DbiResourceId="db-2"))
    assert waiting.failed(plan, Observation(exists=False))
    assert not waiting.failed(plan, observed(DBInstanceStatus="stopping"))
    assert waiting.reached(plan, observed(DBInstanceStatus="stopped"))
    assert not waiting.reached(plan, observed(DBInstanceStatus="stopping"))


def test_it_is_started_again_only_once_it_is_stopped() -> None:
    plan = ACTION.plan(_DATABASE, {}, observed().fingerprint)
    start = ACTION.procedure.steps["start"]
    assert [start.expected(plan, observed(DBInstanceStatus=one)) for one in ("stopping", "stopped")] == [False, True]
    assert start.reached(plan, observed(DBInstanceStatus="starting"))
    assert ACTION.procedure.restored(plan, observed())
    assert not ACTION.procedure.restored(plan, observed(DBInstanceStatus="starting"))


def test_the_card_says_that_aws_starts_it_again_after_seven_days_and_what_is_still_billed() -> None:
    seen = observed({"terraform": "true"}, PubliclyAccessible=True)
    words = ACTION.words(seen, {}, ACTION.plan(_DATABASE, {}, seen.fingerprint))
    assert words.consequence.endswith("AWS starts it again after seven days.")
    assert words.downtime == "Until someone starts it, seven days at most"
    assert [(fact.label, fact.value) for fact in words.facts] == [
        ("Still billed while stopped", "100 GiB and its backups")
    ]
    assert ACTION.warnings(seen, {}) == (
        "After seven days AWS starts it again by itself and bills it from then on, until someone stops it again.",
        "A start can take minutes to hours. No automated backup is made while it is stopped.",
        "Its public IP address changes. Its endpoint's name stays.",
        "Changes by Terraform fail while it is stopped.",
        "We did not check whether an application or a proxy depends on it.",
    )
    assert all(len(warning) <= 250 for warning in ACTION.warnings(seen, {}))


def test_pending_maintenance_is_named_on_the_card_and_read_only_where_people_are_asked() -> None:
    seen = observed(maintenance=("system-update", "ca-certificate-rotation"))
    assert ACTION.preflight(seen, {}, PolicyFacts()) == ()
    (warning,) = [one for one in ACTION.warnings(seen, {}) if "aintenance" in one]
    assert warning == (
        "Maintenance is pending (ca-certificate-rotation, system-update), and a stop removes it. "
        "If it matters, have it done first."
    )
    later = reader(maintenance=("system-update",))
    ACTION.observe(later, Target(_DATABASE, {}, full=False))
    assert later.operations == {"rds:DescribeDBInstances"}


def test_a_pending_change_is_refused_by_its_name() -> None:
    seen = observed(PendingModifiedValues={"MultiAZ": True, "DBInstanceClass": "db.m5.xlarge"})
    (refusal,) = ACTION.preflight(seen, {}, PolicyFacts())
    assert refusal.message == (
        "A change waits for its maintenance window (DBInstanceClass, MultiAZ), and a stop would discard it."
    )


def test_it_saves_once_and_for_the_seven_days_until_aws_starts_it_again() -> None:
    assert ACTION.lasts_days == 7


@pytest.mark.parametrize(
    ("step", "code", "sentence"),
    [
        ("start", "InsufficientDBInstanceCapacity", "AWS had no db.m5.large capacity in us-east-1a."),
        ("start", "KMSKeyNotAccessibleFault", ""),
        ("stop", "InsufficientDBInstanceCapacity", ""),
    ],
)
def test_a_start_that_finds_no_room_is_said_in_words(step: str, code: str, sentence: str) -> None:
    plan = ACTION.plan(_DATABASE, {}, observed().fingerprint)
    assert ACTION.procedure.refused(plan, observed(), step, code) == sentence


def test_the_end_of_the_act_says_what_is_there() -> None:
    plan = ACTION.plan(_DATABASE, {}, observed().fingerprint)
    stopped = observed(DBInstanceStatus="stopped")
    assert ACTION.procedure.found(plan, stopped) == "The database is stopped with class db.m5.large."
    assert ACTION.procedure.found(plan, Observation(exists=False)) == "The database does not exist any more."


# ---- its undo


STOPPED: Final[dict[str, Any]] = {"DBInstanceStatus": "stopped"}
ACT: Final = ACTION.plan(_DATABASE, {}, observed().fingerprint)


def undo_plan() -> Plan:
    assert ACTION.undo is not None
    return ACTION.plan(_DATABASE, ACTION.undo.parameters(ACT, {}), observed(**STOPPED).fingerprint)


def changed(**described: Any) -> str:
    assert ACTION.undo is not None
    return ACTION.undo.changed(ACT, observed(**described))


def undo_move(now: Observation, *entries: JournalEntry, seconds: float = 300.0) -> Any:
    return next_move(Situation(undo_plan(), ACTION.procedure, Journal(entries), now, AT + timedelta(seconds=seconds)))


AT: Final = datetime(2026, 3, 1, tzinfo=UTC)


def started(result: Result = Result.OK, code: str = "") -> JournalEntry:
    return JournalEntry("start", 1, AT, result, code)


def test_a_stopped_database_is_started_under_the_same_action_and_the_verifier_knows_the_call() -> None:
    undo = undo_plan()

    assert [(one.operation, dict(one.parameters)) for one in undo.steps if one.changes] == [
        ("rds:StartDBInstance", {"DBInstanceIdentifier": "reports"})
    ]
    assert problem_of_undo(ACT.to_json(), undo.to_json()) == ""
    assert problem_of_undo(ACT.to_json(), ACT.to_json())
    words = ACTION.words(observed(**STOPPED), undo.parameters, undo)
    assert (words.verb, set(words.steps)) == ("Start", {one.id for one in undo.steps})
    assert ACTION.warnings(observed(**STOPPED), undo.parameters) == ()


def test_only_the_database_that_the_act_left_stopped_is_started() -> None:
    assert changed(**STOPPED) == ""
    assert changed() == "It is available, not stopped."
    assert "under its name" in changed(**STOPPED, DbiResourceId="db-2")
    protected = {"finops.dev/protected": "true"}
    for seen, expected in (
        (observed(protected, **STOPPED), []),
        (observed(), ["NotStopped"]),
        (Observation(exists=False), ["NotFound"]),
    ):
        found = ACTION.preflight(seen, undo_plan().parameters, PolicyFacts({"finops.dev/protected": ("true",)}))
        assert [one.code for one in found] == expected


def test_a_start_is_called_once_and_verified_when_the_database_can_be_used() -> None:
    assert isinstance(undo_move(observed(**STOPPED)), Call)
    assert isinstance(undo_move(observed(DBInstanceStatus="starting"), started()), WaitFor)
    assert isinstance(undo_move(observed(), started()), Verified)


def test_a_start_that_aws_refuses_or_takes_back_leaves_the_database_stopped() -> None:
    refused = undo_move(observed(**STOPPED), started(Result.REJECTED, "InsufficientDBInstanceCapacity"))
    fell_back = undo_move(observed(**STOPPED), started())

    assert isinstance(refused, Compensate)
    assert refused.reason == "AWS had no db.m5.large capacity in us-east-1a."
    assert isinstance(fell_back, Compensate)
    turned = Journal((started(),), turned=fell_back.reason, turned_at=AT)
    end = next_move(Situation(undo_plan(), ACTION.procedure, turned, observed(**STOPPED), AT + timedelta(minutes=5)))
    assert isinstance(end, Finish)
    assert end.state is State.ROLLED_BACK
