"""ec2_instance_detailed_monitoring: minutes that are paid for and that nobody watches; one alarm keeps them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from tests.support.facts import in_region, instance
from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops.errors import AwsDenied
from finops_operator.services.ec2.checks.ec2_instance_detailed_monitoring import CHECK
from finops_operator.services.ec2.instance import KIND
from finops_operator.services.ec2.rules.fast_alarms import FAST_ALARMS, fast_alarms

READ = frozenset({"read"})
JUDGED = Bench(KIND, answers={FAST_ALARMS: READ})


def with_alarms(*names: str) -> Bench:
    return Bench(KIND, answers={FAST_ALARMS: READ | set(names)})


def test_minutes_that_no_alarm_asks_for_are_found_with_what_they_cost() -> None:
    found = JUDGED.found(CHECK, instance(detailed_monitoring=True))
    assert found.action == ""
    now = JUDGED.cost(instance(detailed_monitoring=True)).unrounded_monthly
    assert now is not None
    assert found.new_monthly_cost == now - Decimal("2.1")  # seven metrics at 0.30 USD
    assert found.new_monthly_cost == JUDGED.cost(instance(detailed_monitoring=False)).unrounded_monthly


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"detailed_monitoring": False}, "it reports every five minutes, which is free"),
        ({"detailed_monitoring": None}, "how often it reports is not known"),
        (
            {"detailed_monitoring": True, "auto_scaling_group": "web"},
            "it is in an Auto Scaling group, which may scale by its minutes",
        ),
    ],
)
def test_what_is_free_or_may_be_needed_or_is_not_known_is_left_alone(changes: dict[str, Json], why: str) -> None:
    assert JUDGED.reason(CHECK, instance("running", tags=None, **changes)) == why


def test_one_alarm_below_five_minutes_keeps_it() -> None:
    one = instance(detailed_monitoring=True)
    assert with_alarms("i-another").found(CHECK, one).check == CHECK.id
    assert with_alarms(one.id).reason(CHECK, one) == "an alarm watches it more often than every five minutes"
    assert with_alarms("any").reason(CHECK, one) == "an alarm adds instances up that it does not name"


def test_without_an_answer_about_alarms_nothing_is_found() -> None:
    assert Bench(KIND).reason(CHECK, instance(detailed_monitoring=True)) == "which alarms there are is not known"


def test_a_stopped_instance_is_not_billed_for_minutes() -> None:
    one = instance("stopped", detailed_monitoring=True)
    assert "nothing is reported or billed" in JUDGED.reason(CHECK, one)
    assert JUDGED.cost(one).unrounded_monthly == 0


def test_without_a_price_of_metrics_the_saving_is_unknown_and_the_cost_with_it() -> None:
    one = in_region(instance(detailed_monitoring=True), "nowhere-1")
    assert JUDGED.found(CHECK, one).new_monthly_cost is None
    assert JUDGED.cost(one).monthly is None


# -- which instances alarms watch --------------------------------------------------------------------------------------


@dataclass(slots=True)
class Alarms:
    """A region with alarms; None of a page stands for one that AWS does not give."""

    found: list[Mapping[str, Any]] = field(default_factory=list)
    lost: bool = False
    account: str = "111122223333"
    region: str = "us-east-1"

    def pages(self, operation: str, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        assert (operation, parameters["AlarmTypes"]) == ("cloudwatch:DescribeAlarms", ["MetricAlarm"])
        yield {"MetricAlarms": self.found}
        if self.lost:
            raise AwsDenied("no", operation=operation)

    def once(
        self, operation: str, parameters: Mapping[str, Any], *, datapoints: int = 0, metrics: int = 0
    ) -> Mapping[str, Any]:
        raise AssertionError(operation)


def metric(period: int | None = None, instance_id: str = "i-1", **changes: Any) -> dict[str, Any]:
    dimensions = [{"Name": "InstanceId", "Value": instance_id}] if instance_id else [{"Name": "ImageId", "Value": "a"}]
    one = {"Namespace": "AWS/EC2", "MetricName": "CPUUtilization", "Dimensions": dimensions, **changes}
    return one if period is None else {**one, "Period": period}


@pytest.mark.parametrize(
    ("alarm", "found"),
    [
        (metric(60), {"i-1"}),
        (metric(240), {"i-1"}),
        (metric(300), set()),
        (metric(60, Namespace="CWAgent"), set()),
        (metric(300, instance_id=""), {"any"}),
        ({"Metrics": [{"MetricStat": {"Metric": metric(), "Period": 60}}]}, {"i-1"}),
        ({"Metrics": [{"MetricStat": {"Metric": metric(), "Period": 300}}]}, set()),
        ({"Metrics": [{"Expression": 'SELECT AVG(CPUUtilization) FROM "AWS/EC2"', "Period": 60}]}, {"any"}),
        ({"Metrics": [{"Expression": "m1 / 2"}]}, set()),
    ],
    ids=["minute", "below", "five", "agent", "sum", "math", "math of five", "query", "expression"],
)
def test_an_alarm_watches_an_instance_by_its_period_and_dimension(alarm: dict[str, Any], found: set[str]) -> None:
    assert fast_alarms(Alarms([alarm])) == {"us-east-1": READ | found}


def test_half_a_listing_of_alarms_is_no_answer() -> None:
    with pytest.raises(AwsDenied):
        fast_alarms(Alarms([metric(300)], lost=True))


@pytest.mark.parametrize(("state", "known"), [("enabled", True), ("pending", True), ("disabled", False)])
def test_the_question_is_asked_for_instances_with_detailed_monitoring_alone(state: str, *, known: bool) -> None:
    question = next(one for one in KIND.listing.questions if one.id == FAST_ALARMS)
    one = instance(detailed_monitoring=state != "disabled")
    assert question.needed(one, JUDGED.facts(one).utilization) is known
    assert not question.needed(instance("stopped", detailed_monitoring=True), JUDGED.facts(one).utilization)
