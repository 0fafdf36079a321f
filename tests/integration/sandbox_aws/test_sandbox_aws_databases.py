"""Clusters, classes and deletions of databases on the double: slow as at AWS, and refused where AWS refuses them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from finops_sandbox.aws.double import AwsDouble, Delays

_ACCOUNT, _REGION = "111111111111", "us-east-1"
_ARN = f"arn:aws:rds:{_REGION}:{_ACCOUNT}"
_SECONDS = 60.0
_ESTATE: dict[str, Any] = {
    "accounts": {_ACCOUNT: {"name": "production", "regions": [_REGION]}},
    "resources": [
        {
            "account": "production",
            "region": _REGION,
            "databases": [
                {"name": "alone"},
                {"name": "lonely"},
                {"name": "down", "state": "stopped"},
                {"name": "copy", "source": "alone"},
            ],
            "databaseClusters": [
                {"name": "shop"},
                {"name": "asleep", "state": "stopped"},
                {"name": "old", "mode": "serverless", "engine": "aurora-mysql", "members": 0},
                {"name": "world", "replicas": [f"{_ARN}:cluster:far"]},
                {"name": "graph", "engine": "neptune", "members": 0},
            ],
        }
    ],
}


@pytest.fixture(scope="module")
def double() -> Iterator[AwsDouble]:
    with AwsDouble(_ESTATE, delays=Delays(database_seconds=_SECONDS)) as running:
        yield running


@pytest.fixture
def aws(double: AwsDouble, monkeypatch: pytest.MonkeyPatch) -> AwsDouble:
    double.control.reset()
    for name, value in double.environment().items():
        monkeypatch.setenv(name, value)
    return double


def rds(role: str = "finops-executor", *statements: dict[str, Any]) -> Any:
    config = Config(retries={"total_max_attempts": 1})
    asked: dict[str, Any] = {
        "RoleArn": f"arn:aws:iam::{_ACCOUNT}:role/{role}",
        "RoleSessionName": "test",
        "ExternalId": "finops-sandbox",
    }
    if statements:
        asked["Policy"] = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    keys = boto3.client("sts", region_name=_REGION, config=config).assume_role(**asked)["Credentials"]
    return boto3.client(
        "rds",
        region_name=_REGION,
        config=config,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def refused(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    return str(error.value.response["Error"]["Code"])


def instance(name: str) -> Any:
    return rds("finops-scanner").describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]


def cluster_states(name: str) -> tuple[str, set[str]]:
    reader = rds("finops-scanner")
    cluster = reader.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]
    members = reader.describe_db_instances(Filters=[{"Name": "db-cluster-id", "Values": [name]}])["DBInstances"]
    return cluster["Status"], {one["DBInstanceStatus"] for one in members}


def test_a_cluster_takes_its_time_to_stop_and_its_members_follow_it(aws: AwsDouble) -> None:
    actor = rds()
    actor.stop_db_cluster(DBClusterIdentifier="shop")
    assert cluster_states("shop") == ("stopping", {"stopping"})
    assert refused(actor.stop_db_cluster, DBClusterIdentifier="shop") == "InvalidDBClusterStateFault"
    aws.control.advance(_SECONDS + 1)
    assert cluster_states("shop") == ("stopped", {"stopping"})
    assert refused(actor.start_db_cluster, DBClusterIdentifier="shop") == "InvalidDBInstanceState"
    aws.control.advance(_SECONDS)
    assert cluster_states("shop") == ("stopped", {"stopped"})
    actor.start_db_cluster(DBClusterIdentifier="shop")
    assert cluster_states("shop") == ("starting", {"starting"})


_WEEK = 7 * 86_400.0


def test_an_instance_that_was_stopped_for_seven_days_starts_again_by_itself(aws: AwsDouble) -> None:
    rds().stop_db_instance(DBInstanceIdentifier="lonely")
    assert "AutomaticRestartTime" not in instance("lonely")
    aws.control.advance(_SECONDS)
    stopped = instance("lonely")
    left = stopped["AutomaticRestartTime"] - datetime.now(UTC)
    assert stopped["DBInstanceStatus"] == "stopped"
    assert timedelta(days=7) - timedelta(seconds=30) < left < timedelta(days=7, seconds=_SECONDS)
    aws.control.advance(_WEEK - 30)
    assert instance("lonely")["DBInstanceStatus"] == "stopped"
    aws.control.advance(31)
    assert instance("lonely")["DBInstanceStatus"] == "starting"
    assert "AutomaticRestartTime" not in instance("lonely")
    aws.control.advance(_SECONDS)
    assert instance("lonely")["DBInstanceStatus"] == "available"
    assert [call.action for call in aws.calls if call.applied] == ["StopDBInstance"], "nobody has started it"


@pytest.mark.parametrize("seconds", [_WEEK - 60, _WEEK + 1, _WEEK + 2 * _SECONDS + 1, 3 * _WEEK])
def test_what_an_estate_has_stopped_starts_again_however_far_the_clock_is_moved(aws: AwsDouble, seconds: float) -> None:
    aws.control.advance(seconds)
    states = {"starting" if seconds < _WEEK + _SECONDS else "available"} if seconds > _WEEK else {"stopped"}
    assert {instance("down")["DBInstanceStatus"]} == states
    assert cluster_states("asleep") == (*states, states)


def test_who_starts_an_instance_or_stops_it_again_begins_another_seven_days(aws: AwsDouble) -> None:
    aws.control.advance(_WEEK - 1000)
    rds().start_db_instance(DBInstanceIdentifier="down")
    aws.control.advance(_SECONDS)
    rds().stop_db_instance(DBInstanceIdentifier="down")
    aws.control.advance(_WEEK - 1000)
    assert instance("down")["DBInstanceStatus"] == "stopped"
    aws.control.advance(1000 + 2 * _SECONDS)
    assert instance("down")["DBInstanceStatus"] == "available"


def test_a_cluster_that_was_stopped_for_seven_days_starts_again_with_its_members(aws: AwsDouble) -> None:
    rds().stop_db_cluster(DBClusterIdentifier="shop")
    aws.control.advance(_SECONDS)
    cluster = rds("finops-scanner").describe_db_clusters(DBClusterIdentifier="shop")["DBClusters"][0]
    assert (cluster["Status"], "AutomaticRestartTime" in cluster) == ("stopped", True)
    aws.control.advance(_WEEK + 1)
    assert cluster_states("shop") == ("starting", {"starting"})
    aws.control.advance(2 * _SECONDS)
    assert cluster_states("shop") == ("available", {"available"})


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("old", "InvalidDBClusterStateFault"),
        ("world", "InvalidDBClusterStateFault"),
        ("graph", "InvalidParameterCombination"),
        ("none", "DBClusterNotFoundFault"),
    ],
)
def test_what_rds_does_not_stop_as_a_cluster_is_refused(name: str, code: str, aws: AwsDouble) -> None:
    assert refused(rds().stop_db_cluster, DBClusterIdentifier=name) == code
    assert [call.action for call in aws.calls if call.applied] == []


def test_a_class_waits_for_its_window_and_is_taken_back_at_once_alone(aws: AwsDouble) -> None:
    actor, change = rds(), {"DBInstanceIdentifier": "alone", "DBInstanceClass": "db.m5.xlarge"}
    actor.modify_db_instance(**change)
    assert instance("alone")["PendingModifiedValues"] == {"DBInstanceClass": "db.m5.xlarge"}
    assert (instance("alone")["DBInstanceClass"], instance("alone")["DBInstanceStatus"]) == ("db.m5.large", "available")
    actor.modify_db_instance(**change | {"DBInstanceClass": "db.m5.large"}, ApplyImmediately=False)
    assert instance("alone")["PendingModifiedValues"] == {"DBInstanceClass": "db.m5.large"}
    actor.modify_db_instance(**change | {"DBInstanceClass": "db.m5.large"}, ApplyImmediately=True)
    assert instance("alone").get("PendingModifiedValues", {}) == {}
    actor.modify_db_instance(**change)
    aws.control.change(_ACCOUNT, _REGION, "db:alone", {"window": True})
    assert instance("alone")["DBInstanceClass"] == "db.m5.xlarge"


def test_a_class_at_once_takes_its_time_and_no_second_change_meanwhile(aws: AwsDouble) -> None:
    actor, change = rds(), {"DBInstanceIdentifier": "alone", "DBInstanceClass": "db.m5.xlarge"}
    actor.modify_db_instance(**change, ApplyImmediately=True)
    assert (instance("alone")["DBInstanceClass"], instance("alone")["DBInstanceStatus"]) == ("db.m5.large", "modifying")
    assert refused(actor.modify_db_instance, **change, ApplyImmediately=True) == "InvalidDBInstanceState"
    aws.control.advance(_SECONDS + 1)
    assert (instance("alone")["DBInstanceClass"], instance("alone")["DBInstanceStatus"]) == (
        "db.m5.xlarge",
        "available",
    )


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("down", "db.m5.xlarge", "InvalidDBInstanceState"),
        ("alone", "db.m5.huge", "InvalidParameterCombination"),
        ("none", "db.m5.xlarge", "DBInstanceNotFound"),
    ],
)
def test_a_class_that_rds_does_not_give_is_refused(name: str, kind: str, code: str, aws: AwsDouble) -> None:
    assert refused(rds().modify_db_instance, DBInstanceIdentifier=name, DBInstanceClass=kind) == code


def test_a_class_may_find_no_capacity_and_is_offered_by_engine(aws: AwsDouble) -> None:
    aws.control.inject({"kind": "capacity", "resource": "alone", "count": 1})
    change = {"DBInstanceIdentifier": "alone", "DBInstanceClass": "db.m5.xlarge", "ApplyImmediately": True}
    assert refused(rds().modify_db_instance, **change) == "InsufficientDBInstanceCapacity"
    asked = {"Engine": "postgres", "EngineVersion": "16.4", "DBInstanceClass": "db.m5.xlarge"}
    options = rds("finops-scanner").describe_orderable_db_instance_options(**asked)["OrderableDBInstanceOptions"]
    assert {one["StorageType"] for one in options} == {"gp2", "gp3", "io1"}
    none = rds("finops-scanner").describe_orderable_db_instance_options(**asked | {"DBInstanceClass": "db.z9.large"})
    assert none["OrderableDBInstanceOptions"] == []


_KEPT = {"DBInstanceIdentifier": "down", "FinalDBSnapshotIdentifier": "finops-final-down"}


def test_a_deletion_takes_a_snapshot_first_and_each_its_time(aws: AwsDouble) -> None:
    actor, reader = rds(), rds("finops-scanner")
    actor.delete_db_instance(**_KEPT, DeleteAutomatedBackups=False)
    assert instance("down")["DBInstanceStatus"] == "deleting"
    assert refused(actor.delete_db_instance, **_KEPT) == "InvalidDBInstanceState"

    def snapshot() -> str:
        found = reader.describe_db_snapshots(DBInstanceIdentifier="down", SnapshotType="manual")
        return str(found["DBSnapshots"][0]["Status"])

    assert snapshot() == "creating"
    aws.control.advance(_SECONDS + 1)
    assert (snapshot(), instance("down")["DBInstanceStatus"]) == ("available", "deleting")
    aws.control.advance(_SECONDS)
    assert refused(reader.describe_db_instances, DBInstanceIdentifier="down") == "DBInstanceNotFound"
    assert snapshot() == "available"


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"DBInstanceIdentifier": "down"}, "InvalidParameterCombination"),
        ({**_KEPT, "SkipFinalSnapshot": True}, "InvalidParameterCombination"),
        ({**_KEPT, "DBInstanceIdentifier": "copy"}, "InvalidParameterCombination"),
        ({**_KEPT, "DBInstanceIdentifier": "shop-1"}, "InvalidParameterCombination"),
        ({**_KEPT, "DBInstanceIdentifier": "none"}, "DBInstanceNotFound"),
    ],
)
def test_what_rds_does_not_delete_is_refused(parameters: dict[str, Any], code: str, aws: AwsDouble) -> None:
    assert refused(rds().delete_db_instance, **parameters) == code


def test_the_name_of_a_snapshot_is_not_taken_twice(aws: AwsDouble) -> None:
    actor = rds()
    actor.delete_db_instance(**_KEPT)
    again = {**_KEPT, "DBInstanceIdentifier": "alone"}
    assert refused(actor.delete_db_instance, **again) == "DBSnapshotAlreadyExists"


def test_a_final_snapshot_needs_a_right_of_its_own_on_the_database_and_on_the_snapshot(aws: AwsDouble) -> None:
    delete = {"Effect": "Allow", "Action": "rds:DeleteDBInstance", "Resource": f"{_ARN}:db:down"}
    keep = {"Effect": "Allow", "Action": "rds:CreateDBSnapshot", "Resource": f"{_ARN}:db:down"}
    copy = {**keep, "Resource": f"{_ARN}:snapshot:finops-final-down"}
    for granted in ((delete,), (delete, keep), (delete, copy)):
        assert refused(rds("finops-executor", *granted).delete_db_instance, **_KEPT).startswith("AccessDenied")
    rds("finops-executor", delete, keep, copy).delete_db_instance(**_KEPT)
    assert instance("down")["DBInstanceStatus"] == "deleting"
