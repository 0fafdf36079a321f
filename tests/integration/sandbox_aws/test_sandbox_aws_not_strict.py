"""Services that the strict layer does not know: moto answers, marked as not strict, and rights hold all the same."""

import json
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from finops_sandbox.aws.double import AwsDouble

READER = "arn:aws:iam::111111111111:role/finops-reader"
NOBODY = "arn:aws:iam::111111111111:role/finops-nobody"
LISTS = ["elasticloadbalancing:DescribeLoadBalancers", "rds:DescribeDBInstances", "lambda:ListFunctions"]
LISTS += ["s3:ListAllMyBuckets", "logs:DescribeLogGroups", "autoscaling:DescribeAutoScalingGroups"]
LISTS += ["elasticache:DescribeCacheClusters", "eks:ListNodegroups"]
ONE_BUCKET = ["s3:CreateBucket", "s3:ListBucket", "s3:PutObject", "s3:GetObject", "s3:DeleteObject"]
ESTATE = {
    "accounts": {
        "111111111111": {
            "name": "production",
            "regions": ["us-east-1"],
            "roles": {
                "finops-reader": {
                    "policies": [
                        {
                            "Statement": [
                                {"Effect": "Allow", "Action": LISTS, "Resource": "*"},
                                {
                                    "Effect": "Allow",
                                    "Action": ONE_BUCKET,
                                    "Resource": ["arn:aws:s3:::mine", "arn:aws:s3:::mine/*"],
                                },
                                {
                                    "Effect": "Allow",
                                    "Action": "logs:*LogGroup",
                                    "Resource": "arn:aws:logs:us-east-1:111111111111:log-group:mine*",
                                },
                            ]
                        }
                    ],
                },
                "finops-nobody": {
                    "policies": [{"Statement": [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}]}],
                },
            },
        }
    },
    "resources": [],
}
SERVICES: list[tuple[str, str, str, Callable[[Any], Any]]] = [
    ("elbv2", "elasticloadbalancing:DescribeLoadBalancers", "AccessDenied", lambda one: one.describe_load_balancers()),
    ("elb", "elasticloadbalancing:DescribeLoadBalancers", "AccessDenied", lambda one: one.describe_load_balancers()),
    ("rds", "rds:DescribeDBInstances", "AccessDenied", lambda one: one.describe_db_instances()),
    (
        "autoscaling",
        "autoscaling:DescribeAutoScalingGroups",
        "AccessDenied",
        lambda x: x.describe_auto_scaling_groups(),
    ),
    ("elasticache", "elasticache:DescribeCacheClusters", "AccessDenied", lambda one: one.describe_cache_clusters()),
    ("lambda", "lambda:ListFunctions", "AccessDeniedException", lambda one: one.list_functions()),
    ("s3", "s3:ListAllMyBuckets", "AccessDenied", lambda one: one.list_buckets()),
    ("logs", "logs:DescribeLogGroups", "AccessDeniedException", lambda one: one.describe_log_groups()),
]


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsDouble]:
    with AwsDouble(ESTATE) as double:
        yield double


def control(aws: AwsDouble, path: str) -> Any:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"{aws.url}/_sandbox/{path}") as answer:
        return json.load(answer)


@pytest.mark.parametrize(("service", "right", "refusal", "ask"), SERVICES, ids=[one[0] for one in SERVICES])
def test_who_may_list_is_answered_by_moto_and_who_may_not_is_refused(
    aws: AwsDouble, service: str, right: str, refusal: str, ask: Callable[[Any], Any]
) -> None:
    answer = ask(aws.client(service, role=READER))["ResponseMetadata"]
    assert (answer["HTTPStatusCode"], answer["HTTPHeaders"]["x-finops-sandbox"]) == (200, "not strict")
    with pytest.raises(ClientError, match=rf"finops-nobody/test is not authorized to perform: {right}") as refused:
        ask(aws.client(service, role=NOBODY))
    assert refused.value.response["Error"]["Code"] == refusal
    assert refused.value.response["ResponseMetadata"]["HTTPHeaders"]["x-finops-sandbox"] == "not strict"


def test_a_session_policy_narrows_the_role_for_these_services_too(aws: AwsDouble) -> None:
    policy = {"Statement": [{"Effect": "Allow", "Action": "rds:Describe*", "Resource": "*"}]}
    text = json.dumps(policy | {"Version": "2012-10-17"})
    assert aws.client("rds", role=READER, Policy=text).describe_db_instances()["DBInstances"] == []
    with pytest.raises(ClientError, match="no session policy allows"):
        aws.client("lambda", role=READER, Policy=text).list_functions()


def test_buckets_and_objects_are_judged_on_their_arns(aws: AwsDouble) -> None:
    s3 = aws.client("s3", role=READER)
    s3.create_bucket(Bucket="mine")
    s3.put_object(Bucket="mine", Key="a key/with ä+%.txt", Body=b"text")
    assert [one["Key"] for one in s3.list_objects_v2(Bucket="mine")["Contents"]] == ["a key/with ä+%.txt"]
    assert s3.get_object(Bucket="mine", Key="a key/with ä+%.txt")["Body"].read() == b"text"
    assert s3.head_object(Bucket="mine", Key="a key/with ä+%.txt")["ContentLength"] == 4
    assert s3.list_buckets()["Buckets"][0]["Name"] == "mine"
    refused: list[tuple[str, Callable[[], Any]]] = [
        ("s3:ListBucket on resource: arn:aws:s3:::other", lambda: s3.list_objects_v2(Bucket="other")),
        ("s3:PutObject on resource: arn:aws:s3:::other/k", lambda: s3.put_object(Bucket="other", Key="k", Body=b"")),
        ("s3:GetBucketTagging on resource: arn:aws:s3:::mine", lambda: s3.get_bucket_tagging(Bucket="mine")),
        (
            "s3:GetObject on resource: arn:aws:s3:::other/secret",
            lambda: s3.copy_object(Bucket="mine", Key="k", CopySource={"Bucket": "other", "Key": "secret"}),
        ),
    ]
    for right, ask in refused:
        with pytest.raises(ClientError, match=right):
            ask()


def test_changes_are_recorded_with_who_made_them_and_that_they_are_not_strict(aws: AwsDouble) -> None:
    logs = aws.client("logs", role=READER, SourceIdentity="alice")
    logs.create_log_group(logGroupName="mine-1")
    assert [one["logGroupName"] for one in logs.describe_log_groups()["logGroups"]] == ["mine-1"]
    with pytest.raises(ClientError, match="log-group:theirs"):
        logs.create_log_group(logGroupName="theirs")
    with pytest.raises(ClientError):
        logs.create_log_group(logGroupName="mine-1")
    recorded = [one for one in control(aws, "calls")["calls"] if one["service"] == "logs"]
    assert [(one["action"], one["result"], one["applied"]) for one in recorded] == [
        ("CreateLogGroup", "ok", True),
        ("CreateLogGroup", "AccessDeniedException", False),
        ("CreateLogGroup", "ResourceAlreadyExistsException", False),
    ]
    assert {(one["strict"], one["sourceIdentity"], one["account"]) for one in recorded} == {
        (False, "alice", "111111111111")
    }
    services = control(aws, "services")
    assert services["strict"] == ["ec2", "monitoring", "sts"]
    assert "logs" in services["notStrict"]
    assert not {"ec2", "sts", "cloudwatch"} & set(services["notStrict"])


def test_faults_strike_these_services(aws: AwsDouble) -> None:
    rds = aws.client("rds", role=READER)
    aws.control.inject({"kind": "throttle", "service": "rds", "count": 1})
    with pytest.raises(ClientError, match="Rate exceeded"):
        rds.describe_db_instances()
    assert rds.describe_db_instances()["DBInstances"] == []


def test_a_wrong_secret_is_refused_before_moto_is_asked(aws: AwsDouble) -> None:
    client = aws.client("lambda", role=READER)
    client._request_signer._credentials.secret_key = "wrong"
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        client.get_function(FunctionName="a:b")


def test_a_service_that_nobody_has_is_said_to_be_unknown(aws: AwsDouble) -> None:
    client = aws.client("rds", role=READER)
    client._request_signer._signing_name = "no-such-service"
    with pytest.raises(ClientError, match="the AWS double has no service 'no-such-service'"):
        client.describe_db_instances()


def test_a_name_that_moto_takes_for_granted_is_said_not_to_exist(aws: AwsDouble) -> None:
    client = aws.client("eks", role=READER)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.list_nodegroups(clusterName="nobody")
