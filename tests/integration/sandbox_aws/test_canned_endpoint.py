"""The canned endpoint that scans are measured against: every protocol, AWS's limits, and figures that agree."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import Session
from tests.support.canned_control import REGION, CannedEndpoint, running_canned_endpoint

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DAYS = (datetime(2026, 11, 6, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC))
FIRST = "i-0f1ee700000000000"
Client = Callable[..., Any]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[CannedEndpoint]:
    with running_canned_endpoint() as running:
        running.fleet(1_200, now=NOW.timestamp(), replaced_percent=1)
        yield running


@cache
def session_of(service: str, protocol: str) -> Session:
    """Return a session that speaks to a service in a protocol, by default in the SDK's own."""
    session = Session()
    session.set_credentials("AKIACANNED", "secret")
    if protocol:
        metadata = session.get_component("data_loader").load_service_model(service, "service-2")["metadata"]
        metadata["protocols"] = [protocol]
        metadata["protocol"] = protocol
    return session


@pytest.fixture
def client(endpoint: CannedEndpoint) -> Client:
    """Return a function that makes a client whose requests are sent once; of CloudWatch also in another protocol."""
    endpoint.switches()

    def make(service: str, protocol: str = "") -> Any:
        session = session_of(service, protocol)
        once = Config(retries={"mode": "standard", "total_max_attempts": 1})
        return session.create_client(service, region_name=REGION, endpoint_url=endpoint.url, config=once)

    return make


def metric(identity: str, name: str, period: int, statistic: str, number: int = 0) -> dict[str, Any]:
    dimensions = [{"Name": "InstanceId", "Value": identity}]
    asked = {"Namespace": "AWS/EC2", "MetricName": name, "Dimensions": dimensions}
    return {"Id": f"q{number}", "MetricStat": {"Metric": asked, "Period": period, "Stat": statistic}}


def points(cloudwatch: Any, *queries: dict[str, Any], window: tuple[datetime, datetime] = DAYS) -> list[list[float]]:
    asked = {"MetricDataQueries": list(queries), "StartTime": window[0], "EndTime": window[1]}
    answer = cloudwatch.get_metric_data(**asked, ScanBy="TimestampAscending")
    return [one["Values"] for one in answer["MetricDataResults"]]


def refusal(ask: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as raised:
        ask()
    return str(raised.value.response["Error"]["Code"])


def test_instances_are_listed_by_pages_and_at_once(client: Client) -> None:
    ec2 = client("ec2")
    first = ec2.describe_instances(MaxResults=1000)
    second = ec2.describe_instances(MaxResults=1000, NextToken=first["NextToken"])
    everything = ec2.describe_instances()
    assert (len(first["Reservations"]), len(second["Reservations"])) == (1000, 200)
    assert "NextToken" not in second
    assert everything["Reservations"] == first["Reservations"] + second["Reservations"]
    assert len(ec2.describe_volumes(MaxResults=1000)["Volumes"]) == 1000
    named = ec2.describe_instances(InstanceIds=[first["Reservations"][4]["Instances"][0]["InstanceId"]])
    assert named["Reservations"] == [first["Reservations"][4]]


def test_one_in_a_hundred_was_replaced_and_its_old_metrics_are_gone(client: Client) -> None:
    listed = client("ec2").describe_instances()["Reservations"]
    launched = {one["Instances"][0]["InstanceId"]: one["Instances"][0]["LaunchTime"] for one in listed}
    new = [identity for identity, when in launched.items() if when > NOW - timedelta(days=1)]
    assert len(new) == 12
    assert FIRST not in launched
    today = (NOW.replace(hour=0), NOW)
    asked = [metric(new[0], "CPUUtilization", 3600, "Average"), metric(FIRST, "CPUUtilization", 3600, "Average", 1)]
    found, gone = points(client("cloudwatch"), *asked, window=today)
    assert len(found) == 12
    assert gone == []


@pytest.mark.parametrize("protocol", ["smithy-rpc-v2-cbor", "query"])
def test_every_protocol_brings_the_same_figures(client: Client, protocol: str) -> None:
    asked = [metric(FIRST[:-1] + "5", name, 86_400, "Maximum") for name in ("CPUUtilization",)]
    found = points(client("cloudwatch", protocol), *asked)
    assert len(found[0]) == 14
    assert found == points(client("cloudwatch", "json"), *asked)
    assert client("cloudwatch", protocol).list_metrics(Namespace="CWAgent")["Metrics"] == []


def test_the_figures_of_all_periods_and_operations_agree(client: Client) -> None:
    cloudwatch, identity = client("cloudwatch"), FIRST[:-1] + "4"
    days, minutes = (points(cloudwatch, metric(identity, "CPUUtilization", one, "Maximum"))[0] for one in (86_400, 300))
    averages = points(cloudwatch, metric(identity, "CPUUtilization", 300, "Average"))[0]
    assert days == [max(minutes[day * 288 : day * 288 + 288]) for day in range(14)]
    whole = cloudwatch.get_metric_statistics(
        Namespace="AWS/EC2",
        MetricName="CPUUtilization",
        Dimensions=[{"Name": "InstanceId", "Value": identity}],
        StartTime=DAYS[0],
        EndTime=DAYS[1],
        Period=14 * 86_400,
        Statistics=["Average", "Maximum"],
    )["Datapoints"]
    assert [one["Maximum"] for one in whole] == [max(minutes)]
    assert whole[0]["Average"] == pytest.approx(sum(averages) / len(averages))


def test_what_aws_refuses_is_refused(client: Client) -> None:
    cloudwatch, one = client("cloudwatch"), metric(FIRST, "CPUUtilization", 300, "Average")
    many = [metric(FIRST, "CPUUtilization", 300, "Average", number) for number in range(501)]
    assert refusal(lambda: points(cloudwatch, *many)) == "ValidationError"
    assert refusal(lambda: points(cloudwatch, one, one)) == "ValidationError"
    assert refusal(lambda: points(cloudwatch, {**one, "Id": "Q1"})) == "ValidationError"
    assert refusal(lambda: points(cloudwatch, metric(FIRST, "CPUUtilization", 90, "Average"))) == "ValidationError"
    assert refusal(lambda: points(cloudwatch, one, window=(NOW, NOW))) == "ValidationError"
    assert refusal(lambda: client("ec2").describe_instances(InstanceIds=["i-0f1ee7000000fffff"])) == (
        "InvalidInstanceID.NotFound"
    )
    assert refusal(lambda: client("ec2").describe_hosts()) == "InvalidAction"
    assert refusal(lambda: client("cloudwatch").describe_anomaly_detectors()) == "InvalidAction"


def test_points_are_kept_as_long_as_aws_keeps_them(client: Client) -> None:
    long_ago = (NOW - timedelta(days=70), NOW - timedelta(days=69))
    asked = [metric(FIRST[:-1] + "9", "CPUUtilization", period, "Average", period) for period in (300, 3600)]
    assert [len(one) for one in points(client("cloudwatch"), *asked, window=long_ago)] == [0, 24]


def test_quotas_hold_where_they_are_switched_on(endpoint: CannedEndpoint, client: Client) -> None:
    endpoint.switches(quotas=True)
    cloudwatch = client("cloudwatch")
    # DescribeAlarms has the smallest bucket: nine requests, and nine more a second.
    began, answered, refused = time.monotonic(), 0, ""
    while not refused and answered < 500:
        try:
            cloudwatch.describe_alarms()
            answered += 1
        except ClientError as error:
            refused = error.response["Error"]["Code"]
    assert 9 <= answered <= 10 + 9 * (time.monotonic() - began)
    assert refused.startswith("Throttling")
    assert endpoint.counters()["throttled"] == {"cloudwatch:DescribeAlarms": 1}


def test_so_much_is_throttled_by_chance_and_all_is_counted(endpoint: CannedEndpoint, client: Client) -> None:
    endpoint.switches(throttled_share=0.4, throttled_services=("cloudwatch",))
    cloudwatch, one = client("cloudwatch"), metric(FIRST[:-1] + "7", "CPUUtilization", 86_400, "Average")
    refused = 0
    for _ in range(60):
        try:
            points(cloudwatch, one)
        except ClientError:
            refused += 1
    client("ec2").describe_regions()
    client("sts").get_caller_identity()
    counted = endpoint.counters()
    assert 12 <= refused <= 36
    assert counted["calls"] == {"cloudwatch:GetMetricData": 60, "ec2:DescribeRegions": 1, "sts:GetCallerIdentity": 1}
    assert counted["throttled"] == {"cloudwatch:GetMetricData": refused}
    assert counted["datapointsAsked"] == counted["datapointsAnswered"] == 14 * (60 - refused)
    assert counted["bytesSent"] > 1000


def test_every_answer_takes_the_round_trip(endpoint: CannedEndpoint, client: Client) -> None:
    endpoint.switches(latency_milliseconds=200)
    sts = client("sts")
    began = time.monotonic()
    sts.get_caller_identity()
    assert time.monotonic() - began >= 0.2
