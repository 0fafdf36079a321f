"""CloudWatch alarms on moto's servers: a scan lists them with their price and asks for what they watch."""

from __future__ import annotations

from collections.abc import Callable

from tests.integration.services.conftest import MAKER
from tests.support.scanning import report_of

from finops_operator.scan.scan import ScanOutcome
from finops_sandbox.aws.double import AwsDouble

Scan = Callable[..., ScanOutcome]


def test_alarms_are_listed_with_their_price_and_whether_what_they_watch_exists(aws: AwsDouble, scanned: Scan) -> None:
    cloudwatch = aws.client("cloudwatch", role=MAKER)
    for name, period in (("shop-cpu", 300), ("shop-cpu-fast", 10)):
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            MetricName="CPUUtilization",
            Namespace="AWS/EC2",
            Dimensions=[{"Name": "InstanceId", "Value": "i-0123456789abcdef0"}],
            Period=period,
            EvaluationPeriods=1,
            Statistic="Average",
            Threshold=80.0,
            ComparisonOperator="GreaterThanThreshold",
        )
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="INSUFFICIENT_DATA", StateReason="no data")
    outcome = scanned("cloudwatch-alarm")
    assert outcome.summary.gaps == ()
    found = {one["id"]: one for one in report_of(outcome)["resources"]}
    assert {name: one["monthlyCost"] for name, one in found.items()} == {
        "shop-cpu": "0.10",
        "shop-cpu-fast": "0.30",
    }
    assert (found["shop-cpu"]["state"], found["shop-cpu"]["attributes"]["watched_exists"]) == (
        "INSUFFICIENT_DATA",
        False,
    )
