"""What the shipped roles may do and may not, per call and per ARN, with the real SDK."""

import json
from collections.abc import Callable
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from finops_sandbox.aws.double import AwsDouble
from finops_sandbox.aws.estate import resource_id

Refusal = Callable[[Callable[[], object]], str]
ACCOUNT = "111111111111"
SCANNER = f"arn:aws:iam::{ACCOUNT}:role/finops-scanner"
EXECUTOR = f"arn:aws:iam::{ACCOUNT}:role/finops-executor"
DENIED = "UnauthorizedOperation"


def an_id(kind: str, name: str) -> str:
    return resource_id(kind, ACCOUNT, "us-east-1", name)


def arn(kind: str, name: str) -> str:
    return f"arn:aws:ec2:us-east-1:{ACCOUNT}:{kind}/{an_id(kind, name)}"


def session(aws: AwsDouble, *statements: dict[str, Any]) -> Any:
    return aws.client("ec2", role=EXECUTOR, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))


WEB, STOPPED, LOOSE = an_id("instance", "web"), an_id("instance", "stopped"), an_id("volume", "loose")
CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("stop_instances", {"InstanceIds": [WEB]}),
    ("start_instances", {"InstanceIds": [STOPPED]}),
    ("modify_instance_attribute", {"InstanceId": STOPPED, "InstanceType": {"Value": "m5.xlarge"}}),
    ("modify_volume", {"VolumeId": LOOSE, "Size": 200}),
    ("create_snapshot", {"VolumeId": LOOSE}),
    ("delete_volume", {"VolumeId": LOOSE}),
]


@pytest.mark.parametrize(("call", "arguments"), CHANGES)
def test_the_scanner_reads_and_changes_nothing(
    aws: AwsDouble, refusal: Refusal, call: str, arguments: dict[str, Any]
) -> None:
    ec2 = aws.client("ec2", role=SCANNER)
    assert ec2.describe_instances()["Reservations"]
    assert refusal(lambda: getattr(ec2, call)(**arguments)) == DENIED
    assert [record.result for record in aws.calls] == [DENIED]


@pytest.mark.parametrize(("call", "arguments"), CHANGES)
def test_the_executor_may_do_the_four_acts(aws: AwsDouble, call: str, arguments: dict[str, Any]) -> None:
    getattr(aws.client("ec2", role=EXECUTOR), call)(**arguments)
    assert [record.applied for record in aws.calls] == [True]


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("terminate_instances", {"InstanceIds": [WEB]}),
        ("modify_instance_attribute", {"InstanceId": STOPPED, "DisableApiStop": {"Value": False}}),
        ("modify_instance_attribute", {"InstanceId": STOPPED, "UserData": {"Value": b"x"}}),
        ("create_tags", {"Resources": [WEB], "Tags": [{"Key": "finops.dev/protected", "Value": ""}]}),
        ("run_instances", {"ImageId": "ami-1", "MinCount": 1, "MaxCount": 1}),
        ("disassociate_address", {"AssociationId": "eipassoc-0123456789abcdef0"}),
        ("modify_snapshot_attribute", {"SnapshotId": "snap-0123456789abcdef0", "Attribute": "createVolumePermission"}),
    ],
)
def test_the_executor_may_do_nothing_else(
    aws: AwsDouble, refusal: Refusal, call: str, arguments: dict[str, Any]
) -> None:
    ec2 = aws.client("ec2", role=EXECUTOR)
    assert refusal(lambda: getattr(ec2, call)(**arguments)) == DENIED


def test_the_executor_leaves_protected_resources_alone(aws: AwsDouble, refusal: Refusal) -> None:
    ec2 = aws.client("ec2", role=EXECUTOR)
    guarded = an_id("instance", "guarded")
    assert refusal(lambda: ec2.stop_instances(InstanceIds=[guarded])) == DENIED
    assert refusal(lambda: ec2.stop_instances(InstanceIds=[WEB, guarded])) == DENIED
    aws.control.change(ACCOUNT, "us-east-1", guarded, {"removeTags": ["finops.dev/protected"]})
    assert ec2.stop_instances(InstanceIds=[guarded])["StoppingInstances"]


def test_a_session_policy_binds_the_act_to_one_arn(aws: AwsDouble, refusal: Refusal) -> None:
    ec2 = session(aws, {"Effect": "Allow", "Action": "ec2:StopInstances", "Resource": arn("instance", "web")})
    assert refusal(lambda: ec2.stop_instances(InstanceIds=[an_id("instance", "young")])) == DENIED
    assert refusal(ec2.describe_instances) == DENIED
    assert ec2.stop_instances(InstanceIds=[WEB])["StoppingInstances"]
    assert refusal(lambda: ec2.start_instances(InstanceIds=[WEB])) == DENIED


def test_a_session_policy_gives_nothing_that_the_role_lacks(aws: AwsDouble, refusal: Refusal) -> None:
    ec2 = session(aws, {"Effect": "Allow", "Action": "*", "Resource": "*"})
    assert refusal(lambda: ec2.terminate_instances(InstanceIds=[WEB])) == DENIED


def test_a_type_change_can_be_bound_to_one_attribute_and_value(aws: AwsDouble, refusal: Refusal) -> None:
    condition = {"StringEquals": {"ec2:Attribute/InstanceType": "m5.xlarge"}}
    statement = {"Effect": "Allow", "Action": "ec2:ModifyInstanceAttribute", "Resource": "*", "Condition": condition}
    ec2 = session(aws, statement)
    other = {"InstanceId": STOPPED, "InstanceType": {"Value": "m5.4xlarge"}}
    assert refusal(lambda: ec2.modify_instance_attribute(**other)) == DENIED
    ec2.modify_instance_attribute(InstanceId=STOPPED, InstanceType={"Value": "m5.xlarge"})


def test_the_same_attribute_in_its_old_spelling_needs_the_same_right(aws: AwsDouble, refusal: Refusal) -> None:
    ec2 = aws.client("ec2", role=EXECUTOR)
    ec2.modify_instance_attribute(InstanceId=STOPPED, Attribute="instanceType", Value="m5.xlarge")
    code = refusal(lambda: ec2.modify_instance_attribute(InstanceId=STOPPED, Attribute="disableApiStop", Value="true"))
    assert code == DENIED


def test_a_snapshot_needs_the_volume_the_snapshot_and_the_tag(aws: AwsDouble, refusal: Refusal) -> None:
    tags = [{"ResourceType": "snapshot", "Tags": [{"Key": "finops.dev/request", "Value": "ar-1"}]}]
    volume = {"Effect": "Allow", "Action": "ec2:CreateSnapshot", "Resource": arn("volume", "loose")}
    new = {"Effect": "Allow", "Action": "ec2:CreateSnapshot", "Resource": "arn:aws:ec2:us-east-1::snapshot/*"}
    tag = {
        "Effect": "Allow",
        "Action": "ec2:CreateTags",
        "Resource": "arn:aws:ec2:us-east-1::snapshot/*",
        "Condition": {
            "StringEquals": {"ec2:CreateAction": "CreateSnapshot", "aws:RequestTag/finops.dev/request": "ar-1"}
        },
    }

    def create(*statements: dict[str, Any], tagged: bool) -> Any:
        extra: dict[str, Any] = {"TagSpecifications": tags} if tagged else {}
        return session(aws, *statements).create_snapshot(VolumeId=LOOSE, **extra)

    assert refusal(lambda: create(volume, tagged=False)) == DENIED
    assert refusal(lambda: create(new, tagged=False)) == DENIED
    assert create(volume, new, tagged=False)["SnapshotId"]
    assert refusal(lambda: create(volume, new, tagged=True)) == DENIED
    assert create(volume, new, tag, tagged=True)["Tags"] == tags[0]["Tags"]
    # The right to tag at creation is no right to tag afterwards.
    made = create(volume, new, tag, tagged=True)["SnapshotId"]
    later = session(aws, tag)
    assert refusal(lambda: later.create_tags(Resources=[made], Tags=tags[0]["Tags"])) == DENIED


def test_a_start_with_a_customer_key_needs_the_grant_in_the_session_policy(aws: AwsDouble) -> None:
    secret = an_id("instance", "secret")
    start = {"Effect": "Allow", "Action": "ec2:StartInstances", "Resource": arn("instance", "secret")}
    grant = {
        "Effect": "Allow",
        "Action": "kms:CreateGrant",
        "Resource": "*",
        "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
    }
    for statements, end in (((start,), "stopped"), ((start, grant), "running")):
        session(aws, *statements).start_instances(InstanceIds=[secret])
        aws.control.advance(61)
        assert aws.control.resource(ACCOUNT, "us-east-1", secret)["state"] == end


def test_an_unknown_condition_operator_grants_nothing(aws: AwsDouble, refusal: Refusal) -> None:
    condition = {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}
    ec2 = session(aws, {"Effect": "Allow", "Action": "ec2:*", "Resource": "*", "Condition": condition})
    assert refusal(lambda: ec2.stop_instances(InstanceIds=[WEB])) == DENIED


def test_a_session_with_a_deadline_ends_by_awss_clock_before_its_credentials_do(
    aws: AwsDouble, refusal: Refusal
) -> None:
    asked = aws.client("sts").get_caller_identity()["ResponseMetadata"]["HTTPHeaders"]["date"]
    deadline = parsedate_to_datetime(asked) + timedelta(seconds=60)
    condition = {"DateLessThan": {"aws:CurrentTime": deadline.strftime("%Y-%m-%dT%H:%M:%SZ")}}
    ec2 = session(aws, {"Effect": "Allow", "Action": "ec2:*", "Resource": "*", "Condition": condition})
    assert ec2.stop_instances(InstanceIds=[WEB])["StoppingInstances"]
    aws.control.advance(61)
    with pytest.raises(ec2.exceptions.ClientError) as late:
        ec2.start_instances(InstanceIds=[WEB])
    assert late.value.response["Error"]["Code"] == DENIED
    # Only the date of the answer distinguishes a late refusal from any other.
    assert parsedate_to_datetime(late.value.response["ResponseMetadata"]["HTTPHeaders"]["date"]) >= deadline
    assert refusal(lambda: ec2.stop_instances(InstanceIds=[WEB], DryRun=True)) == DENIED


def test_the_scanner_reads_metrics_and_the_executor_does_not(aws: AwsDouble, refusal: Refusal) -> None:
    assert aws.client("cloudwatch", role=SCANNER).list_metrics()["Metrics"]
    assert refusal(aws.client("cloudwatch", role=EXECUTOR).list_metrics) == "AccessDenied"


def test_the_refusal_names_who_what_where_and_why(aws: AwsDouble) -> None:
    ec2 = aws.client("ec2", role=SCANNER, RoleSessionName="scan-1")
    with pytest.raises(ec2.exceptions.ClientError) as caught:
        ec2.stop_instances(InstanceIds=[WEB])
    message = caught.value.response["Error"]["Message"]
    for part in ("assumed-role/finops-scanner/scan-1", "ec2:StopInstances", WEB, "no identity-based policy"):
        assert part in message
