"""Metrics over the protocols that the SDK speaks: values, limits, paging and discovery."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore import loaders
from botocore.config import Config

from finops_sandbox.aws.calls import Call
from finops_sandbox.aws.cloudwatch import get_metric_data
from finops_sandbox.aws.double import AwsDouble
from finops_sandbox.aws.estate import resource_id
from finops_sandbox.aws.roles import BASE_USER_ARN

Refusal = Callable[[Callable[[], object]], str]
ACCOUNT = "111111111111"
SCANNER = f"arn:aws:iam::{ACCOUNT}:role/finops-scanner"


@pytest.fixture
def cloudwatch(aws: AwsDouble) -> Any:
    return aws.client("cloudwatch", role=SCANNER)


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def query(
    query_id: str, name: str, metric: str = "CPUUtilization", stat: str = "Average", period: int = 3600
) -> dict[str, Any]:
    volume = metric.startswith(("Volume", "Burst"))
    kind = "volume" if volume else "instance"
    dimensions = [
        {"Name": "VolumeId" if volume else "InstanceId", "Value": resource_id(kind, ACCOUNT, "us-east-1", name)}
    ]
    metric_of = {"Namespace": "AWS/EBS" if volume else "AWS/EC2", "MetricName": metric, "Dimensions": dimensions}
    return {"Id": query_id, "MetricStat": {"Metric": metric_of, "Period": period, "Stat": stat}}


def ask(cloudwatch: Any, now: datetime, *queries: dict[str, Any], days: float = 14, **more: Any) -> dict[str, Any]:
    start = now - timedelta(days=days)
    answer = cloudwatch.get_metric_data(MetricDataQueries=list(queries), StartTime=start, EndTime=now, **more)
    return {one["Id"]: one for one in answer["MetricDataResults"]}


def series(result: dict[str, Any]) -> dict[datetime, float]:
    return dict(zip(result["Timestamps"], result["Values"], strict=True))


def test_the_sdk_speaks_cbor_by_default() -> None:
    metadata = loaders.Loader().load_service_model("cloudwatch", "service-2")["metadata"]
    assert metadata["protocol"] == "smithy-rpc-v2-cbor"


def test_a_fortnight_of_hours_is_there_newest_first(cloudwatch: Any, now: datetime) -> None:
    result = ask(cloudwatch, now, query("a", "web"), query("b", "web", stat="Maximum"))
    assert [one["StatusCode"] for one in result.values()] == ["Complete", "Complete"]
    times = result["a"]["Timestamps"]
    assert len(times) == 336
    assert times[0] == now - timedelta(hours=1)
    assert times == sorted(times, reverse=True)
    highest = series(result["b"])
    assert all(value <= highest[moment] for moment, value in series(result["a"]).items())
    ascending = ask(cloudwatch, now, query("a", "web"), ScanBy="TimestampAscending")
    assert ascending["a"]["Timestamps"] == sorted(times)


def test_hours_and_five_minutes_agree(cloudwatch: Any, now: datetime) -> None:
    for stat, combine in (("Sum", sum), ("Maximum", max), ("Minimum", min), ("SampleCount", sum)):
        result = ask(cloudwatch, now, query("h", "web", stat=stat), query("m", "web", stat=stat, period=300), days=2)
        fine = series(result["m"])
        for hour, value in series(result["h"]).items():
            inside = [fine[hour + timedelta(minutes=5 * number)] for number in range(12)]
            assert value == pytest.approx(combine(inside))


def test_the_same_question_has_the_same_answer(cloudwatch: Any, now: datetime) -> None:
    assert ask(cloudwatch, now, query("a", "web")) == ask(cloudwatch, now, query("a", "web"))
    other = ask(cloudwatch, now, query("a", "managed"))["a"]["Values"]
    assert other != ask(cloudwatch, now, query("a", "web"))["a"]["Values"]


def test_a_young_instance_has_only_its_own_hours(cloudwatch: Any, now: datetime) -> None:
    fine = ask(cloudwatch, datetime.now(UTC), query("a", "young", period=300))["a"]["Timestamps"]
    assert 58 <= len(fine) <= 60
    assert min(fine) > datetime.now(UTC) - timedelta(hours=5)


def test_a_stopped_instance_has_no_values_until_its_start(aws: AwsDouble, now: datetime) -> None:
    cloudwatch = aws.client("cloudwatch", role=SCANNER)
    assert ask(cloudwatch, now, query("a", "stopped"))["a"]["Values"] == []
    aws.control.change(
        ACCOUNT, "us-east-1", resource_id("instance", ACCOUNT, "us-east-1", "stopped"), {"state": "running"}
    )
    aws.control.advance(1800)
    later = datetime.now(UTC) + timedelta(seconds=1800)
    assert 4 <= len(ask(cloudwatch, later, query("a", "stopped", period=300), days=0.1)["a"]["Values"]) <= 6


def test_a_detached_volume_reports_until_it_was_detached(cloudwatch: Any, now: datetime) -> None:
    recent = ask(
        cloudwatch, now, query("a", "loose", "VolumeReadOps", "Sum"), query("b", "web/0", "VolumeReadOps", "Sum")
    )
    assert recent["a"]["Values"] == []
    assert len(recent["b"]["Values"]) == 336
    before = ask(cloudwatch, now, query("a", "loose", "VolumeReadOps", "Sum"), days=60)["a"]["Timestamps"]
    assert max(before) <= now - timedelta(days=45)
    never = ask(cloudwatch, now, query("a", "never", "VolumeIdleTime", "Sum"), days=60)
    assert never["a"]["Values"] == []


def test_a_volume_of_a_stopped_instance_has_no_values_either(cloudwatch: Any, now: datetime) -> None:
    recent = ask(cloudwatch, now, query("a", "stopped/0", "VolumeIdleTime", "Sum"))
    assert recent["a"]["Values"] == []
    whole = ask(cloudwatch, now, query("a", "stopped/0", "VolumeIdleTime", "Sum"), days=40)
    assert max(whole["a"]["Timestamps"]) <= now - timedelta(days=20)


def test_memory_needs_exactly_its_dimensions_which_list_metrics_gives(cloudwatch: Any, now: datetime) -> None:
    listed = cloudwatch.list_metrics(Namespace="CWAgent", MetricName="mem_used_percent")["Metrics"]
    (dimensions,) = [one["Dimensions"] for one in listed]
    assert {one["Name"] for one in dimensions} == {"AutoScalingGroupName", "ImageId", "InstanceId", "InstanceType"}
    exact: dict[str, Any] = {"Namespace": "CWAgent", "MetricName": "mem_used_percent", "Dimensions": dimensions}
    fewer = exact | {"Dimensions": [one for one in dimensions if one["Name"] == "InstanceId"]}
    result = ask(
        cloudwatch,
        now,
        {"Id": "a", "MetricStat": {"Metric": exact, "Period": 3600, "Stat": "Maximum"}},
        {"Id": "b", "MetricStat": {"Metric": fewer, "Period": 3600, "Stat": "Maximum"}},
    )
    assert 15 < max(result["a"]["Values"]) < 30
    assert result["b"]["Values"] == []


def test_a_gap_in_reporting_is_a_gap_in_every_metric(cloudwatch: Any, now: datetime) -> None:
    result = ask(cloudwatch, now, query("a", "windows"), query("b", "windows", "NetworkIn", "Sum"))
    assert 100 < len(result["a"]["Values"]) < 200
    assert result["a"]["Timestamps"] == result["b"]["Timestamps"]


def test_an_instance_on_xen_measures_nothing_of_its_volumes(cloudwatch: Any, now: datetime) -> None:
    asked = [query("a", "web", "EBSReadOps", "Sum"), query("b", "old", "EBSReadOps", "Sum"), query("c", "old")]
    result = ask(cloudwatch, now, *asked)
    assert [bool(result[one]["Values"]) for one in "abc"] == [True, False, True]


def test_unknown_metrics_are_complete_and_empty(cloudwatch: Any, now: datetime) -> None:
    result = ask(
        cloudwatch, now, query("a", "web", "NoSuchMetric"), query("b", "nobody"), query("c", "web", "CPUCreditBalance")
    )
    assert {(one["StatusCode"], len(one["Values"])) for one in result.values()} == {("Complete", 0)}


@pytest.mark.parametrize(
    ("days", "period", "present"), [(20, 60, False), (20, 300, True), (70, 300, False), (70, 3600, True)]
)
def test_old_data_exists_only_in_long_periods(
    cloudwatch: Any, now: datetime, days: int, period: int, *, present: bool
) -> None:
    result = ask(cloudwatch, now, query("a", "web", period=period), days=days)
    assert bool(result["a"]["Values"]) is present


@pytest.mark.parametrize(
    ("queries", "code"),
    [
        ([query(f"q{number}", "web") for number in range(501)], "ValidationError"),
        ([query("Upper", "web")], "ValidationError"),
        ([query("1a", "web")], "ValidationError"),
        ([query("a", "web"), query("a", "web")], "ValidationError"),
        ([query("a", "web", period=90)], "ValidationError"),
        ([query("a", "web", stat="p99")], "ValidationError"),
        ([{"Id": "e", "Expression": "m1 * 2"}], "ValidationError"),
    ],
)
def test_a_request_outside_the_limits_is_refused(
    cloudwatch: Any, now: datetime, refusal: Refusal, queries: list[dict[str, Any]], code: str
) -> None:
    assert refusal(lambda: ask(cloudwatch, now, *queries)) == code


def test_the_end_must_follow_the_start(cloudwatch: Any, now: datetime, refusal: Refusal) -> None:
    assert refusal(lambda: ask(cloudwatch, now, query("a", "web"), days=0)) == "ValidationError"


def test_more_points_than_fit_come_in_pages_that_add_up(cloudwatch: Any, now: datetime) -> None:
    queries = [query("a", "web"), query("b", "managed"), query("c", "guarded")]
    whole = {key: series(one) for key, one in ask(cloudwatch, now, *queries).items()}
    pages = []
    request: dict[str, Any] = {
        "MetricDataQueries": queries,
        "StartTime": now - timedelta(days=14),
        "EndTime": now,
        "MaxDatapoints": 250,
    }
    while True:
        page = cloudwatch.get_metric_data(**request)
        pages.append(page)
        if not page.get("NextToken"):
            break
        request["NextToken"] = page["NextToken"]
    assert len(pages) == 5
    assert pages[0]["MetricDataResults"][0]["StatusCode"] == "PartialData"
    collected: dict[str, dict[datetime, float]] = {}
    for page in pages:
        assert sum(len(one["Values"]) for one in page["MetricDataResults"]) <= 250
        for one in page["MetricDataResults"]:
            collected.setdefault(one["Id"], {}).update(series(one))
    assert collected == whole


def test_the_limit_of_datapoints_holds_without_being_asked_for(aws: AwsDouble, now: datetime) -> None:
    """Straight at the handler: the SDK takes seconds to read a hundred thousand points."""
    aws.control.fleet("222222222222", "us-east-1", instances=400)
    queries = []
    for number in range(310):
        dimensions = [{"Name": "InstanceId", "Value": f"i-0f1ee7{number * 10 + 1 & 255:011x}"}]
        metric = {"Namespace": "AWS/EC2", "MetricName": "CPUUtilization", "Dimensions": dimensions}
        queries.append({"Id": f"q{number}", "MetricStat": {"Metric": metric, "Period": 3600, "Stat": "Maximum"}})
    request: dict[str, Any] = {
        "MetricDataQueries": queries,
        "StartTime": now - timedelta(days=14),
        "EndTime": now,
    }
    caller = aws.identities.user(BASE_USER_ARN)

    def page(**more: Any) -> Any:
        where = ("monitoring", "GetMetricData", "222222222222", "us-east-1", caller)
        return get_metric_data(Call(*where, request | more, aws.estate))

    first = page()
    rest = page(NextToken=first["NextToken"])
    assert sum(len(one["Values"]) for one in first["MetricDataResults"]) == 100_800
    assert rest["NextToken"] is None
    assert len({one["Id"] for result in (first, rest) for one in result["MetricDataResults"]}) == 310


def test_list_metrics_pages_and_filters(cloudwatch: Any) -> None:
    instance = resource_id("instance", ACCOUNT, "us-east-1", "web")
    mine = cloudwatch.list_metrics(Namespace="AWS/EC2", Dimensions=[{"Name": "InstanceId", "Value": instance}])
    assert {one["MetricName"] for one in mine["Metrics"]} >= {"CPUUtilization", "NetworkIn", "NetworkOut"}
    every = cloudwatch.get_paginator("list_metrics").paginate()
    names = [(one["Namespace"], one["MetricName"], str(one["Dimensions"])) for page in every for one in page["Metrics"]]
    assert len(set(names)) == len(names)
    stopped = resource_id("instance", ACCOUNT, "us-east-1", "stopped")
    assert not [name for name in names if stopped in name[2]]


def test_partial_metrics_mark_the_lost_series(aws: AwsDouble, cloudwatch: Any, now: datetime) -> None:
    aws.control.inject({"kind": "partial_metrics", "fraction": 0.5, "count": 1})
    queries = [query(f"q{number}", "web") for number in range(20)]
    result = ask(cloudwatch, now, *queries)
    lost = [one for one in result.values() if one["StatusCode"] == "InternalError"]
    assert 4 <= len(lost) <= 16
    assert all(one["Values"] == [] for one in lost)
    assert {one["StatusCode"] for one in ask(cloudwatch, now, *queries).values()} == {"Complete"}


def test_statistics_of_one_metric_are_answered_too(cloudwatch: Any, now: datetime) -> None:
    instance = resource_id("instance", ACCOUNT, "us-east-1", "web")
    request: dict[str, Any] = {
        "Namespace": "AWS/EC2",
        "MetricName": "CPUUtilization",
        "Dimensions": [{"Name": "InstanceId", "Value": instance}],
        "StartTime": now - timedelta(days=1),
        "EndTime": now,
        "Period": 3600,
        "Statistics": ["Average", "Maximum"],
    }
    points = cloudwatch.get_metric_statistics(**request)["Datapoints"]
    assert len(points) == 24
    assert all(one["Average"] <= one["Maximum"] for one in points)


@pytest.mark.parametrize("protocol", ["json", "query"])
def test_the_older_protocols_get_the_same_answer(
    aws: AwsDouble, cloudwatch: Any, now: datetime, protocol: str, refusal: Refusal
) -> None:
    credentials = cloudwatch._request_signer._credentials
    session = boto3.session.Session()
    loader = session._session.get_component("data_loader")
    model = dict(loader.load_service_model("cloudwatch", "service-2"))
    model["metadata"] = {**model["metadata"], "protocol": protocol, "protocols": [protocol]}
    # This session's loader alone reads the changed description.
    original = loader.load_service_model

    def load(name: str, kind: str, *rest: Any, **more: Any) -> Any:
        return model if (name, kind) == ("cloudwatch", "service-2") else original(name, kind, *rest, **more)

    loader.load_service_model = load
    older = session.client(
        "cloudwatch",
        region_name="us-east-1",
        endpoint_url=aws.url,
        aws_access_key_id=credentials.access_key,
        aws_secret_access_key=credentials.secret_key,
        aws_session_token=credentials.token,
        config=Config(retries={"total_max_attempts": 1}),
    )
    assert series(ask(older, now, query("a", "web"))["a"]) == series(ask(cloudwatch, now, query("a", "web"))["a"])
    assert refusal(lambda: ask(older, now, query("Bad", "web"))) == "ValidationError"
    aws.control.inject({"kind": "throttle", "service": "monitoring"})
    assert refusal(older.list_metrics) == "Throttling"
