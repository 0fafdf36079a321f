"""What is read in the hours after a resize, on the double of AWS, with the rights of the scanner role alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from tests.support.act_cases import find
from tests.support.act_world import ACCESS, ACCOUNT, REGION, TENANT, FastClock, make_sessions

from finops.domain.watching import Health, Sign
from finops_operator.plugins.action import WatchedAct
from finops_operator.plugins.watched import PROMISED_CPU
from finops_operator.services.ec2.actions.ec2_instance_resize import ACTION as RESIZE
from finops_sandbox.aws.double import AwsDouble
from finops_sandbox.aws.roles import BASE_USER_ARN

_BASE = {"arn": BASE_USER_ARN, "accessKey": "AKIASANDBOXOPERATOR1", "secretKey": "sandbox-operator-secret"}
_ADMIN = f"arn:aws:iam::{ACCOUNT}:user/admin"
_EVERYTHING = [{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}]


@pytest.fixture(scope="module")
def aws_double() -> Iterator[AwsDouble]:
    estate = {
        "accounts": {ACCOUNT: {"name": "production", "regions": [REGION]}},
        "externalId": "finops-sandbox",
        "users": [_BASE, {"arn": _ADMIN, "accessKey": "AKIAADMIN", "secretKey": "secret", "policies": _EVERYTHING}],
        "resources": [
            {
                "account": "production",
                "region": REGION,
                "instances": [
                    {"name": "busy", "type": "t3.medium", "cpu": "busy", "age": "40d"},
                    {"name": "calm", "type": "t3.medium", "cpu": "idle", "age": "40d"},
                ],
            }
        ],
    }
    with AwsDouble(estate) as double:
        yield double


def _signs(double: AwsDouble, name: str, *, promised: str = "30", alarm: str = "") -> dict[str, Sign]:
    """Return the signs of an act on an instance that ended ten hours ago."""
    assert RESIZE.watch is not None
    now, resource = double.estate.clock.now(), find(name)
    since = now - timedelta(hours=10)
    act = WatchedAct(
        resource=resource,
        parameters={"instanceType": "t3.medium"},
        promised={PROMISED_CPU: promised},
        started=since - timedelta(minutes=5),
        since=since,
        until=since + timedelta(hours=24),
        now=now,
        alarm=alarm,
    )
    reader = make_sessions(FastClock(now.timestamp())).reader(ACCESS, REGION, tenant=TENANT)
    return {sign.name: sign for sign in RESIZE.watch.signs(reader, act)}


def test_a_busy_instance_breaks_the_promise_that_a_calm_one_keeps(aws: AwsDouble) -> None:
    busy, calm = _signs(aws, "busy"), _signs(aws, "calm")
    assert busy["CPU"].health is Health.WORSE
    assert "about 30 % was promised" in busy["CPU"].sentence
    assert calm["CPU"].health is Health.WELL
    assert busy["status checks"].health is calm["status checks"].health is Health.WELL


def test_what_cloudwatch_does_not_answer_in_full_is_unknown(aws: AwsDouble) -> None:
    aws.control.inject({"kind": "partial_metrics", "fraction": 1.0})
    found = _signs(aws, "busy")["CPU"]
    assert (found.health, "did not answer in full" in found.sentence) == (Health.UNKNOWN, True)


def test_an_alarm_of_another_name_is_unknown_and_one_that_goes_on_is_worse(aws: AwsDouble) -> None:
    assert _signs(aws, "calm", alarm="nobody-made-it")["alarm"].health is Health.UNKNOWN
    cloudwatch = aws.client("cloudwatch", user_arn=_ADMIN)
    cloudwatch.put_metric_alarm(
        AlarmName="shop-slow",
        Namespace="Shop",
        MetricName="Latency",
        Period=60,
        EvaluationPeriods=1,
        Statistic="Average",
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
    )
    try:
        cloudwatch.set_alarm_state(AlarmName="shop-slow", StateValue="OK", StateReason="calm")
        assert _signs(aws, "calm", alarm="shop-slow")["alarm"].health is Health.WELL
        cloudwatch.set_alarm_state(AlarmName="shop-slow", StateValue="ALARM", StateReason="slow")
        assert _signs(aws, "calm", alarm="shop-slow")["alarm"].health is Health.WORSE
    finally:
        cloudwatch.delete_alarms(AlarmNames=["shop-slow"])


def test_a_right_that_is_missing_is_named(aws: AwsDouble) -> None:
    aws.control.inject({"kind": "deny", "action": "DescribeAlarms"})
    found = _signs(aws, "calm", alarm="shop-slow")["alarm"]
    assert found.health is Health.UNKNOWN
    assert "allow cloudwatch:DescribeAlarms to the scanner role" in found.sentence
