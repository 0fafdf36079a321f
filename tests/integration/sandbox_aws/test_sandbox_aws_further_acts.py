"""What AWS refuses of calls beyond EC2, the double refuses; stopping and starting take their time."""

from __future__ import annotations

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
            "functions": [{"name": "thumbnails"}, {"name": "mail", "memory": 512, "versions": 2}],
            "databaseSnapshots": [
                {"name": "by-hand", "database": "alone", "shared": ["222222222222"]},
                {"name": "nightly", "database": "alone", "madeBy": "automated"},
            ],
            "buckets": [{"name": "finops-double-media", "tags": {"team": "web"}}],
            "services": [
                {"name": "web", "desired": 3},
                {"name": "agent", "scheduling": "DAEMON"},
                {"name": "queue", "scaled": True},
                {"name": "shop", "controller": "CODE_DEPLOY"},
            ],
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


_SECONDS = 60.0
"""How long the double takes for everything; so long that no slow test runs into its end."""
_DELAYS = Delays(database_seconds=_SECONDS, task_seconds=_SECONDS, function_seconds=_SECONDS)


@pytest.fixture(scope="module")
def double() -> Iterator[AwsDouble]:
    with AwsDouble(_ESTATE, delays=_DELAYS) as running:
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


def time_passes(aws: AwsDouble) -> None:
    """Let AWS finish what it has begun."""
    aws.control.advance(_SECONDS + 1)


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
    time_passes(aws)
    assert state(aws, "alone") == "stopped"
    assert rds.start_db_instance(DBInstanceIdentifier="alone")["DBInstance"]["DBInstanceStatus"] == "starting"
    time_passes(aws)
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


def tasks(aws: AwsDouble, name: str) -> tuple[int, int]:
    shown = aws.control.resource(_ACCOUNT, _REGION, f"service/main/{name}")
    return shown["desired"], shown["running"]


def test_a_service_takes_its_time_to_stop_and_to_start_tasks(aws: AwsDouble) -> None:
    ecs = client("ecs")
    answer = ecs.update_service(cluster="main", service="web", desiredCount=0)["service"]
    assert (answer["desiredCount"], answer["runningCount"]) == (0, 3)
    time_passes(aws)
    assert tasks(aws, "web") == (0, 0)
    ecs.update_service(cluster="main", service="web", desiredCount=2)
    assert tasks(aws, "web") == (2, 0)
    time_passes(aws)
    assert tasks(aws, "web") == (2, 2)


@pytest.mark.parametrize(
    ("cluster", "name", "count", "code"),
    [
        ("main", "agent", 1, "InvalidParameterException"),
        ("main", "web", -1, "InvalidParameterException"),
        ("main", "none", 1, "ServiceNotFoundException"),
        ("none", "web", 1, "ClusterNotFoundException"),
    ],
)
def test_a_count_that_ecs_does_not_take_is_refused(
    cluster: str, name: str, count: int, code: str, aws: AwsDouble
) -> None:
    with pytest.raises(ClientError) as error:
        client("ecs").update_service(cluster=cluster, service=name, desiredCount=count)
    assert code_of(error) == code
    assert [call.action for call in aws.calls if call.applied] == []


def test_a_service_that_is_not_active_takes_no_count(aws: AwsDouble) -> None:
    aws.control.change(_ACCOUNT, _REGION, "service/main/web", {"state": "DRAINING"})
    with pytest.raises(ClientError) as error:
        client("ecs").update_service(cluster="main", service="web", desiredCount=1)
    assert code_of(error) == "ServiceNotActiveException"


@pytest.mark.parametrize(("named", "allowed"), [("main/web", True), ("main/shop", False), ("other/web", False)])
def test_a_policy_names_a_service_with_its_cluster(named: str, allowed: bool, aws: AwsDouble) -> None:
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecs:UpdateService","Resource":"%s"}]}'
    ecs = client("ecs", policy=policy % f"arn:aws:ecs:{_REGION}:{_ACCOUNT}:service/{named}")
    if allowed:
        ecs.update_service(cluster="main", service="web", desiredCount=1)
    else:
        with pytest.raises(ClientError) as error:
            ecs.update_service(cluster="main", service="web", desiredCount=1)
        assert code_of(error) == "AccessDeniedException"
    assert tasks(aws, "web")[0] == (1 if allowed else 3)


def test_who_scales_a_service_is_read_and_forgotten_at_a_reset(aws: AwsDouble) -> None:
    def targets() -> list[str]:
        reader = client("application-autoscaling", role=f"arn:aws:iam::{_ACCOUNT}:role/finops-scanner")
        return [
            one["ResourceId"] for one in reader.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
        ]

    aws.control.change(_ACCOUNT, _REGION, "service/main/web", {"scaled": True})
    assert sorted(targets()) == ["service/main/queue", "service/main/web"]
    aws.control.reset()
    assert targets() == ["service/main/queue"]


def memory(aws: AwsDouble, name: str) -> Any:
    return aws.control.resource(_ACCOUNT, _REGION, f"function:{name}")["memory"]


def test_a_function_is_busy_while_a_change_is_applied_and_each_change_makes_revisions(aws: AwsDouble) -> None:
    functions, reader = client("lambda"), client("lambda", role=f"arn:aws:iam::{_ACCOUNT}:role/finops-scanner")
    first = reader.get_function_configuration(FunctionName="thumbnails")["RevisionId"]
    answer = functions.update_function_configuration(FunctionName="thumbnails", MemorySize=256, RevisionId=first)
    assert (answer["MemorySize"], answer["LastUpdateStatus"]) == (256, "InProgress")
    with pytest.raises(ClientError) as error:
        functions.update_function_configuration(FunctionName="thumbnails", MemorySize=512)
    assert code_of(error) == "ResourceConflictException"
    time_passes(aws)
    applied = reader.get_function_configuration(FunctionName="thumbnails")
    assert applied["LastUpdateStatus"] == "Successful"
    assert len({first, answer["RevisionId"], applied["RevisionId"]}) == 3


def test_a_change_of_another_revision_is_refused(aws: AwsDouble) -> None:
    functions = client("lambda")
    with pytest.raises(ClientError) as error:
        functions.update_function_configuration(FunctionName="thumbnails", MemorySize=256, RevisionId="other")
    assert code_of(error) == "PreconditionFailedException"
    assert memory(aws, "thumbnails") == 1024


@pytest.mark.parametrize(
    ("name", "size", "code"),
    [
        ("thumbnails", 10241, "InvalidParameterValueException"),
        ("none", 256, "ResourceNotFoundException"),
    ],
)
def test_a_size_that_lambda_does_not_take_is_refused(name: str, size: int, code: str, aws: AwsDouble) -> None:
    with pytest.raises(ClientError) as error:
        client("lambda").update_function_configuration(FunctionName=name, MemorySize=size)
    assert code_of(error) == code
    assert [call.action for call in aws.calls if call.applied] == []


def test_published_versions_keep_their_memory(aws: AwsDouble) -> None:
    client("lambda").update_function_configuration(FunctionName="mail", MemorySize=128)
    reader = client("lambda", role=f"arn:aws:iam::{_ACCOUNT}:role/finops-scanner")
    listed = reader.list_versions_by_function(FunctionName="mail")["Versions"]
    assert {one["Version"]: one["MemorySize"] for one in listed} == {"$LATEST": 128, "1": 512, "2": 512}


def test_a_snapshot_takes_its_time_to_be_deleted(aws: AwsDouble) -> None:
    rds = client("rds")
    assert rds.delete_db_snapshot(DBSnapshotIdentifier="by-hand")["DBSnapshot"]["Status"] == "deleting"
    with pytest.raises(ClientError) as error:
        rds.delete_db_snapshot(DBSnapshotIdentifier="by-hand")
    assert code_of(error) == "InvalidDBSnapshotState"
    time_passes(aws)
    with pytest.raises(ClientError) as error:
        rds.delete_db_snapshot(DBSnapshotIdentifier="by-hand")
    assert code_of(error) == "DBSnapshotNotFound"


def test_a_snapshot_that_aws_made_is_not_deleted(aws: AwsDouble) -> None:
    with pytest.raises(ClientError) as error:
        client("rds").delete_db_snapshot(DBSnapshotIdentifier="nightly")
    assert code_of(error) == "InvalidDBSnapshotState"
    assert [call.action for call in aws.calls if call.applied] == []


def test_who_may_restore_a_snapshot_and_which_database_it_is_of_is_read(aws: AwsDouble) -> None:
    reader = client("rds", role=f"arn:aws:iam::{_ACCOUNT}:role/finops-scanner")
    answer = reader.describe_db_snapshot_attributes(DBSnapshotIdentifier="by-hand")
    (restore,) = answer["DBSnapshotAttributesResult"]["DBSnapshotAttributes"]
    assert restore["AttributeValues"] == ["222222222222"]
    (snapshot,) = reader.describe_db_snapshots(DBSnapshotIdentifier="by-hand")["DBSnapshots"]
    asked = [{"Name": "dbi-resource-id", "Values": [snapshot["DbiResourceId"]]}]
    assert [one["DBInstanceIdentifier"] for one in reader.describe_db_instances(Filters=asked)["DBInstances"]] == [
        "alone"
    ]


_WHOLE = {"Status": "Enabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}


def put_rules(*rules: dict[str, Any], owner: str = _ACCOUNT) -> None:
    client("s3").put_bucket_lifecycle_configuration(
        Bucket="finops-double-media", ExpectedBucketOwner=owner, LifecycleConfiguration={"Rules": list(rules)}
    )


def test_lifecycle_rules_are_set_read_and_removed(aws: AwsDouble) -> None:
    rule = {"ID": "uploads", "Filter": {"Prefix": ""}, **_WHOLE}
    put_rules(rule)
    reader = client("s3", role=f"arn:aws:iam::{_ACCOUNT}:role/finops-scanner")
    assert reader.get_bucket_lifecycle_configuration(Bucket="finops-double-media")["Rules"] == [rule]
    client("s3").delete_bucket_lifecycle(Bucket="finops-double-media")
    assert aws.control.resource(_ACCOUNT, _REGION, "bucket:finops-double-media")["rules"] == []
    done = [call.action for call in aws.calls if call.applied]
    assert done == ["PutBucketLifecycleConfiguration", "DeleteBucketLifecycle"]


@pytest.mark.parametrize(
    ("rules", "owner", "code"),
    [
        ([{"ID": "a", "Filter": {}, **_WHOLE}], "222222222222", "AccessDenied"),
        (
            [{"ID": "a", "Filter": {"Prefix": ""}, **_WHOLE}, {"ID": "b", "Prefix": "", **_WHOLE}],
            _ACCOUNT,
            "InvalidRequest",
        ),
        ([{"ID": "a", "Filter": {"Prefix": ""}, **_WHOLE}] * 2, _ACCOUNT, "InvalidArgument"),
        ([], _ACCOUNT, "MalformedXML"),
        (
            [
                {
                    "ID": "a",
                    "Prefix": "",
                    "Status": "Enabled",
                    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 0},
                }
            ],
            _ACCOUNT,
            "InvalidArgument",
        ),
    ],
    ids=["another owner", "both forms", "same id", "no rules", "no days"],
)
def test_lifecycle_rules_that_s3_does_not_take_are_refused(
    rules: list[dict[str, Any]], owner: str, code: str, aws: AwsDouble
) -> None:
    with pytest.raises(ClientError) as error:
        put_rules(*rules, owner=owner)
    assert code_of(error) == code
    assert [call.action for call in aws.calls if call.applied] == []
