"""Pages by the SDK's own models: every item once, whatever the service calls its token; what is unclear is an error.

The clients are real ones with stubbed answers, so an answer that AWS could not give fails the test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import botocore.session
import pytest
from botocore.loaders import Loader
from botocore.stub import Stubber
from hypothesis import given, settings
from hypothesis import strategies as st

from finops.errors import AwsUnreachable
from finops.ports.clock import SystemClock
from finops_operator.aws.counting import CallCounter
from finops_operator.aws.limiter import OTHERS, LocalRateLimits, Quota
from finops_operator.aws.paging import PagingModels
from finops_operator.aws.reader import AwsReader, CallPacing

SESSION = botocore.session.Session()
LOADER: Loader = SESSION.get_component("data_loader")
MODELS = PagingModels(LOADER)
CLIENTS: dict[str, Any] = {}
UNLIMITED = {OTHERS: Quota(1e9, 1e9)}

Exchange = tuple[dict[str, Any], dict[str, Any]]
"""What must be sent, and what is answered."""


def client(service: str) -> Any:
    if service not in CLIENTS:
        CLIENTS[service] = SESSION.create_client(
            service, region_name="us-east-1", aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="none"
        )
    return CLIENTS[service]


def reader(made: Any, counter: CallCounter | None = None) -> AwsReader:
    pacing = CallPacing(LocalRateLimits(), SystemClock(), quotas=UNLIMITED)
    return AwsReader(
        "111111111111", "us-east-1", lambda _service, _fresh: made, MODELS.of, pacing, counter or CallCounter()
    )


def read(operation: str, exchanges: Sequence[Exchange], method: str) -> Mapping[str, Any]:
    made = client(operation.partition(":")[0])
    with Stubber(made) as stub:
        for sent, answer in exchanges:
            stub.add_response(method, answer, sent)
        joined = reader(made).read(operation, exchanges[0][0])
        stub.assert_no_pending_responses()
    return joined


def test_load_balancers_are_paged_by_a_marker_that_is_sent_back_under_another_name() -> None:
    pages: list[Exchange] = [
        ({"PageSize": 2}, {"LoadBalancers": [{"LoadBalancerName": "a"}], "NextMarker": "m1"}),
        ({"PageSize": 2, "Marker": "m1"}, {"LoadBalancers": [{"LoadBalancerName": "b"}]}),
    ]
    joined = read("elbv2:DescribeLoadBalancers", pages, "describe_load_balancers")
    assert joined == {"LoadBalancers": [{"LoadBalancerName": "a"}, {"LoadBalancerName": "b"}]}


def test_databases_are_paged_by_a_marker_until_it_is_empty() -> None:
    pages: list[Exchange] = [
        ({}, {"DBInstances": [{"DBInstanceIdentifier": "a"}], "Marker": "m1"}),
        ({"Marker": "m1"}, {"DBInstances": [], "Marker": "m2"}),
        ({"Marker": "m2"}, {"DBInstances": [{"DBInstanceIdentifier": "b"}], "Marker": ""}),
    ]
    joined = read("rds:DescribeDBInstances", pages, "describe_db_instances")
    assert joined == {"DBInstances": [{"DBInstanceIdentifier": "a"}, {"DBInstanceIdentifier": "b"}]}


def test_objects_end_where_the_flag_says_so_and_both_lists_are_joined() -> None:
    first = {"Bucket": "logs"}
    pages: list[Exchange] = [
        (
            first,
            {
                "IsTruncated": True,
                "NextContinuationToken": "t1",
                "Contents": [{"Key": "a"}],
                "CommonPrefixes": [{"Prefix": "p/"}],
            },
        ),
        (
            {**first, "ContinuationToken": "t1"},
            {
                "IsTruncated": False,
                "ContinuationToken": "t1",
                "Contents": [{"Key": "b"}],
                "CommonPrefixes": [{"Prefix": "q/"}],
            },
        ),
    ]
    joined = read("s3:ListObjectsV2", pages, "list_objects_v2")
    assert [found["Key"] for found in joined["Contents"]] == ["a", "b"]
    assert [found["Prefix"] for found in joined["CommonPrefixes"]] == ["p/", "q/"]


def test_records_are_paged_by_three_tokens_of_which_some_may_be_missing() -> None:
    first = {"HostedZoneId": "Z1"}
    fixed: dict[str, Any] = {"MaxItems": "2"}
    record = {"Name": "a.example.com", "Type": "A"}
    pages: list[Exchange] = [
        (
            first,
            {
                **fixed,
                "ResourceRecordSets": [record],
                "IsTruncated": True,
                "NextRecordName": "b.example.com",
                "NextRecordType": "A",
                "NextRecordIdentifier": "blue",
            },
        ),
        (
            {
                **first,
                "StartRecordName": "b.example.com",
                "StartRecordType": "A",
                "StartRecordIdentifier": "blue",
            },
            {
                **fixed,
                "ResourceRecordSets": [record],
                "IsTruncated": True,
                "NextRecordName": "c.example.com",
                "NextRecordType": "TXT",
            },
        ),
        (
            {**first, "StartRecordName": "c.example.com", "StartRecordType": "TXT"},
            {**fixed, "ResourceRecordSets": [record], "IsTruncated": False},
        ),
    ]
    joined = read("route53:ListResourceRecordSets", pages, "list_resource_record_sets")
    assert joined["ResourceRecordSets"] == [record, record, record]


def test_functions_and_tables_are_paged_by_names_of_their_own() -> None:
    functions: list[Exchange] = [
        ({}, {"Functions": [{"FunctionName": "a"}], "NextMarker": "m1"}),
        ({"Marker": "m1"}, {"Functions": [{"FunctionName": "b"}]}),
    ]
    tables: list[Exchange] = [
        ({"Limit": 1}, {"TableNames": ["one"], "LastEvaluatedTableName": "one"}),
        ({"Limit": 1, "ExclusiveStartTableName": "one"}, {"TableNames": ["two"]}),
    ]
    found = read("lambda:ListFunctions", functions, "list_functions")["Functions"]
    assert [function["FunctionName"] for function in found] == ["a", "b"]
    assert read("dynamodb:ListTables", tables, "list_tables") == {"TableNames": ["one", "two"]}


def test_alarms_of_every_kind_are_joined() -> None:
    pages: list[Exchange] = [
        ({}, {"MetricAlarms": [{"AlarmName": "a"}], "CompositeAlarms": [{"AlarmName": "c"}], "NextToken": "t1"}),
        ({"NextToken": "t1"}, {"MetricAlarms": [{"AlarmName": "b"}]}),
    ]
    joined = read("cloudwatch:DescribeAlarms", pages, "describe_alarms")
    assert joined == {
        "MetricAlarms": [{"AlarmName": "a"}, {"AlarmName": "b"}],
        "CompositeAlarms": [{"AlarmName": "c"}],
    }


def test_instances_are_followed_through_empty_pages() -> None:
    first = {"MaxResults": 1000}
    pages: list[Exchange] = [
        (first, {"Reservations": [{"ReservationId": "r-1"}], "NextToken": "a"}),
        ({**first, "NextToken": "a"}, {"Reservations": [], "NextToken": "b"}),
        ({**first, "NextToken": "b"}, {"Reservations": [{"ReservationId": "r-2"}]}),
    ]
    joined = read("ec2:DescribeInstances", pages, "describe_instances")
    assert joined == {"Reservations": [{"ReservationId": "r-1"}, {"ReservationId": "r-2"}]}


def test_items_are_joined_below_the_structure_that_holds_them() -> None:
    def listed(name: str, **more: Any) -> dict[str, Any]:
        kept = {"Marker": "", "MaxItems": 1, "Quantity": 1, "IsTruncated": bool(more), **more}
        found = {"Id": name, "CreateTime": "2026-01-01T00:00:00Z", "Status": "Completed"}
        return {"InvalidationList": {**kept, "Items": [found]}}

    first = {"DistributionId": "E1"}
    pages: list[Exchange] = [(first, listed("I1", NextMarker="m1")), ({**first, "Marker": "m1"}, listed("I2"))]
    joined = read("cloudfront:ListInvalidations", pages, "list_invalidations")["InvalidationList"]
    assert [found["Id"] for found in joined["Items"]] == ["I1", "I2"]
    assert "NextMarker" not in joined
    assert "IsTruncated" not in joined


def test_an_operation_without_a_model_is_paged_where_its_token_goes_both_ways() -> None:
    pages: list[Exchange] = [
        ({"AutoScalingGroupName": "web"}, {"InstanceRefreshes": [{"InstanceRefreshId": "a"}], "NextToken": "t1"}),
        ({"AutoScalingGroupName": "web", "NextToken": "t1"}, {"InstanceRefreshes": [{"InstanceRefreshId": "b"}]}),
    ]
    assert not client("autoscaling").can_paginate("describe_instance_refreshes")
    joined = read("autoscaling:DescribeInstanceRefreshes", pages, "describe_instance_refreshes")
    assert [refresh["InstanceRefreshId"] for refresh in joined["InstanceRefreshes"]] == ["a", "b"]


@pytest.mark.parametrize(
    ("operation", "parameters", "answer", "what"),
    [
        (
            "s3:ListBucketIntelligentTieringConfigurations",
            {"Bucket": "logs"},
            {"IsTruncated": True, "NextContinuationToken": "t1"},
            "IsTruncated",
        ),
        ("dms:DescribeReplicationConfigs", {}, {"ReplicationConfigs": [], "Marker": "m1"}, "Marker"),
        (
            "cloudfront:ListFunctions",
            {},
            {"FunctionList": {"NextMarker": "m1", "MaxItems": 1, "Quantity": 0}},
            "FunctionList.NextMarker",
        ),
        ("iam:ListUsers", {}, {"Users": [], "IsTruncated": True}, "IsTruncated is set and no token with it"),
    ],
)
def test_an_answer_that_goes_on_in_an_unknown_way_is_an_error_and_never_the_end(
    operation: str, parameters: dict[str, Any], answer: dict[str, Any], what: str
) -> None:
    service, _, name = operation.partition(":")
    made = client(service)
    method = next(method for method, called in made.meta.method_to_api_mapping.items() if called == name)
    with Stubber(made) as stub:
        stub.add_response(method, answer, parameters)
        with pytest.raises(AwsUnreachable, match=what) as caught:
            reader(made).read(operation, parameters)
    assert caught.value.code == "PagingUnknown"
    assert operation in str(caught.value)


def test_an_answer_without_paging_is_one_answer() -> None:
    pages: list[Exchange] = [({}, {"Addresses": [{"PublicIp": "192.0.2.1"}]})]
    assert read("ec2:DescribeAddresses", pages, "describe_addresses") == {"Addresses": [{"PublicIp": "192.0.2.1"}]}


def test_a_token_that_comes_back_is_an_error_and_not_an_endless_loop() -> None:
    made = client("ec2")
    with Stubber(made) as stub:
        for sent, token in (({}, "a"), ({"NextToken": "a"}, "b"), ({"NextToken": "b"}, "a")):
            stub.add_response("describe_volumes", {"Volumes": [], "NextToken": token}, sent)
        pages = reader(made).pages("ec2:DescribeVolumes", {})
        with pytest.raises(AwsUnreachable, match="NextToken twice") as caught:
            list(pages)
    assert caught.value.code == "PagingLoop"


LISTS = st.lists(st.lists(st.text("abc", max_size=3), max_size=4), min_size=1, max_size=8)


# The first example of each service reads its models from disk.
@settings(deadline=None)
@given(
    LISTS,
    st.sampled_from(["rds:DescribeDBInstances", "dynamodb:ListTables", "s3:ListObjectsV2", "ec2:DescribeVolumes"]),
)
def test_every_item_of_every_page_is_returned_once_and_in_order(items: list[list[str]], operation: str) -> None:
    paging = MODELS.of(operation)
    pages = [
        {
            paging.results[0]: list(items[number]),
            **({"IsTruncated": number + 1 < len(items)} if paging.more is not None else {}),
            **({paging.outputs[0].expression: f"t{number}"} if number + 1 < len(items) else {}),
        }
        for number in range(len(items))
    ]
    joined = AwsReader(
        "111111111111",
        "us-east-1",
        lambda _service, _fresh: Shelf(pages, paging.inputs[0]),
        MODELS.of,
        CallPacing(LocalRateLimits(), SystemClock(), quotas=UNLIMITED),
        CallCounter(),
    ).read(operation, {})
    assert joined[paging.results[0]] == [item for part in items for item in part]


class Shelf:
    """A client of any operation that finds the page by its token."""

    def __init__(self, pages: list[dict[str, Any]], token: str) -> None:
        self._pages = pages
        self._token = token

    def __getattr__(self, _method: str) -> Any:
        def answer(**parameters: Any) -> dict[str, Any]:
            token = parameters.get(self._token)
            return self._pages[0 if token is None else int(token.removeprefix("t")) + 1]

        return answer


LISTED = {
    "autoscaling": ("DescribeAutoScalingGroups", "DescribePolicies", "DescribeInstanceRefreshes"),
    "ce": ("GetSavingsPlansCoverage", "GetReservationCoverage", "GetCostAndUsage"),
    "compute-optimizer": ("GetIdleRecommendations", "GetEC2InstanceRecommendations"),
    "ecs": ("ListClusters", "ListServices"),
    "efs": ("DescribeFileSystems",),
    "eks": ("ListClusters", "ListNodegroups"),
    "elasticache": ("DescribeCacheClusters", "DescribeServerlessCaches"),
    "elb": ("DescribeLoadBalancers",),
    "kinesis": ("ListStreams",),
    "kms": ("ListKeys",),
    "logs": ("DescribeLogGroups",),
    "resourcegroupstaggingapi": ("GetResources",),
    "s3": ("ListBuckets", "ListMultipartUploads"),
    "savingsplans": ("DescribeSavingsPlans",),
    "workspaces": ("DescribeWorkspaces",),
}


@pytest.mark.parametrize("operation", [f"{service}:{name}" for service, names in LISTED.items() for name in names])
def test_what_scans_will_list_can_be_listed_to_its_end(operation: str) -> None:
    paging = MODELS.of(operation)
    assert paging.inputs
    assert paging.results
