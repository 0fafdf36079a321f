"""Alarms as collected: all types, what they watch and whether it exists, errors as gaps, and what is billed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from tests.support.judging import Pages
from tests.unit.services.cloudwatch.alarms import ALARMS, ARN, MACHINE, alarm

from finops.domain.canonical import Json
from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied
from finops_operator.plugins.facts import facts_of
from finops_operator.services.cloudwatch.alarm import KIND, AlarmFacts
from finops_operator.services.cloudwatch.rules.billing import metrics_of, period_of

SESSION = botocore.session.get_session()
LIST, MACHINES, TAGS = "cloudwatch:DescribeAlarms", "ec2:DescribeInstances", "resourcegroupstaggingapi:GetResources"
DENIED = "AccessDenied"


def listed(**changes: Any) -> dict[str, Any]:
    return {
        "AlarmName": "shop-errors",
        "AlarmArn": ARN,
        "StateValue": "INSUFFICIENT_DATA",
        "StateTransitionedTimestamp": "2026-02-01T00:00:00Z",
        "StateUpdatedTimestamp": "2026-03-01T00:00:00Z",
        "MetricName": "CPUUtilization",
        "Namespace": "AWS/EC2",
        "Dimensions": [{"Name": "InstanceId", "Value": MACHINE}],
        "Period": 60,
        "TreatMissingData": "missing",
        "ActionsEnabled": True,
        "AlarmActions": ["arn:aws:sns:us-east-1:111122223333:shop"],
        **changes,
    }


def reader(*alarms: dict[str, Any], **answers: Any) -> Pages:
    machines = [{"Instances": [{"InstanceId": MACHINE, "State": {"Name": "running"}}]}]
    standard = {
        LIST: [{"MetricAlarms": list(alarms)}],
        MACHINES: [{"Reservations": machines}],
        TAGS: [{"ResourceTagMappingList": [{"ResourceARN": ARN, "Tags": [{"Key": "team", "Value": "shop"}]}]}],
    }
    return Pages({**standard, **answers})


def collected(pages: Pages) -> list[Resource | Gap]:
    return list(KIND.listing.collect(pages, "aws"))


def facts(pages: Pages) -> AlarmFacts:
    one, *_ = collected(pages)
    assert isinstance(one, Resource)
    return facts_of(AlarmFacts, one)


def test_an_alarm_carries_its_state_since_when_and_what_it_watches() -> None:
    asked = reader(listed())
    (one,) = collected(asked)
    assert isinstance(one, Resource)
    own = facts_of(AlarmFacts, one)
    assert (one.id, one.arn, one.state, one.tags) == ("shop-errors", ARN, "INSUFFICIENT_DATA", {"team": "shop"})
    assert (own.state_since, own.metrics, own.alarm_period_seconds) == ("2026-02-01T00:00:00+00:00", 1, 60)
    assert (own.watched, own.watched_exists, own.actions, own.alarm_type) == (MACHINE, True, 1, "metric")
    for operation, parameters in asked.asked:
        service, _, name = operation.partition(":")
        shape = SESSION.get_service_model(service).operation_model(name).input_shape
        assert not ParamValidator().validate(parameters, shape).has_errors()
    assert listed().keys() <= SESSION.get_service_model("cloudwatch").shape_for("MetricAlarm").members.keys()


def test_alarms_over_alarms_and_on_logs_are_listed_as_well() -> None:
    page = {
        "CompositeAlarms": [{"AlarmName": "all", "AlarmArn": ARN, "StateValue": "OK"}],
        "LogAlarms": [{"AlarmName": "logs", "AlarmArn": ARN, "StateValue": "ALARM"}],
    }
    found = [one for one in collected(reader(**{LIST: [page]})) if isinstance(one, Resource)]
    assert [(one.id, one.state, one.text("alarm_type")) for one in found] == [
        ("all", "OK", "composite"),
        ("logs", "ALARM", "log"),
    ]


@pytest.mark.parametrize("machines", [[], [{"Instances": [{"InstanceId": MACHINE, "State": {"Name": "terminated"}}]}]])
def test_a_machine_that_is_not_listed_or_is_terminated_is_gone(machines: list[Any]) -> None:
    assert facts(reader(listed(), **{MACHINES: [{"Reservations": machines}]})).watched_exists is False


def test_what_alarms_watch_is_asked_for_once_a_page_and_only_without_data() -> None:
    asked = reader(listed(), listed(AlarmName="two"), listed(AlarmName="three", StateValue="OK"))
    collected(asked)
    assert [parameters["Filters"][0]["Values"] for operation, parameters in asked.asked if operation == MACHINES] == [
        [MACHINE]
    ]
    fine = reader(listed(StateValue="OK"))
    assert facts(fine).watched_exists is None
    assert MACHINES not in [operation for operation, _ in fine.asked]


@pytest.mark.parametrize(
    "changes",
    [
        {"Namespace": "AWS/RDS", "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": "shop"}]},
        {"Dimensions": [{"Name": "InstanceId", "Value": MACHINE}, {"Name": "path", "Value": "/"}]},
        {"Dimensions": [{"Name": "InstanceId", "Value": "<!channel> i-0123456789abcdef0"}]},
        {"Dimensions": []},
    ],
)
def test_what_cannot_be_read_is_not_known_to_be_gone(changes: dict[str, Any]) -> None:
    own = facts(reader(listed(**changes)))
    assert (own.watched, own.watched_exists) == ("", None)


def test_a_refused_question_leaves_unknown_whether_it_exists_and_a_refused_listing_is_a_gap() -> None:
    one, gap = collected(reader(listed(), **{MACHINES: [AwsDenied("no", operation=MACHINES, code=DENIED)]}))
    assert isinstance(one, Resource)
    assert isinstance(gap, Gap)
    assert facts_of(AlarmFacts, one).watched_exists is None
    (cut,) = collected(reader(**{LIST: [AwsDenied("no", operation=LIST, code=DENIED)]}))
    assert isinstance(cut, Gap)


def _stat(period: int = 60) -> dict[str, Any]:
    return {"Id": "m", "MetricStat": {"Metric": {"MetricName": "Errors"}, "Period": period, "Stat": "Sum"}}


@pytest.mark.parametrize(
    ("queries", "metrics", "period"),
    [
        ([_stat(), _stat(10), {"Id": "e", "Expression": "m1/m2"}], 2, 10),
        ([_stat(), {"Id": "band", "Expression": "ANOMALY_DETECTION_BAND(m, 2)"}], 3, 60),
        ([{"Id": "q", "Expression": 'SELECT AVG(CPUUtilization) FROM SCHEMA("AWS/EC2")', "Period": 300}], None, 300),
        ([{"Id": "q", "Expression": "SUM(SEARCH('{AWS/EC2}', 'Sum', 60))"}], None, None),
    ],
)
def test_the_metrics_that_are_billed_are_counted(queries: list[Any], metrics: int | None, period: int | None) -> None:
    described = {"Metrics": queries}
    assert (metrics_of(described), period_of(described)) == (metrics, period)


@pytest.mark.parametrize(
    ("changes", "monthly"),
    [
        ({}, "0.10"),
        ({"metrics": 3}, "0.30"),
        ({"alarm_period_seconds": 10}, "0.30"),
        ({"alarm_period_seconds": 30, "metrics": 2}, "0.60"),
        ({"alarm_type": "composite", "metrics": None, "alarm_period_seconds": None}, "0.50"),
    ],
)
def test_alarms_are_billed_by_metric_and_resolution_and_one_over_alarms_as_one(
    changes: dict[str, Json], monthly: str
) -> None:
    assert ALARMS.cost(alarm(**changes)).monthly == Decimal(monthly)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"metrics": None}, "how many metrics it evaluates is not known"),
        ({"alarm_period_seconds": None}, "its period is not known"),
        ({"alarm_type": "log"}, "no price for alarms on logs"),
    ],
)
def test_what_is_not_known_has_no_price_and_is_never_zero(changes: dict[str, Json], why: str) -> None:
    cost = ALARMS.cost(alarm(**changes))
    assert (cost.monthly, cost.missing) == (None, (f"alarm_metric: {why}",))


def test_scaling_policies_own_their_alarms_and_a_name_may_hold_any_character() -> None:
    owner = KIND.owner(alarm(made_by_scaling=True))
    assert owner is not None
    assert owner.name == "application-autoscaling"
    assert KIND.owner(replace(alarm(), tags={"crossplane-name": "x"})) is not None
    assert facts(reader(listed(AlarmName="TargetTracking-table/shop-AlarmLow"))).made_by_scaling is True
    assert KIND.console_url(replace(alarm(), id="a b|<c>")).endswith("alarm/a%20b%7C%3Cc%3E")
