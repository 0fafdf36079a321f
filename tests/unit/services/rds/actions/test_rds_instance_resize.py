"""rds_instance_resize: what speaks against it, when AWS applies it, how each step is judged, and what leads back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from tests.support.act_reading import CannedReader, granted

from finops.audit_verify.plan import problem_of_undo
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
from finops.errors import InvalidInput
from finops_operator.plugins.action import PolicyFacts, Target
from finops_operator.plugins.watch_shape import PERMISSIONS as WATCH_READS
from finops_operator.services.rds.actions.rds_instance_resize import ACTION

_ARN: Final = "arn:aws:rds:us-east-1:111111111111:db:reports"
_DATABASE: Final = ResourceRef("rds-instance", "reports", _ARN, "111111111111", "us-east-1")
_OLD, _NEW = "db.m5.xlarge", "db.m5.large"
_WINDOW: Final[dict[str, Any]] = {"dbInstanceClass": _NEW}
_NOW: Final[dict[str, Any]] = {"dbInstanceClass": _NEW, "apply": "now"}
_BACK: Final[dict[str, Any]] = {"dbInstanceClass": _OLD, "apply": "now", "setBack": "true"}
_OPTION: Final[dict[str, Any]] = {
    "StorageType": "gp3",
    "AvailabilityZones": [{"Name": "us-east-1a"}, {"Name": "us-east-1b"}],
    "MultiAZCapable": True,
    "SupportsStorageEncryption": True,
    "SupportsPerformanceInsights": True,
    "SupportsIAMDatabaseAuthentication": True,
    "MinStorageSize": 20,
    "MaxStorageSize": 65536,
}
_DESCRIBED: Final[dict[str, Any]] = {
    "DBInstanceIdentifier": "reports",
    "DBInstanceStatus": "available",
    "DBInstanceClass": _OLD,
    "DbiResourceId": "db-1",
    "Engine": "postgres",
    "EngineVersion": "16.4",
    "LicenseModel": "postgresql-license",
    "MultiAZ": False,
    "StorageType": "gp3",
    "StorageEncrypted": True,
    "AllocatedStorage": 100,
    "AvailabilityZone": "us-east-1a",
    "PreferredMaintenanceWindow": "sun:04:00-sun:04:30",
    "DBParameterGroups": [{"DBParameterGroupName": "shop", "ParameterApplyStatus": "in-sync"}],
    "PendingModifiedValues": {},
}
_PENDING: Final = {"PendingModifiedValues": {"DBInstanceClass": _NEW}}


def reader(
    tags: dict[str, str] | None = None,
    maintenance: tuple[str, ...] = (),
    options: Any = None,
    deployments: tuple[dict[str, Any], ...] = (),
    marker: str = "",
    **described: Any,
) -> CannedReader:
    listed = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
    actions = [{"Action": one} for one in maintenance]
    pending = [{"ResourceIdentifier": _ARN, "PendingMaintenanceActionDetails": actions}]
    return CannedReader(
        {
            "rds:DescribeDBInstances": {"DBInstances": [_DESCRIBED | {"TagList": listed} | described]},
            "rds:DescribeBlueGreenDeployments": {"BlueGreenDeployments": list(deployments), "Marker": marker},
            "rds:DescribePendingMaintenanceActions": {"PendingMaintenanceActions": pending},
            "rds:DescribeOrderableDBInstanceOptions": {
                "OrderableDBInstanceOptions": [_OPTION] if options is None else options
            },
        }
    )


def observed(tags: dict[str, str] | None = None, **described: Any) -> Observation:
    return ACTION.observe(reader(tags, **described), Target(_DATABASE, _WINDOW))


def codes(seen: Observation, parameters: dict[str, Any] | None = None) -> list[str]:
    return [refusal.code for refusal in ACTION.preflight(seen, parameters or _WINDOW, PolicyFacts())]


def plan(parameters: dict[str, Any], **described: Any) -> Plan:
    return ACTION.plan(_DATABASE, parameters, observed(**described).fingerprint)


def test_nothing_speaks_against_a_class_that_aws_offers_for_the_instance_as_it_is() -> None:
    assert codes(observed({"team": "data"})) == []
    assert codes(observed(), _NOW) == []
    assert codes(observed(MultiAZ=True, SecondaryAvailabilityZone="us-east-1b")) == []
    assert codes(observed(ReadReplicaDBInstanceIdentifiers=["copy"])) == []
    assert codes(observed(maintenance=("system-update",))) == []


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (Observation(exists=False), "NotFound"),
        (observed({"finops.dev/protected": "true"}), "Protected"),
        (observed({"crossplane-name": "reports"}), "OwnedByController"),
        (observed({"aws:cloudformation:stack-name": "shop"}), "OwnedByTemplate"),
        (observed(DBInstanceStatus="stopped"), "Stopped"),
        (observed(DBInstanceStatus="backing-up"), "BackupRunning"),
        (observed(DBInstanceStatus="deleting"), "BeingDeleted"),
        (observed(DBInstanceStatus="modifying"), "ChangeRunning"),
        (observed(DBInstanceStatus="storage-full"), "NotAvailable"),
        (observed(DBInstanceStatus=""), "NotAvailable"),
        (observed(PendingModifiedValues={"MultiAZ": True}), "ChangePending"),
        (observed(**_PENDING), "ChangePending"),
        (observed(DBInstanceClass=_NEW), "SameClass"),
        (observed(DBParameterGroups=[{"ParameterApplyStatus": "pending-reboot"}]), "ParametersWait"),
        (observed(deployments=({"Source": _ARN, "Target": f"{_ARN}-2"},)), "InBlueGreenDeployment"),
        (observed(deployments=({"Source": f"{_ARN}-2", "Target": _ARN},)), "InBlueGreenDeployment"),
        (observed(deployments=({"SwitchoverDetails": [{"SourceMember": _ARN}]},)), "InBlueGreenDeployment"),
        (observed(marker="more"), "DeploymentUnknown"),
        (observed(Engine=""), "EngineUnknown"),
        (observed(DBClusterIdentifier="shop"), "ClusterMember"),
        (observed(Engine="aurora-mysql"), "ClusterMember"),
        (observed(Engine="neptune"), "ClusterMember"),
        (observed(Engine="custom-sqlserver-se"), "RdsCustom"),
        (observed(ProcessorFeatures=[{"Name": "coreCount", "Value": "2"}]), "CpuOptions"),
        (observed(options=[]), "ClassNotOffered"),
        (observed(StorageType="io2"), "StorageNotOffered"),
        (observed(AvailabilityZone="us-east-1c"), "ZoneNotOffered"),
        (observed(AvailabilityZone=""), "ZoneNotOffered"),
        (observed(MultiAZ=True, SecondaryAvailabilityZone="us-east-1c"), "ZoneNotOffered"),
        (observed(MultiAZ=True, options=[_OPTION | {"MultiAZCapable": False}]), "FeatureNotOffered"),
        (observed(options=[_OPTION | {"SupportsStorageEncryption": False}]), "FeatureNotOffered"),
        (
            observed(PerformanceInsightsEnabled=True, options=[_OPTION | {"SupportsPerformanceInsights": False}]),
            "FeatureNotOffered",
        ),
        (
            observed(
                IAMDatabaseAuthenticationEnabled=True,
                options=[_OPTION | {"SupportsIAMDatabaseAuthentication": None}],
            ),
            "FeatureNotOffered",
        ),
        (observed(AllocatedStorage=10), "StorageSizeNotOffered"),
        (observed(options=[_OPTION | {"MaxStorageSize": 50}]), "StorageSizeNotOffered"),
    ],
)
def test_every_reason_against_it_has_its_rule(seen: Observation, code: str) -> None:
    assert codes(seen) == [code]


def test_what_was_not_read_forbids_it() -> None:
    seen = ACTION.observe(reader(), Target(_DATABASE, _WINDOW, full=False))
    assert codes(seen) == ["DeploymentUnknown", "OfferUnknown"]


def test_maintenance_that_waits_forbids_a_change_at_once_because_aws_may_do_it_too() -> None:
    assert codes(observed(maintenance=("db-upgrade",)), _NOW) == ["MaintenanceWaits"]
    assert any("Maintenance is pending" in one for one in ACTION.warnings(observed(maintenance=("x",)), _WINDOW))


def test_what_forbids_less_does_not_forbid_to_give_the_old_class_back() -> None:
    changed = {"DBInstanceClass": _NEW}
    assert codes(observed({"finops.dev/protected": "true"}, **changed), _BACK) == []
    assert codes(observed({"aws:cloudformation:stack-name": "shop"}, **changed), _BACK) == []
    assert codes(observed(**_PENDING), _BACK) == []
    # What somebody else lets wait would be applied with it.
    both = {"PendingModifiedValues": {"DBInstanceClass": _NEW, "EngineVersion": "17.1"}}
    assert codes(observed(**both), _BACK) == ["ChangePending", "SameClass"]


def test_what_aws_offers_is_asked_for_exactly_this_engine_version_licence_and_class() -> None:
    asked = reader()
    ACTION.observe(asked, Target(_DATABASE, _WINDOW))
    assert dict(asked.asked)["rds:DescribeOrderableDBInstanceOptions"] == {
        "Engine": "postgres",
        "EngineVersion": "16.4",
        "LicenseModel": "postgresql-license",
        "DBInstanceClass": _NEW,
    }
    assert asked.operations == set(ACTION.read_permissions) - set(WATCH_READS)
    later = reader()
    ACTION.observe(later, Target(_DATABASE, _WINDOW, full=False))
    assert later.operations == {"rds:DescribeDBInstances"}


@pytest.mark.parametrize("parameters", [{}, {"dbInstanceClass": ""}, {"dbInstanceClass": 5}, {**_NOW, "apply": "soon"}])
def test_parameters_that_say_nothing_are_no_plan(parameters: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        ACTION.plan(_DATABASE, parameters, observed().fingerprint)


@pytest.mark.parametrize(
    "other",
    [
        observed(DBInstanceStatus="modifying"),
        observed(DBInstanceClass=_NEW),
        observed(**_PENDING),
        observed(DbiResourceId="db-2"),
        observed({"team": "data"}),
    ],
    ids=["state", "class", "waiting class", "made anew", "tags"],
)
def test_the_fingerprint_shows_every_change_that_matters(other: Observation) -> None:
    assert other.fingerprint != observed().fingerprint


@pytest.mark.parametrize(("parameters", "at_once"), [(_WINDOW, False), (_NOW, True)])
def test_it_makes_one_call_and_is_led_back_by_one_at_once(parameters: dict[str, Any], *, at_once: bool) -> None:
    made = plan(parameters)
    back = ACTION.procedure.compensation(made)
    call = {"DBInstanceIdentifier": "reports", "DBInstanceClass": _NEW, "ApplyImmediately": at_once}
    assert [(one.operation, dict(one.parameters)) for one in made.steps if one.changes] == [
        ("rds:ModifyDBInstance", call)
    ]
    assert [(one.operation, dict(one.parameters)) for one in back if one.changes] == [
        ("rds:ModifyDBInstance", call | {"DBInstanceClass": _OLD, "ApplyImmediately": True})
    ]
    found = list(granted(ACTION, made))
    assert all(permission == operation and arn == _ARN for operation, permission, arn in found)
    assert {permission for _, permission, _ in found} == set(ACTION.permissions)


_AT: Final = datetime(2026, 3, 1, tzinfo=UTC)


def move(made: Plan, now: Observation, *entries: JournalEntry, seconds: float = 300.0, turned: str = "") -> Any:
    journal = Journal(entries, turned=turned or None, turned_at=_AT if turned else None)
    return next_move(Situation(made, ACTION.procedure, journal, now, _AT + timedelta(seconds=seconds)))


def called(result: Result = Result.OK, code: str = "") -> JournalEntry:
    return JournalEntry("modify", 1, _AT, result, code)


def test_in_the_window_it_is_complete_as_soon_as_aws_shows_that_the_class_waits() -> None:
    made = plan(_WINDOW)
    assert isinstance(move(made, observed()), Call)
    assert not ACTION.procedure.verified(made, observed())
    assert isinstance(move(made, observed(**_PENDING), called()), Verified)
    assert ACTION.procedure.found(made, observed(**_PENDING)) == (
        "The database is available with class db.m5.xlarge; db.m5.large waits for its maintenance window "
        "(sun:04:00-sun:04:30 UTC)."
    )


@pytest.mark.parametrize(
    ("described", "done"),
    [
        (_PENDING, False),
        ({"DBInstanceStatus": "modifying", **_PENDING}, False),
        ({"DBInstanceStatus": "modifying", "DBInstanceClass": _NEW}, False),
        ({"DBInstanceClass": _NEW, **_PENDING}, False),
        ({"DBInstanceClass": _NEW}, True),
        ({"DBInstanceClass": _NEW, "DBInstanceStatus": "backing-up"}, True),
        ({"DBInstanceClass": _NEW, "DbiResourceId": "db-2"}, False),
    ],
)
def test_at_once_it_is_complete_when_the_database_has_the_class_and_can_be_used(
    described: dict[str, Any], *, done: bool
) -> None:
    assert ACTION.procedure.verified(plan(_NOW), observed(**described)) is done


def test_a_change_that_aws_took_and_gives_up_calls_a_person_and_ends_after_two_hours() -> None:
    made = plan(_NOW)
    waits = move(made, observed(), called(), seconds=7000)
    assert isinstance(waits, WaitFor)
    assert "nothing is seen of it" in waits.alarm
    end = move(made, observed(), called(), seconds=7200)
    assert isinstance(end, Finish)
    assert end.message.endswith("it is left alone. The database is available with class db.m5.xlarge.")
    # Without an answer AWS may still carry it out, and while it works on it, it has not given up.
    assert not isinstance(move(made, observed(), called(Result.ABSENT), seconds=9000), Finish)
    assert isinstance(move(made, observed(**_PENDING), called(), seconds=9000), WaitFor)


def test_a_refusal_for_lack_of_room_is_said_in_words() -> None:
    found = move(plan(_NOW), observed(), called(Result.REJECTED, "InsufficientDBInstanceCapacity"))
    assert isinstance(found, Compensate)
    assert found.reason == "AWS had no db.m5.large capacity in us-east-1a."


def test_a_rollback_waits_while_aws_works_or_somebody_else_lets_a_change_wait() -> None:
    made, restore = plan(_NOW), ACTION.procedure.steps["restore_class"]
    both = {"PendingModifiedValues": {"DBInstanceClass": _NEW, "EngineVersion": "17.1"}}
    assert restore.expected(made, observed(DBInstanceClass=_NEW))
    assert restore.expected(made, observed(**_PENDING))
    assert not restore.expected(made, observed(DBInstanceStatus="modifying", **_PENDING))
    assert not restore.expected(made, observed(**both))
    assert restore.reached(made, observed(DBInstanceClass=_NEW, PendingModifiedValues={"DBInstanceClass": _OLD}))
    assert ACTION.procedure.restored(made, observed())


@pytest.mark.parametrize(
    "described",
    [
        {"DBInstanceClass": "db.r6g.large"},
        {"PendingModifiedValues": {"DBInstanceClass": "db.r6g.large"}},
        {"DbiResourceId": "db-2"},
    ],
)
def test_a_class_that_somebody_else_chose_is_left_alone(described: dict[str, Any]) -> None:
    end = move(plan(_NOW), observed(**described), called())
    assert isinstance(end, Finish)
    assert "it is left alone" in end.message


# ---- its undo


@pytest.mark.parametrize("parameters", [_WINDOW, _NOW])
@pytest.mark.parametrize("described", [_PENDING, {"DBInstanceClass": _NEW}], ids=["waits", "done"])
def test_the_undo_sets_the_old_class_back_whether_the_change_waits_or_is_done(
    parameters: dict[str, Any], described: dict[str, Any]
) -> None:
    act = plan(parameters)
    assert ACTION.undo is not None
    assert dict(ACTION.undo.parameters(act, {})) == _BACK
    undo = plan(_BACK, **described)
    assert problem_of_undo(act.to_json(), undo.to_json()) == ""
    assert problem_of_undo(act.to_json(), act.to_json())
    assert ACTION.undo.changed(act, observed(**described)) == ""
    assert isinstance(move(undo, observed(**described)), Call)
    assert not ACTION.procedure.verified(undo, observed(**described))
    assert isinstance(move(undo, observed(), called()), Verified)
    assert ACTION.procedure.compensation(undo) == ()


def test_only_what_the_act_left_is_undone() -> None:
    act = plan(_NOW)
    assert ACTION.undo is not None
    assert "under its name" in ACTION.undo.changed(act, observed(DBInstanceClass=_NEW, DbiResourceId="db-2"))
    other = ACTION.undo.changed(act, observed(DBInstanceClass="db.r6g.large"))
    assert other == "Its class is db.r6g.large now; the act had set it to db.m5.large."


# ---- in words


def test_the_card_says_figures_when_it_happens_how_long_it_is_down_and_what_waits_already() -> None:
    seen = observed()
    words = ACTION.words(seen, _WINDOW, plan(_WINDOW))
    assert words.change == "db.m5.xlarge → db.m5.large: 4 → 2 vCPU, 16 → 8 GiB"
    assert "in its next maintenance window (sun:04:00-sun:04:30 UTC)" in words.consequence
    assert words.facts[0].value == "none"
    assert words.downtime == "Several minutes"
    at_once = ACTION.words(observed(MultiAZ=True), _NOW, plan(_NOW))
    assert "at once" in at_once.consequence
    assert at_once.downtime.endswith("by a failover to its standby")


def test_the_card_of_a_change_that_is_taken_back_says_that_nothing_has_changed_yet() -> None:
    words = ACTION.words(observed(**_PENDING), _BACK, plan(_BACK, **_PENDING))
    assert (words.verb, words.downtime) == ("Keep", "None: nothing has changed yet")


def test_replicas_on_either_side_are_warned_of() -> None:
    source = ACTION.warnings(observed(ReadReplicaDBInstanceIdentifiers=["copy"]), _WINDOW)
    copy = ACTION.warnings(observed(ReadReplicaSourceDBInstanceIdentifier="main"), _WINDOW)
    assert any("read replicas keep their class" in one for one in source)
    assert any("fall behind its source" in one for one in copy)
    of_cluster = ACTION.warnings(observed(ReadReplicaSourceDBClusterIdentifier="main"), _WINDOW)
    assert any("fall behind its source" in one for one in of_cluster)
