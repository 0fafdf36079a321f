"""What AWS refuses of retentions and of stopping databases, the double refuses; stopping and starting take time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from finops_sandbox.aws.double import AwsDouble, Delays

_ACCOUNT = "111111111111"
_REGION = "us-east-1"
_ROLE = f"arn:aws:iam::{_ACCOUNT}:role/finops-executor"
_ESTATE: dict[str, Any] = {
    "accounts": {_ACCOUNT: {"name": "production", "regions": [_REGION]}},
    "resources": [
        {
            "account": "production",
            "region": _REGION,
            "logGroups": [{"name": "web", "tags": {"team": "web"}}, {"name": "audit", "retention": 365}],
            "tables": [{"name": "orders", "read": 10, "write": 5, "indexes": {"by-date": [1, 1]}}],
            "databases": [
                {"name": "alone"},
                {"name": "down", "state": "stopped"},
                {"name": "old", "maintenance": ["system-update"]},
                {"name": "main"},
                {"name": "copy", "source": "main"},
                {"name": "ledger", "engine": "sqlserver-se", "multiAz": True},
            ],
        }
    ],
}


@pytest.fixture(scope="module")
def double() -> Iterator[AwsDouble]:
    with AwsDouble(_ESTATE, delays=Delays(database_seconds=0.2)) as running:
        yield running


@pytest.fixture
def aws(double: AwsDouble, monkeypatch: pytest.MonkeyPatch) -> AwsDouble:
    double.control.reset()
    for name, value in double.environment().items():
        monkeypatch.setenv(name, value)
    return double


def client(service: str, role: str = _ROLE, policy: str | None = None) -> Any:
    config = Config(retries={"total_max_attempts": 1})
    request: dict[str, Any] = {"RoleArn": role, "RoleSessionName": "test", "ExternalId": "finops-sandbox"}
    if policy is not None:
        request["Policy"] = policy
    keys = boto3.client("sts", region_name=_REGION, config=config).assume_role(**request)["Credentials"]
    return boto3.client(
        service,
        region_name=_REGION,
        config=config,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def retention(aws: AwsDouble, name: str) -> Any:
    return aws.control.resource(_ACCOUNT, _REGION, f"log-group:{name}")["retention"]


def state(aws: AwsDouble, name: str) -> Any:
    return aws.control.resource(_ACCOUNT, _REGION, f"db:{name}")["state"]


def test_a_retention_is_set_and_removed(aws: AwsDouble) -> None:
    logs = client("logs")
    logs.put_retention_policy(logGroupName="web", retentionInDays=90)
    assert retention(aws, "web") == 90
    logs.delete_retention_policy(logGroupName="web")
    assert retention(aws, "web") is None
    assert [call.action for call in aws.calls if call.applied] == ["PutRetentionPolicy", "DeleteRetentionPolicy"]


@pytest.mark.parametrize("days", [2, 31, 3654])
def test_a_length_that_aws_does_not_take_is_refused(days: int, aws: AwsDouble) -> None:
    with pytest.raises(ClientError) as error:
        client("logs").put_retention_policy(logGroupName="audit", retentionInDays=days)
    assert code_of(error) == "InvalidParameterException"
    assert retention(aws, "audit") == 365


def test_a_group_that_is_not_there_has_no_retention(aws: AwsDouble) -> None:
    with pytest.raises(ClientError) as error:
        client("logs").put_retention_policy(logGroupName="none", retentionInDays=30)
    assert code_of(error) == "ResourceNotFoundException"


@pytest.mark.parametrize(("ending", "allowed"), [(":*", True), ("", False)])
def test_a_policy_names_a_log_group_with_the_ending_of_its_streams(ending: str, allowed: bool, aws: AwsDouble) -> None:
    arn = f"arn:aws:logs:{_REGION}:{_ACCOUNT}:log-group:web{ending}"
    policy = (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"logs:PutRetentionPolicy","Resource":"%s"}]}'
    )
    logs = client("logs", policy=policy % arn)
    if allowed:
        logs.put_retention_policy(logGroupName="web", retentionInDays=30)
    else:
        with pytest.raises(ClientError) as error:
            logs.put_retention_policy(logGroupName="web", retentionInDays=30)
        assert code_of(error) == "AccessDeniedException"
    assert retention(aws, "web") == (30 if allowed else None)


def test_a_database_takes_its_time_to_stop_and_to_start(aws: AwsDouble) -> None:
    rds = client("rds")
    assert rds.stop_db_instance(DBInstanceIdentifier="alone")["DBInstance"]["DBInstanceStatus"] == "stopping"
    with pytest.raises(ClientError) as error:
        rds.start_db_instance(DBInstanceIdentifier="alone")
    assert code_of(error) == "InvalidDBInstanceState"
    time.sleep(0.25)
    assert state(aws, "alone") == "stopped"
    assert rds.start_db_instance(DBInstanceIdentifier="alone")["DBInstance"]["DBInstanceStatus"] == "starting"
    time.sleep(0.25)
    assert state(aws, "alone") == "available"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("down", "InvalidDBInstanceState"),
        ("main", "InvalidParameterCombination"),
        ("copy", "InvalidParameterCombination"),
        ("ledger", "InvalidParameterCombination"),
        ("none", "DBInstanceNotFound"),
    ],
)
def test_what_rds_does_not_stop_is_refused(name: str, code: str, aws: AwsDouble) -> None:
    with pytest.raises(ClientError) as error:
        client("rds").stop_db_instance(DBInstanceIdentifier=name)
    assert code_of(error) == code
    assert [call.action for call in aws.calls if call.applied] == []


@pytest.mark.parametrize(
    ("asked", "pending"), [("old", {"old": ["system-update"]}), ("alone", {}), ("", {"old": ["system-update"]})]
)
def test_pending_maintenance_is_listed_for_one_database_and_for_all(
    asked: str, pending: dict[str, list[str]], aws: AwsDouble
) -> None:
    arn = f"arn:aws:rds:{_REGION}:{_ACCOUNT}:db:"
    reader = client("rds", role=f"arn:aws:iam::{_ACCOUNT}:role/finops-scanner")
    answer = reader.describe_pending_maintenance_actions(**({"ResourceIdentifier": arn + asked} if asked else {}))
    listed = {
        one["ResourceIdentifier"].removeprefix(arn): [each["Action"] for each in one["PendingMaintenanceActionDetails"]]
        for one in answer["PendingMaintenanceActions"]
    }
    assert listed == pending


def test_a_start_may_find_no_capacity(aws: AwsDouble) -> None:
    aws.control.inject({"kind": "capacity", "instanceType": "db.m5.large", "count": 1})
    rds = client("rds")
    with pytest.raises(ClientError) as error:
        rds.start_db_instance(DBInstanceIdentifier="down")
    assert code_of(error) == "InsufficientDBInstanceCapacity"
    rds.start_db_instance(DBInstanceIdentifier="down")
    assert state(aws, "down") == "starting"


def test_the_estate_is_as_it_was_after_a_reset(aws: AwsDouble) -> None:
    client("logs").put_retention_policy(logGroupName="web", retentionInDays=30)
    client("rds").stop_db_instance(DBInstanceIdentifier="alone")
    aws.control.reset()
    assert (retention(aws, "web"), state(aws, "alone")) == (None, "available")


def test_a_fifth_change_to_on_demand_mode_within_a_day_is_refused(aws: AwsDouble) -> None:
    table = client("dynamodb")
    capacity = {"ReadCapacityUnits": 10, "WriteCapacityUnits": 5}
    for _ in range(4):
        table.update_table(TableName="orders", BillingMode="PAY_PER_REQUEST")
        table.update_table(TableName="orders", BillingMode="PROVISIONED", ProvisionedThroughput=capacity)
    with pytest.raises(ClientError) as error:
        table.update_table(TableName="orders", BillingMode="PAY_PER_REQUEST")
    assert code_of(error) == "LimitExceededException"
    aws.control.advance(24 * 3600 + 1)
    client("dynamodb").update_table(TableName="orders", BillingMode="PAY_PER_REQUEST")
    assert aws.control.resource(_ACCOUNT, _REGION, "table/orders")["mode"] == "PAY_PER_REQUEST"


@pytest.mark.parametrize(
    ("mode", "capacity"),
    [("PAY_PER_REQUEST", {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}), ("PROVISIONED", None)],
)
def test_a_mode_with_the_other_ones_capacity_is_refused(mode: str, capacity: Any, aws: AwsDouble) -> None:
    aws.control.change(_ACCOUNT, _REGION, "table/orders", {"mode": "PAY_PER_REQUEST"})
    further = {} if capacity is None else {"ProvisionedThroughput": capacity}
    with pytest.raises(ClientError) as error:
        client("dynamodb").update_table(TableName="orders", BillingMode=mode, **further)
    assert code_of(error) == "ValidationException"
