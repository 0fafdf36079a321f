"""Answers and metrics that an estate writes out: served in each service's protocol, by page, with rights and faults."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.exceptions
import pytest

from finops_sandbox.aws.double import AwsDouble
from finops_sandbox.aws.estate import load_estate
from finops_sandbox.aws.estate_fields import EstateError

NOW = datetime.now(UTC).replace(microsecond=0)
SCANNER = "arn:aws:iam::111111111111:role/finops-scanner"
ENDPOINTS = [
    {
        "EndpointName": f"prices-{number}",
        "EndpointArn": f"arn:aws:sagemaker:us-east-1:111111111111:endpoint/prices-{number}",
        "CreationTime": NOW - timedelta(days=400),
        "LastModifiedTime": NOW - timedelta(days=400),
        "EndpointStatus": "InService",
    }
    for number in range(130)
]
ANSWERS: list[dict[str, Any]] = [
    {"operation": "sagemaker:ListEndpoints", "items": ENDPOINTS},
    {
        "operation": "rds:DescribeDBInstances",
        "items": [{"DBInstanceIdentifier": name, "InstanceCreateTime": NOW} for name in ("orders", "users")],
        "by": {"DBInstanceIdentifier": "DBInstanceIdentifier"},
    },
    {"operation": "s3:GetBucketVersioning", "when": {"Bucket": "kept"}, "answer": {"Status": "Enabled"}},
    {
        "operation": "s3:GetBucketVersioning",
        "when": {"Bucket": "shut"},
        "error": {"code": "AccessDenied", "status": 403},
    },
    {
        "operation": "ec2:DescribeVpnConnections",
        "items": [{"VpnConnectionId": "vpn-1", "State": "available"}],
        "member": "VpnConnections",
    },
]
METRIC = {"namespace": "AWS/SageMaker", "metric": "Invocations", "dimensions": {"EndpointName": "prices-1"}, "value": 3}


def document(answers: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "accounts": {"111111111111": {"name": "production", "regions": ["us-east-1"]}},
        "resources": [{"account": "production", "region": "us-east-1", "answers": answers, "metrics": [METRIC]}],
    }


@pytest.fixture(scope="module")
def writing() -> Iterator[AwsDouble]:
    with AwsDouble(document(ANSWERS)) as double:
        yield double


def test_a_list_is_served_by_page_in_json_query_and_ec2s_xml(writing: AwsDouble) -> None:
    sagemaker, rds, ec2 = (writing.client(name, role=SCANNER) for name in ("sagemaker", "rds", "ec2"))
    first = sagemaker.list_endpoints(MaxResults=100)
    rest = sagemaker.list_endpoints(MaxResults=100, NextToken=first["NextToken"])
    assert [len(page["Endpoints"]) for page in (first, rest)] == [100, 30]
    assert first["Endpoints"][0]["CreationTime"] == NOW - timedelta(days=400)
    assert "NextToken" not in rest
    assert [one["DBInstanceIdentifier"] for one in rds.describe_db_instances()["DBInstances"]] == ["orders", "users"]
    (users,) = rds.describe_db_instances(DBInstanceIdentifier="users")["DBInstances"]
    assert users["InstanceCreateTime"] == NOW
    assert ec2.describe_vpn_connections()["VpnConnections"][0]["VpnConnectionId"] == "vpn-1"


def test_an_answer_for_given_parameters_may_be_an_error(writing: AwsDouble) -> None:
    s3 = writing.client("s3", role=SCANNER)
    assert s3.get_bucket_versioning(Bucket="kept")["Status"] == "Enabled"
    with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied"):
        s3.get_bucket_versioning(Bucket="shut")


def test_a_written_metric_is_a_series_of_its_very_dimensions(writing: AwsDouble) -> None:
    cloudwatch = writing.client("cloudwatch", role=SCANNER)

    def total(name: str) -> float:
        dimensions = [{"Name": "EndpointName", "Value": name}]
        metric = {"Namespace": "AWS/SageMaker", "MetricName": "Invocations", "Dimensions": dimensions}
        start = NOW.replace(hour=0, minute=0, second=0) - timedelta(days=2)
        answer = cloudwatch.get_metric_data(
            StartTime=start,
            EndTime=start + timedelta(days=1),
            MetricDataQueries=[{"Id": "one", "MetricStat": {"Metric": metric, "Period": 86_400, "Stat": "Sum"}}],
        )
        return float(sum(answer["MetricDataResults"][0]["Values"]))

    assert total("prices-1") == 3 * 24 * 60
    assert total("prices-2") == 0
    listed = cloudwatch.list_metrics(Namespace="AWS/SageMaker")["Metrics"]
    assert [one["MetricName"] for one in listed] == ["Invocations"]


def test_faults_strike_written_answers_too(writing: AwsDouble) -> None:
    fault = writing.control.inject({"kind": "throttle", "service": "sagemaker", "action": "ListEndpoints"})
    with pytest.raises(botocore.exceptions.ClientError, match="Throttl"):
        writing.client("sagemaker", role=SCANNER).list_endpoints()
    writing.control.faults.remove(fault)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"operation": "rds:DescribeDBInstances", "items": [{"Name": "orders"}]}, "DBInstances.Name is no member"),
        ({"operation": "rds:DescribeEverything", "answer": {}}, "has no such operation"),
        ({"operation": "nothing:List", "answer": {}}, "has no service"),
    ],
)
def test_an_answer_that_the_service_cannot_give_is_refused(answer: dict[str, Any], problem: str) -> None:
    with pytest.raises(EstateError, match=problem):
        load_estate(document([answer]))
