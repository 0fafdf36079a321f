"""Our metric requests beside those of the obvious program, in one run and on one double: part of `make bench`.

The peer asks as most scripts and Cloud Custodian's metric filters do: GetMetricStatistics, one metric of one resource a
call, through a plain SDK client. Both get the same hourly points of the same fleet. Only ratios are asserted: they hold
on a slow machine as on a fast one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from math import isnan

import boto3
import pytest
from tests.support.fleet_scan import ACCOUNT, REGION, FleetDouble, running_fleet_double
from tests.support.scanning import UNLIMITED, account

from finops.ports.aws_access import Tenant
from finops.ports.clock import SystemClock
from finops_operator.aws.clients import make_readers
from finops_operator.aws.counting import CallCounter
from finops_operator.aws.limiter import LocalRateLimits
from finops_operator.aws.reader import CallPacing
from finops_operator.rules.access import granted_accounts
from finops_operator.scan.metrics.fetch import fetch
from finops_operator.scan.metrics.queries import HOUR, Query, batches
from finops_operator.scan.metrics.windows import hours_window, last_hour

SIZE = 200
METRICS = (("CPUUtilization", ("Average", "Maximum")), ("NetworkIn", ("Sum",)), ("NetworkOut", ("Sum",)))
WINDOW = hours_window(last_hour(SystemClock().now()) - 14 * 24, last_hour(SystemClock().now()))
Points = dict[tuple[str, str, str], int]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> Iterator[FleetDouble]:
    with running_fleet_double() as double:
        for name, value in double.environment().items():
            monkeypatch.setenv(name, value)
        double.fleet(SIZE)
        yield double


def ids() -> list[str]:
    pages = _assumed().client("ec2").get_paginator("describe_instances").paginate()
    return [one["InstanceId"] for page in pages for group in page["Reservations"] for one in group["Instances"]]


def _assumed() -> boto3.Session:
    role = f"arn:aws:iam::{ACCOUNT}:role/finops-scanner"
    answer = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="peer", ExternalId="finops-sandbox")
    keys = answer["Credentials"]
    return boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], REGION)


def peer(instances: list[str]) -> tuple[int, Points]:
    """Return calls made and points got, one call per metric and resource."""
    client = _assumed().client("cloudwatch")
    found: Points = {}
    for one in instances:
        for metric, statistics in METRICS:
            answer = client.get_metric_statistics(
                Namespace="AWS/EC2",
                MetricName=metric,
                Dimensions=[{"Name": "InstanceId", "Value": one}],
                StartTime=WINDOW.start_time,
                EndTime=WINDOW.end_time,
                Period=HOUR,
                Statistics=list(statistics),
            )
            for statistic in statistics:
                found[one, metric, statistic] = sum(1 for point in answer["Datapoints"] if statistic in point)
    return len(found) - len(instances), found


def ours(instances: list[str]) -> tuple[int, Points]:
    """Return calls made and points got by the product's planner and fetcher."""
    access = granted_accounts(["production"], {"production": account("production", ACCOUNT)}, "default")[0][0].access
    counter = CallCounter()
    pacing = CallPacing(LocalRateLimits(), SystemClock(), quotas=UNLIMITED)
    reader = make_readers(pacing, demo=True).reader(
        access, REGION, Tenant(namespace="default", policy="bench"), counter
    )
    queries = [
        Query(one, metric, "AWS/EC2", metric, (("InstanceId", one),), statistics, WINDOW)
        for one in instances
        for metric, statistics in METRICS
    ]
    found: Points = {}
    for batch in batches(queries):
        answers = fetch(reader, batch)
        assert not answers.failed
        for query, series in answers.points.items():
            for statistic, values in zip(query.statistics, series, strict=True):
                found[query.resource_id, query.name, statistic] = sum(not isnan(value) for value in values)
    return counter.calls["cloudwatch:GetMetricData"], found


def timed(work: Callable[[list[str]], tuple[int, Points]], instances: list[str]) -> tuple[int, float, Points]:
    began = time.process_time()
    calls, found = work(instances)
    return calls, time.process_time() - began, found


def test_the_same_points_cost_a_hundredth_of_the_calls_and_a_fraction_of_the_cpu(fleet: FleetDouble) -> None:
    instances = ids()
    assert len(instances) == SIZE
    calls, seconds, points = timed(ours, instances)
    peer_calls, peer_seconds, peer_points = timed(peer, instances)
    print(f"\ncalls {peer_calls} : {calls}, CPU seconds {peer_seconds:.2f} : {seconds:.2f}")
    assert points == peer_points
    assert peer_calls == SIZE * len(METRICS)
    assert peer_calls >= 100 * calls
    assert peer_seconds >= 3 * seconds
