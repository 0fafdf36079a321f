"""Namespaces as collected: custom metrics only, all of them or none, and what their series cost."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from tests.support.judging import Pages
from tests.unit.services.cloudwatch.namespaces import NAMESPACES, namespace

from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied
from finops_operator.plugins.facts import facts_of
from finops_operator.services.cloudwatch.namespace import KIND, NamespaceFacts

LIST = "cloudwatch:ListMetrics"
MODEL = botocore.session.get_session().get_service_model("cloudwatch").operation_model("ListMetrics")


def metric(name: str = "Latency", space: str = "Shop", **dimensions: str) -> dict[str, Any]:
    pairs = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    return {"Namespace": space, "MetricName": name, "Dimensions": pairs}


def collected(pages: list[Any]) -> list[Resource | Gap]:
    asked = Pages({LIST: pages})
    found = list(KIND.listing.collect(asked, "aws"))
    for _, parameters in asked.asked:
        assert not ParamValidator().validate(parameters, MODEL.input_shape).has_errors()
    return found


def test_a_namespace_carries_its_series_and_what_aws_publishes_by_itself_is_none() -> None:
    own = [metric(Request=f"r{number}", Host="a") for number in range(5)]
    vended = [metric("CPUUtilization", "AWS/EC2", InstanceId="i-1"), metric("Loss", "/aws/sagemaker/TrainingJobs")]
    shop, agent = collected([{"Metrics": [*own[:3], *vended]}, {"Metrics": [*own[3:], metric(space="agent")]}])
    assert isinstance(shop, Resource)
    assert isinstance(agent, Resource)
    assert (shop.id, shop.arn) == ("Shop", "arn:aws:cloudwatch:us-east-1:111122223333:namespace/Shop")
    assert facts_of(NamespaceFacts, shop) == NamespaceFacts(5, 1, "Request", 5, 1)
    assert facts_of(NamespaceFacts, agent) == NamespaceFacts(1, 1, "", 0, 1)


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException"])
def test_metrics_that_cannot_be_read_to_the_end_leave_a_gap_and_no_namespace(code: str) -> None:
    (gap,) = collected([{"Metrics": [metric()]}, AwsDenied("no", operation=LIST, code=code)])
    assert isinstance(gap, Gap)
    assert gap.operation == "ListMetrics"


def test_more_metrics_than_a_scan_may_ask_for_are_a_gap_and_are_not_counted_in_part() -> None:
    page = {"Metrics": [metric()]}
    (resource,) = collected([page] * 200)
    assert isinstance(resource, Resource)
    (gap,) = collected([page] * 201)
    assert isinstance(gap, Gap)
    assert gap.code == "TooManyMetrics"


@pytest.mark.parametrize("series", [1, 1_000, None])
def test_series_are_billed_by_hours_that_aws_does_not_publish_so_what_they_cost_is_not_known(
    series: int | None,
) -> None:
    cost = NAMESPACES.cost(namespace(series=series))
    assert cost.monthly is None
    assert "AWS does not publish for how many hours each series had data" in str(cost)


def test_what_a_feature_of_aws_publishes_is_listed_and_its_cost_unknown() -> None:
    (found,) = collected([{"Metrics": [metric(space="ContainerInsights", PodName="shop")]}])
    assert isinstance(found, Resource)
    cost = NAMESPACES.cost(found)
    assert cost.monthly is None
    assert "a feature of AWS publishes it, and is billed by rules of its own" in str(cost)
